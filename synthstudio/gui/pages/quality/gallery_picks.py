"""Rows of the gallery that something else has picked: a chart, the map, a check. Knows no widget."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.review.gallery import GalleryTable
from synthstudio.core.review.gallery_filter import GalleryView


@dataclass(frozen=True, slots=True, eq=False)
class GalleryRows:
    """Some images or objects.

    Attributes:
        view: What they are.
        set_name: Where they are; empty for the project.
        ids: Of FOVs or annotations.
    """

    view: GalleryView
    set_name: str
    ids: NDArray[np.int64]


@dataclass(slots=True, eq=False)
class _Pick:
    rows: GalleryRows
    words: str
    fov_ids: NDArray[np.int64] | None


class GalleryPicks:
    """Picks by the name of who has made them. Rows must be in all of them."""

    def __init__(self) -> None:
        self._picks: dict[str, _Pick] = {}

    def put(self, name: str, rows: GalleryRows, words: str) -> None:
        """Adopt a pick in place of the former one of the name; picks from elsewhere are forgotten."""
        self.keep_of(rows.set_name)
        self._picks[name] = _Pick(rows, words, rows.ids if rows.view == "images" else None)

    def drop(self, name: str) -> bool:
        """Forget a pick; tells whether there was one."""
        return self._picks.pop(name, None) is not None

    def clear(self) -> None:
        """Forget all."""
        self._picks.clear()

    def keep_of(self, set_name: str) -> None:
        """Forget those that are not of this set, or of the project where the name is empty."""
        self._picks = {name: each for name, each in self._picks.items() if each.rows.set_name == set_name}

    @property
    def words(self) -> list[tuple[str, str]]:
        """Name and words of each."""
        return [(name, each.words) for name, each in self._picks.items()]

    def mask(self, table: GalleryTable) -> NDArray[np.bool_]:
        """`(N,)` whether a row is in all picks.

        Of an image that was picked all objects are; of objects that were picked their images, once they are known.
        """
        kept = np.ones(len(table), np.bool_)
        for each in self._picks.values():
            if each.rows.view == table.view:
                inside = np.isin(table.ids, each.rows.ids)
                if table.has_objects:
                    each.fov_ids = np.unique(table.fov_ids[table.fov[inside]])
            elif each.fov_ids is not None:
                inside = np.isin(table.fov_ids[table.fov], each.fov_ids)
            else:
                continue
            kept &= inside
        return kept


def rows_of(view: GalleryView, set_name: str, ids: Collection[int] | NDArray[np.int64]) -> GalleryRows:
    """Rows from any collection of ids."""
    return GalleryRows(view, set_name, np.asarray(ids if isinstance(ids, np.ndarray) else sorted(ids), np.int64))
