"""What can be done with the crops of a GAN, as data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.pages.generate.gan.crop_pictures import CropPictures

MENU = "Generate"


@dataclass(frozen=True, slots=True)
class CropParts:
    """Where the actions are done.

    Attributes:
        has_crops: Whether any are shown.
        has_run: Whether a GAN is chosen whose crops can be looked at.
    """

    pictures: CropPictures
    has_crops: Callable[[], bool]
    draw_another_seed: Callable[[], None]
    has_run: Callable[[], bool]
    show_crops_of_run: Callable[[], None]


def crop_specs(parts: CropParts) -> Sequence[ActionSpec]:
    """All actions of the panel."""
    pictures = parts.pictures
    return (
        ActionSpec(
            "gan.crops_seed",
            "Other windows of the crops",
            parts.draw_another_seed,
            shortcut="Ctrl+R",
            icon="mdi6.dice-multiple-outline",
            menu=MENU,
            enabled_when=parts.has_crops,
        ),
        ActionSpec(
            "gan.crops_forth",
            "Crops after these",
            pictures.go_forth,
            shortcut="]",
            icon="mdi6.chevron-right",
            menu=MENU,
            enabled_when=lambda: parts.has_crops() and pictures.forth.isEnabled(),
        ),
        ActionSpec(
            "gan.crops_back",
            "Crops before these",
            pictures.go_back,
            shortcut="[",
            icon="mdi6.chevron-left",
            menu=MENU,
            enabled_when=lambda: parts.has_crops() and pictures.back.isEnabled(),
        ),
        ActionSpec(
            "gan.crops_look",
            "Crops, maps or both",
            pictures.show_next_look,
            shortcut="M",
            icon="mdi6.map-outline",
            menu=MENU,
            enabled_when=parts.has_crops,
        ),
        ActionSpec(
            "gan.crops_boxes",
            "Boxes on the crops",
            pictures.boxes.toggle,
            shortcut="B",
            icon="mdi6.vector-square",
            menu=MENU,
            enabled_when=parts.has_crops,
            checked_when=pictures.boxes.isChecked,
        ),
        ActionSpec(
            "gan.crops_of_run",
            "Crop as the chosen GAN has",
            parts.show_crops_of_run,
            icon="mdi6.content-duplicate",
            menu=MENU,
            enabled_when=parts.has_run,
        ),
    )
