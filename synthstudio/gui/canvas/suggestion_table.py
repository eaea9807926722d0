"""The suggestions of one FOV as a table of marks: their scores, which of them are worth showing, and a way through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from synthstudio.core.suggestions.answered import LEAST_HALF_PX, count_answers
from synthstudio.domain.ids import ClassId, SuggestionId
from synthstudio.domain.records import ObjectClass
from synthstudio.domain.suggestions import Suggestion
from synthstudio.gui.canvas.mark_table import MarkTable, widened

DEFAULT_THRESHOLD = 1.0
"""Of a class that no threshold is known of, as where suggestions are accepted from a terminal."""
BAND_SIDES = 2.5
"""Height of the rows in which one walks over an FOV, in sides of a usual suggestion: the view jumps less that way."""
LEAST_BAND_PX = 32.0


class SuggestionTable(MarkTable[SuggestionId, Suggestion]):
    """Open suggestions in drawing order; what is below the threshold of its class, or answered, is not drawn."""

    def __init__(
        self, suggestions: Sequence[Suggestion], classes: Mapping[ClassId, ObjectClass], um_per_px: float | None
    ) -> None:
        self._limits = np.full(len(classes), DEFAULT_THRESHOLD)
        self._scores = np.zeros(0, dtype=np.float64)
        self._answers = np.zeros(0, dtype=np.int64)
        self._order: NDArray[np.int64] | None = None
        super().__init__(suggestions, classes, um_per_px)

    @property
    def scores(self) -> NDArray[np.float64]:
        """(N,) float64 per row, 0 to 1."""
        return self._scores[: self._n_rows]

    def set_thresholds(self, thresholds: Mapping[ClassId, float]) -> None:
        """Draw what has at least the score that is given for its class."""
        self._limits[:] = [thresholds.get(each.id, DEFAULT_THRESHOLD) for each in self.classes]
        self._choose_drawn()

    def set_marked(self, extents: NDArray[np.float64]) -> None:
        """Say which marks the expert has made on the FOV: (4, M) float64; what they stand for is not drawn."""
        self._answers[: self._n_rows] = count_answers(self.extents, extents)
        self._choose_drawn()

    def put_back(self, suggestions: Sequence[Suggestion], marked: NDArray[np.float64]) -> None:
        """Add suggestions, also ones that were removed, on an FOV with these marks (see `set_marked`)."""
        self.remove([each.id for each in suggestions])
        first = self._n_rows
        self.add(suggestions)
        new = slice(first, self._n_rows)
        self._answers[new] = count_answers(self.extents[:, new], marked)
        self._drawn[new] = self._wanted(new)

    def add_marked(self, extents: NDArray[np.float64], *, sign: int) -> NDArray[np.int64]:
        """Count some marks more (1) or some less (-1); returns the rows that are drawn now and were not, or were."""
        if not extents.size:
            return np.zeros(0, dtype=np.int64)
        x0, y0, x1, y1 = self.extents
        low, high = extents[:2].min(axis=1) - LEAST_HALF_PX, extents[2:].max(axis=1) + LEAST_HALF_PX
        meets = (x1 >= low[0]) & (x0 <= high[0]) & (y1 >= low[1]) & (y0 <= high[1])
        near = np.flatnonzero(meets)  # one mark among 100 000 suggestions is looked for where it is
        before = self._drawn[near]
        self._answers[near] += sign * count_answers(self.extents[:, near], extents)
        self._drawn[near] = self._wanted(near)
        return np.asarray(near[before != self._drawn[near]])

    @property
    def drawn_rows(self) -> NDArray[np.int64]:
        """(K,) rows that are drawn, in drawing order."""
        return np.flatnonzero(self._drawn[: self._n_rows])

    def shown_counts(self) -> dict[ClassId, int]:
        """How many are drawn of each class; what is hidden as a class counts as not drawn."""
        counts = np.bincount(self.class_rows_of(self.drawn_rows), minlength=len(self.classes))
        return {each.id: int(n) for each, n in zip(self.classes, counts, strict=True)}

    def step_from(self, suggestion_id: SuggestionId | None, step: int) -> SuggestionId | None:
        """The next drawn one (step 1) or the one before (-1) on the way over the FOV, round its end; None for none.

        Args:
            suggestion_id: Where one stands; it may have been removed since. None begins.
        """
        self.plan_way()
        assert self._order is not None
        ahead = self._order[self._drawn[self._order]]
        if not ahead.size:
            return None
        here = self._places.get(suggestion_id) if suggestion_id is not None else None
        if here is None:
            return self.ids_of(ahead[:1] if step > 0 else ahead[-1:])[0]
        stations = self._station[ahead]
        place = int(np.searchsorted(stations, here, side="right" if step > 0 else "left"))
        place = place if step > 0 else place - 1
        return self.ids_of(ahead[[place % ahead.size]])[0]

    def plan_way(self) -> None:
        """Lay the way over the FOV through all rows, where they are others than before: worth doing ahead of a key."""
        if self._order is None or self._order.size != self._n_rows:
            self._order = self._walk()

    def _walk(self) -> NDArray[np.int64]:
        """All rows on a way over the FOV in bands, to and fro; what is removed keeps its station."""
        x, y = self.centers
        sides = self.extents[3] - self.extents[1]
        usual = float(np.median(sides)) if sides.size else 0.0
        band = np.floor(y / max(BAND_SIDES * usual, LEAST_BAND_PX))
        order = np.lexsort((np.where(band % 2 == 0, x, -x), band))
        self._station = np.empty(order.size, dtype=np.int64)
        self._station[order] = np.arange(order.size)
        self._places = {
            SuggestionId(int(i)): int(station)
            for i, station in zip(self._numbers[0, : self._n_rows], self._station, strict=True)
        }
        return order

    @override
    def _reserve(self, capacity: int) -> None:
        self._scores, self._answers = widened(self._scores, capacity), widened(self._answers, capacity)
        super()._reserve(capacity)

    @override
    def _fill(self, rows: slice, marks: Sequence[Suggestion]) -> None:
        self._scores[rows] = [each.score for each in marks]
        super()._fill(rows, marks)

    @override
    def _wanted(self, rows: slice | NDArray[np.int64]) -> NDArray[np.bool_]:
        wanted = super()._wanted(rows)
        wanted &= self._scores[rows] >= self._limits[self._numbers[1, rows].astype(np.int64)]
        wanted &= self._answers[rows] == 0
        return wanted
