"""The Results tab: a table of all trainings, and views of those that are selected in it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import RunStatus, Split
from synthstudio.gui.canvas.crop_tiles import CropItem
from synthstudio.gui.errors import report
from synthstudio.gui.pages.train.errors_view import ErrorsView
from synthstudio.gui.pages.train.results_view import ResultsView, RunSelection
from synthstudio.gui.pages.train.run_columns import build_table
from synthstudio.gui.pages.train.run_facts import TrainingFacts
from synthstudio.gui.pages.train.scores_view import ScoresView
from synthstudio.gui.report_writing import ask_for_report
from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.gui.widgets.choices import fill_choice
from synthstudio.gui.widgets.elided_combo import ElidedCombo
from synthstudio.gui.widgets.exporting import ExportButton
from synthstudio.gui.widgets.segments import Segments
from synthstudio.gui.widgets.sortable_table import SortableTable
from synthstudio.gui.workspace import Workspace

VIEWS = (
    ("scores", "Scores", "All scores of one run"),
    ("comparison", "Comparison", "The selected runs side by side"),
    ("rates", "ROC and PR", "Curves over all thresholds, and calibration"),
    ("learning", "Learning", "A logged value over the steps, of the selected runs"),
    ("errors", "Errors", "Confusion matrix, and the crops behind it"),
)


class ResultsPanel(QWidget):
    """Table above, view below.

    Signals:
        run_chosen: (`RunId`) A row was made current by the user.
        evaluate_requested: (list of `RunId`, `Split`) Runs to score.
        page_requested: (str) What has to be seen: "annotations".
    """

    run_chosen = Signal(object)
    evaluate_requested = Signal(object, object)
    page_requested = Signal(str)

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._trainings: dict[str, TrainingFacts] = {}
        self._chosen: TrainingFacts | None = None
        self._outdated: set[str] = set()
        self.view = "scores"
        self.splitter = QSplitter(Qt.Orientation.Vertical, self)
        self.top = QWidget(self.splitter)
        self.bottom = QWidget(self.splitter)
        self.split = ElidedCombo(self.top)
        self.split.setAccessibleName("Split")
        self.split.setPlaceholderText("nothing yet")
        self.facts = QLabel(self.top)
        self.facts.setProperty("muted", True)
        self.table = SortableTable("Trainings", self.top)
        self.report = QPushButton("Report…", self.top)
        self.report.setToolTip("Write all about the selected runs into one file (HTML or PDF)")
        self.export = ExportButton({"Trainings": self.table}, self.top)
        self.segments = Segments(VIEWS, self.bottom)
        self.segments.set_value(self.view)
        self.segments.fit_texts()
        self.stack = QStackedWidget(self.bottom)
        self.scores = ScoresView(workspace, self.stack)
        self.errors = ErrorsView(workspace, self.stack)
        self._views: dict[str, ResultsView] = {}
        self._add_view("scores", self.scores)
        self._add_view("errors", self.errors)
        self.errors.crop_opened.connect(self._on_errors_crop_opened)
        self._lay_out()
        self._follower = QTimer(self)  # a click changes row and selection one after the other
        self._follower.setSingleShot(True)
        self._follower.timeout.connect(self._follow_table)
        self.split.currentIndexChanged.connect(self._on_split_current_index_changed)
        self.table.selection_changed.connect(self._follower.start)
        self.segments.chosen.connect(self.show_view)
        self.report.clicked.connect(self.write_report)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(QLabel("Scored on", self.top))
        head.addWidget(self.split)
        head.addWidget(self.facts, 1)
        head.addWidget(self.report)
        head.addWidget(self.export)
        above = QVBoxLayout(self.top)
        above.setContentsMargins(3 * GRID_PX, 2 * GRID_PX, 3 * GRID_PX, GRID_PX)
        above.addLayout(head)
        above.addWidget(self.table, 1)
        bar = QHBoxLayout()
        bar.setContentsMargins(3 * GRID_PX, GRID_PX, 3 * GRID_PX, 0)
        bar.addWidget(self.segments)
        bar.addStretch(1)
        below = QVBoxLayout(self.bottom)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(0)
        below.addLayout(bar)
        below.addWidget(self.stack, 1)
        self.splitter.addWidget(self.top)
        self.splitter.addWidget(self.bottom)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setSizes([scaled_px(170), scaled_px(400)])
        self.splitter.setStretchFactor(1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.splitter)

    # Views

    def _add_view(self, name: str, view: ResultsView) -> None:
        self._views[name] = view
        self.stack.addWidget(view)
        view.evaluate_requested.connect(self.evaluate_unscored)

    def _build_view(self, name: str) -> ResultsView:
        """Make a view when it is first wanted: the plotting library takes long to load."""
        if name == "comparison":
            from synthstudio.gui.pages.train.comparison_view import ComparisonView  # noqa: PLC0415 - see above

            return ComparisonView(self._workspace, self.stack)
        if name == "rates":
            from synthstudio.gui.pages.train.rates_view import RatesView  # noqa: PLC0415 - see above

            return RatesView(self._workspace, self.stack)
        if name == "learning":
            from synthstudio.gui.pages.train.learning_view import LearningView  # noqa: PLC0415 - see above

            return LearningView(self._workspace, self.stack)
        raise KeyError(name)

    def view_of(self, name: str) -> ResultsView:
        """A view, made now where nobody has wanted it before."""
        if name not in self._views:
            self._add_view(name, self._build_view(name))
            self._outdated.add(name)
        return self._views[name]

    @Slot(str)
    def show_view(self, name: str) -> None:
        """Show another view of the selected runs."""
        self.view = name
        self.segments.set_value(name)
        self.stack.setCurrentWidget(self.view_of(name))
        self._refresh_view()

    def _refresh_view(self) -> None:
        """Only what is seen is computed."""
        if self.view in self._outdated and self.isVisible():
            self._outdated.discard(self.view)
            self._views[self.view].show_selection(self.selection)

    # What is shown

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._refresh_view()

    @property
    def selection(self) -> RunSelection:
        """What the views speak of."""
        keys = self.table.selected
        if not keys and self._chosen is not None:
            keys = [self._chosen.run.id]
        runs = tuple(self._trainings[key] for key in keys if key in self._trainings)
        return RunSelection(self._chosen, runs, str(self.split.currentData() or ""))

    def set_splits(self, splits: Sequence[Split]) -> None:
        """Offer these; the chosen one stays chosen."""
        names = [each.value for each in splits]
        if names == [self.split.itemData(place) for place in range(self.split.count())]:
            return
        fill_choice(self.split, [(name, name) for name in names])
        self._fill_table()

    def show_runs(self, chosen: TrainingFacts | None, trainings: Sequence[TrainingFacts]) -> None:
        """Show these trainings; the chosen one is current, and what was selected stays so."""
        known = list(self._trainings.values())
        self._chosen = chosen
        if len(known) != len(trainings) or any(a is not b for a, b in zip(known, trainings, strict=True)):
            self._trainings = {each.run.id: each for each in trainings}
            self._fill_table()
        key = chosen.run.id if chosen is not None else None
        kept = [each for each in self.table.selected if each in self._trainings]
        self.table.select(kept if key in kept else [key] if key is not None else [], current=key)
        self._outdate()

    def _fill_table(self) -> None:
        self.table.set_table(*build_table(list(self._trainings.values()), str(self.split.currentData() or "")))

    def _outdate(self) -> None:
        self._outdated = set(self._views)
        self._show_facts()
        self._refresh_view()

    def _show_facts(self) -> None:
        n_selected = len(self.table.selected)
        words = f"{len(self._trainings):,} trainings"
        n_unscored = len(self.unscored())
        if n_selected > 1:
            words += f", {n_selected:,} selected"
            if n_unscored:
                words += f", {n_unscored:,} to be evaluated on {self.split.currentText()}"
        elif len(self._trainings) > 1:
            words += ". Ctrl and click selects several to compare."
        self.facts.setText(words if self._trainings else "")
        self.report.setEnabled(bool(self._finished()))

    @Slot()
    def _on_split_current_index_changed(self) -> None:
        self._fill_table()
        self._outdate()

    @Slot()
    def _follow_table(self) -> None:
        selected, current = self.table.selected, self.table.current
        key = current if current in selected else next(iter(selected), None)
        former, self._chosen = self._chosen, self._trainings[key] if key is not None else self._chosen
        self._outdate()
        if key is not None and self._chosen is not former:
            self.run_chosen.emit(RunId(key))

    # What is done

    def _finished(self) -> list[RunId]:
        """The selected trainings that have ended well: the others have nothing to report."""
        return [each.run.id for each in self.selection.runs if each.run.status is RunStatus.FINISHED]

    @property
    def can_write(self) -> bool:
        """Whether jobs may be started."""
        return self._workspace.is_writable

    def unscored(self) -> list[RunId]:
        """The selected trainings that could be scored on the split and are not, or whose answers were not kept."""
        selection = self.selection
        return [
            each.run.id
            for each in selection.runs
            if each.score is not None and selection.split and selection.split not in each.predictions
        ]

    @Slot()
    def evaluate_unscored(self) -> None:
        """Have the selected runs scored that are not."""
        if self.unscored():
            self.evaluate_requested.emit(self.unscored(), Split(self.split.currentData()))

    @Slot()
    def write_report(self) -> None:
        """Ask where to, and write a report of the selected runs."""
        if self._finished() and self.split.currentData() is not None:
            ask_for_report(self._workspace, self._finished(), Split(self.split.currentData()), parent=self)

    def select_evaluated(self) -> None:
        """Select every run that has scores on the split, and compare them."""
        split = str(self.split.currentData() or "")
        keys = [key for key in self.table.keys if split in self._trainings[key].evaluations]
        self.table.select(keys, current=keys[0] if keys else None)
        self._follow_table()
        self.show_view("comparison")

    @Slot(object)
    def _on_errors_crop_opened(self, item: CropItem) -> None:
        """Show the crop where its field can be looked at."""
        self.page_requested.emit("annotations")  # first, as what is shown is fitted into the viewer as it is seen
        try:
            self._workspace.show_region(item.fov_id, item.part)
        except UserError as error:
            report(error, parent=self)
