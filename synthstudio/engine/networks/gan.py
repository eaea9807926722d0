"""The two networks of the semantic-map GAN: a U-Net that makes images from maps, and a judge of their patches.

Both follow pix2pix (Isola et al. 2017), as DermGAN does, with two differences. Normalisation is by instance, so that a
network answers after its training as in it; pix2pix trains with batches of one, where its batch norm is the same. And
each transposed convolution of the U-Net is a nearest-neighbour resize with a convolution, which leaves no checkerboard.

Maps and images are `(N, 3, S, S)` float32 from -1 to 1, RGB.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor, nn
from torch.nn.utils import parametrizations
from typing_extensions import override

from synthstudio.domain.errors import UserError
from synthstudio.settings.train_gan import GanNetworkSettings, Upsampling

CHANNELS = 3
MAX_GROWTH = 8
"""The widest layers have this many times the base channels."""
LEAK = 0.2
WEIGHT_SD = 0.02
"""Of the first weights, as in pix2pix: with tanh at the end, larger ones start saturated."""
FOLD_FROM_PX = 256
"""From this many px of its input on, a resize and convolution is faster in its folded form.

Px are those of one image, and in a training of the whole batch. Folded: 16 instead of 36 multiplications per px and
weight, but the weights have to be summed first, which costs more than it saves on small inputs. One training step of
the U-Net's last four levels at 256 px, one processor core: 250 ms folded, 680 ms plain; of its first four: 610 ms
folded, 130 ms plain.
"""


@dataclass(frozen=True, slots=True)
class DiscriminatorAnswer:
    """What a discriminator says.

    Attributes:
        logits: `(N, 1, h, w)`, one for each patch; positive where it takes the patch for real.
        features: Activations of its second-to-last convolution, `(N, C, h, w)`.
    """

    logits: Tensor
    features: Tensor


def fold_weights(weights: Tensor) -> Tensor:
    """Weights `(in, out, 4, 4)` of the transposed convolution that equals a resize and convolution.

    A nearest-neighbour resize by two, and a 3x3 convolution with padding 1 and these weights `(out, in, 3, 3)`, are
    together one transposed convolution of stride 2 and padding 1: copies of one px meet the sum of their weights.
    """
    folded = weights.transpose(0, 1)
    for axis in (2, 3):
        first, middle, last = folded.unbind(axis)
        folded = torch.stack((last, middle + last, first + middle, first), axis)
    return folded


class ResizeConv(nn.Module):
    """Nearest-neighbour resize by two and a 3x3 convolution: `(N, in, h, w)` to `(N, out, 2h, 2w)`."""

    def __init__(self, n_in: int, n_out: int, *, bias: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(n_in, n_out, 3, padding=1, bias=bias)

    @override
    def forward(self, features: Tensor) -> Tensor:
        # After the training one image's size alone decides, so that it does not depend on what is made along with it.
        n_px = features.shape[2] * features.shape[3] * (len(features) if self.training else 1)
        if n_px < FOLD_FROM_PX:
            made: Tensor = self.conv(F.interpolate(features, scale_factor=2.0, mode="nearest"))
            return made
        return F.conv_transpose2d(features, fold_weights(self.conv.weight), self.conv.bias, stride=2, padding=1)


def build_upsampling(kind: Upsampling, n_in: int, n_out: int, *, bias: bool) -> nn.Module:
    """Build what doubles the sides of features."""
    if kind == "resize":
        return ResizeConv(n_in, n_out, bias=bias)
    return nn.ConvTranspose2d(n_in, n_out, 4, stride=2, padding=1, bias=bias)


class UNetGenerator(nn.Module):
    """Makes images from maps: convolutions down to one px, and up again beside what was seen on the way down.

    Noise enters there, at the one px in the middle: beside its features and past their activation, so that each
    number is one more feature of the whole image, which every level of the way up can use. There is no dropout: the
    same map and noise always make the same image.

    Args:
        side: Of the maps and images in px, a power of two.
        base_channels: Of the first level; they double from level to level, eight times at most.
        upsampling: What doubles the sides on the way up.
        noise: Numbers that enter with each map, from a normal distribution; 0 for none.
    """

    def __init__(self, *, side: int, base_channels: int, upsampling: Upsampling, noise: int) -> None:
        super().__init__()
        if side < 8 or side & (side - 1):
            raise ValueError(f"a side of {side} px is no power of two from 8")
        self.side = side
        self.noise = noise
        n_levels = side.bit_length() - 1
        widths = [base_channels * min(2**level, MAX_GROWTH) for level in range(n_levels)]
        self.down = nn.ModuleList()
        for level, width in enumerate(widths):
            is_bare = level in (0, n_levels - 1)
            n_in = CHANNELS if level == 0 else widths[level - 1]
            convolution = nn.Conv2d(n_in, width, 4, stride=2, padding=1, bias=is_bare)
            self.down.append(convolution if is_bare else nn.Sequential(convolution, _norm(width)))
        self.up = nn.ModuleList()
        for level in reversed(range(n_levels)):
            n_in = widths[level] + noise if level == n_levels - 1 else 2 * widths[level]
            n_out = CHANNELS if level == 0 else widths[level - 1]
            convolution_up = build_upsampling(upsampling, n_in, n_out, bias=level == 0)
            self.up.append(convolution_up if level == 0 else nn.Sequential(convolution_up, _norm(n_out)))
        _draw_weights(self)

    @override
    def forward(self, maps: Tensor, noise: Tensor | None = None) -> Tensor:
        """Make images `(N, 3, S, S)` from maps `(N, 3, S, S)` and, where it takes any, noise `(N, noise)`.

        Raises:
            ValueError: There is noise for a generator that takes none, or none for one that does.
        """
        if (noise is None) != (self.noise == 0):
            raise ValueError(f"this generator takes {self.noise} numbers of noise")
        seen: list[Tensor] = []
        features = maps
        for level, step in enumerate(self.down):
            features = step(features if level == 0 else F.leaky_relu(features, LEAK))
            seen.append(features)
        features = F.relu(seen.pop())
        if noise is not None:
            features = torch.cat((features, noise[:, :, None, None].to(features.dtype)), dim=1)
        for step in self.up:
            features = step(features)
            if seen:
                features = F.relu(torch.cat((features, seen.pop()), dim=1))
        return features.float().tanh()


class PatchDiscriminator(nn.Module):
    """Judges the patches of an image beside its map.

    Args:
        base_channels: Of the first level; they double from level to level, eight times at most.
        layers: Convolutions of stride 2; with 3 a patch has 70 px.
        spectral_norm: Whether the largest singular value of each layer's weights is kept at 1.
    """

    def __init__(self, *, base_channels: int, layers: int, spectral_norm: bool) -> None:
        super().__init__()
        widths = [base_channels * min(2**level, MAX_GROWTH) for level in range(layers + 1)]
        steps: list[nn.Module] = []
        for level, width in enumerate(widths):
            n_in = 2 * CHANNELS if level == 0 else widths[level - 1]
            stride = 1 if level == layers else 2
            steps.append(nn.Conv2d(n_in, width, 4, stride=stride, padding=1, bias=level == 0))
            steps += [nn.LeakyReLU(LEAK)] if level == 0 else [_norm(width), nn.LeakyReLU(LEAK)]
        self.features = nn.Sequential(*steps)
        self.head = nn.Conv2d(widths[-1], 1, 4, padding=1)
        _draw_weights(self)
        if spectral_norm:  # last, since its estimate starts from the weights
            for module in [each for each in self.modules() if isinstance(each, nn.Conv2d)]:
                parametrizations.spectral_norm(module)

    @override
    def forward(self, maps: Tensor, images: Tensor) -> DiscriminatorAnswer:
        """Judge images beside their maps, both `(N, 3, S, S)`."""
        features = self.features(torch.cat((maps, images), dim=1))
        return DiscriminatorAnswer(self.head(features), features)


def build_generator(settings: GanNetworkSettings, *, side: int, seed: int) -> UNetGenerator:
    """Build a generator with random weights that depend on the seed alone."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)  # inside fork_rng: the global generator is as before afterwards
        return UNetGenerator(
            side=side, base_channels=settings.base_channels, upsampling=settings.upsampling, noise=settings.noise
        )


def build_discriminator(settings: GanNetworkSettings, *, side: int, seed: int) -> PatchDiscriminator:
    """Build a discriminator with random weights that depend on the seed alone.

    Raises:
        UserError: Its patches do not fit into images of this side.
    """
    layers = settings.discriminator_layers
    if side >> layers < 4:
        fitting = side.bit_length() - 3
        raise UserError(
            f"A discriminator with {layers} layers leaves no patches to judge in images of {side} px.",
            f"Take at most {fitting} layers, or a larger side.",
        )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return PatchDiscriminator(
            base_channels=settings.base_channels, layers=layers, spectral_norm=settings.spectral_norm
        )


def _norm(width: int) -> nn.Module:
    return nn.InstanceNorm2d(width, affine=True)


def _draw_weights(network: nn.Module) -> None:
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, std=WEIGHT_SD)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
