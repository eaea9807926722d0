"""The line above the tabs: what the chosen run is, why it failed, and what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from synthstudio.domain.records import RunStatus, Split
from synthstudio.gui.pages.train.run_facts import TrainingFacts
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.elided_combo import ElidedCombo
from synthstudio.gui.widgets.elided_label import ElidedLabel


class RunHeader(QWidget):
    """Resume, evaluate, explain; a failure with its next step."""

    resume_requested = Signal()
    evaluate_requested = Signal(object)
    explain_requested = Signal(object)
    export_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = ElidedLabel(self)
        self.title.setProperty("heading", True)
        self.state = ElidedLabel(self)
        self.state.setProperty("muted", True)
        self.trouble = QLabel(self)
        self.trouble.setWordWrap(True)
        self.trouble.setProperty("danger", True)
        self.progress = QProgressBar(self)
        self.resume = QPushButton("Resume", self)
        self.resume.setToolTip("Go on from the last checkpoint")
        self.split = ElidedCombo(self)
        self.split.setAccessibleName("Split to evaluate or explain")
        self.evaluate = QPushButton("Evaluate", self)
        self.evaluate.setToolTip("Score this run on the images of the split")
        self.explain = QPushButton("Explain", self)
        self.explain.setToolTip("Compute maps on all images of the split, by the method chosen under CAM")
        self.export = QPushButton("ONNX…", self)
        self.export.setToolTip("Write the trained model as an ONNX file for other programs")
        self._lay_out()
        self.resume.clicked.connect(self.resume_requested)
        self.evaluate.clicked.connect(self._on_evaluate_clicked)
        self.explain.clicked.connect(self._on_explain_clicked)
        self.export.clicked.connect(self.export_requested)
        self.show_run(None, can_write=False)

    def _lay_out(self) -> None:
        names = QVBoxLayout()
        names.setSpacing(0)
        for label in (self.title, self.state):
            names.addWidget(label)
        words = QHBoxLayout()
        words.setSpacing(2 * GRID_PX)
        words.addLayout(names, 1)
        for widget in (self.resume, self.split, self.evaluate, self.explain, self.export):
            words.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX, 0)
        layout.setSpacing(GRID_PX)
        layout.addLayout(words)
        layout.addWidget(self.trouble)
        layout.addWidget(self.progress)

    def set_splits(self, splits: Sequence[Split]) -> None:
        """Offer these; the chosen one stays chosen."""
        kept = self.split.currentData()
        self.split.clear()
        for split in splits:
            self.split.addItem(split.value, split.value)
        self.split.setCurrentIndex(max(0, self.split.findData(kept)))
        for button in (self.evaluate, self.explain):
            button.setEnabled(bool(splits))

    def show_run(self, training: TrainingFacts | None, *, can_write: bool) -> None:
        """Show another run, or the same in another state."""
        self.title.setText(training.name if training is not None else "")
        self.title.setToolTip(training.run.id if training is not None else "")
        self.state.setText(training.line if training is not None else "")
        status = training.run.status if training is not None else None
        trouble = f"{training.run.message} {training.run.hint}".strip() if training is not None else ""
        self.trouble.setText(trouble)
        self.trouble.setVisible(status is RunStatus.FAILED and bool(trouble))
        self.progress.setVisible(status is RunStatus.RUNNING)
        self.resume.setVisible(can_write and training is not None and training.can_resume)
        for widget in (self.split, self.evaluate, self.explain, self.export):
            widget.setVisible(can_write and status is RunStatus.FINISHED)

    def show_progress(self, done: int, total: int) -> None:
        """Show how far the run has come."""
        self.progress.setRange(0, max(total, 0))
        self.progress.setValue(done)

    @Slot()
    def _on_evaluate_clicked(self) -> None:
        self.evaluate_requested.emit(Split(self.split.currentData()))

    @Slot()
    def _on_explain_clicked(self) -> None:
        self.explain_requested.emit(Split(self.split.currentData()))
