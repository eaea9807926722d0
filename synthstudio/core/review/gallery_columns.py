"""Facts of images and of their marks as columns: what the gallery filters and sorts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.review.gallery_filter import NO_SPLIT, SPLIT_NAMES
from synthstudio.domain.ids import ClassId, FovId
from synthstudio.domain.records import Annotation, AnnotationSource, FieldOfView, ObjectClass

SOURCE_NAMES: tuple[str, ...] = tuple(sorted(each.value for each in AnnotationSource))


@dataclass(frozen=True, slots=True, eq=False)
class ImageColumns:
    """Facts of F images.

    Attributes:
        fovs: Their records; a long one may make each when it is asked for.
        ids: `(F,)` int64.
        names: Of each.
        sample_names: All samples.
        sample_of: `(F,)` place in `sample_names`.
        split_of: `(F,)` place in `SPLIT_NAMES`.
        sides: `(F, 2)` width and height in px of the full resolution.
    """

    fovs: Sequence[FieldOfView]
    ids: NDArray[np.int64]
    names: tuple[str, ...]
    sample_names: tuple[str, ...]
    sample_of: NDArray[np.int64]
    split_of: NDArray[np.int64]
    sides: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class MarkColumns:
    """Facts of N marks, those of an image together, images in the order of their columns.

    Attributes:
        marks: Their records; a long one may make each when it is asked for.
        ids: `(N,)` int64.
        fov: `(N,)` place of the image.
        class_of: `(N,)` place of the class.
        source_of: `(N,)` place in `SOURCE_NAMES`.
        centers: `(N, 2)` x and y in px.
        sides: `(N, 2)` width and height of the extent in px; 0 for a centre of a class without a size.
    """

    marks: Sequence[Annotation]
    ids: NDArray[np.int64]
    fov: NDArray[np.int64]
    class_of: NDArray[np.int64]
    source_of: NDArray[np.int64]
    centers: NDArray[np.float64]
    sides: NDArray[np.float64]


def image_columns(fovs: Sequence[FieldOfView]) -> ImageColumns:
    """Lay out records of images."""
    samples = {name: place for place, name in enumerate(dict.fromkeys(fov.sample_name for fov in fovs))}
    splits = [fov.split.value if fov.split is not None else NO_SPLIT for fov in fovs]
    return ImageColumns(
        fovs=fovs,
        ids=np.array([fov.id for fov in fovs], np.int64),
        names=tuple(fov.name for fov in fovs),
        sample_names=tuple(samples),
        sample_of=np.array([samples[fov.sample_name] for fov in fovs], np.int64),
        split_of=np.array([SPLIT_NAMES.index(name) for name in splits], np.int64),
        sides=np.array([(fov.width, fov.height) for fov in fovs], np.float64).reshape(-1, 2),
    )


def mark_columns(
    fovs: Sequence[FieldOfView],
    annotations: Mapping[FovId, Sequence[Annotation]],
    classes: Sequence[ObjectClass],
    sizes_px: Mapping[ClassId, float],
) -> MarkColumns:
    """Lay out records of marks, in the order of their images."""
    places = {each.id: place for place, each in enumerate(classes)}
    found = [(place, mark) for place, fov in enumerate(fovs) for mark in annotations.get(fov.id, ())]
    marks = [mark for _place_of_fov, mark in found]
    boxes = [mark.extent(sizes_px.get(mark.class_id, 0.0)) for mark in marks]
    return MarkColumns(
        marks=marks,
        ids=np.array([mark.id for mark in marks], np.int64),
        fov=np.array([place for place, _mark in found], np.int64),
        class_of=np.array([places[mark.class_id] for mark in marks], np.int64),
        source_of=np.array([SOURCE_NAMES.index(mark.source.value) for mark in marks], np.int64),
        centers=np.array([(mark.x, mark.y) for mark in marks], np.float64).reshape(-1, 2),
        sides=np.array([(box.width, box.height) for box in boxes], np.float64).reshape(-1, 2),
    )
