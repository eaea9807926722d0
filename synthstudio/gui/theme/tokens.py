"""What the looks are made of. Widgets, plots and canvases take their colours from here and from nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

GRID_PX = 4
"""Distances are multiples of this."""
PLOT_HEIGHT_PX = 120
"""Less than this and a plot cannot be read."""


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours as `#RRGGBB`, text sizes in pt. Greys are neutral: a tinted surround shifts how a stain is seen.

    Attributes:
        window: Behind everything.
        panel: Side panels, lists, tables.
        raised: Buttons, menus, tooltips.
        field: Inputs.
        surround: Around images.
        accent: What is active or selected; the only hue of the interface.
        accent_soft: Background of what is selected.
        danger: Loss and error, nothing else.
        text_small_pt: Captions; `text_pt` is the system's size, `text_heading_pt` heads a panel.
    """

    name: Literal["light", "dark"]
    window: str
    panel: str
    raised: str
    field: str
    hover: str
    pressed: str
    border: str
    border_strong: str
    text: str
    text_muted: str
    text_disabled: str
    accent: str
    accent_hover: str
    accent_soft: str
    on_accent: str
    danger: str
    warning: str
    success: str
    surround: str
    scroll: str
    text_small_pt: float = 8.5
    text_pt: float = 10.0
    text_heading_pt: float = 12.5

    @property
    def is_dark(self) -> bool:
        return self.name == "dark"


LIGHT = Theme(
    name="light",
    window="#F2F2F2",
    panel="#FAFAFA",
    raised="#FFFFFF",
    field="#FFFFFF",
    hover="#E9E9E9",
    pressed="#DEDEDE",
    border="#DCDCDC",
    border_strong="#BFBFBF",
    text="#1C1C1C",
    text_muted="#666666",
    text_disabled="#A3A3A3",
    accent="#2B66D9",
    accent_hover="#2459C2",
    accent_soft="#DEE7F8",
    on_accent="#FFFFFF",
    danger="#B3261E",
    warning="#8A5A00",
    success="#1F7A4D",
    surround="#CFCFCF",
    scroll="#C4C4C4",
)

DARK = Theme(
    name="dark",
    window="#1B1B1B",
    panel="#212121",
    raised="#2B2B2B",
    field="#181818",
    hover="#303030",
    pressed="#3A3A3A",
    border="#343434",
    border_strong="#4A4A4A",
    text="#E4E4E4",
    text_muted="#9C9C9C",
    text_disabled="#636363",
    accent="#5B8DEF",
    accent_hover="#76A1F4",
    accent_soft="#26344F",
    on_accent="#0E1014",
    danger="#FF7A70",
    warning="#E3B341",
    success="#58C08A",
    surround="#262626",
    scroll="#4A4A4A",
)
