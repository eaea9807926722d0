"""The written sets of the project: what is in them, and whether they still are what they say."""

from __future__ import annotations

from PySide6.QtCore import Qt, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from synthstudio.domain.errors import UserError
from synthstudio.domain.records import Generator, SyntheticSet
from synthstudio.gui import errors
from synthstudio.gui.pages.generate.manifests import Proof, prove_set, read_page
from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.gui.widgets.elided_label import ElidedLabel
from synthstudio.gui.widgets.next_step import NextStep
from synthstudio.gui.widgets.paged_grid import PagedGrid
from synthstudio.gui.workspace import Workspace
from synthstudio.project.set_images import delete_set_files

PAGE_SIZE = 12
LIST_WIDTH_PX = 200
FINDINGS_SHOWN = 5
GENERATOR_MARKS = {Generator.COMPOSITED: "", Generator.GAN: " · GAN", Generator.DIFFUSION: " · diffusion"}


class SetsPanel(QWidget):
    """A list of sets, and the images of the chosen one with their boxes."""

    export_requested = Signal()

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._sets: list[SyntheticSet] = []
        self._verdicts: dict[str, tuple[str, bool]] = {}
        self.list = QListWidget(self)
        self.list.setFixedWidth(scaled_px(LIST_WIDTH_PX))
        self.list.setAccessibleName("Sets")
        self.images = PagedGrid(page_size=PAGE_SIZE, parent=self)
        self.boxes = QCheckBox("Boxes", self)
        self.boxes.setChecked(True)
        self.verify = QPushButton("Verify", self)
        self.verify.setToolTip("Compare every image with the manifest, and make it again to compare its bytes.")
        self.open = QPushButton("Open folder", self)
        self.export = QPushButton("Export…", self)
        self.export.setToolTip("Write images and boxes in a format that other programs read.")
        self.remove = QPushButton("Remove…", self)
        self.facts = ElidedLabel(self)
        self.facts.setProperty("muted", True)
        self.outcome = QLabel(self)
        self.outcome.setWordWrap(True)
        self.outcome.hide()
        self.stack = QStackedWidget(self)
        self._lay_out()
        self.list.currentRowChanged.connect(self._on_list_current_row_changed)
        self.images.page_requested.connect(self._on_images_page_requested)
        self.boxes.toggled.connect(self.images.grid.set_boxes_visible)
        self.verify.clicked.connect(self._on_verify_clicked)
        self.open.clicked.connect(self._on_open_clicked)
        self.export.clicked.connect(self._on_export_clicked)
        self.remove.clicked.connect(self._on_remove_clicked)

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(2 * GRID_PX, GRID_PX, 2 * GRID_PX, GRID_PX)
        bar.setSpacing(2 * GRID_PX)
        bar.addWidget(self.boxes)
        bar.addWidget(self.facts, 1)
        for button in (self.remove, self.open, self.export, self.verify):
            bar.addWidget(button)
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addLayout(bar)
        self.outcome.setContentsMargins(2 * GRID_PX, 0, 2 * GRID_PX, GRID_PX)
        right.addWidget(self.outcome)
        right.addWidget(self.images, 1)
        page = QWidget()
        layout = QHBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.list)
        layout.addLayout(right, 1)
        empty = NextStep(
            "No set has been written yet.", "Choose a name and a number on the right, then press “Write set”."
        )
        self.stack.addWidget(empty)
        self.stack.addWidget(page)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self.stack)

    @property
    def current(self) -> SyntheticSet | None:
        row = self.list.currentRow()
        return self._sets[row] if 0 <= row < len(self._sets) else None

    def refresh(self) -> None:
        """Read the sets anew; the chosen one stays chosen."""
        project = self._workspace.project
        chosen = self.current.name if self.current is not None else None
        self._sets = list(reversed(project.sets.list())) if project is not None else []
        self.list.blockSignals(True)
        self.list.clear()
        for item in self._sets:
            mark = GENERATOR_MARKS[item.generator]
            entry = QListWidgetItem(f"{item.name}\n{item.n_images:,} images{mark}", self.list)
            entry.setToolTip(f"Written {item.created_at[:16].replace('T', ' ')}")
        names = [item.name for item in self._sets]
        self.list.setCurrentRow(names.index(chosen) if chosen in names else (0 if names else -1))
        self.list.blockSignals(False)
        self.stack.setCurrentIndex(1 if self._sets else 0)
        self._on_list_current_row_changed()

    def choose(self, name: str) -> None:
        """Show a set."""
        for row, item in enumerate(self._sets):
            if item.name == name:
                self.list.setCurrentRow(row)

    @Slot()
    def _on_list_current_row_changed(self) -> None:
        item = self.current
        if item is None:
            self.images.set_count(0)
            return
        self.facts.setText(f"{item.n_images:,} images · written {item.created_at[:16].replace('T', ' ')}")
        self._show_outcome(item)
        self.images.set_count(item.n_images)

    @Slot(int, int)
    def _on_images_page_requested(self, first: int, count: int) -> None:
        item, project = self.current, self._workspace.project
        if item is None or project is None:
            return
        folder = project.set_folder(item.name)
        colors = {each.name: each.color for each in project.classes.list()}
        self._workspace.background.run(
            lambda tick: read_page(folder, first=first, count=count, colors=colors, tick=tick),
            done=lambda images: self.images.show_page(first, images) if self.current == item else None,
            owner=self,
        )

    @Slot()
    def _on_open_clicked(self) -> None:
        item, project = self.current, self._workspace.project
        if item is not None and project is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(project.set_folder(item.name))))

    @Slot()
    def _on_export_clicked(self) -> None:
        if self.current is not None:
            self._workspace.set_to_export = self.current.name
            self.export_requested.emit()

    @Slot()
    def _on_remove_clicked(self) -> None:
        item = self.current
        if item is not None:
            errors.ask.choose(
                self,
                title="Remove set",
                text=f"Delete the set {item.name} with its {item.n_images:,} images and all verdicts about them?",
                choices=["Delete"],
                answered=lambda _choice: self._remove(item),
            )

    def _remove(self, item: SyntheticSet) -> None:
        try:
            project = self._workspace.require_writable_project()
        except UserError as error:
            errors.report(error, parent=self)
            return
        # The record first: files without one are cleared away when a set of this name is written again.
        self._workspace.announce(project.sets.remove(item.name))
        self._workspace.background.run(
            lambda _: delete_set_files(project, item.name),
            done=lambda _: None,
            failed=lambda error: errors.report(error, parent=self),
            owner=self._workspace,
            title=f"Removing {item.name}",
        )

    @Slot()
    def _on_verify_clicked(self) -> None:
        item, project = self.current, self._workspace.project
        if item is None or project is None:
            return
        self.verify.setEnabled(False)
        task = self._workspace.background.run(
            lambda tick: prove_set(project, item, tick),
            done=lambda proof: self._on_proved(item, proof),
            owner=self,
            title=f"Verifying {item.name}",
        )
        task.ended.connect(lambda: self.verify.setEnabled(True))

    def _on_proved(self, item: SyntheticSet, proof: Proof) -> None:
        findings = proof.findings
        if findings:
            shown = [str(each) for each in findings[:FINDINGS_SHOWN]]
            if len(findings) > FINDINGS_SHOWN:
                shown.append(f"and {len(findings) - FINDINGS_SHOWN:,} more.")
            self._verdicts[item.name] = "\n".join(shown), False
        else:
            remade = ", and come out the same when made again." if proof.is_remade else f". They {proof.remade}."
            self._verdicts[item.name] = f"All {item.n_images:,} images are as the manifest says{remade}", True
        if self.current == item:
            self._show_outcome(item)

    def _show_outcome(self, item: SyntheticSet) -> None:
        text, is_well = self._verdicts.get(item.name, ("", True))
        self.outcome.setTextFormat(Qt.TextFormat.PlainText)
        self.outcome.setText(text)
        self.outcome.setProperty("danger", not is_well)
        self.outcome.style().polish(self.outcome)
        self.outcome.setVisible(bool(text))
