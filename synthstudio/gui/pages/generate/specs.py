"""What can be done on the Generate page, as data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.pages.generate.compositing import CompositingView

MENU = "Generate"


def generate_specs(view: CompositingView, *, show: Callable[[], None]) -> list[ActionSpec]:
    """All actions of compositing, whose keys mean other things where another way to make images is shown.

    Args:
        view: Where they are done.
        show: Shows it in place of the other ways.
    """
    own = [replace(spec, area=view) for spec in (*_preview_specs(view), *_patch_specs(view))]
    return [*own, *_tab_specs(view, show)]


def _preview_specs(view: CompositingView) -> list[ActionSpec]:
    return [
        ActionSpec(
            "generate.write",
            "Write set",
            view.write_set,
            shortcut="Ctrl+Return",
            icon="mdi6.content-save-outline",
            menu=MENU,
            enabled_when=view.writer.button.isEnabled,
        ),
        ActionSpec(
            "generate.seed",
            "Another seed",
            view.draw_another_seed,
            shortcut="Ctrl+R",
            icon="mdi6.dice-multiple-outline",
            menu=MENU,
            enabled_when=lambda: view.loader.bank is not None,
        ),
        ActionSpec(
            "generate.images_forth",
            "Images after these",
            view.preview.go_forth,
            shortcut="]",
            icon="mdi6.chevron-right",
            menu=MENU,
            enabled_when=lambda: view.loader.bank is not None,
        ),
        ActionSpec(
            "generate.images_back",
            "Images before these",
            view.preview.go_back,
            shortcut="[",
            icon="mdi6.chevron-left",
            menu=MENU,
            enabled_when=view.preview.back.isEnabled,
        ),
        ActionSpec(
            "generate.boxes",
            "Boxes in the preview",
            view.preview.boxes.toggle,
            shortcut="B",
            icon="mdi6.vector-square",
            menu=MENU,
            checked_when=view.preview.boxes.isChecked,
        ),
        ActionSpec(
            "generate.extremes",
            "See the setting at its extremes",
            view.show_extremes,
            shortcut="Ctrl+Shift+E",
            icon="mdi6.eye-outline",
            menu=MENU,
            tip="Of the augmentation in which the keyboard is: lowest, middle and highest value",
        ),
    ]


def _tab_specs(view: CompositingView, show: Callable[[], None]) -> list[ActionSpec]:
    words = [view.tabs.tabText(number) for number in range(view.tabs.count())]

    def show_tab(number: int) -> None:
        show()
        view.tabs.setCurrentIndex(number)

    return [
        ActionSpec(
            f"generate.{word.lower()}",
            f"Show {word.lower()}",
            partial(show_tab, number),
            menu=MENU,
        )
        for number, word in enumerate(words)
    ]


def _patch_specs(view: CompositingView) -> list[ActionSpec]:
    panel, stack = view.patches, view.stack
    undo_stack = view.undo_stack

    def is_shown() -> bool:
        return stack.currentWidget() is view.tabs and view.tabs.currentWidget() is panel

    def when(condition: Callable[[], bool]) -> Callable[[], bool]:
        return lambda: is_shown() and condition()

    def has_selection() -> bool:
        return bool(panel.grid.selection.places)

    return [
        ActionSpec(
            "generate.reject",
            "Reject selected patches",
            panel.reject,
            ("Del", "Backspace"),
            "mdi6.image-off-outline",
            MENU,
            when(lambda: panel.can_judge(rejected=True)),
            tip="They stay annotated, but go into no composite",
            focus=panel.grid,
        ),
        ActionSpec(
            "generate.restore",
            "Restore selected patches",
            panel.restore,
            ("Ins", "R"),
            "mdi6.image-check-outline",
            MENU,
            when(lambda: panel.can_judge(rejected=False)),
            focus=panel.grid,
        ),
        ActionSpec(
            "generate.show_annotation",
            "Go to the annotation of the patch",
            panel.show_annotation,
            "G",
            "mdi6.target",
            MENU,
            when(has_selection),
            focus=panel.grid,
        ),
        ActionSpec(
            "generate.select_all",
            "Select all patches",
            panel.grid.select_all,
            "Ctrl+A",
            "mdi6.select-all",
            MENU,
            is_shown,
            focus=panel.grid,
        ),
        ActionSpec(
            "generate.undo", "Undo verdict", undo_stack.undo, "Ctrl+Z", "mdi6.undo", MENU, lambda: panel.can_undo
        ),
        ActionSpec(
            "generate.redo",
            "Redo verdict",
            undo_stack.redo,
            ("Ctrl+Shift+Z", "Ctrl+Y"),
            "mdi6.redo",
            MENU,
            lambda: panel.can_redo,
        ),
    ]
