"""All images of a data set, or all of its marked objects, as columns that are filtered and sorted at once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.review.gallery_columns import SOURCE_NAMES, ImageColumns, MarkColumns, image_columns, mark_columns
from synthstudio.core.review.gallery_filter import (
    NO_FACTS,
    OUTCOMES,
    SPLIT_NAMES,
    GalleryFilter,
    GalleryView,
    RowFacts,
    SortKey,
)
from synthstudio.domain.ids import ClassId, FovId
from synthstudio.domain.records import Annotation, FieldOfView, ObjectClass

NO_MARKS: Sequence[Annotation] = ()


@dataclass(frozen=True, slots=True, eq=False)
class GalleryTable:
    """Columns of N rows; an image or an object each.

    Attributes:
        view: What a row is.
        images: All images.
        marks: The annotation of each row; empty for a table of images.
        mark_ids: `(N,)` their ids; empty likewise.
        centers: `(N, 2)` x and y of the objects in px; empty likewise.
        class_names: All classes.
        sources: Those that occur, sorted.
        fov: `(N,)` place of its image in `fovs`.
        size: `(N,)` in px of the full resolution: square root of the area.
        aspect: `(N,)` width by height.
        n_objects: `(N,)` marked on the image of the row.
        class_of: `(N,)` place of its class in `class_names`; -1 for a row that is an image.
        source_of: `(N,)` place in `sources`; -1 likewise.
        shows: `(len(fovs), len(class_names))` whether an image shows a class.
    """

    view: GalleryView
    images: ImageColumns
    marks: Sequence[Annotation]
    mark_ids: NDArray[np.int64]
    centers: NDArray[np.float64]
    class_names: tuple[str, ...]
    sources: tuple[str, ...]
    fov: NDArray[np.int64]
    size: NDArray[np.float64]
    aspect: NDArray[np.float64]
    n_objects: NDArray[np.int64]
    class_of: NDArray[np.int64]
    source_of: NDArray[np.int64]
    shows: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.fov)

    @property
    def fovs(self) -> Sequence[FieldOfView]:
        """All images; of a large project each record is made when it is asked for."""
        return self.images.fovs

    @property
    def fov_ids(self) -> NDArray[np.int64]:
        """`(F,)` ids of the images."""
        return self.images.ids

    @property
    def fov_sides(self) -> NDArray[np.float64]:
        """`(F, 2)` width and height of the images in px."""
        return self.images.sides

    @property
    def has_objects(self) -> bool:
        """Whether the rows are objects."""
        return self.view == "objects"

    @property
    def ids(self) -> NDArray[np.int64]:
        """`(N,)` id of what each row is: FOV or annotation."""
        return self.mark_ids if self.has_objects else self.images.ids

    def select(
        self, wanted: GalleryFilter, facts: RowFacts = NO_FACTS, *, by: SortKey = "order", is_falling: bool = False
    ) -> NDArray[np.int64]:
        """The rows that a filter leaves, sorted; equal ones stay in the project's order, unknown ones come last."""
        rows = np.flatnonzero(self._matches(wanted, facts))
        if by == "order":
            return rows[::-1] if is_falling else rows
        keys = self._keys(by, facts)[rows]
        return rows[np.argsort(-keys if is_falling else keys, kind="stable")]

    def _matches(self, wanted: GalleryFilter, facts: RowFacts) -> NDArray[np.bool_]:
        kept = self._of_class(wanted.class_name)
        if wanted.source:
            kept &= self.source_of == _place(self.sources, wanted.source)
        if wanted.verdict:
            kept &= facts.outcome_of == _place(OUTCOMES, wanted.verdict) if facts.outcome_of is not None else False
        if wanted.tag:
            kept &= facts.tags.get(wanted.tag, False)
        kept &= _within(self.size, wanted.least_px, wanted.most_px)
        kept &= _within(self.aspect, wanted.least_aspect, wanted.most_aspect)
        if facts.score is not None:
            kept &= _within(facts.score, wanted.least_score, wanted.most_score)
        if wanted.split or wanted.words.strip() or wanted.sample:
            kept &= self._of_image(wanted)[self.fov]
        return kept

    def _of_class(self, name: str) -> NDArray[np.bool_]:
        if not name:
            return np.ones(len(self), np.bool_)
        if name not in self.class_names:
            return np.zeros(len(self), np.bool_)
        place = self.class_names.index(name)
        of_class: NDArray[np.bool_] = self.class_of == place if self.has_objects else self.shows[self.fov, place]
        return of_class

    def _of_image(self, wanted: GalleryFilter) -> NDArray[np.bool_]:
        """`(F,)` whether an image has what is said of it."""
        images = self.images
        kept = np.ones(len(images.ids), np.bool_)
        if wanted.split:
            kept &= images.split_of == _place(SPLIT_NAMES, wanted.split)
        if wanted.sample:
            names = images.sample_names
            is_one = wanted.sample in names
            fits = [name == wanted.sample if is_one else name.startswith(wanted.sample) for name in names]
            kept &= np.array(fits, np.bool_)[images.sample_of] if fits else False
        words = wanted.words.casefold().split()
        if words:
            samples = [name.casefold() for name in images.sample_names]
            texts = (
                f"{name.casefold()} {samples[sample]}"
                for name, sample in zip(images.names, images.sample_of.tolist(), strict=True)
            )
            kept &= np.fromiter((all(word in text for word in words) for text in texts), np.bool_, len(images.names))
        return kept

    def _keys(self, by: SortKey, facts: RowFacts) -> NDArray[np.float64]:
        """`(N,)` what rows are sorted by; nan where it is unknown."""
        if by == "name":
            return np.asarray(_ranks(self.images.names)[self.fov], np.float64)
        if by == "sample":
            return np.asarray(_ranks(self.images.sample_names)[self.images.sample_of[self.fov]], np.float64)
        if by == "split":
            return self.images.split_of[self.fov].astype(np.float64)
        if by == "tags":
            return np.asarray(np.sum([*facts.tags.values(), np.zeros(len(self))], axis=0), np.float64)
        columns = {
            "size": self.size,
            "aspect": self.aspect,
            "objects": self.n_objects,
            "class": self.class_of,
            "source": self.source_of,
            "verdict": facts.outcome_of,
            "score": facts.score,
        }
        found = columns[by]
        return np.full(len(self), math.nan) if found is None else found.astype(np.float64)


def _place(names: Sequence[str], name: str) -> int:
    """Place of a name; none that a row may have where it is unknown."""
    return names.index(name) if name in names else -2


def _within(values: NDArray[np.float64], least: float, most: float) -> NDArray[np.bool_]:
    if math.isinf(least) and math.isinf(most):
        return np.ones(len(values), np.bool_)
    return (values >= least) & (values <= most)


def _ranks(names: Sequence[str]) -> NDArray[np.float64]:
    """Place of each name in the alphabet, without regard to case; equal ones share it."""
    if not names:
        return np.zeros(0)
    folded = np.array([name.casefold() for name in names], np.str_)
    return np.unique(folded, return_inverse=True)[1].astype(np.float64)


def build_gallery(
    fovs: Sequence[FieldOfView],
    annotations: Mapping[FovId, Sequence[Annotation]],
    classes: Sequence[ObjectClass],
    *,
    view: GalleryView,
    sizes_px: Mapping[ClassId, float],
) -> GalleryTable:
    """Lay out the images, or their objects.

    Args:
        fovs: In the order of the project.
        annotations: By image.
        classes: All.
        view: What a row is.
        sizes_px: Mean size of each class, for centres; a centre of a class without one has size 0.
    """
    images, marks = image_columns(fovs), mark_columns(fovs, annotations, classes, sizes_px)
    counts = np.zeros((len(fovs), len(classes)), np.int64)
    np.add.at(counts, (marks.fov, marks.class_of), 1)
    names = [each.name for each in classes]
    return gallery_of_images(images, counts, names) if view == "images" else gallery_of_objects(images, marks, names)


def gallery_of_images(images: ImageColumns, counts: NDArray[np.int64], class_names: Sequence[str]) -> GalleryTable:
    """A table with a row for each image; `counts` `(F, classes)` are its objects of each class."""
    rows = np.arange(len(images.ids), dtype=np.int64)
    none = np.full(len(rows), -1, np.int64)
    return GalleryTable(
        view="images",
        images=images,
        marks=NO_MARKS,
        mark_ids=np.zeros(0, np.int64),
        centers=np.zeros((0, 2)),
        class_names=tuple(class_names),
        sources=(),
        fov=rows,
        size=np.sqrt(images.sides.prod(axis=1)),
        aspect=images.sides[:, 0] / np.maximum(images.sides[:, 1], 1e-9),
        n_objects=counts.sum(axis=1),
        class_of=none,
        source_of=none,
        shows=counts > 0,
    )


def gallery_of_objects(images: ImageColumns, marks: MarkColumns, class_names: Sequence[str]) -> GalleryTable:
    """A table with a row for each mark."""
    shows = np.zeros((len(images.ids), len(class_names)), np.bool_)
    shows[marks.fov, marks.class_of] = True
    occurring, source_of = np.unique(marks.source_of, return_inverse=True)
    return GalleryTable(
        view="objects",
        images=images,
        marks=marks.marks,
        mark_ids=marks.ids,
        centers=marks.centers,
        class_names=tuple(class_names),
        sources=tuple(SOURCE_NAMES[place] for place in occurring),
        fov=marks.fov,
        size=np.sqrt(marks.sides.prod(axis=1)),
        aspect=marks.sides[:, 0] / np.maximum(marks.sides[:, 1], 1e-9),
        n_objects=np.bincount(marks.fov, minlength=len(images.ids))[marks.fov],
        class_of=marks.class_of,
        source_of=source_of.astype(np.int64),
        shows=shows,
    )
