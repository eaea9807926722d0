"""Light, colour and sharpness of images as one table, for charts: a line for each content of a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.review.image_facts import ImageFacts

FIGURE_NAMES = (
    *("brightness", "sharpness", "contrast", "green_red", "blue_yellow", "chroma"),
    *("dark_share", "bright_share"),
)
"""Columns of the table, named as in `ImageFacts`."""


@dataclass(frozen=True, slots=True, eq=False)
class FigureTable:
    """Figures of images.

    Attributes:
        rows: Line of each content key.
        values: `(N, len(FIGURE_NAMES))` float64.
    """

    rows: Mapping[str, int]
    values: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def of(cls, facts: Mapping[str, ImageFacts]) -> FigureTable:
        """Lay out facts by their content keys."""
        figures = [figures_of(each) for each in facts.values()]
        values = np.array(figures, np.float64).reshape(-1, len(FIGURE_NAMES))
        return cls({key: row for row, key in enumerate(facts)}, values)

    def find(self, keys: Sequence[str]) -> NDArray[np.float64]:
        """Figures of these contents, `(len(keys), len(FIGURE_NAMES))`; nan where they are not known."""
        rows = np.array([self.rows.get(key, -1) for key in keys], np.int64)
        found = np.full((len(keys), len(FIGURE_NAMES)), np.nan)
        found[rows >= 0] = self.values[rows[rows >= 0]]
        return found


def figures_of(facts: ImageFacts) -> tuple[float, ...]:
    """The figures of one image, in the order of `FIGURE_NAMES`."""
    return tuple(float(getattr(facts, name)) for name in FIGURE_NAMES)
