"""The rounds of the project: the learning curve, whether more clicks pay, and the button of the next round."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSpinBox,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from synthstudio.client.experiment_table import ALL_CLASSES
from synthstudio.client.round_curve import curve_of, known_classes, known_measures, outlook_words
from synthstudio.gui.pages.train.round_facts import (
    COST_WORDS,
    Cost,
    RoundsFacts,
    curves,
    rows_of,
    seeing_words,
    state_words,
)
from synthstudio.gui.plan_head import make_continue_button, make_stop_button
from synthstudio.gui.run_tab import NOTHING_TO_LEARN
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.choices import fill_choice
from synthstudio.gui.widgets.columns import fill_with_pages, panel_column
from synthstudio.gui.widgets.curve_plot import CurvePlot
from synthstudio.gui.widgets.exporting import ExportButton
from synthstudio.gui.widgets.inset import inset_number
from synthstudio.gui.widgets.next_step import NextStep
from synthstudio.gui.widgets.score_table import ScoreColumn, ScoreTable
from synthstudio.gui.widgets.wheel_guard import guard_wheel
from synthstudio.gui.widgets.wrapped_label import WrappedLabel

HONEST = "Of fields done since, and of these where suggestions were hidden, if there are any."
COLUMNS = (
    ScoreColumn("Begun", "In UTC."),
    ScoreColumn("Annotations", "What its training could learn from: all but those on test images."),
    ScoreColumn("Complete", "Images annotated exhaustively; a detector on real boxes learns from these alone."),
    ScoreColumn("Actions", "Marks placed by hand and suggestions judged until then; many at once are one."),
    ScoreColumn("Minutes", "Expert time until then: between commits, pauses of more than two minutes left out."),
    ScoreColumn("Score", "On the locked test images, with its 95 % interval by samples."),
    ScoreColumn("Accepted", "Of the suggestions of this round's model."),
    ScoreColumn("Rejected", "Of the suggestions of this round's model."),
    ScoreColumn("Open", "Suggestions of this round's model that nobody has judged, whatever their score."),
    ScoreColumn("Precision", f"Share of this round's suggestions that the expert left. {HONEST}"),
    ScoreColumn("Recall", f"Share of what the expert left that this round's model had suggested. {HONEST}"),
)
CHART_HEIGHT_PX = 220
ALL_LINES = "all"
"""In place of a class: the mean and every class."""


class RoundPanel(QWidget):
    """All rounds at once.

    Signals:
        next_requested, continue_requested, stop_requested, settings_requested: A button was pressed.
        automatic_changed: The wish for rounds by themselves was changed by hand.
    """

    next_requested = Signal()
    continue_requested = Signal()
    stop_requested = Signal()
    settings_requested = Signal()
    automatic_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._facts: RoundsFacts | None = None
        self._active = self._job_title = ""
        self._can_write = False
        self.stack = QStackedWidget(self)
        self.content = QWidget(self.stack)
        self.state = WrappedLabel("muted", self.content)
        self.next = QPushButton("Next round", self.content)
        self.next.setToolTip("Train on the annotations so far, score on the test images, suggest what is missing")
        self.next.setProperty("primary", True)
        self.go_on, self.stop = make_continue_button(self.content), make_stop_button(self.content)
        self.settings = QPushButton("Settings…", self.content)
        self.settings.setToolTip("What is trained in the next rounds, and how")
        self.automatic = QCheckBox("Go on by itself after", self.content)
        self.automatic.setToolTip("The next round begins as soon as so much is new; as long as the window is open")
        self.after = _number(self.content, "New annotations", value=100, most=1_000_000)
        self.at_most = _number(self.content, "Rounds at most", value=5, most=100)
        self.body = QScrollArea(self.content)
        self.inner = inner = QWidget(self.body.viewport())
        self.trouble = WrappedLabel("danger", inner)
        self.measure = _choice(inner, "Measure of the learning curve")
        self.lines = _choice(inner, "Classes of the learning curve")
        self.cost = _choice(inner, "What the score is drawn against")
        for cost in get_args(Cost):
            self.cost.addItem(COST_WORDS[cost], cost)
        self.plot = CurvePlot("Learning curve", inner)
        self.table = ScoreTable(COLUMNS, first="Round", parent=inner)
        self.export = ExportButton({"Learning curve": self.plot, "Rounds": self.table}, inner)
        self.outlook = WrappedLabel("muted", inner)
        self.seeing = WrappedLabel("muted", inner)
        self.remark = WrappedLabel("muted", inner)
        self.empty = NextStep(parent=self.stack)
        self._lay_out()
        self._connect()
        self.show_rounds(None, can_write=False)

    def _lay_out(self) -> None:
        head, wish = QHBoxLayout(), QHBoxLayout()
        head.addWidget(self.state, 1)
        for button in (self.settings, self.go_on, self.stop, self.next):
            head.addWidget(button)
        for widget in (self.automatic, self.after, QLabel("new annotations,", self.content), self.at_most):
            wish.addWidget(widget)
        wish.addWidget(QLabel("rounds at most", self.content))
        wish.addStretch(1)
        column = panel_column(self.content)
        column.addLayout(head)
        column.addLayout(wish)
        column.addWidget(self.body, 1)
        self._lay_out_body()
        fill_with_pages(self, self.stack, self.content, self.empty)

    def _lay_out_body(self) -> None:
        """Curve, table and remarks scroll together where the window is low."""
        chart_head = QHBoxLayout()
        for widget in (self.measure, self.lines, QLabel("against", self.inner), self.cost):
            chart_head.addWidget(widget)
        chart_head.addStretch(1)
        chart_head.addWidget(self.export)
        self.plot.setMinimumHeight(CHART_HEIGHT_PX)
        # A plot wishes to be as high as it was: in a window that has become lower, the table would be out of sight.
        self.plot.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        column = QVBoxLayout(self.inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2 * GRID_PX)
        column.addWidget(self.trouble)
        column.addLayout(chart_head)
        column.addWidget(self.plot, 1)
        column.addWidget(self.outlook)
        column.addWidget(self.table)
        column.addWidget(self.seeing)
        column.addWidget(self.remark)
        self.body.setWidgetResizable(True)
        self.body.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.body.setWidget(self.inner)

    def _connect(self) -> None:
        self.next.clicked.connect(self.next_requested)
        self.empty.button_clicked.connect(self.next_requested)
        self.go_on.clicked.connect(self.continue_requested)
        self.stop.clicked.connect(self.stop_requested)
        self.settings.clicked.connect(self.settings_requested)
        self.automatic.toggled.connect(self.automatic_changed)
        self.after.valueChanged.connect(self.automatic_changed)
        for choice in (self.measure, self.lines, self.cost):
            choice.currentIndexChanged.connect(self._draw)

    @property
    def facts(self) -> RoundsFacts | None:
        """What is shown; None where there is no project."""
        return self._facts

    @property
    def can_begin(self) -> bool:
        """Whether a round could begin."""
        return self._can_write and not self._active and self._facts is not None and self._facts.n_annotations > 0

    @property
    def can_continue(self) -> bool:
        """Whether something of the newest round is left to be done, and nothing else is under way."""
        newest = self._facts.newest if self._facts is not None else None
        return self.can_begin and newest is not None and not newest.is_complete

    def show_rounds(self, facts: RoundsFacts | None, *, can_write: bool) -> None:
        """Show these."""
        self._facts = facts
        self._can_write = can_write
        rounds = facts.rounds if facts is not None else ()
        self.empty.show_step(
            "No round yet.",
            "A round trains on the annotations so far, scores on the test images and suggests what is not annotated"
            " yet. Accept or correct, then begin the next one: after some rounds the curve shows what clicks bring."
            + (f" {NOTHING_TO_LEARN}" if facts is not None and not facts.n_annotations else ""),
            "First round" if self.can_begin else "",
        )
        self.stack.setCurrentWidget(self.content if rounds else self.empty)
        fill_choice(self.measure, [(each.title, each.key) for each in known_measures(rounds)])
        self._draw()
        self._show_state()

    def show_active(self, name: str, job_title: str) -> None:
        """Say which round is under way, if any, and what it does."""
        self._active, self._job_title = name, job_title
        self._show_state()

    @override
    def changeEvent(self, event: QEvent, /) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and getattr(self, "_facts", None) is not None:
            self._draw()  # the mean is drawn in the colour of texts

    @Slot()
    def _draw(self) -> None:
        facts, key = self._facts, self.measure.currentData()
        rounds = facts.rounds if facts is not None else ()
        classes = known_classes(rounds, key) if key is not None else ()
        lines = [("Mean of all classes", ALL_CLASSES), ("Mean and each class", ALL_LINES)]
        fill_choice(self.lines, lines if len(classes) > 1 else lines[:1])
        names: Sequence[str] = (ALL_CLASSES, *classes) if self.lines.currentData() == ALL_LINES else (ALL_CLASSES,)
        cost: Cost = self.cost.currentData()
        self.plot.set_x_name(COST_WORDS[cost].lower())
        colors = facts.colors if facts is not None else {}
        self.plot.set_curves(curves(rounds, key, names, cost, colors=colors) if key is not None else ())
        self.table.set_rows(rows_of(facts, key or "") if facts is not None else [])
        self.outlook.setText(outlook_words(curve_of(rounds, key)) if key is not None else "")
        self.seeing.setText(seeing_words(facts) if facts is not None else "")
        self.seeing.setVisible(bool(self.seeing.text()))
        for widget in (self.measure, self.lines, self.cost, self.export):
            widget.setEnabled(key is not None)

    def _show_state(self) -> None:
        facts = self._facts
        newest = facts.newest if facts is not None else None
        self.state.setText(state_words(facts, job_title=self._job_title) if facts is not None else "")
        self.stop.setVisible(bool(self._active))
        self.go_on.setVisible(not self._active and newest is not None and not newest.is_complete)
        self.go_on.setEnabled(self.can_continue)
        self.next.setEnabled(self.can_begin)
        self.automatic.setEnabled(self._can_write)
        self.trouble.setText(newest.trouble if newest is not None else "")
        self.trouble.setVisible(bool(self.trouble.text()))
        has_others = facts is not None and not all(each.is_comparable for each in facts.rounds)
        self.remark.setText("* Scored on other test images, or other marks on them: not on the curve.")
        self.remark.setVisible(has_others)


def _choice(parent: QWidget, name: str) -> QComboBox:
    made = QComboBox(parent)
    made.setAccessibleName(name)
    made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    guard_wheel(made)
    return made


def _number(parent: QWidget, name: str, *, value: int, most: int) -> QSpinBox:
    made = QSpinBox(parent)
    made.setAccessibleName(name)
    made.setRange(1, most)
    made.setValue(value)
    inset_number(made)
    guard_wheel(made)
    return made
