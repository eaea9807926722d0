"""Requests for an image by its semantic map: a tone everywhere, and conditions in their boxes."""

from __future__ import annotations

from dataclasses import dataclass

from synthstudio.domain.records import Box

UNKNOWN_TONE = 0
"""Stands for the tone of an image where nobody has named it; levels of a tone scale count from 1."""


@dataclass(frozen=True, slots=True)
class MapRegion:
    """One region of interest of a map.

    Attributes:
        class_name: Its condition.
        box: Where it lies, in px of the map.
    """

    class_name: str
    box: Box


@dataclass(frozen=True, slots=True)
class MapRequest:
    """All that a semantic map says; any such request can be drawn as a map, and asked of a GAN.

    Attributes:
        side: Of the square map and image, in px.
        tone: Level of the tone scale, from 1; `UNKNOWN_TONE` where it is not known.
        regions: In the order in which they are drawn: a later one covers an earlier one.
    """

    side: int
    tone: int
    regions: tuple[MapRegion, ...] = ()
