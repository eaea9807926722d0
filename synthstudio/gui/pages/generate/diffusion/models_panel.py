"""Models that were trained elsewhere: brought in, recognised, checked and removed; nothing is ever downloaded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QMimeData, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from synthstudio.domain.errors import UserError
from synthstudio.domain.models import LocalModel
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Changes, changes
from synthstudio.gui import errors
from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.pages.generate.diffusion.model_details import ModelDetails
from synthstudio.gui.pages.generate.diffusion.model_facts import COLUMNS, ModelShelf, model_rows, read_shelf
from synthstudio.gui.reading_panel import UNREADABLE, ReadingPanel
from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.gui.widgets.next_step import NextStep
from synthstudio.gui.widgets.sortable_table import SortableTable
from synthstudio.gui.widgets.wrapped_label import WrappedLabel
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project

T = TypeVar("T")

MENU = "Generate"
DETAILS_WIDTH_PX, DETAILS_MAX_PX = 320, 420
RECORDS = frozenset({"models"})
WEIGHTS_FILTER = "Weights (*.safetensors)"
EMPTY_TITLE = "No models yet."
EMPTY_TEXT = (
    "Fine-tuning and images from prompts begin with a Stable Diffusion that lies on this computer, as a folder of"
    " diffusers or as one .safetensors file. Add it, or drop it here. Nothing is downloaded."
)
TABLE, EMPTY = range(2)


class ModelsPanel(ReadingPanel[None, ModelShelf]):
    """A table of models, and what is known of the selected one."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace, parent, follows=RECORDS)
        self._shelf = ModelShelf()
        self._awaited: str | None = None  # to be selected as soon as it is in the table
        self.add_folder = QPushButton("Add a folder…", self)
        self.add_folder.setToolTip("A folder of diffusers, with a model_index.json")
        self.add_file = QPushButton("Add a file…", self)
        self.add_file.setToolTip("A .safetensors file: Stable Diffusion, a compact upscaler, or a network for images")
        self.copies = QCheckBox("Copy into the project", self)
        self.copies.setToolTip("Else the files stay where they are, and the project remembers their place and hash.")
        self.check = QPushButton("Check files", self)
        self.check.setToolTip("Hash all files of the selected model again: are they what was added?")
        self.remove = QPushButton("Remove…", self)
        self.table = SortableTable("Models", self)
        self.table.setSelectionMode(SortableTable.SelectionMode.SingleSelection)
        self.empty = NextStep(parent=self)
        self.outcome = WrappedLabel("muted", self)
        self.outcome.hide()
        self.details = ModelDetails(self)
        self.stack = QStackedWidget(self)
        self._lay_out()
        self._connect()
        self.setAcceptDrops(True)
        self._adopt(None)

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(2 * GRID_PX, GRID_PX, 2 * GRID_PX, GRID_PX)
        bar.setSpacing(2 * GRID_PX)
        for widget in (self.add_folder, self.add_file, self.copies):
            bar.addWidget(widget)
        bar.addStretch(1)
        bar.addWidget(self.check)
        bar.addWidget(self.remove)
        self.stack.addWidget(self.table)
        self.stack.addWidget(self.empty)
        self.outcome.setContentsMargins(2 * GRID_PX, 0, 2 * GRID_PX, GRID_PX)
        left = QWidget(self)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(bar)
        column.addWidget(self.outcome)
        column.addWidget(self.stack, 1)
        splitter = QSplitter(self)
        splitter.addWidget(left)
        splitter.addWidget(self.details)
        splitter.setStretchFactor(0, 1)
        splitter.setStretchFactor(1, 0)
        splitter.setChildrenCollapsible(False)
        splitter.setSizes([10 * scaled_px(DETAILS_WIDTH_PX), scaled_px(DETAILS_WIDTH_PX)])
        self.details.setMinimumWidth(scaled_px(DETAILS_WIDTH_PX))
        self.details.setMaximumWidth(scaled_px(DETAILS_MAX_PX))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(splitter)

    def _connect(self) -> None:
        self.add_folder.clicked.connect(self._on_add_folder_clicked)
        self.add_file.clicked.connect(self._on_add_file_clicked)
        self.empty.button_clicked.connect(self._on_add_folder_clicked)
        self.check.clicked.connect(self._on_check_clicked)
        self.remove.clicked.connect(self._on_remove_clicked)
        self.table.selection_changed.connect(self._on_table_selection_changed)

    # What is shown

    @property
    def selected(self) -> str | None:
        """Name of the selected model."""
        return self.table.selected[0] if self.table.selected else None

    @override
    def _wish(self) -> None:
        """All of them."""

    @override
    def _find(self, project: Project, wish: None, tick: Tick) -> ModelShelf:
        return read_shelf(project, tick)

    @override
    def _forget(self) -> None:
        self.outcome.hide()

    @override
    def _adopt(self, facts: ModelShelf | None) -> None:
        self._shelf = shelf = facts or ModelShelf()
        rows = model_rows(shelf)
        self.table.set_table(COLUMNS, rows)
        step = (*UNREADABLE, "") if self.has_failed else (EMPTY_TITLE, EMPTY_TEXT, "Add a folder…")
        self.empty.show_step(*step)
        self.stack.setCurrentIndex(TABLE if rows else EMPTY)
        if self._awaited in self.table.keys:
            self.table.select([self._awaited], current=self._awaited)
            self._awaited = None
        elif rows and self.selected is None:
            self.table.select([rows[0].key], current=rows[0].key)
        self.details.show_needs(None if self.has_failed else shelf.models)
        self._on_table_selection_changed()

    @Slot()
    def _on_table_selection_changed(self) -> None:
        self.details.show_model(self._shelf.find(self.selected))
        is_writable = self._workspace.is_writable
        for button in (self.add_folder, self.add_file, self.copies, self.empty.button):
            button.setEnabled(is_writable)
        self.check.setEnabled(self.selected is not None)
        self.remove.setEnabled(self.selected is not None and is_writable)
        self.actions_outdated.emit()

    # Bringing models in

    @Slot()
    def _on_add_folder_clicked(self) -> None:
        errors.ask.folder(self, title="Add a model: a diffusers folder", start=Path.home(), answered=self.add)

    @Slot()
    def _on_add_file_clicked(self) -> None:
        errors.ask.file(
            self,
            title="Add a model: a .safetensors file",
            start=Path.home(),
            name_filter=WEIGHTS_FILTER,
            answered=self.add,
        )

    def add(self, path: Path) -> None:
        """Bring a model in, in the background: the job bar shows how far its hash is."""
        try:
            project = self._workspace.require_writable_project()
        except UserError as error:
            errors.report(error, parent=self)
            return
        copies = self.copies.isChecked()

        def work(tick: Tick) -> LocalModel:
            return project.models.add(path, copies=copies, tick=tick)

        self._say(f"Reading {path.name} …")
        self._in_background(work, done=self._on_added, title=f"Adding {path.name}")

    def _on_added(self, model: LocalModel) -> None:
        self._awaited = model.name
        self._say(f"{model.name} was added: {model.architecture}, for {model.kind.purpose}.")
        self._workspace.announce(changes("models"))

    @override
    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self._workspace.is_writable and _dropped_path(event.mimeData()) is not None:
            event.acceptProposedAction()

    @override
    def dropEvent(self, event: QDropEvent) -> None:
        path = _dropped_path(event.mimeData())
        if path is not None:
            event.acceptProposedAction()
            self.add(path)

    # Checking and removing

    @Slot()
    def _on_check_clicked(self) -> None:
        name, project = self.selected, self._workspace.project
        if name is None or project is None:
            return

        def work(tick: Tick) -> Sequence[str]:
            return project.models.check(name, tick)

        def tell(problems: Sequence[str]) -> None:
            self._say(f"{name}: {' '.join(problems)}" if problems else f"{name} is as it was added, byte by byte.")

        self._say(f"Checking {name} …")
        self._in_background(work, done=tell, title=f"Checking {name}")

    @Slot()
    def _on_remove_clicked(self) -> None:
        name = self.selected
        if name is None:
            return
        model = self._shelf.find(name)
        is_kept = model is not None and model.is_in_place
        what = "Its files outside the project stay." if is_kept else "Its files in the project are deleted."
        errors.ask.choose(
            self,
            title="Remove model",
            text=f"Forget the model {name}? {what} Runs that were trained from it keep their checkpoints.",
            choices=["Remove"],
            answered=lambda _choice: self._remove(name),
        )

    def _remove(self, name: str) -> None:
        try:
            project = self._workspace.require_writable_project()
        except UserError as error:
            errors.report(error, parent=self)
            return

        def tell(changed: Changes) -> None:
            self._say(f"{name} was removed.")
            self._workspace.announce(changed)

        self._in_background(lambda _: project.models.remove(name), done=tell, title=f"Removing {name}")

    def _in_background(self, work: Callable[[Tick], T], *, done: Callable[[T], object], title: str) -> None:
        def failed(error: Exception) -> None:
            self._say("")
            errors.report(error, parent=self)

        task = self._workspace.background.run(work, done=done, failed=failed, owner=self, title=title)
        # A cancel in the job bar calls nothing back.
        task.ended.connect(lambda: self._say("") if task.is_cancelled else None)

    def _say(self, text: str) -> None:
        self.outcome.setText(text)
        self.outcome.setVisible(bool(text))

    def actions(self) -> Sequence[ActionSpec]:  # type: ignore[override]  # the pages' word, not QWidget's list of QActions
        """What can be done here."""
        return (
            ActionSpec(
                "diffusion.add_model_folder",
                "Add a model from a folder…",
                self._on_add_folder_clicked,
                icon="mdi6.folder-plus-outline",
                menu=MENU,
                enabled_when=lambda: self._workspace.is_writable,
            ),
            ActionSpec(
                "diffusion.add_model_file",
                "Add a model from a file…",
                self._on_add_file_clicked,
                icon="mdi6.file-plus-outline",
                menu=MENU,
                enabled_when=lambda: self._workspace.is_writable,
            ),
            ActionSpec(
                "diffusion.check_model",
                "Check the files of the model",
                self._on_check_clicked,
                menu=MENU,
                enabled_when=self.check.isEnabled,
            ),
            ActionSpec(
                "diffusion.remove_model",
                "Remove the model…",
                self._on_remove_clicked,
                menu=MENU,
                enabled_when=self.remove.isEnabled,
            ),
        )


def _dropped_path(data: QMimeData) -> Path | None:
    """The folder or file of weights that is dropped, where it is one thing."""
    paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
    return paths[0] if len(paths) == 1 else None
