"""The HTML of a report: every word escaped, charts that any reader of SVG can draw, nothing fetched from elsewhere."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from defusedxml import ElementTree
from hypothesis import given, settings
from hypothesis import strategies as st

from synthstudio.core.evaluation.confusion import Confusion
from synthstudio.core.export.report.charts import (
    MAX_POINTS,
    Axis,
    BarSeries,
    Curve,
    bar_chart,
    curve_chart,
    fitted_axis,
    matrix_chart,
    series_color,
    stepped,
    thinned,
)
from synthstudio.core.export.report.document import (
    Charts,
    Document,
    Listing,
    Paragraph,
    Pictures,
    Section,
    Source,
    Table,
)
from synthstudio.core.export.report.html import ChartForm, render_html
from synthstudio.core.export.report.pictures import WIDTH_PX, shrink_picture
from synthstudio.core.export.report.svg import Svg
from synthstudio.core.imaging import write_png
from synthstudio.domain.errors import UserError

HOSTILE = "<script>alert('x')</script> & \"quoted\" </svg>"
SHARE = Axis("share")


class _Reader(HTMLParser):
    """Collects tags, words and addresses, and checks that every element is closed."""

    VOID = frozenset({"meta", "img", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []
        self.addresses: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def read(self, text: str) -> _Reader:
        self.feed(text)
        self.close()
        assert self._open == []
        return self


def texts_of(drawing: Svg) -> list[str]:
    root = ElementTree.fromstring(drawing.text)
    return [each.text or "" for each in root.iter("{http://www.w3.org/2000/svg}text")]


def bars(*names: str) -> Svg:
    series = [BarSeries(name, place, (0.5, None), ((0.4, 0.6), None)) for place, name in enumerate(names or ("first",))]
    return bar_chart("F1", ["red cell", "macro"], series, axis=SHARE, baselines=[0.3, None])


def document(tmp_path: Path) -> Document:
    write_png(tmp_path / "map.png", np.zeros((90, 900, 3), np.uint8))
    return Document(
        title=HOSTILE,
        subtitle=HOSTILE,
        sections=(
            Section(
                HOSTILE,
                (
                    Paragraph(HOSTILE),
                    Listing((HOSTILE, "second")),
                    Table.of([HOSTILE, "F1"], [[HOSTILE, 0.12345], ["undefined", None], ["count", 1234567]], HOSTILE),
                    Charts((bars(HOSTILE),), HOSTILE),
                    Pictures((shrink_picture(tmp_path / "map.png", HOSTILE),) * 4, HOSTILE),
                    Source(f"weights = {HOSTILE}", HOSTILE),
                ),
            ),
            Section("left out", ()),
        ),
    )


@pytest.mark.parametrize("charts", ["inline", "images"])
def test_that_every_word_is_escaped_and_nothing_is_fetched(tmp_path: Path, charts: ChartForm) -> None:
    text = render_html(document(tmp_path), charts=charts)
    assert "<script" not in text
    read = _Reader().read(text)
    assert read.words.count(HOSTILE) >= 9
    assert all(each.startswith("data:image/") for each in read.addresses)
    assert read.tags.count("svg") == (1 if charts == "inline" else 0)
    assert read.tags.count("img") == (4 if charts == "inline" else 5)
    assert "left out" not in read.words
    assert {"0.123", "n/a", "1,234,567"} <= set(read.words)


def test_that_a_picture_is_made_small_and_a_missing_one_is_told(tmp_path: Path) -> None:
    write_png(tmp_path / "wide.png", np.zeros((90, 900, 3), np.uint8))
    write_png(tmp_path / "small.png", np.zeros((9, 12, 3), np.uint8))
    assert shrink_picture(tmp_path / "wide.png", "").width_px == WIDTH_PX
    assert shrink_picture(tmp_path / "small.png", "").width_px == 12
    with pytest.raises(UserError):
        shrink_picture(tmp_path / "gone.png", "")


def test_that_an_undefined_bar_says_so() -> None:
    assert "n/a" in texts_of(bars("first", "second"))
    assert series_color(0) in bars().text
    assert series_color(1) not in bars().text


def test_that_many_runs_fit_and_repeat_colours() -> None:
    names = [f"run {number} with a very long name that would not fit into the legend" for number in range(9)]
    texts = texts_of(bars(*names))
    assert sum(each.startswith("run ") for each in texts) == 9
    assert series_color(7) == series_color(0)


def test_that_curves_of_any_length_are_drawn_with_few_points() -> None:
    x = np.linspace(0, 1, 100_000)
    curve = Curve("a", 0, x, x**2, mark=(0.5, 0.25))
    few = thinned(curve)
    assert len(few.x) == MAX_POINTS
    assert (few.x[0], few.x[-1]) == (0, 1)
    drawing = curve_chart("ROC", [curve, Curve("none", 1, x[:0], x[:0])], x=SHARE, y=SHARE, has_diagonal=True)
    assert len(drawing.text) < 10_000
    assert {"ROC", "a", "none"} <= set(texts_of(drawing))


def test_that_steps_go_across_before_they_go_down() -> None:
    x, y = stepped(np.array([1.0, 0.5, 0.0]), np.array([0.2, 0.6, 1.0]))
    assert list(zip(x.tolist(), y.tolist(), strict=True)) == [
        (1.0, 0.2),
        (0.5, 0.2),
        (0.5, 0.6),
        (0.0, 0.6),
        (0.0, 1.0),
    ]


def test_that_a_matrix_shows_counts_and_shares_and_empty_rows_without_a_share() -> None:
    confusion = Confusion(("a", "<b>"), ("a", "none"), np.array([[3, 1], [0, 0]]), np.array([4, 0]))
    texts = texts_of(matrix_chart("run", confusion, row_title="truth", column_title="answer"))
    assert "3 (75%)" in texts
    assert texts.count("0") == 2
    assert "<b>" in texts


@given(st.lists(st.floats(-1e9, 1e9, allow_subnormal=False), max_size=5), st.booleans())
@settings(max_examples=50, deadline=None)
def test_that_an_axis_holds_its_values_with_few_round_ticks(values: list[float], from_zero: bool) -> None:
    axis = fitted_axis("loss", values, from_zero=from_zero)
    assert axis.low < axis.high
    slack = 1e-6 * (axis.high - axis.low)
    assert all(axis.low - slack <= value <= axis.high + slack for value in values)
    assert 2 <= len(axis.ticks) <= 12
    if from_zero:
        assert axis.low <= 0


def test_that_an_axis_passes_over_what_is_not_finite() -> None:
    assert fitted_axis("loss", [float("nan"), float("inf"), 2.0], from_zero=True).high >= 2


def test_that_words_of_a_table_are_kept_whole_on_paper_where_the_page_is_wide_enough() -> None:
    narrow = Table.of(("exhaustively annotated", "Image"), [["some words", "BloodImage_00097.jpg"]])
    wide = Table.of([f"class number {number}" for number in range(12)], [["a"] * 12])
    printed = [render_html(Document("A", "", (Section("S", (each,)),)), charts="images") for each in (narrow, wide)]
    assert '<th class="word">exhaustively<br>annotated</th>' in printed[0]
    assert '<td>some words</td><td class="word">BloodImage_00097.jpg</td>' in printed[0]
    assert 'class="word"' not in printed[1]
    assert 'class="word"' not in render_html(Document("A", "", (Section("S", (narrow,)),)))
