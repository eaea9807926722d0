"""The published GAN beside a plain pix2pix of its size: seconds of a training step and of one generated image.

    python -m tests.benchmarks.bench_gan [--threads 1 2] [--repeats 5] [--device cpu] [--batch 1] [--parts step image]

256 px, random weights: the work is that of trained ones. A step is that of both networks with all four losses; pix2pix
is written here from its paper (unet_256 with transposed convolutions, batch norm, L1 + GAN). What is compared is run in
turns, so that a machine that is busy for a while slows all alike; medians. On a GPU it also tells images per second and
the greatest memory.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor, nn

from synthstudio.core.training.gan_card import GanCard
from synthstudio.engine.gan_loop import build_adam, choose_layout
from synthstudio.engine.gan_losses import gan_losses, take_gradients
from synthstudio.engine.gan_onnx import build_generator_onnx, compare_with_torch
from synthstudio.engine.gan_session import IMAGES, MAPS, GeneratorSession
from synthstudio.engine.networks.gan import ResizeConv, UNetGenerator, build_discriminator, build_generator
from synthstudio.engine.onnx_files import write_graph
from synthstudio.settings.train_gan import (
    GanLossSettings,
    GanNetworkSettings,
    GanOptimizationSettings,
    RegionCropSettings,
)

SIDE = 256
WIDTHS = (64, 128, 256, 512, 512, 512, 512, 512)
STEP_BAR, FULL_BAR_MS, HALF_BAR_MS, DIFFERENCE_BAR = 1.2, 120.0, 50.0, 1e-4
"""Of targets: a step of ours against one of pix2pix; an image at 64 and at 32 base channels; ONNX against torch."""
Precision = Literal["fp32", "bf16"]


class PlainUnet(nn.Module):
    """The generator of pix2pix for 256 px."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for level, width in enumerate(WIDTHS):
            layers: list[nn.Module] = [
                nn.Conv2d(WIDTHS[level - 1] if level else 3, width, 4, 2, 1, bias=level in (0, 7))
            ]
            self.down.append(nn.Sequential(*layers, *([] if level in (0, 7) else [nn.BatchNorm2d(width)])))
        for level in reversed(range(8)):
            n_out = WIDTHS[level - 1] if level else 3
            n_in = WIDTHS[level] if level == 7 else 2 * WIDTHS[level]
            layers = [nn.ConvTranspose2d(n_in, n_out, 4, 2, 1, bias=level == 0)]
            layers += [nn.BatchNorm2d(n_out)] if level else [nn.Tanh()]
            self.up.append(nn.Sequential(*layers, *([nn.Dropout(0.5)] if level in (4, 5, 6) else [])))

    def forward(self, maps: Tensor) -> Tensor:
        seen: list[Tensor] = []
        features = maps
        for level, step in enumerate(self.down):
            features = step(F.leaky_relu(features, 0.2) if level else features)
            seen.append(features)
        features = seen.pop()
        for step in self.up:
            features = step(F.relu(features))
            if seen:
                features = torch.cat((features, seen.pop()), dim=1)
        return features


class PlainJudge(nn.Sequential):
    """The discriminator of pix2pix, which judges patches of 70 px."""

    def __init__(self) -> None:
        layers: list[nn.Module] = [nn.Conv2d(6, 64, 4, 2, 1), nn.LeakyReLU(0.2)]
        for n_in, n_out, stride in ((64, 128, 2), (128, 256, 2), (256, 512, 1)):
            layers += [nn.Conv2d(n_in, n_out, 4, stride, 1, bias=False), nn.BatchNorm2d(n_out), nn.LeakyReLU(0.2)]
        super().__init__(*layers, nn.Conv2d(512, 1, 4, 1, 1))


def some_pairs(n: int, device: str) -> tuple[Tensor, Tensor]:
    """Maps with one region each, and images."""
    maps = torch.full((n, 3, SIDE, SIDE), -1.0)
    maps[:, 0], maps[:, 1:, 80:170, 60:150] = 0.2, 0.6
    return maps.to(device), (torch.rand((n, 3, SIDE, SIDE)) * 2.0 - 1.0).to(device)


def adam(network: nn.Module) -> torch.optim.Adam:
    """The optimiser of pix2pix, computed as ours is, so that it makes no difference."""
    return torch.optim.Adam(network.parameters(), 2e-4, (0.5, 0.999), fused=True)


def plain_step(n: int, device: str) -> Callable[[], None]:
    """One step of pix2pix, as its paper has it: the discriminator, then the generator against it."""
    generator, judge = PlainUnet().to(device), PlainJudge().to(device)
    optimizer, judge_optimizer = adam(generator), adam(judge)
    maps, real = some_pairs(n, device)

    def cost(logits: Tensor, *, is_real: bool) -> Tensor:
        return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(is_real)))

    def step() -> None:
        made = generator(maps)
        judge.requires_grad_(True)
        judge_optimizer.zero_grad()
        wrong = cost(judge(torch.cat((maps, made.detach()), 1)), is_real=False)
        ((wrong + cost(judge(torch.cat((maps, real), 1)), is_real=True)) / 2).backward()
        judge_optimizer.step()
        judge.requires_grad_(False)
        optimizer.zero_grad()
        (cost(judge(torch.cat((maps, made), 1)), is_real=True) + 100.0 * F.l1_loss(made, real)).backward()
        optimizer.step()

    return step


def our_step(n: int, device: str, *, channels: int, precision: Precision) -> Callable[[], None]:
    """One step of ours, as the training takes it."""
    settings = GanNetworkSettings(base_channels=channels)
    generator = build_generator(settings, side=SIDE, seed=0).to(device)
    judge = build_discriminator(settings, side=SIDE, seed=1).to(device)
    training = GanOptimizationSettings(precision=precision)
    optimizer = build_adam(generator, training, rate=training.generator_rate)
    judge_optimizer = build_adam(judge, training, rate=training.discriminator_rate)
    layout = choose_layout(torch.device(device))
    for network in (generator, judge):
        network.to(memory_format=layout)  # type: ignore[call-overload]  # torch lists it not
    maps, real = (each.contiguous(memory_format=layout) for each in some_pairs(n, device))
    is_bf16 = precision == "bf16"

    def step() -> None:
        optimizer.zero_grad()
        judge_optimizer.zero_grad()
        with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=is_bf16):
            losses = gan_losses(generator, judge, GanLossSettings(), maps=maps, real=real)
        take_gradients(losses, generator, judge)
        optimizer.step()
        judge_optimizer.step()

    return step


def run_in_turns(works: Mapping[str, Callable[[], object]], *, repeats: int, device: str) -> dict[str, float]:
    """Median milliseconds of each, after one pass that is not counted."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(repeats + 1):
        for name, work in works.items():
            began = time.perf_counter()
            work()
            if device.startswith("cuda"):
                torch.cuda.synchronize()
            if turn:
                times[name].append(1000.0 * (time.perf_counter() - began))
    return {name: statistics.median(each) for name, each in times.items()}


def greatest_memory(work: Callable[[], object]) -> float:
    """GiB of a GPU, of what is there already and of a step."""
    torch.cuda.reset_peak_memory_stats()
    work()
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() / 2**30


def bench_steps(threads: int, *, repeats: int, device: str, n: int) -> None:
    """Training steps."""
    works = {
        "plain pix2pix, 64 channels, fp32": plain_step(n, device),
        "ours, 64 channels, fp32": our_step(n, device, channels=64, precision="fp32"),
        "ours, 64 channels, bf16": our_step(n, device, channels=64, precision="bf16"),
        "ours, 32 channels, fp32": our_step(n, device, channels=32, precision="fp32"),
        "ours, 32 channels, bf16": our_step(n, device, channels=32, precision="bf16"),
    }
    found = run_in_turns(works, repeats=repeats, device=device)
    plain = found["plain pix2pix, 64 channels, fp32"]
    bars = {"ours, 64 channels, fp32": STEP_BAR, "ours, 64 channels, bf16": 1.0}
    for name, ms in found.items():
        ratio = ms / plain
        told = verdict(ratio, bars[name], unit="x") if name in bars else ""
        if device.startswith("cuda"):
            told += f"  {1000.0 * n / ms:.1f} images/s, {greatest_memory(works[name]):.1f} GiB with all networks here"
        say(f"  step, {name:<34}{ms:8.0f} ms  {ratio:5.2f} x  {told}")
    say(f"  ({threads} threads, batches of {n})" if device == "cpu" else f"  (batches of {n})")


class PlainResize(nn.Module):
    """A resize and a convolution as they are written, for the file that is not folded."""

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, features: Tensor) -> Tensor:
        made: Tensor = self.conv(F.interpolate(features, scale_factor=2.0, mode="nearest"))
        return made


def unfolded(generator: UNetGenerator) -> UNetGenerator:
    """A copy whose resizes stay resizes at every size."""
    plain = copy.deepcopy(generator)
    for parent in list(plain.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, ResizeConv):
                setattr(parent, name, PlainResize(child.conv))
    return plain


def bench_images(threads: int, *, repeats: int, device: str) -> None:
    """One image: torch, ONNX as trained, ONNX folded."""
    works: dict[str, Callable[[], object]] = {}
    maps, _ = some_pairs(1, "cpu")
    pixels = np.asarray(maps.numpy(), np.float32)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder) / "scratch"
        for channels in (64, 32):
            settings = GanNetworkSettings(base_channels=channels)
            generator = build_generator(settings, side=SIDE, seed=0).eval()
            axes = {"inputs": {MAPS: {0: "n"}}, "outputs": {IMAGES: {0: "n"}}}
            plain = write_graph(unfolded(generator), (maps,), **axes, card="{}", scratch=scratch)
            folded = build_generator_onnx(generator, card_of(settings), scratch=scratch)
            sessions = {
                "ONNX as trained": GeneratorSession(plain, device=device, threads=threads),
                "ONNX folded": GeneratorSession(folded, device=device, threads=threads),
            }
            for name, session in sessions.items():
                difference = compare_with_torch(generator, session)
                told = verdict(difference / DIFFERENCE_BAR, 1.0, unit="of the bar")
                by = f"{session.provider}, {difference:.1e} from torch"
                say(f"  {name}, {channels} channels: {by}  {told}")
                works[f"{name}, {channels} channels"] = lambda session=session: session.make(pixels)
            works[f"torch, {channels} channels"] = torch.inference_mode()(lambda made_by=generator: made_by(maps))
        found = run_in_turns(works, repeats=4 * repeats, device="cpu")
    bars = {"ONNX folded, 64 channels": FULL_BAR_MS, "ONNX folded, 32 channels": HALF_BAR_MS}
    for name, ms in found.items():
        # The bars are of hand to picture on two cores, of which this is the greater part.
        told = verdict(ms / bars[name], 1.0, unit="of the bar") if name in bars and threads == 2 else ""
        say(f"  image, {name:<30}{ms:8.1f} ms  {told}")


def card_of(settings: GanNetworkSettings) -> GanCard:
    return GanCard.model_construct(
        class_names=("condition",),
        tone_levels=(),
        has_unknown_tone=False,
        side=SIDE,
        network=settings,
        crops=RegionCropSettings(),
    )


def verdict(value: float, bar: float, *, unit: str) -> str:
    return f"{'met' if value <= bar else 'MISSED'} (<= {bar:g} {unit})"


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--parts", nargs="+", choices=["step", "image"], default=["step", "image"])
    given = parser.parse_args()
    for threads in given.threads if given.device == "cpu" else given.threads[:1]:
        torch.set_num_threads(threads)
        say(f"{given.device}, {threads} thread{'s' if threads > 1 else ''}:")
        if "step" in given.parts:
            bench_steps(threads, repeats=given.repeats, device=given.device, n=given.batch)
        if "image" in given.parts:
            bench_images(threads, repeats=given.repeats, device=given.device)


if __name__ == "__main__":
    main()
