"""A trained generator as an ONNX file: the same images, without torch and faster.

What doubles the sides of features, a nearest-neighbour resize and a 3x3 convolution in the training, is written with 9
instead of 36 multiplications for each px and weight (`FoldedResizeConv`); the last one, which makes the three colours,
with 16, as the one transposed convolution that equals it.
"""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from synthstudio.core.imaging import write_bytes_atomically
from synthstudio.core.training.gan_card import GanCard
from synthstudio.domain.errors import UserError
from synthstudio.engine.gan_session import IMAGES, MAPS, NOISE, GeneratorSession
from synthstudio.engine.networks.folded_resize import FoldedResizeConv
from synthstudio.engine.networks.gan import CHANNELS, ResizeConv, UNetGenerator, fold_weights
from synthstudio.engine.onnx_files import write_graph

TOLERANCE = 1e-4
"""Greatest difference from the trained generator, of images from -1 to 1; a hundredth of what 8 bits can show."""
TEST_BATCHES = (1, 3)


def fold_generator(generator: UNetGenerator) -> UNetGenerator:
    """A copy of a generator, in float32 on the processor, whose resizes and convolutions are folded."""
    folded = copy.deepcopy(generator).cpu().float().eval()
    for parent in list(folded.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, ResizeConv):
                setattr(parent, name, _folded(child))
    return folded


def _folded(module: ResizeConv) -> nn.Module:
    if module.conv.out_channels > CHANNELS:
        return FoldedResizeConv(module.conv)
    # Differences of all features would cost more than the products that they save with three colours.
    weights = fold_weights(module.conv.weight.detach())
    bias = module.conv.bias
    made = nn.ConvTranspose2d(weights.shape[0], weights.shape[1], 4, stride=2, padding=1, bias=bias is not None)
    made.weight = nn.Parameter(weights.contiguous())
    if bias is not None:
        made.bias = nn.Parameter(bias.detach().clone())
    return made


def build_generator_onnx(generator: UNetGenerator, card: GanCard, *, scratch: Path) -> bytes:
    """Return the bytes of a single ONNX file with the GAN's card among its metadata.

    Args:
        generator: What is exported; it is left as it is.
        card: What it is.
        scratch: Name for a file that is written and removed again.
    """
    inputs = {MAPS: {0: "n"}} | ({NOISE: {0: "n"}} if generator.noise else {})
    return write_graph(
        fold_generator(generator),
        tuple(_tensors(1, generator, seed=0)),
        inputs=inputs,
        outputs={IMAGES: {0: "n"}},
        card=card.model_dump_json(),
        scratch=scratch,
    )


def compare_with_torch(generator: UNetGenerator, session: GeneratorSession) -> float:
    """Greatest difference of the images that both make of the same maps and noise; the images are from -1 to 1."""
    trusted = copy.deepcopy(generator).cpu().float().eval()
    differences = []
    for n in TEST_BATCHES:
        tensors = _tensors(n, generator, seed=n)
        with torch.inference_mode():
            expected = trusted(*tensors).numpy()
        found = session.run(*(_array(each) for each in tensors))
        differences.append(float(np.abs(found - expected).max()))
    return max(differences)


def export_generator(generator: UNetGenerator, card: GanCard, path: Path) -> float:
    """Write the file beside its name, compare it with the trained generator, and only then put it in place.

    Returns:
        The greatest difference, of images from -1 to 1.

    Raises:
        UserError: It makes other images, or the file cannot be written.
    """
    data = build_generator_onnx(generator, card, scratch=path.with_name(f".{path.name}.scratch"))
    difference = compare_with_torch(generator, GeneratorSession(data))
    if not difference <= TOLERANCE:  # nan, of weights that are no numbers, is no agreement either
        raise UserError(
            f"The exported generator makes images that differ from the trained one's by {difference:.1g}, more than"
            f" the {TOLERANCE:.0e} allowed; nothing was written.",
            "Train on from an earlier checkpoint: its weights may have grown beyond what float32 can hold.",
        )
    write_bytes_atomically(path, data)
    return difference


def _tensors(n: int, generator: UNetGenerator, *, seed: int) -> list[Tensor]:
    """Maps as hard to make as can be, every px for itself, and noise where there is any."""
    numbers = torch.Generator().manual_seed(seed)
    maps = torch.rand((n, CHANNELS, generator.side, generator.side), generator=numbers) * 2.0 - 1.0
    return [maps, torch.randn((n, generator.noise), generator=numbers)] if generator.noise else [maps]


def _array(tensor: Tensor) -> NDArray[np.float32]:
    return np.asarray(tensor.numpy(), np.float32)
