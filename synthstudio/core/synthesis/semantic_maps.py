"""Semantic maps as published (DermGAN, Ghorbani et al. 2019): R is the tone, G and B the condition inside its boxes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.imaging import ImageArray
from synthstudio.core.synthesis.map_codes import build_condition_codes, least_distance, tone_values
from synthstudio.core.synthesis.map_shapes import (
    LabelArray,
    LabelledRectangle,
    Rectangle,
    fill_rectangles,
    find_rectangles,
)
from synthstudio.domain.errors import UserError
from synthstudio.domain.maps import UNKNOWN_TONE, MapRegion, MapRequest
from synthstudio.domain.records import Box

_NO_CONDITION = -1


@dataclass(frozen=True, slots=True)
class MapCoding:
    """Which colour of a map means what.

    R is the same at every pixel: 0 for an unknown tone, else `255 * level / n_tones`, rounded. G and B are (0, 0)
    outside all boxes and the code of the condition inside, see `build_condition_codes`. Where boxes overlap, the later
    one is seen, as on paper.

    What can be read back: `draw` and `read` are inverse for every request that `normalise` returns, and `normalise`
    never changes the map. Whole boxes of at least 1 px that do not overlap, and do not share a piece of an edge with
    another box of their own condition, are left by it exactly as they are, but for their order. Others are ambiguous:
    a box that is wholly covered is gone, and two of one condition that touch are one, or slabs of their common shape.

    Attributes:
        class_names: The conditions, in the order of their codes.
        n_tones: Levels of the tone scale; 0 where there is none.
        has_unknown: Requests without a tone are allowed.
    """

    class_names: tuple[str, ...]
    n_tones: int
    has_unknown: bool

    @property
    def codes(self) -> NDArray[np.uint8]:
        """Values of G and B of each condition, `(len(class_names), 2)`."""
        return build_condition_codes(len(self.class_names))

    def tone_value(self, tone: int) -> int:
        """Value of R for a tone. Raises UserError for a tone that there is not."""
        self._check_tone(tone)
        return int(tone_values(self.n_tones)[tone])

    def check(self, request: MapRequest) -> None:
        """Raises UserError where a request names a condition or a tone that there is not."""
        self._check_tone(request.tone)
        for region in request.regions:
            self._number(region.class_name)

    def draw(self, request: MapRequest) -> ImageArray:
        """The map of a request, `(side, side, 3)` uint8 RGB.

        A pixel belongs to a box when its middle does; a box that would have no pixel gets one. What lies outside the
        map is cut off.

        Raises:
            UserError: The request names a condition or a tone that there is not.
        """
        drawn = np.zeros((request.side, request.side, 3), np.uint8)
        drawn[..., 0] = self.tone_value(request.tone)
        codes = self.codes
        for each in self._rectangles(request):
            x0, y0, x1, y1 = each.rectangle
            drawn[y0:y1, x0:x1, 1:] = codes[each.label]
        return drawn

    def normalise(self, request: MapRequest) -> MapRequest:
        """The request that is read from the map of this one. Raises UserError, see `check`."""
        self._check_tone(request.tone)
        labels = fill_rectangles(self._rectangles(request), request.side)
        return self._to_request(labels, request.tone)

    def read(self, drawn: ImageArray) -> MapRequest:
        """The request that a map, `(side, side, 3)` uint8 RGB, stands for.

        Values may be off by less than half of the distance to the nearest other meaning, as after a change of colour
        space. A map that was blurred, resized smoothly or stored as JPEG has colours between two meanings at the edges
        of its boxes: these may look like a third condition, or like none.

        Raises:
            UserError: It is not a square of three channels, has several tones, or a colour that means nothing.
        """
        if drawn.ndim != 3 or drawn.shape[2] != 3 or drawn.shape[0] != drawn.shape[1] or not drawn.size:
            shape = " x ".join(str(length) for length in drawn.shape)
            raise UserError(
                f"A semantic map is a square RGB image, not one of {shape}.",
                "Choose a map that was saved by the map editor.",
            )
        return self._to_request(self._read_labels(drawn), self._read_tone(drawn))

    def _check_tone(self, tone: int) -> None:
        if tone == UNKNOWN_TONE and not self.has_unknown:
            raise UserError(
                "Images of an unknown tone cannot be asked for: none was learned from.",
                f"Choose a tone from 1 to {self.n_tones}.",
            )
        if not 0 <= tone <= self.n_tones:
            known = f"Choose a tone from 1 to {self.n_tones}." if self.n_tones else "Leave the tone unknown."
            raise UserError(f"There is no tone {tone} on this scale of {self.n_tones} levels.", known)

    def _number(self, class_name: str) -> int:
        if class_name not in self.class_names:
            raise UserError(
                f'The map has no condition "{class_name}".', f"Its conditions are: {', '.join(self.class_names)}."
            )
        return self.class_names.index(class_name)

    def _rectangles(self, request: MapRequest) -> list[LabelledRectangle]:
        numbered = [(self._number(region.class_name), region.box) for region in request.regions]
        snapped = [(number, snapped_box(box, request.side)) for number, box in numbered]
        return [LabelledRectangle(number, rectangle) for number, rectangle in snapped if rectangle is not None]

    def _read_tone(self, drawn: ImageArray) -> int:
        values = tone_values(self.n_tones).astype(np.int64)
        known = values if self.has_unknown else values[1:]
        first = 0 if self.has_unknown else 1
        present = np.unique(drawn[..., 0]).astype(np.int64)
        off = np.abs(present[:, None] - known[None, :])
        tones = np.unique(np.argmin(off, axis=1)) + first
        reach = 255.0 / max(1, self.n_tones) / 2
        if len(tones) > 1 or off.min(axis=1).max() >= reach:
            raise UserError(
                f"The red channel of the map, {present[0]} to {present[-1]}, is not one tone.",
                f"It must be the same everywhere, one of {', '.join(map(str, known))}.",
            )
        return int(tones[0])

    def _read_labels(self, drawn: ImageArray) -> LabelArray:
        codes = np.vstack([np.zeros((1, 2), np.int64), self.codes.astype(np.int64)])
        packed = drawn[..., 1].astype(np.uint16) << 8 | drawn[..., 2]  # unique pairs of bytes take 20 times as long
        found, where = np.unique(packed, return_inverse=True)
        colors = np.stack([found >> 8, found & 255], axis=1).astype(np.int64)
        off = np.linalg.norm(colors[:, None, :] - codes[None], axis=2)
        strange = off.min(axis=1) >= least_distance(self.codes) / 2
        if strange.any():
            green, blue = colors[int(np.argmax(strange))]
            raise UserError(
                f"The map has a colour that stands for no condition: green {green}, blue {blue}.",
                "Use a map that was drawn for this GAN, and saved as PNG.",
            )
        numbers = np.argmin(off, axis=1).astype(np.int32) + _NO_CONDITION
        return np.asarray(numbers[where].reshape(drawn.shape[:2]), np.int32)

    def _to_request(self, labels: LabelArray, tone: int) -> MapRequest:
        regions = (
            MapRegion(self.class_names[each.label], Box(*map(float, each.rectangle)))
            for each in find_rectangles(labels)
        )
        return MapRequest(side=labels.shape[0], tone=tone, regions=tuple(regions))


def snapped_box(box: Box, side: int) -> Rectangle | None:
    """The pixels of a box on a map of this side, or None where it lies outside.

    A pixel belongs to it when its middle does; a box between two middles gets the pixel that it begins in.
    """
    x0, x1 = _snapped_edges(box.x0, box.x1, side)
    y0, y1 = _snapped_edges(box.y0, box.y1, side)
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def _snapped_edges(start: float, stop: float, side: int) -> tuple[int, int]:
    if stop <= 0 or start >= side or stop < start:
        return 0, 0
    first, last = math.ceil(start - 0.5), math.ceil(stop - 0.5)
    if first >= last:
        first = min(max(math.floor(start), 0), side - 1)
        last = first + 1
    # A sliver that reaches into the map by less than half a pixel still gets its outermost pixel.
    return min(max(first, 0), side - 1), max(min(last, side), 1)


def region_mask(request: MapRequest) -> NDArray[np.bool_]:
    """Where any condition is, `(side, side)`: the pixels that `MapCoding.draw` fills."""
    mask = np.zeros((request.side, request.side), np.bool_)
    for region in request.regions:
        rectangle = snapped_box(region.box, request.side)
        if rectangle is not None:
            x0, y0, x1, y1 = rectangle
            mask[y0:y1, x0:x1] = True
    return mask


def to_input(pixels: ImageArray) -> NDArray[np.float32]:
    """A map or image `(H, W, 3)` uint8 as the networks take it: `(3, H, W)` float32, -1 to 1."""
    return np.ascontiguousarray(pixels.transpose(2, 0, 1), np.float32) / np.float32(127.5) - np.float32(1.0)


def from_output(values: NDArray[np.float32]) -> ImageArray:
    """What a generator made, `(3, H, W)` float32 -1 to 1, as `(H, W, 3)` uint8 RGB; values beyond are clipped."""
    bytes_ = np.rint((np.clip(values, -1.0, 1.0) + 1.0) * 127.5).astype(np.uint8)
    return np.ascontiguousarray(bytes_.transpose(1, 2, 0))
