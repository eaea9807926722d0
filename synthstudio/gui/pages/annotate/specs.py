"""What can be done in the Annotate workspace, as data."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Protocol

from PySide6.QtWidgets import QWidget

from synthstudio.domain.records import AnnotationState, FieldOfView
from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.canvas.drafts import ToolName
from synthstudio.gui.canvas.fov_view import GROWTH
from synthstudio.gui.canvas.suggested_view import SuggestedView
from synthstudio.gui.pages.annotate.calibration_line import CalibrationLine
from synthstudio.gui.pages.annotate.class_actions import ClassActions
from synthstudio.gui.pages.annotate.editor import Editor
from synthstudio.gui.pages.annotate.field_changes import FieldChanges
from synthstudio.gui.pages.annotate.hiding import Hiding
from synthstudio.gui.pages.annotate.looking import Looking
from synthstudio.gui.pages.annotate.looking_specs import looking_actions
from synthstudio.gui.pages.annotate.mark_menu import MarkMenu
from synthstudio.gui.pages.annotate.moved_files import MovedFiles
from synthstudio.gui.pages.annotate.similar import similar_action
from synthstudio.gui.pages.annotate.suggesting import Suggesting
from synthstudio.gui.workspace import Workspace

EDIT, VIEW, CLASSES, FIELD = "Edit", "View", "Classes", "Field"
NUDGES = (("left", "Left", -1, 0), ("right", "Right", 1, 0), ("up", "Up", 0, -1), ("down", "Down", 0, 1))
FAR_PX = 10.0


class Page(Protocol):
    """What the actions need of the page."""

    workspace: Workspace
    view: SuggestedView
    editor: Editor
    suggesting: Suggesting
    calibration: CalibrationLine
    looking: Looking
    hiding: Hiding
    class_actions: ClassActions
    field_changes: FieldChanges
    mark_menu: MarkMenu
    moved_files: MovedFiles

    @property
    def side_panel(self) -> QWidget: ...
    @property
    def shown_fov(self) -> FieldOfView | None: ...
    def write_note(self) -> None: ...
    def set_snapping(self, *, snaps: bool) -> None: ...


def annotate_actions(page: Page) -> Sequence[ActionSpec]:
    """All actions of the page."""
    looking = looking_actions(page.looking, lambda: page.shown_fov is not None)
    edits = (*_edits(page), *_resizes(page), *_nudges(page))
    return (*_tools(page), *edits, *_views(page), *looking, *_classes(page), *_fields(page))


def _tools(page: Page) -> list[ActionSpec]:
    tools: tuple[tuple[ToolName, str, str, str, str], ...] = (
        ("select", "Select and move", "V", "mdi6.cursor-default-outline", "Drag over several to select them"),
        ("center", "Mark centres", "C", "mdi6.crosshairs", "Click the middle of each object"),
        ("box", "Draw boxes", "B", "mdi6.vector-square", "Drag, or click two corners"),
        ("lasso", "Select with a lasso", "L", "mdi6.lasso", "Draw a loop; Alt+drag does so while selecting"),
        ("ruler", "Measure", "M", "mdi6.ruler", "Drag a line; with Shift it is level or upright. Escape removes it"),
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
            "annotate.flag_marks",
            "Flag selected annotations",
            page.editor.flag_selected,
            "Shift+E",
            "mdi6.flag-outline",
            EDIT,
            has_selection,
            tip="For a further look; again takes the flags away",
        ),
        ActionSpec(
            "annotate.note_marks",
            "Write a note on selected annotations…",
            page.mark_menu.write_note,
            "Shift+C",
            "mdi6.note-edit-outline",
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


def _resizes(page: Page) -> list[ActionSpec]:
    def has_selection() -> bool:
        return bool(page.view.selection)

    def has_class() -> bool:
        return page.workspace.current_class_id is not None and page.shown_fov is not None

    def grow_class(factor: float) -> None:
        if page.workspace.current_class_id is not None:
            page.editor.grow_class(page.workspace.current_class_id, factor)

    sizes = (("larger", "Larger", "]", GROWTH), ("smaller", "Smaller", "[", 1 / GROWTH))
    own = [
        ActionSpec(
            f"annotate.{name}",
            f"{text} selected annotations",
            partial(page.editor.grow_selected, factor),
            key,
            menu=EDIT,
            enabled_when=has_selection,
            tip="Alt and the wheel do so for what is under the pointer",
        )
        for name, text, key, factor in sizes
    ]
    of_class = [
        ActionSpec(
            f"annotate.class_{name}",
            f"{text} mean size of the current class",
            partial(grow_class, factor),
            f"Alt+{key}",
            menu=CLASSES,
            enabled_when=has_class,
            tip="Alt, Shift and the wheel do so",
        )
        for name, text, key, factor in sizes
    ]
    convert = ActionSpec(
        "annotate.convert",
        "Turn centres into boxes, or back",
        page.editor.convert_selected,
        "K",
        "mdi6.swap-horizontal",
        EDIT,
        has_selection,
        tip="A centre becomes the box of its size, a box its middle",
    )
    snap = ActionSpec(
        "annotate.snap",
        "Snap clicks to the object",
        lambda: page.set_snapping(snaps=not page.editor.snaps),
        "S",
        "mdi6.magnet",
        EDIT,
        checked_when=lambda: page.editor.snaps,
        tip="A new centre goes to the middle of the object under it, at most half the class's size away",
    )
    return [convert, *own, *of_class, snap]


def _nudges(page: Page) -> list[ActionSpec]:
    def has_selection() -> bool:
        return bool(page.view.selection or page.view.picked)

    specs = []
    for name, key, dx, dy in NUDGES:
        for prefix, modifier, distance in (("", "", 1.0), ("far ", "Shift+", FAR_PX)):
            specs.append(
                ActionSpec(
                    f"annotate.nudge_{prefix.strip()}{name}",
                    f"Move selected {prefix}{name} by {distance:.0f} px",
                    partial(page.suggesting.nudge, dx * distance, dy * distance),
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
        page.hiding.set_marks_hidden(hidden=not page.hiding.hides_marks)

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
            "annotate.turn_left",
            "Turn the view left",
            partial(page.view.turn, -1),
            "Ctrl+[",
            "mdi6.rotate-left",
            VIEW,
            has_fov,
        ),
        ActionSpec(
            "annotate.turn_right",
            "Turn the view right",
            partial(page.view.turn, 1),
            "Ctrl+]",
            "mdi6.rotate-right",
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
            checked_when=lambda: page.hiding.hides_marks,
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
        ActionSpec(
            "annotate.calibrate",
            "Calibrate over a scale bar",
            page.calibration.start,
            "Shift+M",
            "mdi6.ruler-square",
            VIEW,
            lambda: has_fov() and page.workspace.is_writable,
            tip="Draw a line along the bar, then say how long it is",
        ),
        ActionSpec("annotate.copy_picture", "Copy the picture", page.mark_menu.copy_picture, "", "", VIEW, has_fov),
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
            partial(page.class_actions.choose_by_key, digit),
            digit,
            enabled_when=has_project,
        )
        for digit in "123456789"
    ]
    return [
        ActionSpec(
            "annotate.add_class",
            "Add class…",
            page.class_actions.add,
            "Ctrl+Shift+N",
            "mdi6.plus",
            CLASSES,
            has_project,
        ),
        ActionSpec(
            "annotate.find_class",
            "Choose a class by name…",
            page.class_actions.find,
            ("Q", "/"),
            "mdi6.tag-search-outline",
            CLASSES,
            can_edit,
        ),
        ActionSpec(
            "annotate.edit_class", "Edit class…", page.class_actions.edit, "", "mdi6.pencil-outline", CLASSES, can_edit
        ),
        ActionSpec(
            "annotate.remove_class",
            "Remove unused class",
            page.class_actions.remove,
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
        AnnotationState.REVIEWED: ("Field is reviewed", "Ctrl+Alt+4"),
    }
    note = ActionSpec(
        "annotate.note_field",
        "Write a note on the field",
        page.write_note,
        "Shift+N",
        "mdi6.note-text-outline",
        FIELD,
        lambda: page.shown_fov is not None and page.workspace.is_writable,
    )
    find_file = ActionSpec(
        "annotate.find_file",
        "Show where the image file lies…",
        page.moved_files.ask_for_current,
        "",
        "mdi6.file-search-outline",
        FIELD,
        lambda: page.workspace.current_fov_id is not None and page.workspace.is_writable,
        tip="For a file that was moved or replaced; others that moved with it are found too",
    )
    return [
        *(note, find_file, similar_action(page.workspace, page.view)),
        *[
            ActionSpec(
                f"annotate.state_{state.value}",
                text,
                partial(page.field_changes.set_state, state),
                key,
                menu=FIELD,
                enabled_when=lambda: page.shown_fov is not None,
                checked_when=lambda state=state: page.shown_fov is not None and page.shown_fov.state is state,  # type: ignore[misc]
            )
            for state, (text, key) in texts.items()
        ],
    ]
