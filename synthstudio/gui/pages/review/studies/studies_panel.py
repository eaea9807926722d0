"""The reading studies of a project: a list, what is known of the chosen one, and the reader's view in their place."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QScrollArea, QSplitter, QStackedWidget, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.client.reporting.studies import build_study_report
from synthstudio.client.studies import BuiltStudy, build_study, remove_study
from synthstudio.client.study_reading import ProjectReading
from synthstudio.client.travelling_studies import FolderReading, import_answers, write_travelling
from synthstudio.core.export.report.document import Document
from synthstudio.core.review.study_answers import StudyResult
from synthstudio.domain.errors import UserError
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Changes
from synthstudio.gui import errors
from synthstudio.gui.errors import Notice, Severity
from synthstudio.gui.pages.review.studies.reading_view import ReadingView
from synthstudio.gui.pages.review.studies.study_dialog import StudyDialog, StudyWish
from synthstudio.gui.pages.review.studies.study_facts import (
    STUDY_COLUMNS,
    StudyFacts,
    design_words,
    read_studies,
    read_study_result,
    reader_rows,
)
from synthstudio.gui.pages.review.studies.study_results import StudyResults
from synthstudio.gui.reading_panel import UNREADABLE, ReadingPanel
from synthstudio.gui.report_writing import ask_where_to
from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.gui.widgets.next_step import NextStep
from synthstudio.gui.widgets.score_table import ScoreColumn, ScoreTable
from synthstudio.gui.widgets.sortable_table import SortableTable
from synthstudio.gui.widgets.wrapped_label import WrappedLabel
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project

LIST_PX, DETAIL_PX = 420, 760
NO_STUDY = (
    "There is no reading study yet.",
    "Ask readers blind: can they tell real from synthetic, and do synthetic images show what they were made for? It"
    " takes a set of synthetic images, which is written in Generate.",
    "New study…",
)
NO_RESULT = "Its result could not be read; it is tried again when the study is chosen again."


class StudiesPanel(ReadingPanel[None, list[StudyFacts]]):
    """The list and the chosen study; while somebody reads, the reader's view alone."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace, parent, follows=("studies", "sets"))
        self._facts: list[StudyFacts] = []
        self._has_sets: bool | None = None
        self._results: dict[str, StudyResult] = {}  # of closed studies, which do not change any more
        self._judged: set[str] = set()  # studies whose result is being judged
        self._awaited = ""
        self.empty = NextStep()
        self.table = SortableTable("Reading studies", self)
        self.table.setSelectionMode(SortableTable.SelectionMode.SingleSelection)
        self.words = WrappedLabel("muted", self)
        self.notes = WrappedLabel("muted", self)
        self.new_button = QPushButton("New study…", self)
        self.read_button = QPushButton("Read…", self)
        self.read_button.setProperty("primary", True)
        self.write_button = QPushButton("Write for a reader…", self)
        self.import_button = QPushButton("Import answers…", self)
        self.close_button = QPushButton("Close…", self)
        self.report_button = QPushButton("Report…", self)
        self.progress = ScoreTable([ScoreColumn("Pages done", "")], first="Reader", parent=self)
        self.results = StudyResults(self)
        self.reading = ReadingView(workspace, self)
        self.stack = QStackedWidget(self)
        self._lay_out()
        self._connect()
        self._adopt(None)

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID_PX)
        for button in (self.read_button, self.write_button, self.import_button, self.close_button):
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(self.report_button)
        buttons.addWidget(self.new_button)
        detail = QWidget(self)
        column = QVBoxLayout(detail)
        column.setContentsMargins(2 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX)
        column.setSpacing(2 * GRID_PX)
        column.addLayout(buttons)
        for widget in (self.words, self.notes, self.results, self.progress):
            column.addWidget(widget)
        column.addStretch(1)
        scroll = QScrollArea(self)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setWidget(detail)
        overview = QSplitter(self)
        overview.addWidget(self.table)
        overview.addWidget(scroll)
        overview.setSizes([scaled_px(LIST_PX), scaled_px(DETAIL_PX)])
        overview.setStretchFactor(1, 1)
        for page in (self.empty, overview, self.reading):
            self.stack.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.stack)

    def _connect(self) -> None:
        self.empty.button_clicked.connect(self.add_study)
        self.new_button.clicked.connect(self.add_study)
        self.table.selection_changed.connect(self._show_chosen)
        self.read_button.clicked.connect(self.read)
        self.write_button.clicked.connect(self.write)
        self.import_button.clicked.connect(self.take_answers)
        self.close_button.clicked.connect(self.close_study)
        self.report_button.clicked.connect(self.write_report)
        self.reading.ended.connect(self.leave_reading)
        self.reading.changed.connect(self._on_reading_changed)
        self.reading.actions_outdated.connect(self.actions_outdated)

    # The list

    @override
    def _wish(self) -> None:
        """All of them."""

    @override
    def _find(self, project: Project, wish: None, tick: Tick) -> list[StudyFacts]:
        return read_studies(project)

    @override
    def _adopt(self, facts: list[StudyFacts] | None) -> None:
        self._facts = found = facts or []
        if facts is not None:
            self._has_sets = None  # it may not have been known, where the project could not be read
        self.table.set_table(STUDY_COLUMNS, [each.row for each in found])
        names = [each.study.name for each in found]
        if self._awaited in names:
            self.table.select([self._awaited], current=self._awaited)
            self._awaited = ""
        if names and not self.table.selected:
            self.table.select([names[0]], current=names[0])
        self.empty.show_step(*((*UNREADABLE, "") if self.has_failed else NO_STUDY))
        if not self.is_reading:
            self.stack.setCurrentIndex(1 if found else 0)
        for button in (self.empty.button, self.new_button):
            button.setEnabled(self.can_build)
        self._show_chosen()

    @property
    def chosen(self) -> StudyFacts | None:
        """The study that the list is on."""
        selected = self.table.selected
        return next((each for each in self._facts if selected and each.study.name == selected[0]), None)

    @property
    def is_reading(self) -> bool:
        """Whether the reader's view is shown."""
        return self.stack.currentWidget() is self.reading

    @property
    def can_build(self) -> bool:
        """Whether there is a set to ask about, in a project that may be changed."""
        project = self._workspace.project
        if project is None or not self._workspace.is_writable:
            return False
        if self._has_sets is None:  # asked at every click anywhere: the database is not
            try:
                self._has_sets = bool(project.sets.list())
            except Exception as error:  # noqa: BLE001 - told like all errors; every click would meet it again
                errors.report(error, parent=self)
                self._has_sets = False
        return self._has_sets

    @property
    def can_answer(self) -> bool:
        """Whether the chosen study takes answers."""
        return (
            not self.is_reading
            and self._workspace.is_writable
            and self.chosen is not None
            and not self.chosen.study.is_closed
        )

    @property
    def can_report(self) -> bool:
        """Whether the chosen study has a result."""
        return not self.is_reading and self.chosen is not None and self.chosen.study.is_closed

    @Slot()
    def _show_chosen(self) -> None:
        facts = self.chosen
        for button in (self.read_button, self.write_button, self.import_button, self.close_button):
            button.setEnabled(self.can_answer)
        self.report_button.setEnabled(self.can_report)
        self.results.hide()
        if facts is not None:
            study = facts.study
            closed = f" Closed on {study.closed_at[:10]}." if study.is_closed else ""
            self.words.setText(f"{design_words(study.design)} Set {study.set_name}.{closed}")
            self.notes.setText("\n".join(study.notes))
            self.notes.setVisible(bool(study.notes))
            self.progress.set_rows(reader_rows(facts.readers))
            self.progress.setVisible(bool(facts.readers))
            if study.is_closed:
                self._show_result(facts)
        self.actions_outdated.emit()

    def _show_result(self, facts: StudyFacts) -> None:
        name, project = facts.study.name, self._workspace.project
        known = self._results.get(name)
        if known is not None:
            self.results.show_result(known, facts.readers)
            self.results.show()
            return
        if project is None or name in self._judged:
            return
        self._judged.add(name)

        def read(_tick: Tick) -> StudyResult:
            return read_study_result(project, name)

        def failed(error: Exception) -> None:
            errors.report(error, parent=self)
            self._judged.discard(name)
            if self.chosen is not None and self.chosen.study.name == name:
                self.words.setText(f"{self.words.text()} {NO_RESULT}")

        def done(result: StudyResult) -> None:
            if self._workspace.project is project:
                self._judged.discard(name)
                self._results[name] = result
                if self.chosen is not None and self.chosen.study.name == name:
                    self._show_chosen()

        self._workspace.background.run(read, done=done, failed=failed, owner=self)

    @override
    def _forget(self) -> None:
        self._has_sets = None
        self.reading.read(None)
        self._results.clear()
        self._judged.clear()
        self._awaited = ""
        self.stack.setCurrentIndex(0)

    @Slot(object)
    def _on_workspace_records_changed(self, changed: Changes) -> None:
        if not {"studies", "sets"}.isdisjoint(changed.kinds):
            self._has_sets = None
            self._reread.start()

    # What is done with them

    @Slot()
    def add_study(self) -> None:
        """Ask for a new study, and build it."""
        if self.can_build:
            StudyDialog(self._workspace.require_project(), self._build, self).open()

    def _build(self, wish: StudyWish) -> None:
        project = self._workspace.require_writable_project()
        if project.studies.find(wish.name) is not None:
            raise UserError(f"There is already a reading study {wish.name}.", "Choose another name.")

        def work(tick: Tick) -> BuiltStudy:
            return build_study(project, wish.name, wish.design, set_name=wish.set_name, split=wish.split, tick=tick)

        def done(built: BuiltStudy) -> None:
            self._awaited = built.name
            self._workspace.announce(built.changes)
            if built.notes:
                notice = Notice(
                    "Readers might tell some images apart by this:", " ".join(built.notes), Severity.WARNING
                )
                errors.post(notice, parent=self)

        self._workspace.background.run(
            work,
            done=done,
            failed=partial(errors.report, parent=self),
            owner=self,
            title=f"Building the study {wish.name}",
        )

    @Slot()
    def read(self) -> None:
        """Ask for the reader's name, and show what the reader has not answered yet."""
        if self.can_answer:
            errors.ask.text(
                self,
                title="Read a study",
                label="Name of the reader",
                value=self._workspace.preferences.author_name,
                answered=self.read_as,
            )

    def read_as(self, reader_name: str) -> None:
        """Go on with a reader of the chosen study, or begin."""
        facts = self.chosen
        if facts is None:
            return
        try:
            self._begin(ProjectReading(self._workspace.require_writable_project(), facts.study.name, reader_name))
        except UserError as error:
            errors.report(error, parent=self)

    @Slot()
    def read_folder(self) -> None:
        """Ask for the folder of a study that has travelled, and answer it."""
        errors.ask.folder(self, title="Folder of the study", start=Path.home(), answered=self.begin_folder)

    def begin_folder(self, folder: Path) -> None:
        """Answer a study that has travelled; it needs no project."""
        try:
            self._begin(FolderReading(folder))
        except UserError as error:
            errors.report(error, parent=self)

    def _begin(self, reading: ProjectReading | FolderReading) -> None:
        self.stack.setCurrentWidget(self.reading)
        try:
            self.reading.read(reading)
        except Exception:  # whoever called tells it
            self.leave_reading()
            raise
        self.actions_outdated.emit()

    @Slot()
    def leave_reading(self) -> None:
        """Go back to the list; what was answered is kept."""
        self.reading.read(None)
        self.stack.setCurrentIndex(1 if self._facts else 0)
        self.table.setFocus()
        self.refresh()
        self._show_chosen()

    @Slot()
    def write(self) -> None:
        """Ask for a reader's name and a folder, and write the study into it for another machine."""
        facts = self.chosen
        if facts is None or not self.can_answer:
            return
        name = facts.study.name

        def ask_folder(reader_name: str) -> None:
            start = self._workspace.require_project().folder.parent / f"{name}-{reader_name}"
            errors.ask.new_folder(
                self, title="Write the study to", start=start, answered=partial(self.write_to, name, reader_name)
            )

        errors.ask.text(self, title="Write for a reader", label="Name of the reader", value="", answered=ask_folder)

    def write_to(self, name: str, reader_name: str, folder: Path) -> None:
        """Write the folder of a reader."""
        project = self._workspace.require_writable_project()

        def work(_tick: Tick) -> Changes:
            return write_travelling(project, name, reader_name, folder)

        def done(changed: Changes) -> None:
            self._workspace.announce(changed)
            text = f"The study for {reader_name} is in {folder}."
            hint = "It tells nothing of the truth. Import the answers from it once it is back."
            errors.post(Notice(text, hint, Severity.INFO), parent=self)

        self._workspace.background.run(
            work, done=done, failed=partial(errors.report, parent=self), owner=self, title="Writing the study"
        )

    @Slot()
    def take_answers(self) -> None:
        """Ask for a folder that came back, and bring its answers in."""
        if self.can_answer:
            errors.ask.folder(self, title="Folder of the study", start=Path.home(), answered=self.take_answers_from)

    def take_answers_from(self, folder: Path) -> None:
        """Bring in the answers of a folder."""
        project = self._workspace.require_writable_project()

        def work(_tick: Tick) -> Changes:
            return import_answers(project, folder)

        self._workspace.background.run(
            work, done=self._workspace.announce, failed=partial(errors.report, parent=self), owner=self
        )

    @Slot()
    def close_study(self) -> None:
        """End the chosen study, so that its truth and result can be seen; asks, as nobody can answer afterwards."""
        facts = self.chosen
        if facts is None or not self.can_answer:
            return
        unfinished = [reader.name for reader in facts.readers if not reader.is_finished]
        rest = f" Pages that {', '.join(unfinished)} has not ended are left out." if unfinished else ""
        errors.ask.choose(
            self,
            title="Close the study",
            text=f"Nobody can answer in {facts.study.name} afterwards, and the truth is shown.{rest}",
            choices=("Close the study",),
            answered=lambda _choice: self._close(facts.study.name),
        )

    def _close(self, name: str) -> None:
        try:
            project = self._workspace.require_writable_project()
            self._workspace.announce(project.studies.close(name, with_unfinished=True))
        except UserError as error:
            errors.report(error, parent=self)

    @Slot()
    def write_report(self) -> None:
        """Ask where to, and write the report of the chosen study."""
        facts = self.chosen
        if facts is not None and self.can_report:
            project, name = self._workspace.require_project(), facts.study.name

            def build(_tick: Tick) -> Document:
                return build_study_report(project, name)

            ask_where_to(self._workspace, build, name=f"{project.name}-{name}", parent=self)

    @Slot()
    def remove(self) -> None:
        """Delete the chosen study with all answers; asks, as it cannot be undone."""
        facts = self.chosen
        if facts is None or not self._workspace.is_writable:
            return
        errors.ask.choose(
            self,
            title="Delete the study",
            text=f"The study {facts.study.name} and the answers of its {len(facts.readers)} readers are deleted.",
            choices=("Delete",),
            answered=lambda _choice: self._remove(facts.study.name),
        )

    def _remove(self, name: str) -> None:
        project = self._workspace.require_writable_project()

        def work(_tick: Tick) -> Changes:
            return remove_study(project, name)

        def done(changed: Changes) -> None:
            self._results.pop(name, None)
            self._workspace.announce(changed)

        self._workspace.background.run(work, done=done, failed=partial(errors.report, parent=self), owner=self)

    @Slot(object)
    def _on_reading_changed(self, changed: Changes) -> None:
        if changed.kinds:
            self._workspace.announce(changed)
