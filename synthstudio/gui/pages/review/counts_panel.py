"""How the images of a set fared with their reviewers: a chart and a table by class, prompt, tone, generator, reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QStackedWidget, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.client.reporting.sets import GROUPING_WORDS, build_set_report
from synthstudio.core.export.report.document import Document
from synthstudio.core.review.verdict_counts import GroupCount, ImageFacts, count_outcomes, find_groupings
from synthstudio.core.review.verdicts import Outcome, choose_usable
from synthstudio.domain.palette import ARTIFACT_COLOR, class_color
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Verdict
from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.reading_panel import UNREADABLE, ReadingPanel
from synthstudio.gui.report_writing import ask_where_to
from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.gui.widgets.bar_plot import Bar, BarChart, BarPlot, BarSeries
from synthstudio.gui.widgets.choices import fill_choice
from synthstudio.gui.widgets.elided_combo import ElidedCombo
from synthstudio.gui.widgets.next_step import NextStep
from synthstudio.gui.widgets.sortable_table import SortableTable, TableCell, TableColumn, TableRow
from synthstudio.gui.widgets.wrapped_label import WrappedLabel
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.project.set_facts import list_image_facts

COMBO_PX, PLOT_PX = 150, 280
MAX_BARS = 16
"""Groups that the chart shows; the table has all."""
COLORS = {
    Outcome.UNDECIDED: ARTIFACT_COLOR,
    Outcome.ACCEPTED: class_color(2),
    Outcome.REJECTED: class_color(4),
    Outcome.UNSURE: class_color(0),
    Outcome.DISAGREED: class_color(3),
}


@dataclass(frozen=True, slots=True)
class _Found:
    """All about a set."""

    facts: Sequence[ImageFacts]
    verdicts: Sequence[Verdict]


class CountsPanel(ReadingPanel[str | None, _Found | None]):
    """A set, a grouping, and the counts."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace, parent, follows=("sets", "verdicts"))
        self._found: _Found | None = None
        self.sets = self._combo("Set")
        self.groupings = self._combo("Grouping")
        self.report_button = QPushButton("Report…", self)
        self.words = WrappedLabel("muted", self)
        self.plot = BarPlot("Share of the images", self)
        self.table = SortableTable("Verdicts by group", self)
        self.stack = QStackedWidget(self)
        self._lay_out()
        self.sets.currentIndexChanged.connect(self._read)
        self.groupings.currentIndexChanged.connect(self._show_counts)
        self.report_button.clicked.connect(self.write_report)

    def _combo(self, name: str) -> QComboBox:
        combo = ElidedCombo(self)
        combo.setAccessibleName(name)
        combo.setMinimumWidth(scaled_px(COMBO_PX))
        return combo

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setSpacing(2 * GRID_PX)
        for words, combo in (("Set", self.sets), ("By", self.groupings)):
            bar.addWidget(QLabel(words, self))
            bar.addWidget(combo)
        bar.addStretch(1)
        bar.addWidget(self.report_button)
        self.plot.setFixedHeight(scaled_px(PLOT_PX))
        page = QWidget(self)
        column = QVBoxLayout(page)
        column.setContentsMargins(2 * GRID_PX, GRID_PX, 2 * GRID_PX, 2 * GRID_PX)
        column.setSpacing(2 * GRID_PX)
        column.addLayout(bar)
        for widget in (self.words, self.plot):
            column.addWidget(widget)
        column.addWidget(self.table, 1)
        self.stack.addWidget(NextStep("There is no set yet.", "Write a set in Generate, and judge its images first."))
        self.stack.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.stack)

    @property
    def has_set(self) -> bool:
        """Whether a set is chosen."""
        return self.sets.currentData() is not None

    @override
    def _offer(self, project: Project | None) -> None:
        names = [each.name for each in reversed(project.sets.list())] if project is not None else []
        fill_choice(self.sets, [(name, name) for name in names])
        self.stack.setCurrentIndex(1 if names else 0)
        self.actions_outdated.emit()

    @override
    def _wish(self) -> str | None:
        name: str | None = self.sets.currentData()
        return name

    @override
    def _find(self, project: Project, wish: str | None, tick: Tick) -> _Found | None:
        return _Found(list_image_facts(project, wish), project.verdicts.list(wish)) if wish is not None else None

    def choose_set(self, name: str) -> None:
        """Show the counts of a set."""
        self.sets.setCurrentIndex(self.sets.findData(name))

    @override
    def _adopt(self, facts: _Found | None) -> None:
        self._found = found = facts
        chosen = self.groupings.currentData() or "prompt"  # what tells most, where there are prompts
        groupings = find_groupings(found.facts, found.verdicts) if found is not None else ()
        fill_choice(self.groupings, [(GROUPING_WORDS[by].lower(), by) for by in groupings], chosen=chosen)
        self._show_counts()

    @Slot()
    def _show_counts(self) -> None:
        found, by = self._found, self.groupings.currentData()
        self.plot.setVisible(found is not None and by is not None)
        if found is None or by is None:
            self.words.setText(" ".join(UNREADABLE) if self.has_failed else "")
            self.table.set_table((), ())
            return
        usable = choose_usable([image.index for image in found.facts], found.verdicts, "accepted")
        told = usable.describe(self.sets.currentData())
        self.words.setText(told or "All images were accepted.")
        groups = count_outcomes(found.facts, found.verdicts, by=by)
        shown = [outcome for outcome in Outcome if any(group.counts.get(outcome) for group in groups)]
        title = f"Share of the images, by {GROUPING_WORDS[by].lower()}"
        if len(groups) > MAX_BARS:
            title = f"{title} (the first {MAX_BARS} of {len(groups)})"
        self.plot.set_chart(_chart(groups[:MAX_BARS], shown), title=title)
        heads = (TableColumn(GROUPING_WORDS[by], is_number=False), TableColumn("Images"))
        self.table.set_table(
            (*heads, *(TableColumn(outcome.capitalize()) for outcome in shown)), [_row(each, shown) for each in groups]
        )

    @Slot()
    def write_report(self) -> None:
        """Ask where to, and write the report of the set."""
        if self.has_set:
            project, name = self._workspace.require_project(), self.sets.currentData()

            def build(tick: Tick) -> Document:
                return build_set_report(project, name, tick=tick)

            ask_where_to(self._workspace, build, name=f"{project.name}-{name}", parent=self)

    def specs(self) -> list[ActionSpec]:
        """What can be done here."""
        return [
            ActionSpec(
                "review.report_set",
                "Report of the set…",
                self.write_report,
                icon="mdi6.file-document-outline",
                menu="Review",
                enabled_when=lambda: self.isVisible() and self.has_set,
                tip="Provenance, verdicts and samples, as a web page or PDF",
            )
        ]


def _chart(groups: Sequence[GroupCount], shown: Sequence[Outcome]) -> BarChart:
    series = [
        BarSeries(
            outcome.value,
            COLORS[outcome],
            tuple(Bar(group.counts.get(outcome, 0) / group.n_images) for group in groups),
        )
        for outcome in shown
    ]
    return BarChart(tuple(_shortened(group.name) for group in groups), tuple(series))


def _shortened(name: str) -> str:
    """Prompts are longer than the room below their bars."""
    return name if len(name) <= 18 else f"{name[:17]}…"


def _row(group: GroupCount, shown: Sequence[Outcome]) -> TableRow:
    counts = [group.counts.get(outcome, 0) for outcome in shown]
    cells = [TableCell(f"{count:,}", count) for count in (group.n_images, *counts)]
    return TableRow(group.name, (TableCell(group.name, group.name, group.name), *cells))
