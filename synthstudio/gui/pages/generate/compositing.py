"""Compositing: the live preview, its patches, the sets that were written, and the settings of all that."""

from __future__ import annotations

import secrets

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QShowEvent, QUndoStack
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QStackedWidget, QTabWidget, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.core.patches.bank import PatchBank
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import AnnotationId, FovId
from synthstudio.domain.records import Changes, Generator
from synthstudio.gui.errors import report
from synthstudio.gui.forms import PresetBar, SettingsForm, list_presets
from synthstudio.gui.forms.rows import SettingRow
from synthstudio.gui.pages.generate.bank_loader import PATCH_RECORDS, BankLoader, Trouble
from synthstudio.gui.pages.generate.distribution_panel import DistributionPanel, DistributionWish
from synthstudio.gui.pages.generate.extremes_popup import ExtremesPeeker, Material
from synthstudio.gui.pages.generate.patch_filters import METHODS
from synthstudio.gui.pages.generate.patch_panel import PatchPanel
from synthstudio.gui.pages.generate.preview import PreviewMaker, PreviewSlice, PreviewWish
from synthstudio.gui.pages.generate.preview_panel import PreviewPanel
from synthstudio.gui.pages.generate.sets_panel import SetsPanel
from synthstudio.gui.pages.generate.write_panel import OWN_SETTINGS, WritePanel
from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.gui.widgets.class_chips import Chip
from synthstudio.gui.widgets.next_step import NextStep
from synthstudio.gui.workspace import Workspace
from synthstudio.project.patch_verdicts import KIND as VERDICTS
from synthstudio.settings.compose import ComposeSettings

SIDE_WIDTH_PX = 356
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
        self.charts = DistributionPanel(workspace, self)
        self.sets = SetsPanel(workspace, self)
        self.notice = NextStep(parent=self)
        self.side = QFrame(self)
        self.presets = PresetBar(
            list_presets("compose"), ComposeSettings(), find_settings=self._find_settings, parent=self.side
        )
        self.peeker = ExtremesPeeker(workspace, self._find_material, self)
        self.form = SettingsForm(
            ComposeSettings,
            choices={"composition.classes": (), "patches.generated_sets": ()},
            hidden=OWN_SETTINGS,
            decorate=self.peeker.decorate,
            parent=self.side,
        )
        self.writer = WritePanel(self.side)
        self.tabs = QTabWidget(self)
        self.stack = QStackedWidget(self)
        self._lay_out()
        self._connect()
        self.patches.set_settings(self.form.settings())
        self._on_workspace_project_changed()
        self._on_workspace_recipe_offered()

    def _lay_out(self) -> None:
        self.tabs.setDocumentMode(True)
        panels = {"Preview": self.preview, "Patches": self.patches, "Charts": self.charts, "Sets": self.sets}
        for title, panel in panels.items():
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
        self._workspace.recipe_offered.connect(self._on_workspace_recipe_offered)
        self.loader.gallery_changed.connect(self.patches.set_gallery)
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
        self.preview.first_changed.connect(self._ask_for_preview)
        for grid in (self.preview.grid, self.sets.images.grid, self.patches):
            grid.source_requested.connect(self._on_grid_source_requested)
        self.patches.filters.foreground_chosen.connect(self._on_filters_foreground_chosen)
        self.sets.export_requested.connect(lambda: self.page_requested.emit("export"))
        self.writer.write_requested.connect(self._on_writer_write_requested)
        self.notice.button_clicked.connect(self._on_notice_button_clicked)

    @property
    def undo_stack(self) -> QUndoStack:
        return self._workspace.undo_stack

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

    def _find_material(self) -> Material | None:
        settings, bank = self.form.find_settings(), self.loader.bank
        return (bank, settings.composition) if settings is not None and bank is not None else None

    def focused_row(self) -> SettingRow | None:
        """The row of the form in which the keyboard is."""
        widget = QApplication.focusWidget()
        while widget is not None and not isinstance(widget, SettingRow):
            widget = widget.parentWidget()
        return widget

    def show_extremes(self) -> None:
        """Show the setting in which the keyboard is at its extremes."""
        row = self.focused_row()
        if row is not None and self.peeker.can_open(row):
            self.peeker.open(row)

    def _load_bank(self) -> None:
        # Each click in Annotate changes the patches; they are cut anew only once somebody looks at them.
        if not self.isVisible() or self._workspace.project is None:
            return
        settings = self.form.find_settings()
        if settings is not None:
            self.loader.load(settings.patches, with_plates=settings.composition.needs_plates)

    @Slot()
    def _on_workspace_project_changed(self) -> None:
        self.loader.forget()
        self.maker.forget()
        self.sets.refresh()
        self._refresh_choices()
        if self._workspace.project is None:
            self._show_trouble(Trouble("No project is open.", "Open a project, or make a new one."))
        else:
            self.stack.setCurrentWidget(self.tabs)
            self.preview.clear("The patches are being cut…")
            self._load_bank()
        self._refresh_writer()

    @Slot(object)
    def _on_workspace_records_changed(self, changed: Changes) -> None:
        if VERDICTS in changed.kinds:
            self.patches.show_verdicts()
        if changed.kinds & PATCH_RECORDS:
            self._load_bank()
        if changed.kinds & {"classes", "sets"}:
            self._refresh_choices()
        if "sets" in changed.kinds:
            self.sets.refresh()

    def _refresh_choices(self) -> None:
        project = self._workspace.project
        sets = project.sets.list() if project is not None else []
        made = [(each.name, each.name) for each in sets if each.generator is not Generator.COMPOSITED]
        self.form.set_choices("patches.generated_sets", made)
        names = [(item.name, item.name) for item in project.classes.list()] if project is not None else []
        self.form.set_choices("composition.classes", names)

    @Slot(object)
    def _on_loader_bank_changed(self, bank: PatchBank | None) -> None:
        if bank is not None:
            counts = bank.count_by_class()
            self.preview.chips.set_chips(
                [Chip(item.color, item.name, f"{counts[item.id]:,} patches") for item in bank.classes]
            )
            self.stack.setCurrentWidget(self.tabs)
            self._ask_for_preview()
        else:
            self.charts.set_wish(None)
        self._refresh_writer()

    @Slot(object)
    def _on_loader_trouble_found(self, trouble: Trouble) -> None:
        self._show_trouble(trouble)
        self._refresh_writer()

    def _show_trouble(self, trouble: Trouble) -> None:
        self._needs = trouble.needs
        self.notice.show_step(trouble.title, trouble.text, BUTTONS.get(trouble.needs, ""))
        self.preview.clear(trouble.title)
        # Sets that were written stay in reach even where nothing new can be made, and so do rejected patches.
        has_sets = self._workspace.project is not None and self.sets.list.count() > 0
        has_patches = self.loader.gallery is not None
        self.stack.setCurrentWidget(self.tabs if has_sets or has_patches else self.notice)

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
        self.patches.set_settings(settings)
        if not self.loader.has(settings.patches, with_plates=settings.composition.needs_plates):
            self._load_bank()
        self._ask_for_preview()

    @Slot(str, str)
    def _on_filters_foreground_chosen(self, class_name: str, method: str) -> None:
        settings = self.form.find_settings()
        if settings is not None:
            chosen = next((each for each in METHODS if each == method), None)
            pairs = settings.patches.with_foreground(class_name, chosen)
            self.form.show_value("patches.foreground_by_class", pairs)

    @Slot(object)
    def _on_presets_preset_chosen(self, settings: ComposeSettings) -> None:
        seed = self.form.control_value("seed")
        self.form.set_settings(settings.model_copy(update={"seed": seed}))

    @Slot()
    def _on_workspace_recipe_offered(self) -> None:
        """Take over a recipe that another page found; the seed stays, as with a preset."""
        offered, self._workspace.offered_recipe = self._workspace.offered_recipe, None
        if offered is not None:
            self._on_presets_preset_chosen(offered)
            self.tabs.setCurrentWidget(self.preview)

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
        if settings is None or bank is None:
            self.charts.set_wish(None)
            return
        self.charts.set_wish(DistributionWish(bank, settings.composition, settings.seed))
        if bank.plates or not settings.composition.needs_plates:  # otherwise the bank that is being cut will ask anew
            count, first = self.preview.count.value(), self.preview.first.value()
            self.maker.make(PreviewWish(bank, settings.composition, settings.seed, count, first))

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
