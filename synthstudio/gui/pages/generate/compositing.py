"""Compositing: the live preview, its patches, the sets that were written, and the settings of all that."""

from __future__ import annotations

import secrets

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QStackedWidget, QTabWidget, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.core.patches.bank import PatchBank
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import AnnotationId, FovId
from synthstudio.domain.records import Changes
from synthstudio.gui.errors import report
from synthstudio.gui.forms import PresetBar, SettingsForm, list_presets
from synthstudio.gui.pages.generate.bank_loader import PATCH_RECORDS, BankLoader, Trouble
from synthstudio.gui.pages.generate.patch_panel import PatchPanel
from synthstudio.gui.pages.generate.preview import PreviewMaker, PreviewSlice, PreviewWish
from synthstudio.gui.pages.generate.preview_panel import PreviewPanel
from synthstudio.gui.pages.generate.sets_panel import SetsPanel
from synthstudio.gui.pages.generate.write_panel import OWN_SETTINGS, WritePanel
from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.gui.widgets.class_chips import Chip
from synthstudio.gui.widgets.next_step import NextStep
from synthstudio.gui.workspace import Workspace
from synthstudio.settings.compose import ComposeSettings

SIDE_WIDTH_PX = 320
BUTTONS = {
    "import": "Import images…",
    "annotations": "Go to Annotate",
    "classes": "Set the size in Annotate",
    "again": "Cut the patches",
}


class CompositingView(QWidget):
    """Joins bank, preview, form and sets."""

    page_requested = Signal(str)
    """What would help: "import", "annotations" or "classes"."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._needs = ""
        self.loader = BankLoader(workspace, self)
        self.maker = PreviewMaker(workspace, self)
        self.preview = PreviewPanel(self)
        self.patches = PatchPanel(workspace, self)
        self.sets = SetsPanel(workspace, self)
        self.notice = NextStep(parent=self)
        self.side = QFrame(self)
        self.presets = PresetBar(
            list_presets("compose"), ComposeSettings(), find_settings=self._find_settings, parent=self.side
        )
        self.form = SettingsForm(
            ComposeSettings, choices={"composition.classes": ()}, hidden=OWN_SETTINGS, parent=self.side
        )
        self.writer = WritePanel(self.side)
        self.tabs = QTabWidget(self)
        self.stack = QStackedWidget(self)
        self._lay_out()
        self._connect()
        self._on_workspace_project_changed()

    def _lay_out(self) -> None:
        self.tabs.setDocumentMode(True)
        for panel, title in ((self.preview, "Preview"), (self.patches, "Patches"), (self.sets, "Sets")):
            self.tabs.addTab(panel, title)
        self.stack.addWidget(self.tabs)
        self.stack.addWidget(self.notice)
        side = self.side
        side.setProperty("panel", True)
        side.setFixedWidth(scaled_px(SIDE_WIDTH_PX))
        column = QVBoxLayout(side)
        column.setContentsMargins(3 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX, 3 * GRID_PX)
        column.setSpacing(2 * GRID_PX)
        column.addWidget(self.presets)
        column.addWidget(self.form, 1)
        line = QFrame(side)
        line.setFrameShape(QFrame.Shape.HLine)
        column.addWidget(line)
        column.addWidget(self.writer)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.stack, 1)
        layout.addWidget(side)

    def _connect(self) -> None:
        self._workspace.project_changed.connect(self._on_workspace_project_changed)
        self._workspace.records_changed.connect(self._on_workspace_records_changed)
        self.loader.bank_changed.connect(self._on_loader_bank_changed)
        self.loader.trouble_found.connect(self._on_loader_trouble_found)
        self.loader.building_changed.connect(self._on_loader_building_changed)
        self.maker.slice_ready.connect(self._on_maker_slice_ready)
        self.maker.preview_failed.connect(self._on_maker_preview_failed)
        self.form.settings_changed.connect(self._on_form_settings_changed)
        self.form.validity_changed.connect(self._refresh_writer)
        self.presets.preset_chosen.connect(self._on_presets_preset_chosen)
        self.presets.recipe_opened.connect(self._on_presets_recipe_opened)
        self.preview.seed_requested.connect(self.draw_another_seed)
        self.preview.count_changed.connect(self._ask_for_preview)
        for grid in (self.preview.grid, self.sets.images.grid, self.patches.gallery.grid):
            grid.source_requested.connect(self._on_grid_source_requested)
        self.writer.write_requested.connect(self._on_writer_write_requested)
        self.notice.button_clicked.connect(self._on_notice_button_clicked)

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._load_bank()

    @Slot(object)
    def _on_grid_source_requested(self, source: tuple[FovId, AnnotationId]) -> None:
        try:
            self._workspace.show_annotation(*source)
        except UserError as error:
            report(error, parent=self)
            return
        self.page_requested.emit("annotations")

    def _find_settings(self) -> ComposeSettings | None:
        """All settings of the set that would be written."""
        settings = self.form.find_settings()
        has_own = settings is not None and self.writer.form.find_settings() is not None
        return self.writer.completed(settings) if has_own and settings is not None else None

    def _load_bank(self) -> None:
        settings = self.form.find_settings()
        # Each click in Annotate changes the patches; they are cut anew only once somebody looks at them.
        if settings is not None and self.isVisible() and self._workspace.project is not None:
            self.loader.load(settings.patches)

    @Slot()
    def _on_workspace_project_changed(self) -> None:
        self.loader.forget()
        self.maker.forget()
        self.sets.refresh()
        self._refresh_classes()
        if self._workspace.project is None:
            self._show_trouble(Trouble("No project is open.", "Open a project, or make a new one."))
        else:
            self.stack.setCurrentWidget(self.tabs)
            self.preview.clear("The patches are being cut…")
            self._load_bank()
        self._refresh_writer()

    @Slot(object)
    def _on_workspace_records_changed(self, changed: Changes) -> None:
        if changed.kinds & PATCH_RECORDS:
            self._load_bank()
        if "classes" in changed.kinds:
            self._refresh_classes()
        if "sets" in changed.kinds:
            self.sets.refresh()

    def _refresh_classes(self) -> None:
        project = self._workspace.project
        names = [(item.name, item.name) for item in project.classes.list()] if project is not None else []
        self.form.set_choices("composition.classes", names)

    @Slot(object)
    def _on_loader_bank_changed(self, bank: PatchBank | None) -> None:
        self.patches.set_bank(bank)
        if bank is not None:
            counts = bank.count_by_class()
            self.preview.chips.set_chips(
                [Chip(item.color, item.name, f"{counts[item.id]:,} patches") for item in bank.classes]
            )
            self.stack.setCurrentWidget(self.tabs)
            self._ask_for_preview()
        self._refresh_writer()

    @Slot(object)
    def _on_loader_trouble_found(self, trouble: Trouble) -> None:
        self._show_trouble(trouble)
        self._refresh_writer()

    def _show_trouble(self, trouble: Trouble) -> None:
        self._needs = trouble.needs
        self.notice.show_step(trouble.title, trouble.text, BUTTONS.get(trouble.needs, ""))
        self.preview.clear(trouble.title)
        self.patches.set_bank(None)
        # Sets that were written stay in reach even where nothing new can be made.
        has_sets = self._workspace.project is not None and self.sets.list.count() > 0
        self.stack.setCurrentWidget(self.tabs if has_sets else self.notice)

    @Slot()
    def _on_notice_button_clicked(self) -> None:
        if self._needs == "again":
            self._load_bank()
        else:
            self.page_requested.emit(self._needs)

    @Slot(bool)
    def _on_loader_building_changed(self, is_building: bool) -> None:
        if is_building and self.loader.bank is None:
            self.preview.clear("The patches are being cut…")

    @Slot(object)
    def _on_form_settings_changed(self, settings: ComposeSettings) -> None:
        self.presets.show_match(settings, ignored=frozenset(OWN_SETTINGS))
        self._load_bank()
        self._ask_for_preview()

    @Slot(object)
    def _on_presets_preset_chosen(self, settings: ComposeSettings) -> None:
        seed = self.form.control_value("seed")
        self.form.set_settings(settings.model_copy(update={"seed": seed}))

    @Slot(object)
    def _on_presets_recipe_opened(self, settings: ComposeSettings) -> None:
        self.form.set_settings(settings)
        self.writer.form.set_settings(settings)

    @Slot()
    def draw_another_seed(self) -> None:
        """Show other images of the same settings."""
        self.form.show_value("seed", secrets.randbelow(100_000))

    @Slot()
    def _ask_for_preview(self) -> None:
        settings, bank = self.form.find_settings(), self.loader.bank
        if settings is not None and bank is not None:
            self.maker.make(PreviewWish(bank, settings.composition, settings.seed, self.preview.count.value()))

    @Slot(object)
    def _on_maker_slice_ready(self, made: PreviewSlice) -> None:
        if made.wish.bank is self.loader.bank:
            self.preview.show_slice(made)

    @Slot(object)
    def _on_maker_preview_failed(self, error: Exception) -> None:
        if isinstance(error, UserError):
            self.preview.clear(str(error))
        else:
            report(error, parent=self)

    @Slot()
    def _refresh_writer(self) -> None:
        project = self._workspace.project
        if project is not None and project.is_read_only:
            self.writer.set_ready(False, project.read_only_reason)
        else:
            self.writer.set_ready(self.loader.bank is not None and self.form.find_settings() is not None)

    @Slot()
    def _on_writer_write_requested(self) -> None:
        self.write_set()

    def write_set(self) -> None:
        """Queue the job that writes the set; its progress is in the job bar."""
        project = self._workspace.project
        try:
            settings = self.writer.completed(self.form.settings())
            if project is not None and project.sets.find(settings.set_name) is not None:
                raise UserError(f"There is already a set {settings.set_name}.", "Choose another name.")
            self._workspace.submit(settings, title=f"Set {settings.set_name}")
        except UserError as error:
            report(error, parent=self)
