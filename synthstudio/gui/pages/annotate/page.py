"""The Annotate workspace: the viewer, and beside it classes, field, annotations and display."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAction, QShowEvent
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import AnnotationId, ClassId, FovId
from synthstudio.domain.records import Annotation, Changes, FieldOfView, ObjectClass
from synthstudio.gui import errors
from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.canvas.mark_painter import MarkStyle
from synthstudio.gui.canvas.pyramid import ImagePyramid
from synthstudio.gui.canvas.suggested_view import SuggestedView
from synthstudio.gui.pages.annotate.annotation_panel import AnnotationPanel
from synthstudio.gui.pages.annotate.calibration_line import CalibrationLine
from synthstudio.gui.pages.annotate.class_actions import ClassActions
from synthstudio.gui.pages.annotate.class_panel import ClassPanel
from synthstudio.gui.pages.annotate.display_panel import DisplayPanel
from synthstudio.gui.pages.annotate.editor import Editor
from synthstudio.gui.pages.annotate.edits import AnnotationEdit
from synthstudio.gui.pages.annotate.field_changes import FieldChanges
from synthstudio.gui.pages.annotate.field_panel import FieldPanel
from synthstudio.gui.pages.annotate.hiding import Hiding
from synthstudio.gui.pages.annotate.levels_keeper import LevelsKeeper, levels_actions
from synthstudio.gui.pages.annotate.levels_panel import LevelsPanel
from synthstudio.gui.pages.annotate.looking import Looking
from synthstudio.gui.pages.annotate.mark_menu import MarkMenu
from synthstudio.gui.pages.annotate.mark_origins import origin_words
from synthstudio.gui.pages.annotate.moved_files import MovedFiles
from synthstudio.gui.pages.annotate.next_fields import NextFieldsKeeper, next_field_actions
from synthstudio.gui.pages.annotate.next_panel import NextPanel
from synthstudio.gui.pages.annotate.opening import FieldOpener
from synthstudio.gui.pages.annotate.readout import Readout
from synthstudio.gui.pages.annotate.side_column import SideColumn
from synthstudio.gui.pages.annotate.specs import annotate_actions
from synthstudio.gui.pages.annotate.stack_pages import StackPages, stack_actions
from synthstudio.gui.pages.annotate.suggesting import Suggesting
from synthstudio.gui.pages.annotate.suggestion_keeper import SuggestionKeeper
from synthstudio.gui.pages.annotate.suggestion_specs import suggestion_actions
from synthstudio.gui.pages.annotate.view_memory import ViewMemory
from synthstudio.gui.pages.annotate.wanted import WantedPlaces
from synthstudio.gui.theme import scaled_px
from synthstudio.gui.widgets.section import Section
from synthstudio.gui.workspace import Workspace

SIDE_WIDTH_PX, WIDE_SIDE_PX, WIDE_FROM_PX, LOW_PX = 190, 248, 1500, 1000


class AnnotatePage(QWidget):
    """Shows the current FOV and edits its annotations.

    What the viewer shows is `shown_fov`; it follows the workspace's current FOV as soon as its image is decoded, so
    that a click always lands on the image that was clicked.
    """

    title = "Annotate"
    icon = "mdi6.target"
    actions_outdated = Signal()
    """Other actions may be possible now."""
    toolbar_ids = ("annotate.select", "annotate.center", "annotate.box", "annotate.undo", "annotate.redo")

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.workspace = workspace
        self.view = SuggestedView()
        self.class_panel, self.field_panel = ClassPanel(), FieldPanel()
        self.annotation_panel, self.display_panel = AnnotationPanel(), DisplayPanel()
        self.levels_panel = LevelsPanel()
        self.editor = Editor(workspace, self.view, self.annotation_panel.model, self)
        self.stack_pages = StackPages(workspace, self.editor, self.view, self)
        self.suggesting = Suggesting(workspace, self.view, self.editor, self)
        self.wanted = WantedPlaces(workspace, self.view, self.editor, self)
        self.view_memory = ViewMemory(workspace, self.view, self.editor, self)
        self.calibration = CalibrationLine(self.view, self)
        self.looking = Looking(self.view, self)
        self.hiding = Hiding(
            workspace,
            self.view,
            self.looking,
            class_panel=self.class_panel,
            display_panel=self.display_panel,
            classes=lambda: self.classes,
        )
        self.field_changes = FieldChanges(workspace, self.editor, self.field_panel, self)
        origins = partial(origin_words, workspace)
        self.annotation_panel.model.set_origins(origins)
        self.mark_menu = MarkMenu(
            self.view,
            self.editor,
            lambda: self.classes,
            origin_of=origins,
            suggesting=self.suggesting,
            window=self,
        )
        self.readout = Readout(self.view, self.mark_menu.remark_at)
        self.class_actions = ClassActions(workspace, self.editor, self)
        self.class_actions.class_chosen.connect(self.choose_class)
        self.moved_files = MovedFiles(workspace, self)
        self.moved_files.found.connect(self._on_files_found)
        self.opener = FieldOpener(workspace, self)
        self.classes: dict[ClassId, ObjectClass] = {}
        self._was_shown = False
        self._lay_out()
        self._connect()
        self.view.set_tool("center")
        self._on_project_changed()
        self._on_current_fov_changed(workspace.current_fov_id)

    # Building

    def _lay_out(self) -> None:
        self.class_section = Section("Classes", self.class_panel)
        self.field_section = Section("Field", self.field_panel)
        self.annotation_section = Section("Annotations", self.annotation_panel)
        self.display_section = Section("Display", self.display_panel)
        self.levels_section = Section("Levels", self.levels_panel)
        self.levels_section.set_folded(True)
        self.levels = LevelsKeeper(self.levels_panel, self.levels_section, self.workspace.background, self)
        self.suggestion_keeper = SuggestionKeeper(
            self.workspace, self.suggesting, self.view, classes=lambda: self.classes, window=self
        )
        self.next_panel = NextPanel()
        self.next_section = Section("Annotate next", self.next_panel)
        self.next_section.set_folded(True)
        self.next_fields = NextFieldsKeeper(self.workspace, self.next_panel, self.next_section, self)
        self.annotation_panel.setMinimumHeight(scaled_px(120))
        sections = (
            self.class_section,
            self.suggestion_keeper.section,
            self.next_section,
            self.field_section,
            self.annotation_section,
            self.display_section,
            self.levels_section,
        )
        self.side = SideColumn(sections, growing=self.annotation_section)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setHandleWidth(1)
        self.splitter.addWidget(self.view)
        self.splitter.addWidget(self.side)
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setStretchFactor(1, 0)
        self.splitter.setCollapsible(0, False)
        self.splitter.setSizes([1000, SIDE_WIDTH_PX])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.splitter)

    def _connect(self) -> None:
        workspace = self.workspace
        workspace.project_changed.connect(self._on_project_changed)
        workspace.records_changed.connect(self._on_records_changed)
        workspace.current_fov_changed.connect(self._on_current_fov_changed)
        workspace.current_class_changed.connect(self._on_current_class_changed)
        self.suggesting.actions_outdated.connect(self.actions_outdated)
        self.opener.opened.connect(self._on_image_opened)
        self.opener.waiting.connect(self._show_nothing)
        self.opener.failed.connect(self._on_image_failed)
        self.opener.mismatched.connect(self._on_image_mismatched)
        self.view.selection_changed.connect(self._on_view_selection_changed)
        self.annotation_panel.selection_chosen.connect(self.view.select_marks)
        self.annotation_panel.reveal_requested.connect(self.view.reveal)
        self.annotation_panel.authors.set_source(
            lambda: Counter(each.author for each in self.editor.annotations.values())
        )
        self.annotation_panel.authors.hidden_changed.connect(self.view.set_hidden_authors)
        self.class_panel.class_chosen.connect(workspace.set_current_class)
        self.class_panel.edit_requested.connect(self.class_actions.edit)
        workspace.class_totals_changed.connect(self._on_class_totals_changed)
        self.display_panel.style_chosen.connect(lambda text: self.view.set_mark_style(MarkStyle(text)))
        self.display_panel.scale_bar_toggled.connect(self.view.set_scale_bar_visible)
        self.editor.counts_changed.connect(self._show_counts)
        self.editor.added.connect(self.hiding.reveal)
        self.editor.added.connect(self.annotation_panel.authors.reveal)
        self.display_panel.look_chosen.connect(self.looking.set_look)
        self.display_panel.snapping_chosen.connect(lambda snaps: self.set_snapping(snaps=snaps))

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._was_shown:
            self._was_shown = True
            self.suggestion_keeper.offer(self.findChildren(QAction))
            side_px = scaled_px(WIDE_SIDE_PX if self.window().width() >= WIDE_FROM_PX else SIDE_WIDTH_PX)
            self.splitter.setSizes([max(self.width() - side_px, side_px), side_px])
            # On a low screen the table of annotations needs the room; all of the display has keys.
            self.display_section.set_folded(self.window().height() < scaled_px(LOW_PX))

    def actions(self) -> Sequence[ActionSpec]:  # type: ignore[override]  # a page declares its actions as data
        """What can be done here."""
        suggestions = suggestion_actions(self.suggesting, self.suggestion_keeper, self.view)
        models = (*suggestions, *next_field_actions(self.next_fields))
        return (*annotate_actions(self), *models, *stack_actions(self.stack_pages), *levels_actions(self.levels))

    # What is shown

    @property
    def side_panel(self) -> QWidget:
        """The panel beside the viewer, which can be hidden."""
        return self.side

    @property
    def shown_fov(self) -> FieldOfView | None:
        """The FOV whose image the viewer shows."""
        return self.editor.fov

    @Slot()
    def _on_project_changed(self) -> None:
        self.field_changes.take_project(self.workspace.project)
        self.suggesting.forget()
        self._show_nothing("")
        self.looking.forget()
        self.levels.forget()
        self._read_classes()
        if self.workspace.current_fov_id is not None:  # the page is built after the project was opened
            self._on_current_fov_changed(self.workspace.current_fov_id)

    @Slot(object)
    def _on_records_changed(self, told: Changes) -> None:
        if "classes" in told.kinds:
            self._read_classes()
        fov = self.shown_fov
        if fov is None or self.workspace.project is None:
            return
        if "fovs" in told.kinds or "samples" in told.kinds:
            self._read_fov_again(fov.id)
        touches = not told.fov_ids or fov.id in told.fov_ids
        if self.editor.is_announcing:
            return
        if "annotations" in told.kinds and touches:
            self._show_annotations()
        elif "classes" in told.kinds:
            self._draw_annotations(fov)  # they are what they were, their classes are others

    def _read_fov_again(self, fov_id: FovId) -> None:
        if fov_id not in self.workspace.fov_order and fov_id != self.workspace.current_fov_id:
            return  # it is gone; the workspace has moved on
        former = self.editor.fov
        fov = self.workspace.require_project().fovs.get(fov_id)
        self.editor.fov = fov
        self.field_panel.set_fov(fov)
        if former is not None and former.um_per_px != fov.um_per_px:
            self.view.set_um_per_px(fov.um_per_px)
            self._show_annotations()

    def _read_classes(self) -> None:
        project = self.workspace.project
        classes = project.classes.list() if project else []
        self.classes = {each.id: each for each in classes}
        self.class_actions.classes = self.classes
        self.class_panel.set_classes(classes, self.editor.counts)
        self.class_panel.set_totals(self.workspace.class_totals)
        self._on_current_class_changed(self.workspace.current_class_id)

    @Slot(object)
    def _on_current_class_changed(self, class_id: ClassId | None) -> None:
        if class_id is not None and class_id not in self.classes:
            return  # its project is being opened; the classes are read with the records
        self.class_panel.set_current(class_id)
        self.view.set_current_class(self.classes[class_id] if class_id is not None else None)
        if self.looking.look.shows_one:
            self.hiding.apply()

    @Slot(object)
    def _on_current_fov_changed(self, fov_id: FovId | None) -> None:
        self.view.cancel_draft()
        self.moved_files.forget_missing()
        if fov_id is None:
            self.opener.stop()
            self._show_nothing("")
            return
        self._read_classes()
        self.opener.open(fov_id)

    @Slot(object, object)
    def _on_image_opened(self, fov: FieldOfView, pyramid: ImagePyramid) -> None:
        self.editor.fov = None  # the view says its first region while it is laid out; that is not the user's
        self.view.set_selection(())
        self.levels.show(fov.id, pyramid)
        self.view.set_image(pyramid)
        self.view.set_placeholder("")  # or the words of a wait would come back with the next empty view
        self.editor.fov = fov
        self.looking.show_fov(fov)
        self.field_panel.set_fov(fov)
        self._show_annotations()
        self.suggesting.show_fov(fov.id)
        self.view_memory.restore(fov, pyramid)
        self.wanted.select_annotation()
        self.wanted.show_region()
        self.moved_files.check(fov)

    @Slot(object, object)
    def _on_image_failed(self, fov: FieldOfView, error: Exception) -> None:
        self._show_nothing("This image cannot be shown.")
        if isinstance(error, UserError):
            self.moved_files.explain(fov, error)
        else:
            errors.report(error, parent=self)

    @Slot(object, int, int)
    def _on_image_mismatched(self, fov: FieldOfView, width: int, height: int) -> None:
        """Not shown: a click on this image would be stored as a place in the other."""
        self._show_nothing(
            f"The file of {fov.name} is another image now: {width:,} × {height:,} px"
            f" instead of {fov.width:,} × {fov.height:,} px.\nThe annotations of the former one are safe."
        )
        self.moved_files.tell_changed(fov)

    @Slot(str)
    def _show_nothing(self, placeholder: str) -> None:
        self.editor.fov = None
        self.looking.show_fov(None)
        self.suggesting.show_fov(None)
        self.editor.set_annotations(())
        self.levels.show(None, None)
        self.view.set_image(None)
        self.view.set_placeholder(placeholder)
        self.view.set_annotations((), self.classes, None)
        self.annotation_panel.model.set_annotations((), self.classes)
        self.field_panel.set_fov(None)
        self._show_counts()

    def _show_annotations(self) -> None:
        fov = self.shown_fov
        if fov is None:
            return
        annotations = self.workspace.require_project().annotations.list(fov.id)
        self.editor.set_annotations(annotations)
        self._draw_annotations(fov)

    def _draw_annotations(self, fov: FieldOfView) -> None:
        annotations = list(self.editor.annotations.values())
        self.view.set_annotations(annotations, self.classes, fov.um_per_px)
        self.annotation_panel.model.set_annotations(annotations, self.classes)
        self.annotation_panel.set_selection(self.view.selection)
        self.hiding.apply()
        self._show_counts()

    @Slot()
    def _show_counts(self) -> None:
        self.class_panel.set_counts(self.editor.counts)
        n, n_selected = len(self.editor.annotations), len(self.view.selection)
        self.annotation_section.detail.setText(f"{n_selected:,} of {n:,}" if n_selected else f"{n:,}")

    @Slot(object)
    def _on_view_selection_changed(self, ids: tuple[AnnotationId, ...]) -> None:
        self.annotation_panel.set_selection(ids)
        self._show_counts()

    # Display

    def set_snapping(self, *, snaps: bool) -> None:
        """Let new centres go to the middle of the object under the click, or stay where they are."""
        self.editor.snaps = snaps
        self.display_panel.set_snapping(snaps=snaps)

    # Field

    def write_note(self) -> None:
        """Let the user write about the shown field."""
        self.side.setVisible(True)
        self.field_section.set_folded(False)
        self.field_panel.focus_note()

    @Slot()
    def _on_class_totals_changed(self) -> None:
        self.class_panel.set_totals(self.workspace.class_totals)

    # Classes

    def choose_class(self, class_id: ClassId) -> None:
        """What a number key does: the class for the next click, and for what is selected or suggested and picked."""
        self.workspace.set_current_class(class_id)
        if self.view.picked:
            self.suggesting.take_picked(class_id)
        elif self.view.selection:
            self.editor.set_class_of_selected(class_id)

    # What others ask for

    def reveal_marks(self, fov_id: FovId, marks: tuple[Annotation, ...]) -> None:
        """Show annotations of an FOV, selected and in the middle, as soon as its image is there."""
        self.wanted.reveal(fov_id, marks)

    def remove_marks(self, fov_id: FovId, marks: tuple[Annotation, ...], text: str) -> None:
        """Remove annotations, which can be undone."""
        self.editor.do(AnnotationEdit(fov_id, before=marks), text)

    @Slot()
    def _on_files_found(self) -> None:
        self._on_current_fov_changed(self.workspace.current_fov_id)
