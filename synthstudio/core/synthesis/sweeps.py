"""Sweeps: one request, of which one or two parts are changed step by step and the rest is held."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from synthstudio.domain.errors import UserError
from synthstudio.domain.maps import MapRegion, MapRequest
from synthstudio.domain.records import Box

Axis = Literal["tone", "size", "condition"]
LEAST_SHARE, MOST_SHARE = 0.15, 0.8
"""Longer side of the smallest and the largest region of a sweep over sizes, as shares of the image's side."""
MAX_CELLS = 400


@dataclass(frozen=True, slots=True)
class Sweep:
    """Requests in a grid.

    Attributes:
        rows, columns: Words for each; a sweep over one axis has one row, without a word.
        requests: Row by row, `len(rows) * len(columns)`.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    requests: tuple[MapRequest, ...]


@dataclass(frozen=True, slots=True)
class SweepKnowledge:
    """What a GAN can be asked for.

    Attributes:
        class_names: Its conditions.
        tone_levels: Names of the levels of its tone scale, from level 1.
    """

    class_names: tuple[str, ...]
    tone_levels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Step:
    """One place on an axis: its word, and what stands in the request there."""

    word: str
    tone: int | None = None
    share: float | None = None
    class_name: str | None = None

    def applied(self, request: MapRequest) -> MapRequest:
        if self.tone is not None:
            return dataclasses.replace(request, tone=self.tone)
        if self.class_name is not None:
            renamed = tuple(MapRegion(self.class_name, each.box) for each in request.regions)
            return dataclasses.replace(request, regions=renamed)
        assert self.share is not None  # a step is one of the three
        grown = tuple(MapRegion(each.class_name, _grown(each.box, self.share, request)) for each in request.regions)
        return dataclasses.replace(request, regions=grown)


def build_sweep(base: MapRequest, axes: Sequence[Axis], knowledge: SweepKnowledge, *, n_sizes: int = 6) -> Sweep:
    """Vary a request along one axis, or two: the first goes down the rows, the last along the columns.

    Args:
        base: What is held. All its regions change together; sizes grow around the middle of each.
        axes: One or two, each once.
        knowledge: Of the GAN.
        n_sizes: Steps of an axis of sizes, at least 2.

    Raises:
        UserError: The axes are none, too many or the same twice; there is no region to vary, no tone scale, or the
            grid is too large.
    """
    if not 1 <= len(axes) <= 2 or len(set(axes)) < len(axes):
        raise UserError("A sweep goes along one axis, or two different ones.", "Choose tone, size or condition.")
    if not base.regions and list(axes) != ["tone"]:
        raise UserError("The map has no region whose size or condition could change.", "Draw a box first.")
    columns = _steps(axes[-1], knowledge, n_sizes=n_sizes)
    rows = _steps(axes[0], knowledge, n_sizes=n_sizes) if len(axes) == 2 else [None]
    if len(rows) * len(columns) > MAX_CELLS:
        raise UserError(
            f"This sweep would have {len(rows) * len(columns)} images; {MAX_CELLS} is the most.", "Choose one axis."
        )
    requests = []
    for row in rows:
        held = row.applied(base) if row is not None else base
        requests += [column.applied(held) for column in columns]
    return Sweep(
        tuple(row.word if row is not None else "" for row in rows),
        tuple(column.word for column in columns),
        tuple(requests),
    )


def _steps(axis: Axis, knowledge: SweepKnowledge, *, n_sizes: int) -> list[_Step]:
    match axis:
        case "tone":
            if not knowledge.tone_levels:
                raise UserError(
                    "This GAN has learned no tones.", "Give images a tone in Annotate, and train a GAN on them."
                )
            return [_Step(name, tone=level) for level, name in enumerate(knowledge.tone_levels, start=1)]
        case "condition":
            return [_Step(name, class_name=name) for name in knowledge.class_names]
        case "size":
            n_sizes = max(2, n_sizes)
            shares = [LEAST_SHARE + (MOST_SHARE - LEAST_SHARE) * step / (n_sizes - 1) for step in range(n_sizes)]
            return [_Step(f"{100 * share:.0f} %", share=share) for share in shares]


def _grown(box: Box, share: float, request: MapRequest) -> Box:
    """A box of the same shape around the same middle, as far as the frame allows, whose longer side is a share."""
    side = request.side
    factor = share * side / max(box.width, box.height)
    width, height = min(side, box.width * factor), min(side, box.height * factor)
    x, y = box.center
    left = min(max(0.0, x - width / 2), side - width)
    top = min(max(0.0, y - height / 2), side - height)
    return Box(left, top, left + width, top + height)


def centered_request(side: int, tone: int, class_name: str, *, share: float = 0.4) -> MapRequest:
    """One square region in the middle of the image."""
    half = share * side / 2
    box = Box(side / 2 - half, side / 2 - half, side / 2 + half, side / 2 + half)
    return MapRequest(side, tone, (MapRegion(class_name, box),))
