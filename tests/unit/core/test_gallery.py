"""The columns of the gallery against plain Python."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthstudio.core.review.gallery import GalleryTable, build_gallery
from synthstudio.core.review.gallery_filter import SORTS, GalleryFilter, GalleryView
from synthstudio.domain.ids import AnnotationId, ClassId, FovId, SampleId
from synthstudio.domain.records import (
    Annotation,
    AnnotationSource,
    AnnotationState,
    Box,
    FieldOfView,
    ObjectClass,
    Role,
    Split,
    Storage,
)

CLASSES = (
    ObjectClass(ClassId(7), "WBC", "#112233", "1", Role.OBJECT, None, 30.0, 0),
    ObjectClass(ClassId(9), "RBC", "#445566", "2", Role.OBJECT, None, None, 1),
)
SIZES = {ClassId(7): 30.0}


def make_fov(number: int, split: Split | None, width: int) -> FieldOfView:
    return FieldOfView(
        id=FovId(number),
        sample_id=SampleId(number),
        sample_name=f"patient {number % 3}",
        split=split,
        name=f"Field {9 - number}.png",
        path="",
        storage=Storage.COPY,
        sha256="",
        width=width,
        height=100,
        um_per_px=None,
        tone=None,
        state=AnnotationState.NONE,
    )


fields = st.lists(st.tuples(st.sampled_from([*Split, None]), st.integers(50, 400)), max_size=6)
objects = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.sampled_from(CLASSES),
        st.booleans(),
        st.integers(1, 60),
        st.sampled_from([AnnotationSource.MANUAL, AnnotationSource.IMPORTED]),
    ),
    max_size=12,
)


def lay_out(
    found: list[tuple[Split | None, int]], marked: list[tuple[int, ObjectClass, bool, int, AnnotationSource]]
) -> tuple[list[FieldOfView], dict[FovId, list[Annotation]]]:
    fovs = [make_fov(number, split, width) for number, (split, width) in enumerate(found, 1)]
    marks: dict[FovId, list[Annotation]] = {}
    for number, (place, item, has_box, side, source) in enumerate(marked, 1):
        if not fovs:
            break
        fov = fovs[place % len(fovs)]
        mark = Annotation(AnnotationId(number), fov.id, item.id, 20.0, 20.0, source=source)
        if has_box:
            mark = mark.with_box(Box(5.0, 5.0, 5.0 + side, 5.0 + 2 * side))
        marks.setdefault(fov.id, []).append(mark)
    return fovs, marks


@given(
    found=fields,
    marked=objects,
    wanted=st.sampled_from(["", "WBC", "RBC", "gone"]),
    split=st.sampled_from(["", "train", "none"]),
    words=st.sampled_from(["", "patient 1", "field 8", "PNG patient"]),
)
def test_that_filters_leave_what_plain_loops_leave(
    found: list[tuple[Split | None, int]],
    marked: list[tuple[int, ObjectClass, bool, int, AnnotationSource]],
    wanted: str,
    split: str,
    words: str,
) -> None:
    fovs, marks = lay_out(found, marked)
    names = {each.id: each.name for each in CLASSES}

    def fits(fov: FieldOfView) -> bool:
        own = fov.split.value if fov.split else "none"
        text = f"{fov.name} {fov.sample_name}".lower()
        return split in ("", own) and all(word.lower() in text for word in words.split())

    choice = GalleryFilter(class_name=wanted, split=split, words=words)
    images = build_gallery(fovs, marks, CLASSES, view="images", sizes_px=SIZES)
    shown = [images.fovs[images.fov[row]].id for row in images.select(choice)]
    assert shown == [
        fov.id
        for fov in fovs
        if fits(fov) and (not wanted or wanted in {names[mark.class_id] for mark in marks.get(fov.id, [])})
    ]
    table = build_gallery(fovs, marks, CLASSES, view="objects", sizes_px=SIZES)
    assert [table.marks[row].id for row in table.select(choice)] == [
        mark.id for fov in fovs for mark in marks.get(fov.id, []) if fits(fov) and wanted in ("", names[mark.class_id])
    ]


@given(found=fields, marked=objects, view=st.sampled_from(["images", "objects"]), is_falling=st.booleans())
def test_that_every_order_holds_each_row_once_and_rises_or_falls(
    found: list[tuple[Split | None, int]],
    marked: list[tuple[int, ObjectClass, bool, int, AnnotationSource]],
    view: GalleryView,
    is_falling: bool,
) -> None:
    fovs, marks = lay_out(found, marked)
    table = build_gallery(fovs, marks, CLASSES, view=view, sizes_px=SIZES)
    for by in SORTS[view]:
        rows = table.select(GalleryFilter(), by=by, is_falling=is_falling)
        assert sorted(rows.tolist()) == list(range(len(table)))
        if by in ("size", "aspect"):
            values = getattr(table, by)[rows]
            assert np.all(np.diff(-values if is_falling else values) >= 0)


@pytest.fixture
def table() -> GalleryTable:
    fovs = [make_fov(1, Split.TRAIN, 200), make_fov(2, None, 50)]
    center = Annotation(AnnotationId(1), FovId(1), ClassId(7), 50.0, 50.0, source=AnnotationSource.MANUAL)
    boxed = dataclasses.replace(center, id=AnnotationId(2), source=AnnotationSource.IMPORTED).with_box(
        Box(0, 0, 10, 40)
    )
    return build_gallery(fovs, {FovId(1): [center, boxed]}, CLASSES, view="objects", sizes_px=SIZES)


def test_that_a_centre_has_the_size_of_its_class_and_a_box_its_own(table: GalleryTable) -> None:
    assert table.size.tolist() == pytest.approx([30.0, 20.0])
    assert table.aspect.tolist() == pytest.approx([1.0, 0.25])
    assert table.select(GalleryFilter(), by="size").tolist() == [1, 0]


def test_that_marks_are_filtered_by_where_they_come_from(table: GalleryTable) -> None:
    assert table.sources == ("imported", "manual")
    assert table.select(GalleryFilter(source="manual")).tolist() == [0]
    assert table.select(GalleryFilter(source="suggested")).tolist() == []
