"""What can be done in the map editor, as data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from synthstudio.domain.ids import ClassId
from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.pages.generate.gan.editor_pictures import EditorPictures
from synthstudio.gui.pages.generate.gan.editor_side import EditorSide
from synthstudio.gui.pages.generate.gan.map_editing import MapEditing

MENU = "Generate"
FAR_PX = 10
GROWTH = 1.1
_WAYS = (("left", "Left", -1, 0), ("right", "Right", 1, 0), ("up", "Up", 0, -1), ("down", "Down", 0, 1))
_STRETCHES = {"left": "narrower", "right": "wider", "up": "flatter", "down": "taller"}


@dataclass(frozen=True, slots=True)
class EditorParts:
    """Where the actions are done.

    Attributes:
        keep, can_keep: Adds the shown image to the set; whether it can.
    """

    editing: MapEditing
    pictures: EditorPictures
    side: EditorSide
    keep: Callable[[], None]
    can_keep: Callable[[], bool]

    def has_map(self) -> bool:
        """Whether there is a map to work on."""
        return self.editing.state is not None

    def has_selection(self) -> bool:
        """Whether any of its boxes is selected."""
        return self.editing.has_selection


def editor_specs(parts: EditorParts) -> list[ActionSpec]:
    """All actions of the editor."""
    return [*_box_specs(parts), *_way_specs(parts), *_map_specs(parts), *_image_specs(parts), *_class_specs(parts)]


def _box_specs(parts: EditorParts) -> list[ActionSpec]:
    editing, canvas = parts.editing, parts.pictures.canvas
    chosen, has_map = parts.has_selection, parts.has_map

    def toggle_over() -> None:
        canvas.draws_over = not canvas.draws_over

    return [
        ActionSpec(
            "gan.add_box", "Add a box to the map", editing.add_box, "Ins", "mdi6.plus-box-outline", MENU, has_map
        ),
        ActionSpec(
            "gan.delete_box",
            "Delete selected boxes",
            editing.remove_selected,
            ("Del", "Backspace"),
            "mdi6.delete-outline",
            MENU,
            chosen,
            focus=canvas,
        ),
        ActionSpec(
            "gan.draw_over",
            "Draw boxes over others",
            toggle_over,
            "O",
            "mdi6.vector-combine",
            MENU,
            has_map,
            checked_when=lambda: canvas.draws_over,
            tip="Alt does so while it is held",
        ),
        ActionSpec("gan.next_box", "Select the next box", partial(editing.select_next, 1), "N", "", MENU, has_map),
        ActionSpec(
            "gan.previous_box",
            "Select the previous box",
            partial(editing.select_next, -1),
            "Shift+N",
            "",
            MENU,
            has_map,
        ),
        ActionSpec("gan.all_boxes", "Select all boxes", canvas.select_all, "Ctrl+A", "", MENU, has_map),
        ActionSpec("gan.larger", "Larger selected boxes", partial(editing.grow, GROWTH), "]", "", MENU, chosen),
        ActionSpec("gan.smaller", "Smaller selected boxes", partial(editing.grow, 1 / GROWTH), "[", "", MENU, chosen),
    ]


def _way_specs(parts: EditorParts) -> list[ActionSpec]:
    """Arrows move what is selected; with Alt they move its right and lower edges."""
    editing, canvas, chosen, specs = parts.editing, parts.pictures.canvas, parts.has_selection, []
    for name, key, dx, dy in _WAYS:
        for prefix, modifier, step in (("", "", 1), ("far ", "Shift+", FAR_PX)):
            specs += [
                ActionSpec(
                    f"gan.nudge_{prefix.strip()}{name}",
                    f"Move selected boxes {prefix}{name} by {step} px",
                    partial(editing.nudge, dx * step, dy * step),
                    f"{modifier}{key}",
                    enabled_when=chosen,
                    focus=canvas,
                ),
                ActionSpec(
                    f"gan.stretch_{prefix.strip()}{name}",
                    f"Make selected boxes {_STRETCHES[name]} by {step} px",
                    partial(editing.stretch, dx * step, dy * step),
                    f"Alt+{modifier}{key}",
                    enabled_when=chosen,
                    focus=canvas,
                ),
            ]
    return specs


def _map_specs(parts: EditorParts) -> list[ActionSpec]:
    editing, side, stack, has_map = parts.editing, parts.side, parts.editing.undo_stack, parts.has_map
    return [
        ActionSpec("gan.undo", "Undo in the map editor", stack.undo, "Ctrl+Z", "mdi6.undo", MENU, stack.canUndo),
        ActionSpec(
            "gan.redo",
            "Redo in the map editor",
            stack.redo,
            ("Ctrl+Shift+Z", "Ctrl+Y"),
            "mdi6.redo",
            MENU,
            stack.canRedo,
        ),
        ActionSpec("gan.next_tone", "Next tone", partial(side.step_tone, 1), ".", "", MENU, has_map),
        ActionSpec("gan.previous_tone", "Previous tone", partial(side.step_tone, -1), ",", "", MENU, has_map),
        ActionSpec(
            "gan.seed",
            "Another seed of the noise",
            side.draw_seed,
            "Ctrl+R",
            "mdi6.dice-multiple-outline",
            MENU,
            lambda: editing.gan is not None and editing.gan.has_noise,
        ),
        ActionSpec("gan.reset_map", "Reset the map", editing.reset, "", "mdi6.restore", MENU, has_map),
        ActionSpec(
            "gan.next_crop",
            "Start from the next real crop",
            partial(side.step_crop, 1),
            "Ctrl+Right",
            "mdi6.chevron-right",
            MENU,
            side.next.isEnabled,
        ),
        ActionSpec(
            "gan.previous_crop",
            "Start from the previous real crop",
            partial(side.step_crop, -1),
            "Ctrl+Left",
            "mdi6.chevron-left",
            MENU,
            side.previous.isEnabled,
        ),
    ]


def _image_specs(parts: EditorParts) -> list[ActionSpec]:
    def has_image() -> bool:
        return parts.pictures.has_image

    return [
        ActionSpec(
            "gan.keep",
            "Add the image to the set",
            parts.keep,
            "Ctrl+Return",
            "mdi6.content-save-plus-outline",
            MENU,
            parts.can_keep,
        ),
        ActionSpec(
            "gan.boxes",
            "Boxes on the image",
            parts.pictures.boxes.toggle,
            "B",
            "mdi6.vector-square",
            MENU,
            parts.has_map,
            checked_when=parts.pictures.boxes.isChecked,
        ),
        ActionSpec(
            "gan.ground",
            "Draw boxes on something else",
            parts.pictures.show_next_ground,
            "M",
            "mdi6.image-edit-outline",
            MENU,
            parts.has_map,
            tip="A sketch, the semantic map as the networks see it, or the image itself",
        ),
        ActionSpec("gan.copy_image", "Copy the image", parts.pictures.copy_picture, "Ctrl+C", "", MENU, has_image),
        ActionSpec("gan.save_image", "Save the image…", parts.pictures.save_picture, "", "", MENU, has_image),
        ActionSpec(
            "gan.fit", "Fit the map", parts.pictures.canvas.fit, "F", "mdi6.fit-to-page-outline", MENU, parts.has_map
        ),
    ]


def _class_specs(parts: EditorParts) -> list[ActionSpec]:
    return [
        ActionSpec(
            f"gan.class_{digit}",
            f"Condition with key {digit}",
            partial(parts.editing.choose_class, ClassId(digit)),
            str(digit),
            enabled_when=lambda digit=digit: (
                parts.editing.gan is not None and ClassId(digit) in parts.editing.gan.classes
            ),  # type: ignore[misc]
        )
        for digit in range(1, 10)
    ]
