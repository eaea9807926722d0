"""The charts of a data set, counted by hand: what they show, and what lies in a part of each."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from synthstudio.core.review.data_charts import IMAGE_CHARTS, DataCharts, DataSide, chart_data
from synthstudio.core.review.gallery import GalleryTable
from synthstudio.core.review.image_figures import FIGURE_NAMES, FigureTable
from synthstudio.domain.tones import FITZPATRICK
from tests.unit.core.test_gallery_charts import RBC, WBC, make_table

TONES = np.array([1, 0, 3], np.int64)


def make_charts(*, has_set: bool = False, class_name: str = "", n_measured: int = 3) -> DataCharts:
    """Three images whose brightness is 10, 20 and 60; all else is 0.5."""
    sides = [_side(make_table(), "real")] + ([_side(make_table(shift=1.0), "made")] if has_set else [])
    rows = {f"real {number}": number for number in range(n_measured)}
    values = np.full((n_measured, len(FIGURE_NAMES)), 0.5)
    values[:, FIGURE_NAMES.index("brightness")] = (10.0, 20.0, 60.0)[:n_measured]
    return chart_data(
        sides,
        FigureTable(rows, values),
        set_name="made" if has_set else "",
        class_name=class_name,
        scale=FITZPATRICK,
    )


def _side(table: GalleryTable, name: str) -> DataSide:
    return DataSide(table, [f"{name} {number}" for number in range(len(table.fov_ids))], TONES)


def test_that_images_without_objects_count_as_images_of_none() -> None:
    charts = make_charts().charts
    numbers, sizes, aspects = (charts[name].comparison for name in ("objects", "size", "aspect"))
    assert numbers.real.tolist() == [1 / 3, 1 / 3, 0.0, 1 / 3]  # none, one, two and three objects
    assert sizes.real.sum() == pytest.approx(1.0)
    assert np.isnan(sizes.made).all()
    assert aspects.real[-1] == 0.25  # twice as wide as high: the last bin
    middle = int(np.searchsorted(aspects.edges, 1.0, side="right")) - 1
    assert aspects.real[middle] == 0.75


def test_that_one_class_of_both_data_sets_is_compared() -> None:
    charts = make_charts(has_set=True, class_name="WBC").charts
    numbers, sizes = charts["objects"].comparison, charts["size"].comparison
    assert numbers.real.tolist() == numbers.made.tolist() == [2 / 3, 1 / 3]
    assert sizes.real.max() == sizes.made.max() == 1.0
    nothing = make_charts(class_name="no such class")
    assert np.isnan(nothing.charts["size"].comparison.real).all()


def test_that_every_part_of_a_histogram_leads_to_what_lies_in_it() -> None:
    shown = make_charts(has_set=True)
    for chart in shown.charts.values():
        for side, own in enumerate(chart.sides):
            shares = (chart.comparison.real, chart.comparison.made)[side]
            ends = list(zip(chart.comparison.edges[:-1], chart.comparison.edges[1:], strict=True))
            found = [len(chart.within(low, high, side=side)) for low, high in ends]
            assert np.array(found) / max(1, len(own.ids)) == pytest.approx(np.nan_to_num(shares))
    table = shown.sides[0].table
    assert shown.charts["size"].within(0.0, 15.0).tolist() == table.mark_ids[table.size < 15.0].tolist()
    assert len(shown.charts["aspect"].within(1.9, 2.0)) == 1  # beyond the axis, and in its last bin


def test_that_pixels_are_charted_where_they_were_measured() -> None:
    shown = make_charts(n_measured=2)
    assert (shown.n_images, shown.n_measured, shown.n_unmeasured) == ((3,), (2,), 1)
    brightness = shown.charts["brightness"]
    ids = shown.sides[0].table.fov_ids
    assert brightness.within(15.0, 100.0).tolist() == [ids[1]]
    assert shown.charts["dark_share"].sides[0].values.tolist() == [50.0, 50.0]
    of_wbc = make_charts(class_name="WBC")
    assert of_wbc.charts["brightness"].sides[0].ids.tolist() == [ids[0]]
    nothing = make_charts(n_measured=0)
    assert all(np.isnan(nothing.charts[name].comparison.real).all() for name in IMAGE_CHARTS)


def test_that_bars_and_places_lead_to_their_objects() -> None:
    shown = make_charts(has_set=True)
    marks = shown.sides[0].table.mark_ids
    classes = [shown.class_names.index(each.name) for each in (WBC, RBC)]
    assert shown.of_class(classes[1], "train").tolist() == marks[1:3].tolist()
    assert shown.of_class(classes[1], "none").tolist() == marks[3:].tolist()
    assert shown.of_class(classes[0], "", side=1).tolist() == marks[:1].tolist()
    assert shown.of_place((0.0, 0.0, 0.5, 0.5)).tolist() == marks[:2].tolist()
    assert make_charts(class_name="WBC").of_place((0.0, 0.0, 1.0, 1.0)).tolist() == marks[:1].tolist()


def test_that_tones_are_counted_among_images_that_have_one() -> None:
    shown = make_charts()
    ids = shown.sides[0].table.fov_ids
    assert shown.tone_names == FITZPATRICK.levels[:3]
    assert shown.tone_shares(0).tolist() == [0.5, 0.0, 0.5]
    assert shown.of_tone(3).tolist() == [ids[2]]
    toneless = dataclasses.replace(shown, sides=(dataclasses.replace(shown.sides[0], tones=np.zeros(3, np.int64)),))
    assert toneless.tone_names == ()


def test_that_images_and_their_objects_are_found_from_each_other() -> None:
    shown = make_charts()
    table = shown.sides[0].table
    assert shown.related("objects", table.mark_ids[:2]).tolist() == [table.fov_ids[0]]
    assert shown.related("images", table.fov_ids[2:]).tolist() == [table.mark_ids[3]]
