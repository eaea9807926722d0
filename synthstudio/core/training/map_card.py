"""What the card of any generator says that makes images from semantic maps: a GAN, or a diffusion model of patches."""

from __future__ import annotations

from typing import Protocol

from synthstudio.core.synthesis.semantic_maps import MapCoding
from synthstudio.settings.region_crops import WindowSettings


class MapCard(Protocol):
    """What such a generator can be asked for, and what it has learned from; see `GanCard`."""

    @property
    def class_names(self) -> tuple[str, ...]: ...
    @property
    def tone_levels(self) -> tuple[str, ...]: ...
    @property
    def has_unknown_tone(self) -> bool: ...
    @property
    def side(self) -> int: ...
    @property
    def crops(self) -> WindowSettings: ...
    @property
    def seed(self) -> int: ...
    @property
    def train_fov_ids(self) -> tuple[int, ...]: ...
    @property
    def validation_fov_ids(self) -> tuple[int, ...]: ...


def coding_of(card: MapCard) -> MapCoding:
    """How the maps of a generator are drawn."""
    return MapCoding(card.class_names, len(card.tone_levels), card.has_unknown_tone)
