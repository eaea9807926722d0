"""The numbers behind the charts, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from synthstudio.core.review.gallery import GalleryTable, build_gallery
from synthstudio.core.review.gallery_charts import (
    MAP_BINS,
    balance_by_split,
    balance_of_all,
    count_classes,
    map_places,
    spread_by_class,
)
from synthstudio.core.review.gallery_filter import GalleryFilter
from synthstudio.domain.ids import AnnotationId
from synthstudio.domain.records import Annotation, Box, FieldOfView, Split
from tests.unit.core.test_gallery import CLASSES, SIZES, make_fov

WBC, RBC = CLASSES


def make_table(*, shift: float = 0.0) -> GalleryTable:
    """Two training images of 200 x 100 px and one without a split; a WBC and two RBC on the first, an RBC last."""
    fovs = [make_fov(1, Split.TRAIN, 200), make_fov(2, Split.TRAIN, 200), make_fov(3, None, 200)]
    boxes = [
        (fovs[0], WBC, (0.0, 0.0, 40.0, 20.0)),
        (fovs[0], RBC, (90.0, 40.0, 110.0, 60.0)),
        (fovs[0], RBC, (190.0, 80.0, 200.0, 90.0)),
        (fovs[2], RBC, (0.0, 80.0, 20.0, 100.0)),
    ]
    marks: dict[FieldOfView, list[Annotation]] = {}
    for number, (fov, kind, corners) in enumerate(boxes):
        box = Box(*(each + shift for each in corners))
        marks.setdefault(fov, []).append(Annotation(AnnotationId(number), fov.id, kind.id, *box.center, box))
    by_fov = {fov.id: own for fov, own in marks.items()}
    return build_gallery(fovs, by_fov, CLASSES, view="objects", sizes_px=SIZES)


def test_that_classes_are_counted_by_image_and_split() -> None:
    table = make_table()
    assert count_classes(table).tolist() == [[1, 2], [0, 0], [0, 1]]
    train, none = balance_by_split(table)
    assert (train.name, train.n_images, train.counts.tolist()) == ("train", 2, [1, 2])
    assert (none.name, none.n_images, none.shares.tolist()) == ("none", 1, [0.0, 1.0])
    assert balance_of_all(table, "set").shares.tolist() == [0.25, 0.75]


def test_that_each_class_spreads_for_itself() -> None:
    table = make_table()
    wbc, rbc = spread_by_class(table, table.size)
    assert (wbc.n, wbc.median, wbc.p5, wbc.p95) == (1, *[pytest.approx(800**0.5)] * 3)
    assert (rbc.n, rbc.median) == (3, 20.0)
    assert rbc.p5 == pytest.approx(11.0)


def test_that_places_are_shares_of_width_and_height_from_the_top_left() -> None:
    places = map_places(make_table())
    expected = np.zeros((MAP_BINS, MAP_BINS))
    for x, y in ((20 / 200, 10 / 100), (100 / 200, 50 / 100), (195 / 200, 85 / 100), (10 / 200, 90 / 100)):
        expected[int(y * MAP_BINS), int(x * MAP_BINS)] += 0.25
    assert places.tolist() == expected.tolist()
    assert map_places(make_table(shift=500.0))[-1, -1] == 1.0
    assert map_places(make_table(), class_name="WBC").max() == 1.0


def test_that_nothing_marked_has_no_shares() -> None:
    table = build_gallery([make_fov(1, Split.VAL, 100)], {}, CLASSES, view="objects", sizes_px=SIZES)
    assert np.isnan(map_places(table)).all()
    assert [each.counts.tolist() for each in balance_by_split(table)] == [[0, 0]]
    assert [each.n for each in spread_by_class(table, table.size)] == [0, 0]
    assert np.isnan(spread_by_class(table, table.size)[0].median)


def test_that_the_gallery_is_filtered_by_size_with_both_ends() -> None:
    table = make_table()
    assert table.select(GalleryFilter(least_px=10.0, most_px=20.0)).tolist() == [1, 2, 3]
    assert table.select(GalleryFilter(least_px=20.1)).tolist() == [0]
    assert table.select(GalleryFilter(most_px=9.9)).tolist() == []
