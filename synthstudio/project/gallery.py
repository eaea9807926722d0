"""What the gallery shows, read as columns: a hundred thousand rows in a part of the time that records would take."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar, overload

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from synthstudio.core.patches.windows import MIN_WINDOW_PX
from synthstudio.core.review.gallery import GalleryTable, build_gallery, gallery_of_images, gallery_of_objects
from synthstudio.core.review.gallery_columns import SOURCE_NAMES, ImageColumns, MarkColumns
from synthstudio.core.review.gallery_filter import OUTCOMES, SPLIT_NAMES, GalleryView, RowFacts
from synthstudio.core.review.verdicts import Outcome, find_outcomes
from synthstudio.domain.ids import AnnotationId, ClassId, FovId, SampleId
from synthstudio.domain.records import Annotation, FieldOfView
from synthstudio.project.project import Project
from synthstudio.project.set_images import list_set_images
from synthstudio.project.tags import Tagged

Record = TypeVar("Record", FieldOfView, Annotation)


@dataclass(frozen=True, slots=True, eq=False)
class GalleryData:
    """The rows of a gallery, and what they are drawn with.

    Attributes:
        table: The rows.
        marks_of: Annotations of an image.
        sizes_px: Side of a centre of each class.
    """

    table: GalleryTable
    marks_of: Callable[[FovId], Sequence[Annotation]]
    sizes_px: Mapping[ClassId, float]


def read_gallery_table(project: Project, set_name: str, view: GalleryView) -> GalleryTable:
    """Read the images or objects of a set, or of the project where the name is empty.

    Raises:
        UserError: The files of the set are missing or damaged.
    """
    return read_gallery_data(project, set_name, view).table


def read_gallery_data(
    project: Project, set_name: str, view: GalleryView, *, table: GalleryTable | None = None
) -> GalleryData:
    """As `read_gallery_table`, with what the rows are drawn with; the rows stay where a table is given."""
    if set_name:
        sizes = gallery_sizes(project)
        fovs, annotations = list_set_images(project, set_name)
        if table is None:
            table = build_gallery(fovs, annotations, project.classes.list(), view=view, sizes_px=sizes)
        return GalleryData(table, partial(_marks_in, annotations), sizes)
    with project.database.snapshot():  # an import may go on
        sizes = gallery_sizes(project)
        if table is None:
            table = _read_project(project, view, sizes)
    return GalleryData(table, project.annotations.list, sizes)


def _read_project(project: Project, view: GalleryView, sizes: Mapping[ClassId, float]) -> GalleryTable:
    classes, images = project.classes.list(), _read_images(project)
    names = [each.name for each in classes]
    if view == "images":
        return gallery_of_images(images, _read_counts(project, images, [each.id for each in classes]), names)
    return gallery_of_objects(images, _read_marks(project, images, sizes), names)


def _marks_in(marks: Mapping[FovId, Sequence[Annotation]], fov_id: FovId) -> Sequence[Annotation]:
    return marks.get(fov_id, ())


def gallery_sizes(project: Project) -> dict[ClassId, float]:
    """Side of a centre of each class in px: as stated, else the mean of its boxes, else 0."""
    rows = project.database.rows(
        "SELECT class_id, avg((x1 - x0 + y1 - y0) / 2) AS side FROM annotation"
        " WHERE min(x1 - x0, y1 - y0) >= ? GROUP BY class_id",
        (MIN_WINDOW_PX,),
    )
    measured = {ClassId(row["class_id"]): float(row["side"]) for row in rows}
    return {each.id: each.size_px or measured.get(each.id, 0.0) for each in project.classes.list()}


def read_row_facts(project: Project, table: GalleryTable, set_name: str) -> RowFacts:
    """Read what people have said about the rows of a table: tags and verdicts."""
    where = Tagged("object" if table.has_objects else "image", set_name)
    tags = {name: np.isin(table.ids, list(ids)) for name, ids in project.tags.list(where).items()}
    tags = {name: has for name, has in tags.items() if has.any()}
    return RowFacts(tags, _read_outcomes(project, table, set_name))


def _read_outcomes(project: Project, table: GalleryTable, set_name: str) -> NDArray[np.int64] | None:
    """Of a set those of its images; of the project's objects those of their patches; its images are not judged."""
    if set_name:
        found = find_outcomes(project.verdicts.list(set_name))
        undecided = OUTCOMES.index(Outcome.UNDECIDED)
        places = {index + 1: OUTCOMES.index(outcome) for index, outcome in found.items()}  # see list_set_images
        own = np.array([places.get(each, undecided) for each in table.fov_ids.tolist()], np.int64)
        return own[table.fov]
    if not table.has_objects:
        return None
    rejected = np.isin(table.mark_ids, list(project.patch_verdicts.rejected()))
    return np.where(rejected, OUTCOMES.index(Outcome.REJECTED), OUTCOMES.index(Outcome.UNDECIDED)).astype(np.int64)


def _read_images(project: Project) -> ImageColumns:
    rows = project.database.tuples("SELECT id, sample_id, width, height, name FROM fov ORDER BY id")
    known = project.samples.list()
    samples = {each.id: place for place, each in enumerate(known)}
    splits = np.array([SPLIT_NAMES.index(each.split.value if each.split else SPLIT_NAMES[-1]) for each in known])
    numbers = np.array([row[:4] for row in rows], np.int64).reshape(-1, 4)
    sample_of = np.array([samples[SampleId(each)] for each in numbers[:, 1].tolist()], np.int64)
    ids = numbers[:, 0]
    return ImageColumns(
        fovs=_fovs(project, ids),
        ids=ids,
        names=tuple(str(row[4]) for row in rows),
        sample_names=tuple(each.name for each in known),
        sample_of=sample_of,
        split_of=splits[sample_of] if len(rows) else np.zeros(0, np.int64),
        sides=numbers[:, 2:].astype(np.float64),
    )


def _read_counts(project: Project, images: ImageColumns, class_ids: Sequence[ClassId]) -> NDArray[np.int64]:
    """Number of objects of each class on each image, `(F, classes)`."""
    rows = project.database.tuples("SELECT fov_id, class_id, count(*) FROM annotation GROUP BY fov_id, class_id")
    found = np.array(rows, np.int64).reshape(-1, 3)
    counts = np.zeros((len(images.ids), len(class_ids)), np.int64)
    counts[np.searchsorted(images.ids, found[:, 0]), _places(class_ids, found[:, 1])] = found[:, 2]
    return counts


def _places(class_ids: Sequence[ClassId], found: NDArray[np.int64]) -> NDArray[np.int64]:
    order = np.argsort(class_ids) if class_ids else np.zeros(0, np.int64)
    return np.asarray(order[np.searchsorted(class_ids, found, sorter=order)], np.int64)


def _read_marks(project: Project, images: ImageColumns, stated: Mapping[ClassId, float]) -> MarkColumns:
    class_ids = list(stated)
    sources = "".join(f" WHEN '{name}' THEN {place}" for place, name in enumerate(SOURCE_NAMES))
    rows = project.database.tuples(
        f"SELECT id, fov_id, class_id, CASE source{sources} END, x, y, x1 - x0, y1 - y0, size_px FROM annotation"
        " ORDER BY id"  # as they lie; sorting them by image is faster below
    )
    found = np.array(rows, np.float64).reshape(-1, 9)  # NULL becomes nan
    found = found[np.argsort(found[:, 1], kind="stable")]
    ids, fov_ids, classes, source_of = found[:, :4].astype(np.int64).T
    class_of = _places(class_ids, classes)
    sizes = np.array([stated[each] for each in class_ids], np.float64)[class_of] if len(found) else np.zeros(0)
    own = np.where(np.isnan(found[:, 8]), sizes, found[:, 8])
    sides = np.where(np.isnan(found[:, 6:8]), own[:, None], found[:, 6:8])
    return MarkColumns(
        _marks(project, ids), ids, np.searchsorted(images.ids, fov_ids), class_of, source_of, found[:, 4:6], sides
    )


class _Records(Sequence[Record]):
    """Records of the project that are read when they are asked for. Raises NotFound for one that is gone.

    Args:
        ids: `(N,)` of the records.
        get: Reads one by its id.
        list_all: Reads all in one query, for who wants each of them.
    """

    def __init__(
        self, ids: NDArray[np.int64], get: Callable[[int], Record], list_all: Callable[[], Sequence[Record]]
    ) -> None:
        self._ids = ids
        self._get: Callable[[int], Record] = get
        self._list_all: Callable[[], Sequence[Record]] = list_all

    @override
    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, place: int) -> Record: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Record]: ...
    @override
    def __getitem__(self, place: int | slice) -> Record | Sequence[Record]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        return self._get(int(self._ids[place]))

    @override
    def __iter__(self) -> Iterator[Record]:
        known = {each.id: each for each in self._list_all()}
        return iter([known[each] for each in self._ids.tolist() if each in known])


def _fovs(project: Project, ids: NDArray[np.int64]) -> Sequence[FieldOfView]:
    return _Records(ids, lambda each: project.fovs.get(FovId(each)), project.fovs.list)


def _marks(project: Project, ids: NDArray[np.int64]) -> Sequence[Annotation]:
    def list_all() -> list[Annotation]:
        return [mark for own in project.annotations.by_fov().values() for mark in own]

    return _Records(ids, lambda each: project.annotations.get(AnnotationId(each)), list_all)
