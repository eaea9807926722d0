"""What can be done in the Annotate workspace, as data."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Protocol

from PySide6.QtWidgets import QWidget

from synthstudio.domain.ids import ClassId
from synthstudio.domain.records import AnnotationState, FieldOfView
from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.canvas.fov_view import FovView
from synthstudio.gui.canvas.tools import ToolName
from synthstudio.gui.pages.annotate.editor import Editor
from synthstudio.gui.workspace import Workspace

EDIT, VIEW, CLASSES, FIELD = "Edit", "View", "Classes", "Field"
NUDGES = (("left", "Left", -1, 0), ("right", "Right", 1, 0), ("up", "Up", 0, -1), ("down", "Down", 0, 1))
FAR_PX = 10.0


class Page(Protocol):
    """What the actions need of the page."""

    workspace: Workspace
    view: FovView
    editor: Editor

    @property
    def side_panel(self) -> QWidget: ...
    @property
    def shown_fov(self) -> FieldOfView | None: ...
    @property
    def hides_marks(self) -> bool: ...
    def set_marks_hidden(self, *, hidden: bool) -> None: ...
    def set_state(self, state: AnnotationState) -> None: ...
    def copy_picture(self) -> None: ...
    def choose_class_by_key(self, key: str) -> None: ...
    def add_class(self) -> None: ...
    def edit_class(self, class_id: ClassId | None = None) -> None: ...
    def remove_class(self) -> None: ...


def annotate_actions(page: Page) -> Sequence[ActionSpec]:
    """All actions of the page."""
    return (*_tools(page), *_edits(page), *_nudges(page), *_views(page), *_classes(page), *_fields(page))


def _tools(page: Page) -> list[ActionSpec]:
    tools: tuple[tuple[ToolName, str, str, str, str], ...] = (
        ("select", "Select and move", "V", "mdi6.cursor-default-outline", "Drag over several to select them"),
        ("center", "Mark centres", "C", "mdi6.crosshairs", "Click the middle of each object"),
        ("box", "Draw boxes", "B", "mdi6.vector-square", "Drag from corner to corner"),
    )
    return [
        ActionSpec(
            f"annotate.{tool}",
            text,
            partial(page.view.set_tool, tool),
            key,
            icon,
            EDIT,
            checked_when=lambda tool=tool: page.view.tool == tool,  # type: ignore[misc]
            tip=tip,
        )
        for tool, text, key, icon, tip in tools
    ]


def _edits(page: Page) -> list[ActionSpec]:
    stack = page.workspace.undo_stack

    def has_selection() -> bool:
        return bool(page.view.selection)

    def has_fov() -> bool:
        return page.shown_fov is not None

    return [
        ActionSpec("annotate.undo", "Undo", stack.undo, "Ctrl+Z", "mdi6.undo", EDIT, stack.canUndo),
        ActionSpec("annotate.redo", "Redo", stack.redo, ("Ctrl+Shift+Z", "Ctrl+Y"), "mdi6.redo", EDIT, stack.canRedo),
        ActionSpec(
            "annotate.delete",
            "Delete selected annotations",
            page.editor.remove_selected,
            ("Del", "Backspace"),
            "mdi6.delete-outline",
            EDIT,
            has_selection,
        ),
        ActionSpec(
            "annotate.select_all",
            "Select all annotations",
            page.view.select_all,
            "Ctrl+A",
            "mdi6.select-all",
            EDIT,
            has_fov,
        ),
        ActionSpec(
            "annotate.select_none",
            "Select nothing",
            partial(page.view.set_selection, ()),
            "Ctrl+Shift+A",
            "",
            EDIT,
            has_selection,
        ),
    ]


def _nudges(page: Page) -> list[ActionSpec]:
    def has_selection() -> bool:
        return bool(page.view.selection)

    specs = []
    for name, key, dx, dy in NUDGES:
        for prefix, modifier, distance in (("", "", 1.0), ("far ", "Shift+", FAR_PX)):
            specs.append(
                ActionSpec(
                    f"annotate.nudge_{prefix.strip()}{name}",
                    f"Move selected {prefix}{name} by {distance:.0f} px",
                    partial(page.editor.nudge, dx * distance, dy * distance),
                    f"{modifier}{key}",
                    enabled_when=has_selection,
                    focus=page.view,
                )
            )
    return specs


def _views(page: Page) -> list[ActionSpec]:
    def has_fov() -> bool:
        return page.shown_fov is not None

    def toggle_marks() -> None:
        page.set_marks_hidden(hidden=not page.hides_marks)

    def toggle_side() -> None:
        page.side_panel.setVisible(page.side_panel.isHidden())

    return [
        ActionSpec("annotate.fit", "Fit the image", page.view.fit, "F", "mdi6.fit-to-page-outline", VIEW, has_fov),
        ActionSpec("annotate.one_to_one", "Show at 1:1", page.view.one_to_one, "Ctrl+0", "", VIEW, has_fov),
        ActionSpec(
            "annotate.zoom_in",
            "Zoom in",
            page.view.zoom_in,
            ("+", "=", "Ctrl++"),
            "mdi6.magnify-plus-outline",
            VIEW,
            has_fov,
        ),
        ActionSpec(
            "annotate.zoom_out",
            "Zoom out",
            page.view.zoom_out,
            ("-", "Ctrl+-"),
            "mdi6.magnify-minus-outline",
            VIEW,
            has_fov,
        ),
        ActionSpec(
            "annotate.hide_marks",
            "Hide annotations",
            toggle_marks,
            "H",
            "mdi6.eye-off-outline",
            VIEW,
            checked_when=lambda: page.hides_marks,
        ),
        ActionSpec(
            "annotate.side",
            "Panel of classes and annotations",
            toggle_side,
            "F10",
            "mdi6.dock-right",
            VIEW,
            checked_when=lambda: not page.side_panel.isHidden(),
        ),
        ActionSpec("annotate.copy_picture", "Copy the picture", page.copy_picture, "", "", VIEW, has_fov),
    ]


def _classes(page: Page) -> list[ActionSpec]:
    def can_edit() -> bool:
        return page.workspace.project is not None and page.workspace.current_class_id is not None

    def has_project() -> bool:
        return page.workspace.project is not None

    keys = [
        ActionSpec(
            f"annotate.class_{digit}",
            f"Class with key {digit}",
            partial(page.choose_class_by_key, digit),
            digit,
            enabled_when=has_project,
        )
        for digit in "123456789"
    ]
    return [
        ActionSpec(
            "annotate.add_class", "Add class…", page.add_class, "Ctrl+Shift+N", "mdi6.plus", CLASSES, has_project
        ),
        ActionSpec("annotate.edit_class", "Edit class…", page.edit_class, "", "mdi6.pencil-outline", CLASSES, can_edit),
        ActionSpec(
            "annotate.remove_class",
            "Remove unused class",
            page.remove_class,
            "",
            "mdi6.delete-outline",
            CLASSES,
            can_edit,
        ),
        *keys,
    ]


def _fields(page: Page) -> list[ActionSpec]:
    texts = {
        AnnotationState.NONE: ("Field is not annotated", "Ctrl+Alt+1"),
        AnnotationState.PARTIAL: ("Field is partly annotated", "Ctrl+Alt+2"),
        AnnotationState.EXHAUSTIVE: ("Field is annotated exhaustively", "Ctrl+Alt+3"),
    }
    return [
        ActionSpec(
            f"annotate.state_{state.value}",
            text,
            partial(page.set_state, state),
            key,
            menu=FIELD,
            enabled_when=lambda: page.shown_fov is not None,
            checked_when=lambda state=state: page.shown_fov is not None and page.shown_fov.state is state,  # type: ignore[misc]
        )
        for state, (text, key) in texts.items()
    ]
