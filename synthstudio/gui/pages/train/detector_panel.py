"""The detectors of the project: how one does on each split and on the current field, and beside the others."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import (
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from synthstudio.domain.figures import change_interval_text, figure_text, interval_text
from synthstudio.domain.ids import FovId
from synthstudio.domain.records import RunStatus, Split
from synthstudio.gui.pages.train.box_errors import BoxErrors
from synthstudio.gui.pages.train.detection_panel import DetectionPanel
from synthstudio.gui.pages.train.detector_bars import DetectorBars
from synthstudio.gui.pages.train.detector_facts import DetectorFacts
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.elided_combo import ElidedCombo
from synthstudio.gui.widgets.next_step import NextStep
from synthstudio.gui.widgets.run_choice import RunChoice
from synthstudio.gui.widgets.score_table import ScoreColumn, ScoreRow, ScoreTable
from synthstudio.gui.widgets.segments import Segments
from synthstudio.gui.widgets.wheel_guard import guard_wheel
from synthstudio.gui.widgets.wrapped_label import WrappedLabel
from synthstudio.gui.workspace import Workspace
from synthstudio.protocol.results import EvaluateDetectorResult

CLASS_COLUMNS = (
    ScoreColumn("F1", "At IoU .5 and the threshold that was chosen on validation."),
    ScoreColumn("95 %", "Interval of F1 from resampling samples."),
    ScoreColumn("Precision", "Share of the detections that lie on an object of the class."),
    ScoreColumn("Recall", "Share of the objects that were found."),
    ScoreColumn("AP50", "Average precision at IoU .5, as COCO counts it."),
    ScoreColumn("AP50:95", "Mean of the average precisions at IoU .50 to .95."),
    ScoreColumn("Objects", "Annotated objects of the class."),
    ScoreColumn("Counted", "Mean of found minus annotated per image, and where 95 % of the differences lie."),
)
RUN_COLUMNS = (
    ScoreColumn("Macro F1", "Mean over the classes, on the chosen split."),
    ScoreColumn("95 %", "Interval from resampling samples."),
    ScoreColumn("AP50", "Mean over the classes."),
    ScoreColumn("AP50:95", "Mean over the classes."),
)


SCORES, FIELD, ERRORS = "scores", "field", "errors"
VIEWS = (
    (SCORES, "Scores", "F1 and average precision of this detector, beside the others"),
    (FIELD, "Field", "What this detector finds on the current field, and what it gets wrong"),
    (ERRORS, "Errors", "Every box of the split: found, taken for another class, missed, or a false alarm"),
)


class DetectorPanel(QWidget):
    """One detector at a time, and all of them beside each other."""

    resume_requested = Signal()
    evaluate_requested = Signal(object)
    """`Split`."""
    export_requested = Signal()
    view_chosen = Signal()
    """Scores or field: `is_on_field` tells which."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._detectors: list[DetectorFacts] = []
        self._can_write = False
        self._pending: frozenset[FovId] = frozenset()
        self.stack = QStackedWidget(self)
        self.content = QWidget(self.stack)
        self.choice = RunChoice("Detector", self.content)
        self.split = ElidedCombo(self.content)
        self.split.setAccessibleName("Split to evaluate on")
        guard_wheel(self.split)
        self.resume = QPushButton("Resume", self.content)
        self.resume.setToolTip("Go on from the last checkpoint")
        self.evaluate = QPushButton("Evaluate", self.content)
        self.evaluate.setToolTip("Score this detector on the exhaustively annotated images of the split")
        self.export = QPushButton("ONNX…", self.content)
        self.export.setToolTip("Write this detector as an ONNX file for other programs")
        self.views = Segments(VIEWS, self.content)
        self.views.set_value(SCORES)
        self.views.fit_texts()
        self.body = QStackedWidget(self.content)
        self.progress = QProgressBar(self.content)
        self.trouble = WrappedLabel("danger", self.content)
        self.state = WrappedLabel("muted", self.content)
        self.notes = WrappedLabel("muted", self.content)
        self.scroller = QScrollArea(self.body)
        self.field = DetectionPanel(workspace, self.body)
        self.errors = BoxErrors(workspace, self.body)
        inner = QWidget(self.scroller)
        self.classes = ScoreTable(CLASS_COLUMNS, first="Class", parent=inner)
        self.comparison = ScoreTable(RUN_COLUMNS, first="Detector", parent=inner)
        self.bars = DetectorBars(inner)
        self.empty = NextStep(parent=self.stack)
        self._lay_out(inner)
        self.choice.currentIndexChanged.connect(self._show_chosen)
        self.split.currentIndexChanged.connect(self._show_chosen)
        self.resume.clicked.connect(self.resume_requested)
        self.evaluate.clicked.connect(self._on_evaluate_clicked)
        self.export.clicked.connect(self.export_requested)
        self.views.chosen.connect(self.choose_view)
        self.show_detectors([], splits=(), can_write=False)

    def _lay_out(self, inner: QWidget) -> None:
        head = QHBoxLayout()
        head.addWidget(self.views)
        head.addWidget(self.choice, 1)
        for widget in (self.resume, self.split, self.evaluate, self.export):
            head.addWidget(widget)
        tables = QVBoxLayout(inner)
        tables.setContentsMargins(0, 0, 0, 0)
        tables.setSpacing(2 * GRID_PX)
        for part in (self.classes, self.notes, self.comparison, self.bars):
            tables.addWidget(part)
        tables.addStretch(1)
        self.scroller.setWidgetResizable(True)
        self.scroller.setWidget(inner)
        column = QVBoxLayout(self.content)
        column.setContentsMargins(3 * GRID_PX, 3 * GRID_PX, 3 * GRID_PX, 3 * GRID_PX)
        column.setSpacing(2 * GRID_PX)
        column.addLayout(head)
        for line in (self.trouble, self.state, self.progress):
            column.addWidget(line)
        self.body.addWidget(self.scroller)
        self.body.addWidget(self.field)
        self.body.addWidget(self.errors)
        column.addWidget(self.body, 1)
        self.stack.addWidget(self.content)
        self.stack.addWidget(self.empty)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.stack)

    @property
    def is_on_field(self) -> bool:
        """Whether the current field is shown, and not the scores."""
        return self.body.currentWidget() is self.field and self.stack.currentWidget() is self.content

    @property
    def is_on_errors(self) -> bool:
        """Whether the right and wrong boxes are shown."""
        return self.body.currentWidget() is self.errors and self.stack.currentWidget() is self.content

    @Slot(str)
    def choose_view(self, value: str) -> None:
        """Show the scores, the current field, or the right and wrong boxes."""
        self.views.set_value(value)
        self.body.setCurrentWidget({FIELD: self.field, ERRORS: self.errors}.get(value, self.scroller))
        self._show_chosen()
        self.view_chosen.emit()

    def set_pending(self, pending: frozenset[FovId]) -> None:
        """Say on which fields the chosen detector is at work."""
        self._pending = pending
        self.field.show_detector(self.chosen, pending)

    @property
    def chosen(self) -> DetectorFacts | None:
        """The detector that is shown."""
        run_id = self.choice.currentData()
        return next((each for each in self._detectors if each.run.id == run_id), None)

    @property
    def chosen_split(self) -> Split | None:
        """The split whose scores are shown."""
        name = self.split.currentData()
        return Split(name) if name else None

    def show_detectors(self, detectors: Sequence[DetectorFacts], *, splits: Sequence[Split], can_write: bool) -> None:
        """Show these; the chosen one stays chosen, unless a newer one has begun."""
        self._detectors, self._can_write = list(detectors), can_write
        self.choice.show_runs([(each.line, each.run.id) for each in detectors])
        self._offer_splits(splits)
        self.stack.setCurrentWidget(self.content if detectors else self.empty)
        self._show_chosen()
        self.view_chosen.emit()

    def _offer_splits(self, splits: Sequence[Split]) -> None:
        kept = self.split.currentData()
        self.split.blockSignals(True)
        self.split.clear()
        for each in splits:
            self.split.addItem(each.value, each.value)
        self.split.setCurrentIndex(max(0, self.split.findData(kept)) if splits else -1)
        self.split.blockSignals(False)

    def show_progress(self, done: int, total: int) -> None:
        """Show how far the chosen run has come."""
        self.progress.setRange(0, max(total, 0))
        self.progress.setValue(done)

    @Slot()
    def _on_evaluate_clicked(self) -> None:
        if self.chosen_split is not None:
            self.evaluate_requested.emit(self.chosen_split)

    @Slot()
    def _show_chosen(self) -> None:
        chosen, split = self.chosen, self.chosen_split
        status = chosen.run.status if chosen is not None else None
        result = chosen.evaluations.get(split) if chosen is not None and split is not None else None
        self.classes.set_rows(_class_rows(result) if result is not None else [])
        self.classes.setVisible(result is not None)
        others = [(each, each.evaluations[split]) for each in self._detectors if split in each.evaluations]
        self.comparison.set_rows([_run_row(each, scores) for each, scores in others])
        self.comparison.setVisible(bool(others))
        self.bars.show_detectors(self._detectors, split)
        self.notes.setText("\n".join(result.notes) if result is not None else "")
        self.notes.setVisible(bool(self.notes.text()))
        self.resume.setVisible(self._can_write and chosen is not None and chosen.can_resume)
        for widget in (self.split, self.evaluate, self.export):
            widget.setVisible(status is RunStatus.FINISHED)
        self.export.setEnabled(self._can_write)
        self.evaluate.setEnabled(self._can_write and split is not None)
        self.progress.setVisible(status is RunStatus.RUNNING)
        trouble = f"{chosen.run.message} {chosen.run.hint}".strip() if chosen is not None else ""
        self.trouble.setText(trouble)
        self.trouble.setVisible(status is RunStatus.FAILED and bool(trouble))
        self.state.setText(_state_words(chosen, result, split))
        self.state.setVisible(not self.is_on_field and bool(self.state.text()))
        if self.body.currentWidget() is self.errors:
            self.errors.show_detections(chosen.stored.get(split) if chosen is not None and split is not None else None)
        self.field.offer_split(split)
        self.field.show_detector(chosen, self._pending)


def _class_rows(result: EvaluateDetectorResult) -> list[ScoreRow]:
    rows = []
    for name, each in result.per_class.items():
        counted = "" if each.count is None else f"{each.count.bias:+.2f}"
        if each.count is not None and each.count.limits is not None:
            counted += f" ({change_interval_text(each.count.limits, digits=1)})"
        cells = (
            figure_text(each.f1),
            interval_text(each.ci95),
            figure_text(each.precision),
            figure_text(each.recall),
            figure_text(each.ap50),
            figure_text(each.ap),
            f"{each.support:,}",
            counted,
        )
        rows.append(ScoreRow(name, cells))
    macro = (
        figure_text(result.macro_f1),
        interval_text(result.ci95),
        "",
        "",
        figure_text(result.map50),
        figure_text(result.map),
        "",
        "",
    )
    return [*rows, ScoreRow("all classes", macro)]


def _run_row(detector: DetectorFacts, result: EvaluateDetectorResult) -> ScoreRow:
    moment = detector.run.created_at[5:16].replace("T", " ")
    cells = (
        figure_text(result.macro_f1),
        interval_text(result.ci95),
        figure_text(result.map50),
        figure_text(result.map),
    )
    return ScoreRow(f"{moment} · {detector.words}", cells, tip=detector.run.id)


def _state_words(chosen: DetectorFacts | None, result: EvaluateDetectorResult | None, split: Split | None) -> str:
    if chosen is None:
        return ""
    if chosen.run.status is RunStatus.QUEUED:
        return "This training waits for its turn."
    if chosen.run.status is not RunStatus.FINISHED:
        return ""
    if result is None:
        where = f"on the {split.value} split" if split is not None else "on annotated images"
        return f"Not scored yet {where}."
    return f"Scored on {result.n_images:,} images of {result.n_groups:,} samples of the {result.split} split."
