"""A step of DreamBooth beside a plain loop that does what the published example of diffusers does.

    python -m tests.benchmarks.bench_diffusion [--threads 1] [--repeats 15] [--side 64] [--model FOLDER] [--device cpu]

Prior loss and text encoder are trained in both, one guide and one prior image per step, fp32, clipped gradients. The
plain loop is written here: it encodes the images in every step and takes PyTorch's AdamW as it comes. Without a model
a tiny random Stable Diffusion is made. Both are run in turns, so that a machine that is busy for a while slows both
alike; medians. On a GPU the greatest memory is told, too.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from diffusers import DDPMScheduler
from torch import Tensor

from synthstudio.engine.diffusion_latents import LatentImages, to_pixels
from synthstudio.engine.diffusion_loop import DiffusionLoop, TuningMaterial
from synthstudio.engine.diffusion_models import Components, load_components
from synthstudio.engine.diffusion_passes import latent_moments, text_states, token_ids
from synthstudio.settings.train_diffusion import TrainDiffusionSettings
from tests.support.tiny_diffusion import write_tiny_diffusion

CAPTIONS = ("photo of a zxq skin lesion", "a photo of skin lesion")
STEP_BAR = 1.0
"""Of targets: a step of ours against one of the example."""
N_IMAGES = 4


class Host:
    """Asks for nothing."""

    def tick(self, done: int, total: int, /) -> None:
        """Nothing to report to."""

    def metric(self, name: str, value: float, *, step: int) -> None:
        """Nothing to log to."""

    def take_checkpoint_request(self) -> bool:
        """Nobody asks."""
        return False


def some_images(side: int) -> list[np.ndarray]:
    """Images of noise."""
    return list(np.random.default_rng(0).integers(0, 256, (N_IMAGES, side, side, 3), dtype=np.uint8))


def plain_step(parts: Components, side: int) -> Callable[[], None]:
    """One step as the example takes it."""
    device = next(parts.unet.parameters()).device
    for network in (parts.unet, parts.text_encoder):
        network.requires_grad_(True).train()
    weights = list(itertools.chain(parts.unet.parameters(), parts.text_encoder.parameters()))
    optimizer = torch.optim.AdamW(weights, lr=2e-6, weight_decay=0.01)
    noising = DDPMScheduler.from_config(parts.scheduler)
    ids = token_ids(parts.tokenizer, CAPTIONS).to(device)
    pixels = to_pixels(np.stack(some_images(side)), device)

    def step() -> None:
        with torch.no_grad():
            mean, spread = latent_moments(parts.vae, pixels[:2])
        latents = (mean + spread * torch.randn_like(mean)) * parts.latent_scale
        noise = torch.randn_like(latents)
        times = torch.randint(0, 1000, (2,), device=device)
        answer: Tensor = parts.unet(
            noising.add_noise(latents, noise, times), times, text_states(parts.text_encoder, ids)
        ).sample
        guide, prior = answer.chunk(2)
        wanted, wanted_prior = noise.chunk(2)
        loss = F.mse_loss(guide, wanted) + F.mse_loss(prior, wanted_prior)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        loss.detach().item()

    return step


def our_step(parts: Components, side: int, folder: Path) -> Callable[[], None]:
    """One step of ours, as the training takes it."""
    settings = TrainDiffusionSettings.model_validate(
        {"side": side, "optimization": {"steps": 100_000, "text_encoder_steps": 100_000}}
    )
    images, prior = (
        LatentImages(some_images(side), parts.vae, scale=parts.latent_scale, is_cached=True, flips=False)
        for _ in range(2)
    )
    captions = [CAPTIONS[0]] * N_IMAGES
    material = TuningMaterial(images, captions, prior, CAPTIONS[1], images, captions)
    loop = DiffusionLoop(
        parts, settings, material, Host(), folder=folder, keep=lambda step: None, warn=lambda text: None
    )
    return loop._take_step


def measure(steps: dict[str, Callable[[], None]], device: torch.device, repeats: int) -> dict[str, list[float]]:
    """Seconds of each step, taken in turns."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(repeats + 2):
        for name, step in steps.items():
            began = time.perf_counter()
            step()
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            if number >= 2:  # the first ones allocate
                seconds[name].append(time.perf_counter() - began)
    return seconds


def main() -> int:
    """Measure; return 1 where the bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    device = torch.device(arguments.device)
    with tempfile.TemporaryDirectory() as name:
        source = arguments.model or write_tiny_diffusion(Path(name) / "tiny")
        steps = {
            "example": plain_step(load_components(source, device=device), arguments.side),
            "ours": our_step(load_components(source, device=device), arguments.side, Path(name)),
        }
        seconds = measure(steps, device, arguments.repeats)
    medians = {name: statistics.median(each) * 1e3 for name, each in seconds.items()}
    ratio = medians["ours"] / medians["example"]
    lines = [f"{name:8s} {value:8.1f} ms a step" for name, value in medians.items()]
    lines.append(f"ratio {ratio:.2f} (bar {STEP_BAR:.1f}), {arguments.threads} threads, {arguments.side} px")
    if device.type == "cuda":
        lines.append(f"greatest memory of both together {torch.cuda.max_memory_allocated(device) / 1e9:.1f} GB")
    sys.stdout.write("\n".join(lines) + "\n")
    return int(ratio > STEP_BAR)


if __name__ == "__main__":
    sys.exit(main())
