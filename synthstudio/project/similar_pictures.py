"""Finding pictures of a project and its sets that are like one, by features that are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.evaluation.feature_store import FeatureStore
from synthstudio.core.evaluation.similar import FeatureIndex, FeatureRows
from synthstudio.project.features import rows_of
from synthstudio.project.pictures import Picture, list_pictures
from synthstudio.project.project import Project


@dataclass(frozen=True, slots=True)
class SimilarPicture:
    """One that was found, and how far it is; `place` is that in what was searched."""

    picture: Picture
    distance: float
    place: int


class PictureSearch:
    """Pictures that are described, to be searched again and again.

    Args:
        pictures: Those that are not described are passed over.
        store: Their features.
    """

    def __init__(self, pictures: Sequence[Picture], store: FeatureStore) -> None:
        vectors = rows_of(store, pictures)
        is_known = np.isfinite(vectors[:, 0]) if vectors.shape[1] else np.zeros(len(pictures), np.bool_)
        self.rows: NDArray[np.int64] = np.flatnonzero(is_known)
        self.pictures = tuple(pictures[row] for row in self.rows.tolist())
        self._index = FeatureIndex(vectors[is_known])

    def __len__(self) -> int:
        return len(self.pictures)

    def find(self, vector: FeatureRows, *, count: int) -> list[SimilarPicture]:
        """The nearest to a feature `(D,)`, nearest first."""
        found = self._index.nearest(vector, count=count)
        return [
            SimilarPicture(self.pictures[row], distance, int(self.rows[row]))
            for row, distance in zip(found.rows.tolist(), found.distances.tolist(), strict=True)
        ]


def list_everything(project: Project, sets: Sequence[str], *, has_objects: bool) -> list[Picture]:
    """The images, or the objects, of sets; an empty name is the project itself.

    Raises:
        NotFound: There is no such set.
        UserError: Files of a set are missing or damaged.
    """
    listed = [list_pictures(project, name, has_images=not has_objects, has_objects=has_objects) for name in sets]
    return [picture for each in listed for picture in (each.objects if has_objects else each.images)]
