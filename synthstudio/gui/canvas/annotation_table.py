"""The annotations of one FOV as a table of marks: with remarks of people, and authors who can be hidden."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from synthstudio.domain.ids import AnnotationId, ClassId
from synthstudio.domain.records import Annotation, ObjectClass
from synthstudio.gui.canvas.mark_table import MarkTable, widened

NOTED, FLAGGED = 1, 2
"""What a person has remarked about an annotation; one that is flagged and noted shows its flag."""


class AnnotationTable(MarkTable[AnnotationId, Annotation]):
    """Annotations in drawing order."""

    def __init__(
        self, annotations: Sequence[Annotation], classes: Mapping[ClassId, ObjectClass], um_per_px: float | None
    ) -> None:
        self._hidden_authors: frozenset[str] = frozenset()
        self._remarks = np.zeros(0, dtype=np.uint8)
        super().__init__(annotations, classes, um_per_px)

    @property
    @override
    def remarks(self) -> NDArray[np.uint8]:
        """(N,) uint8 per row: `FLAGGED`, `NOTED` or 0."""
        return self._remarks[: self._n_rows]

    def hide_authors(self, hidden: Collection[str]) -> None:
        """Draw and hit no annotation of these authors; show those of all others."""
        self._hidden_authors = frozenset(hidden)
        self._choose_drawn()

    @override
    def _reserve(self, capacity: int) -> None:
        self._remarks = widened(self._remarks, capacity)
        super()._reserve(capacity)

    @override
    def _fill(self, rows: slice, marks: Sequence[Annotation]) -> None:
        self._remarks[rows] = [FLAGGED if each.is_flagged else NOTED if each.note else 0 for each in marks]
        super()._fill(rows, marks)

    @override
    def _wanted(self, rows: slice | NDArray[np.int64]) -> NDArray[np.bool_]:
        wanted = super()._wanted(rows)
        if self._hidden_authors:
            records = self._records[rows] if isinstance(rows, slice) else [self._records[row] for row in rows]
            wanted &= np.array([each.author not in self._hidden_authors for each in records], dtype=bool)
        return wanted
