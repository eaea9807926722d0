"""Batches in the Train workspace: recipes that are done one after another, and what has become of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QScrollArea, QStackedWidget, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.client.batch_words import BatchTable, build_batch_table, took_words
from synthstudio.client.batches import BatchCourse, StepStatus, list_batches, stored_batch
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Changes
from synthstudio.gui import errors
from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.plan_driver import PlanDriver
from synthstudio.gui.run_tab import REREAD_MS
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.elided_combo import ElidedCombo
from synthstudio.gui.widgets.exporting import ExportButton
from synthstudio.gui.widgets.icons import themed_icon
from synthstudio.gui.widgets.next_step import NextStep
from synthstudio.gui.widgets.score_table import ScoreColumn, ScoreRow, ScoreTable
from synthstudio.gui.widgets.wheel_guard import guard_wheel
from synthstudio.gui.widgets.wrapped_label import WrappedLabel
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.settings.batch_building import read_batch

COLUMNS = (
    ScoreColumn("Kind", "Of the job or plan.", is_text=True),
    ScoreColumn(
        "Status",
        "Ready: its turn will come. Waiting: for another job. Left out: what it needs has failed.",
        is_text=True,
    ),
    ScoreColumn("Took", "What its finished jobs took."),
    ScoreColumn("Outcome", "Its most telling figures, or why it is not finished.", is_text=True),
)
ICONS = {
    StepStatus.READY: "mdi6.circle-outline",
    StepStatus.WAITING: "mdi6.circle-outline",
    StepStatus.QUEUED: "mdi6.clock-outline",
    StepStatus.RUNNING: "mdi6.play-circle-outline",
    StepStatus.UNFINISHED: "mdi6.circle-half-full",
    StepStatus.FINISHED: "mdi6.check-circle-outline",
    StepStatus.CANCELLED: "mdi6.cancel",
    StepStatus.FAILED: "mdi6.alert-circle-outline",
    StepStatus.LEFT_OUT: "mdi6.minus-circle-outline",
}
RECIPES = "Recipes (*.toml)"


@dataclass(frozen=True, slots=True)
class BatchesFacts:
    """What the project knows of its batches.

    Attributes:
        names: Oldest first.
        course, table: Of the chosen one; None where there is none, or it cannot be read.
        trouble: Why it cannot be read.
    """

    names: tuple[str, ...]
    course: BatchCourse | None
    table: BatchTable | None
    trouble: str = ""


class Batches(QWidget):
    """A batch is opened from a file, begun, stopped and gone on with; each of its jobs is a line."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._facts = BatchesFacts((), None, None)
        self._wanted = ""
        self._is_stale = True
        self._speaking: RunId | None = None
        self._age = 0
        self.driver = PlanDriver(workspace, self)
        self.stack = QStackedWidget(self)
        self.content = QWidget(self.stack)
        self.names = ElidedCombo(self.content)
        self.names.setAccessibleName("Batch")
        guard_wheel(self.names)
        self.state = WrappedLabel("muted", self.content)
        self.open = QPushButton("Open…", self.content)
        self.open.setToolTip("A batch file, or a recipe; several recipes that are dropped here become one batch")
        self.go_on = QPushButton("Begin", self.content)
        self.go_on.setProperty("primary", True)
        self.stop = QPushButton("Stop", self.content)
        self.stop.setToolTip("Cancel the running job and leave the rest; what is finished stays")
        self.body = QScrollArea(self.content)
        self.table = ScoreTable(COLUMNS, first="Job", parent=self.body.viewport())
        self.export = ExportButton({"Batch": self.table}, self.content)
        self.empty = NextStep(parent=self.stack)
        self._reread = QTimer(self, singleShot=True, interval=REREAD_MS)
        self.setAcceptDrops(True)
        self._lay_out()
        self._connect()
        self._show(self._facts)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.names)
        head.addWidget(self.state, 1)
        for button in (self.export, self.open, self.stop, self.go_on):
            head.addWidget(button)
        column = QVBoxLayout(self.content)
        column.setContentsMargins(3 * GRID_PX, 3 * GRID_PX, 3 * GRID_PX, 3 * GRID_PX)
        column.setSpacing(2 * GRID_PX)
        column.addLayout(head)
        self.body.setWidgetResizable(True)
        inner = QWidget(self.body)
        lines = QVBoxLayout(inner)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.addWidget(self.table)
        lines.addStretch(1)
        self.body.setWidget(inner)
        column.addWidget(self.body, 1)
        self.stack.addWidget(self.content)
        self.stack.addWidget(self.empty)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.stack)

    def _connect(self) -> None:
        self._reread.timeout.connect(self.refresh)
        self.names.activated.connect(self._on_names_activated)
        self.open.clicked.connect(self.ask_for_batch)
        self.empty.button_clicked.connect(self.ask_for_batch)
        self.go_on.clicked.connect(self.begin)
        self.stop.clicked.connect(self.driver.stop)
        self.driver.changed.connect(self._on_driver_changed)
        self._workspace.records_changed.connect(self._on_workspace_records_changed)
        self._workspace.project_changed.connect(self._on_workspace_project_changed)
        self._workspace.gpu_worker.event_received.connect(self._on_worker_event_received)

    # What is shown

    def refresh(self) -> None:
        """Read the batches anew, off the GUI thread, where the tab is seen."""
        self._is_stale = not self.isVisible()
        if self._is_stale:
            return
        project, wanted = self._workspace.project, self._wanted
        self._age = age = self._age + 1
        if project is None:
            self._show(BatchesFacts((), None, None))
            return

        def read(_tick: Tick) -> BatchesFacts:
            return _read(project, wanted)

        def show(facts: BatchesFacts) -> None:
            if age == self._age:  # else it was read anew since, and that may have come first
                self._show(facts)

        self._workspace.background.run(read, done=show, owner=self)

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._is_stale:
            self.refresh()

    def _show(self, facts: BatchesFacts) -> None:
        self._facts = facts
        can_write = self._workspace.is_writable
        self.empty.show_step(
            "No batch yet.",
            "A batch does many jobs one after another, over night for example: sets, trainings with several seeds,"
            " evaluations, experiments. Open a batch file, or drop several recipes here: they become one.",
            "Open…" if can_write else "",
        )
        self.stack.setCurrentWidget(self.content if facts.names else self.empty)
        self.names.clear()
        self.names.addItems(list(facts.names))
        if facts.course is not None:
            self.names.setCurrentIndex(facts.names.index(facts.course.name))
        rows = facts.table.rows if facts.table is not None else ()
        self.table.set_rows(
            [
                ScoreRow(
                    row.title,
                    (row.kind, row.status.value, took_words(row.seconds), row.outcome),
                    icon=themed_icon(ICONS[row.status]),
                    tip="\n".join(filter(None, (row.outcome, row.run))),
                )
                for row in rows
            ]
        )
        self._show_state()

    def _show_state(self) -> None:
        facts, active = self._facts, self.driver.active
        table = facts.table
        words = facts.trouble
        if table is not None:
            now = f" Now: {self.driver.job_title}." if active == table.name and self.driver.job_title else ""
            words = f"{table.n_done} of {table.n_jobs} jobs are done.{now}"
        self.state.setText(words)
        self.stop.setVisible(bool(active))
        self.go_on.setVisible(not active)
        self.go_on.setText("Continue" if table is not None and table.is_begun else "Begin")
        self.go_on.setEnabled(self.can_begin)
        self.open.setEnabled(self._workspace.is_writable)

    @property
    def can_begin(self) -> bool:
        """Whether something of the chosen batch is left to be done, and no other is under way."""
        table = self._facts.table
        return self._workspace.is_writable and not self.driver.active and table is not None and not table.is_finished

    @Slot(int)
    def _on_names_activated(self, place: int) -> None:
        self._wanted = self.names.itemText(place)
        self.refresh()

    @Slot()
    def _on_driver_changed(self) -> None:
        self._show_state()
        self._reread.start()

    @Slot(object)
    def _on_workspace_records_changed(self, changed: Changes) -> None:
        if not {"runs", "experiments"}.isdisjoint(changed.kinds):
            self._reread.start()

    @Slot(str, object)
    def _on_worker_event_received(self, run_id: RunId, _event: object) -> None:
        if run_id != self._speaking:  # its first word: from now on it is written down as running
            self._speaking = run_id
            self._reread.start()

    @Slot()
    def _on_workspace_project_changed(self) -> None:
        self._wanted = ""
        self.refresh()

    # What is done

    @Slot()
    def begin(self) -> None:
        """Do all that is left of the chosen batch."""
        if self._facts.course is not None and self.can_begin:
            self.driver.follow(self._facts.course)

    @Slot()
    def ask_for_batch(self) -> None:
        """Ask for a batch file and begin it."""
        start = self._workspace.require_project().folder.parent
        errors.ask.file(
            self,
            title="Batch or recipe",
            start=start,
            name_filter=RECIPES,
            answered=lambda path: self.open_files([path]),
        )

    def open_files(self, paths: Sequence[Path]) -> None:
        """Enter the batch of a file, or of several recipes, into the project, and show it; it is begun by a button."""
        try:
            project = self._workspace.require_writable_project()
        except UserError as error:
            errors.report(error, parent=self)
            return

        def read(_tick: Tick) -> BatchCourse:
            course = BatchCourse(read_batch(paths))
            course.enter(project)
            return course

        def show(course: BatchCourse) -> None:
            self._wanted = course.name
            self.refresh()

        self._workspace.background.run(read, done=show, owner=self)

    @override
    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _recipes(event):
            event.acceptProposedAction()

    @override
    def dropEvent(self, event: QDropEvent) -> None:
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        self.open_files(_recipes(event))

    def actions(self) -> Sequence[ActionSpec]:  # type: ignore[override]  # the pages' word, not QWidget's list of QActions
        """What can be done here."""
        return (
            ActionSpec(
                "train.open_batch",
                "Open a batch…",
                self.ask_for_batch,
                icon="mdi6.playlist-plus",
                menu="Train",
                enabled_when=lambda: self._workspace.is_writable,
                tip="Many jobs one after another, from a file",
            ),
            ActionSpec(
                "train.continue_batch",
                "Begin or continue the batch",
                self.begin,
                icon="mdi6.playlist-play",
                menu="Train",
                enabled_when=lambda: self.can_begin,
            ),
            ActionSpec(
                "train.stop_batch",
                "Stop the batch",
                self.driver.stop,
                icon="mdi6.stop",
                menu="Train",
                enabled_when=lambda: bool(self.driver.active),
            ),
        )


def _recipes(event: QDropEvent) -> list[Path]:
    paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
    return [path for path in paths if path.suffix.lower() == ".toml"]


def _read(project: Project, wanted: str) -> BatchesFacts:
    """The batches, and the wanted one, or the newest, in full."""
    records = list_batches(project)
    names = tuple(record.name for record in records)
    record = next((each for each in records if each.name == wanted), records[-1] if records else None)
    if record is None:
        return BatchesFacts((), None, None)
    try:
        course = BatchCourse(stored_batch(record))
        return BatchesFacts(names, course, build_batch_table(project, course))
    except UserError as error:  # written by another version
        return BatchesFacts(names, None, None, f"{error.message} {error.hint}")
