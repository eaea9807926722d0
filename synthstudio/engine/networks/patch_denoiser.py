"""The denoiser of patches: a U-Net that sees a noisy image beside the map of what it should show.

The U-Net is that of Ho et al. 2020 (diffusers' UNet2DModel). The request enters twice: as a mask of each class beside
the noisy image, which says where; and as an embedding of the classes and the tone, added to that of the time, which
says what, at every level.

Images are `(N, 3, S, S)` float32. Pixels are from -1 to 1, RGB; the network sees them standardised, so that they are as
strong as the noise that is added (Karras et al. 2022): pale images would else drown in it at almost all times.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
import torch
from diffusers.models.unets.unet_2d import UNet2DModel
from numpy.typing import NDArray
from torch import Tensor, nn
from typing_extensions import override

from synthstudio.core.synthesis.map_codes import tone_values
from synthstudio.core.synthesis.semantic_maps import MapCoding
from synthstudio.settings.train_patch_diffusion import DenoiserSettings

CHANNELS = 3
DEEPEST_PX = 8
"""Side of the deepest level's features."""
MAX_GROWTH = 4
"""The widest levels have this many times the base channels."""
LEAST_DEVIATION = 0.05
"""Of pixels: crops that are all but empty are not enhanced until nothing but their grain is seen."""
_GROUPS = 8


class _UNet(Protocol):
    """What is used of the library's network, which has no types of its own."""

    def __call__(
        self, sample: Tensor, timestep: Tensor, class_labels: Tensor, *, return_dict: bool
    ) -> tuple[Tensor]: ...


@dataclass(frozen=True, slots=True)
class MapLayers:
    """What maps ask for, as the network takes it.

    Attributes:
        masks: Where each class is, `(N, K, S, S)` float32, 0 or 1.
        tones: Level of each map, `(N,)` int64; 0 is the unknown one.
    """

    masks: Tensor
    tones: Tensor

    def to(self, device: torch.device) -> MapLayers:
        return MapLayers(self.masks.to(device), self.tones.to(device))


class MapReader:
    """Turns drawn maps into layers."""

    def __init__(self, coding: MapCoding) -> None:
        codes = coding.codes.astype(np.int64)
        self._codes = torch.from_numpy(codes[:, 0] << 8 | codes[:, 1])
        levels = np.zeros(256, np.int64)
        levels[tone_values(coding.n_tones)] = np.arange(coding.n_tones + 1)
        self._levels = torch.from_numpy(levels)

    def __call__(self, maps: Tensor) -> MapLayers:
        """Read maps `(N, S, S, 3)` uint8 that `MapCoding.draw` has drawn."""
        packed = maps[..., 1].long() << 8 | maps[..., 2].long()
        masks = (packed[:, None] == self._codes[None, :, None, None]).float()
        return MapLayers(masks, self._levels[maps[:, 0, 0, 0].long()])


class PatchDenoiser(nn.Module):
    """Answers what the noise, or the `v`, of noisy images is.

    Args:
        side: Of the images in px, a power of two from 16.
        n_classes: Masks of each map.
        n_tones: Levels of the tone scale, besides the unknown one.
        settings: Its size.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, *, side: int, n_classes: int, n_tones: int, settings: DenoiserSettings) -> None:
        super().__init__()
        n_levels = int(math.log2(side // DEEPEST_PX)) + 1
        widths = tuple(settings.base_channels * min(level + 1, MAX_GROWTH) for level in range(n_levels))
        n_embedded = 4 * widths[0]
        self.unet = UNet2DModel(
            sample_size=side,
            in_channels=CHANNELS + n_classes,
            out_channels=CHANNELS,
            down_block_types=("DownBlock2D",) * n_levels,
            up_block_types=("UpBlock2D",) * n_levels,
            block_out_channels=widths,
            layers_per_block=settings.layers,
            attention_head_dim=min(32, settings.base_channels),
            add_attention=settings.attention,
            norm_num_groups=_GROUPS,
            dropout=settings.dropout,
            class_embed_type="identity",
        )
        self.classes = nn.Parameter(torch.randn(n_classes, n_embedded))
        self.tones = nn.Parameter(torch.randn(n_tones + 1, n_embedded))
        self.register_buffer("mean", torch.zeros(1, CHANNELS, 1, 1))
        self.register_buffer("deviation", torch.ones(1))
        self.nothing = nn.Parameter(torch.randn(n_embedded))
        """Stands for a request that is not told."""
        nn.init.zeros_(cast("Tensor", self.unet.conv_out.weight))  # the first answer is none: a calmer beginning

    def set_range(self, *, mean: NDArray[np.float64], deviation: float) -> None:
        """Say what learned pixels, -1 to 1, are like: mean of each channel `(3,)`, and deviation from it."""
        self.mean.copy_(torch.from_numpy(mean).reshape(1, CHANNELS, 1, 1))
        self.deviation.fill_(max(deviation, LEAST_DEVIATION))

    def standardised(self, pixels: Tensor) -> Tensor:
        """Pixels, -1 to 1, as the network sees them."""
        return (pixels - self.mean) / self.deviation

    def pixels(self, images: Tensor) -> Tensor:
        """What the network sees, as pixels, which are kept within -1 to 1."""
        return (images * self.deviation + self.mean).clamp(-1.0, 1.0)

    @override
    def forward(self, noisy: Tensor, times: Tensor, layers: MapLayers, is_told: Tensor) -> Tensor:
        """Answer for noisy images.

        Args:
            noisy: `(N, 3, S, S)`, standardised and with noise.
            times: `(N,)` int64, 0 to 999: how noisy each is.
            layers: What they should show.
            is_told: `(N,)` bool: whether the request is seen.
        """
        told = is_told[:, None].to(noisy.dtype)  # (N, 1)
        shown = layers.masks.amax(dim=(2, 3)).to(noisy.dtype)  # (N, K)
        request = shown @ self.classes + self.tones[layers.tones]
        embedded = told * request + (1 - told) * self.nothing  # (N, E)
        seen = torch.cat([noisy, layers.masks.to(noisy.dtype) * told[:, :, None, None]], dim=1)
        return cast("_UNet", self.unet)(seen, times, embedded, return_dict=False)[0]


def build_patch_denoiser(
    settings: DenoiserSettings, *, side: int, n_classes: int, n_tones: int, seed: int
) -> PatchDenoiser:
    """Build a network whose first weights depend on the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return PatchDenoiser(side=side, n_classes=n_classes, n_tones=n_tones, settings=settings)
