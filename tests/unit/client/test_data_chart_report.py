"""The charts of a data set in a report."""

from __future__ import annotations

import numpy as np
import pytest

from synthstudio.client.reporting.data_charts import chart_sections
from synthstudio.core.export.report.document import Charts, Section
from synthstudio.core.export.report.histograms import place_chart
from synthstudio.core.review.data_charts import IMAGE_CHARTS
from tests.unit.core.test_data_charts import make_charts


def _titles(section: Section) -> list[str]:
    return [drawing.title for block in section.blocks if isinstance(block, Charts) for drawing in block.drawings]


@pytest.mark.parametrize("has_set", [False, True])
def test_that_a_report_has_the_charts_of_the_window(has_set: bool) -> None:
    objects, images = chart_sections(make_charts(has_set=has_set))
    assert len(_titles(objects)) == 1 + 3 + 2 + (2 if has_set else 1)
    assert _titles(images) == [*(title for title, _unit in IMAGE_CHARTS.values()), "Tone, share of the images"]
    drawn = next(block for block in objects.blocks if isinstance(block, Charts)).drawings
    assert any("set made" in each.text for each in drawn) is has_set


def test_that_what_is_not_known_has_no_charts() -> None:
    assert [each.title for each in chart_sections(make_charts(n_measured=0))] == ["Objects"]
    nothing = place_chart("Places", np.full((4, 4), np.nan))
    assert nothing.text.count("<rect") >= 16
