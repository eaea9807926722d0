"""The chosen runs side by side: bars with intervals, and their differences with paired ones."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.domain.figures import change_interval_text, change_text
from synthstudio.domain.progress import Tick
from synthstudio.gui.pages.train.results_view import ResultsView, RunSelection
from synthstudio.gui.pages.train.run_columns import figure_words
from synthstudio.gui.pages.train.run_differences import (
    MAX_RUNS,
    Figure,
    NamedDifference,
    PairDifference,
    build_pairs,
    compare_pairs,
    why_unpaired,
)
from synthstudio.gui.pages.train.run_facts import TrainingFacts
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.bar_plot import Bar, BarChart, BarPlot, BarSeries
from synthstudio.gui.widgets.exporting import ExportButton
from synthstudio.gui.widgets.segments import Segments
from synthstudio.gui.widgets.sortable_table import SortableTable, TableCell, TableColumn, TableRow
from synthstudio.gui.widgets.wrapped_label import WrappedLabel
from synthstudio.gui.workspace import Workspace
from synthstudio.protocol.results import ClassScore, EvaluateResult, Interval

FIGURES = (
    ("f1", "F1", "Presence of each class on crops"),
    ("ap", "AP", "Average precision of each class on crops, over all thresholds"),
    ("pointing", "Pointing", "How often the hottest point of the map lies on an object"),
    ("centre", "Centre F1", "Peaks of the map against annotated centres"),
    ("energy", "Energy", "Share of the map's mass that lies in the boxes"),
)
MEAN = "Mean"
MIN_ROWS = 2
"""Of the differences, seen at once however low the window is."""
DIFFERENCES = (
    TableColumn("Difference", "Of which class.", is_number=False),
    TableColumn("First", "Figure of the first run."),
    TableColumn("Second", "Figure of the second run."),
    TableColumn("Second − first", "Positive: the second run is better."),
    TableColumn("95 %", "95 % interval of the difference, from resampling the same samples for both runs."),
    TableColumn("p", "Probability of a difference as far from 0 where there is none."),
    TableColumn("Only first right", "Crops on which the first run alone answered rightly."),
    TableColumn("Only second right", "Crops on which the second run alone answered rightly."),
)


@dataclass(frozen=True, slots=True)
class ClassFigure:
    """One figure of one class: its value, its interval, and what it has to beat."""

    value: float | None
    interval: Interval | None = None
    baseline: float | None = None


class ComparisonView(ResultsView):
    """Bars of one figure at a time."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace, parent)
        self.figure: Figure = "f1"
        self.figures = Segments(FIGURES, self.content)
        self.figures.set_value(self.figure)
        self.figures.fit_texts()
        self.plot = BarPlot("F1", self.content)
        self.differences = SortableTable("Differences", self.content)
        self.note = WrappedLabel("muted", self.content)
        self.export = ExportButton({"Bars": self.plot, "Differences": self.differences}, self.content)
        bar = QHBoxLayout()
        bar.addWidget(self.figures)
        bar.addStretch(1)
        bar.addWidget(self.export)
        column = QVBoxLayout(self.content)
        column.setContentsMargins(3 * GRID_PX, 2 * GRID_PX, 3 * GRID_PX, 2 * GRID_PX)
        column.setSpacing(2 * GRID_PX)
        column.addLayout(bar)
        column.addWidget(self.plot, 1)
        column.addWidget(self.differences)
        column.addWidget(self.note)
        self.figures.chosen.connect(self.choose)

    @Slot(str)
    def choose(self, figure: Figure) -> None:
        """Compare another figure: "f1", "ap", "pointing", "centre" or "energy"."""
        self.figure = figure
        self.figures.set_value(figure)
        if self.selection.evaluated:
            self._show_bars()
            self._compare()

    @override
    def _refresh(self) -> None:
        if not self.selection.evaluated:
            self._say_unevaluated()
            return
        self._show_bars()
        self._compare()
        self.stack.setCurrentWidget(self.content)

    def _show_bars(self) -> None:
        title = next(title for key, title, _ in FIGURES if key == self.figure)
        n_runs = len(self.selection.evaluated)
        first = f", first {MAX_RUNS} of {n_runs} runs" if n_runs > MAX_RUNS else ""
        chart = build_chart(self.selection, self.figure)
        self.plot.set_chart(chart, title=f"{title} on {self.selection.split} images{first}")

    def _compare(self) -> None:
        """Pair the chosen run with each other one, off the GUI thread."""
        project, selection, figure = self._workspace.project, self.selection, self.figure
        reason = why_unpaired(selection, figure)
        self.differences.hide()
        self.note.setText(reason)
        self.note.setVisible(bool(reason))
        if reason or project is None:
            return
        pairs = build_pairs(selection)

        def work(tick: Tick) -> list[PairDifference]:
            return compare_pairs(project, pairs, split=selection.split, figure=figure, tick=tick)

        self._work(work, self._show_differences)

    def _show_differences(self, found: list[PairDifference]) -> None:
        is_alone = len(found) == 1
        rows = [
            _difference_row(each, of, is_alone=is_alone) for of in found for each in of.rows[: None if is_alone else 1]
        ]
        has_answers = self.figure == "f1" and is_alone  # maps are not right or wrong, nor is a mean
        columns = DIFFERENCES if has_answers else DIFFERENCES[:-2]
        self.differences.set_table(columns, [TableRow(row.key, row.cells[: len(columns)]) for row in rows])
        self.differences.show_all_rows(at_least=MIN_ROWS)
        self.differences.setVisible(bool(rows))
        pair = found[0].pair
        roles = f"First: {pair.first_name}. Second: {pair.second_name if is_alone else 'the run of the row'}."
        notes = dict.fromkeys(note for each in found for note in each.notes)
        self.note.setText("\n".join((roles, *notes) if rows else notes))
        self.note.setVisible(bool(self.note.text()))


def _difference_row(row: NamedDifference, of: PairDifference, *, is_alone: bool) -> TableRow:
    name = row.name if is_alone else f"{row.name}, {of.pair.second_name}"
    change, ends, p = row.difference.difference, row.difference.ci95, row.difference.p
    cells = (
        TableCell(name, name),
        TableCell(figure_words(row.difference.first), row.difference.first),
        TableCell(figure_words(row.difference.second), row.difference.second),
        TableCell(change_text(change), change),
        TableCell(change_interval_text(ends), ends[0] if ends else None),
        TableCell("" if p is None else f"{p:.3f}", p),
        *(TableCell(f"{each:,}" if each is not None else "", each) for each in row.only_right),
    )
    return TableRow(f"{of.pair.second.run.id} {row.name}", cells)


def build_chart(selection: RunSelection, figure: str) -> BarChart:
    """One group of bars per class and one for their mean; the baseline is that of the first run, as all share it."""
    runs = selection.evaluated[:MAX_RUNS]
    found = [_figures(each.evaluations[selection.split], figure) for each in runs]
    names = list(dict.fromkeys(name for figures in found for name in figures))
    names = [name for name in names if name != MEAN] + [MEAN]
    series = tuple(_series(selection, run, figures, names) for run, figures in zip(runs, found, strict=True))
    baselines = tuple(_baseline([figures[name] for figures in found if name in figures]) for name in names)
    baseline_name = {"f1": "always “yes”", "pointing": "chance", "energy": "area"}.get(figure, "")
    return BarChart(tuple(names), series, baselines, baseline_name)


def _baseline(figures: list[ClassFigure]) -> float | None:
    return next((each.baseline for each in figures if each.baseline is not None), None)


def _series(
    selection: RunSelection, run: TrainingFacts, figures: dict[str, ClassFigure], names: list[str]
) -> BarSeries:
    bars = []
    for name in names:
        each = figures.get(name, ClassFigure(None))
        low, high = each.interval or (None, None)
        bars.append(Bar(each.value, low, high))
    return BarSeries(selection.label_of(run), selection.color_of(run), tuple(bars))


def _figures(result: EvaluateResult, figure: str) -> dict[str, ClassFigure]:
    whole, places = result.classification, result.localization
    if figure == "f1":
        found = {name: ClassFigure(each.f1, each.ci95, each.prevalence_f1) for name, each in whole.per_class.items()}
        baselines = [each.prevalence_f1 for each in whole.per_class.values() if each.prevalence_f1 is not None]
        mean = sum(baselines) / len(baselines) if baselines else None
        return {**found, MEAN: ClassFigure(whole.macro_f1, whole.ci95, mean)}
    if figure == "ap":
        found = {name: _precision(each) for name, each in whole.per_class.items()}
        return {**found, MEAN: ClassFigure(whole.ap)}
    if figure == "pointing":
        found = {
            name: ClassFigure(each.pointing_accuracy, each.ci95, each.chance) for name, each in places.per_class.items()
        }
        return {**found, MEAN: ClassFigure(places.pointing_accuracy, None, places.chance)}
    if figure == "energy":
        found = {
            name: ClassFigure(each.energy_in_box, None, each.energy_chance) for name, each in places.per_class.items()
        }
        return {**found, MEAN: ClassFigure(places.energy_in_box)}
    found = {name: ClassFigure(each.center.f1) for name, each in places.per_class.items()}
    return {**found, MEAN: ClassFigure(places.center.f1)}


def _precision(score: ClassScore) -> ClassFigure:
    """Average precision; one of blind guesses is the share of crops with the class, which is not stored."""
    return ClassFigure(score.ap, score.intervals.ap if score.intervals is not None else None)
