"""What can be done while images are judged, as data."""

from __future__ import annotations

from functools import partial

from synthstudio.domain.records import VerdictKind
from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.pages.review.images_panel import SHOWN_WORDS
from synthstudio.gui.pages.review.verdict_side import KEYS, MAX_KEYED, VERDICT_WORDS
from synthstudio.gui.pages.review.verdicts_panel import VerdictsPanel

MENU = "Review"
ICONS = {
    VerdictKind.ACCEPTED: "mdi6.check-circle-outline",
    VerdictKind.REJECTED: "mdi6.close-box-outline",
    VerdictKind.UNSURE: "mdi6.help-rhombus-outline",
}


def verdict_specs(panel: VerdictsPanel) -> list[ActionSpec]:
    """All actions of the verdicts."""
    return [*_judging_specs(panel), *_looking_specs(panel), *_filter_specs(panel)]


def _judging_specs(panel: VerdictsPanel) -> list[ActionSpec]:
    verdicts = [
        ActionSpec(
            f"review.{kind}",
            f"{VERDICT_WORDS[kind]} image" if kind is not VerdictKind.UNSURE else "Unsure about image",
            partial(panel.judge, kind),
            shortcut=KEYS[kind],
            icon=ICONS[kind],
            menu=MENU,
            enabled_when=lambda: panel.can_judge,
            tip="The image in view, or all that are selected",
        )
        for kind in VERDICT_WORDS
    ]
    reasons = [
        ActionSpec(
            f"review.reason_{place + 1}",
            f"Give reason {place + 1}",
            partial(panel.give_reason, place),
            shortcut=f"{place + 1}",
            enabled_when=partial(_has_reason, panel, place),
            tip="Of the verdict given last, or of those of the selected images",
        )
        for place in range(MAX_KEYED)
    ]
    return [
        *verdicts,
        *reasons,
        ActionSpec(
            "review.reasons",
            "Edit reasons…",
            panel.edit_reasons,
            icon="mdi6.format-list-bulleted",
            menu=MENU,
            enabled_when=lambda: panel.desk is not None,
        ),
        ActionSpec(
            "review.undo",
            "Undo verdict",
            panel.undo,
            "Ctrl+Z",
            "mdi6.undo",
            MENU,
            lambda: panel.can_undo,
        ),
        ActionSpec(
            "review.redo",
            "Redo verdict",
            panel.redo,
            ("Ctrl+Shift+Z", "Ctrl+Y"),
            "mdi6.redo",
            MENU,
            lambda: panel.can_redo,
        ),
        ActionSpec(
            "review.settle",
            "Settle disagreements",
            panel.toggle_final,
            shortcut="J",
            icon="mdi6.gavel",
            menu=MENU,
            enabled_when=lambda: panel.desk is not None,
            checked_when=lambda: panel.is_final,
            tip="Verdicts are final while this is on, whatever reviewers have said",
        ),
    ]


def _has_reason(panel: VerdictsPanel, place: int) -> bool:
    return panel.can_judge and place < len(panel.reasons)


def _looking_specs(panel: VerdictsPanel) -> list[ActionSpec]:
    def has_set() -> bool:
        return panel.desk is not None

    return [
        ActionSpec(
            "review.next_undecided", "Next undecided image", panel.go_to_undecided, "N", "mdi6.skip-next", MENU, has_set
        ),
        ActionSpec(
            "review.single",
            "One image at a time",
            panel.toggle_single,
            shortcut="G",
            icon="mdi6.fit-to-screen-outline",
            menu=MENU,
            enabled_when=has_set,
            checked_when=lambda: panel.is_single,
        ),
        ActionSpec(
            "review.boxes",
            "Boxes of the images",
            panel.boxes.toggle,
            shortcut="B",
            icon="mdi6.vector-square",
            menu=MENU,
            checked_when=panel.boxes.isChecked,
        ),
        ActionSpec(
            "review.select_all",
            "Select all images",
            panel.grid.select_all,
            shortcut="Ctrl+A",
            menu=MENU,
            enabled_when=lambda: has_set() and not panel.is_single,
        ),
    ]


def _filter_specs(panel: VerdictsPanel) -> list[ActionSpec]:
    return [
        ActionSpec(
            f"review.show_{shown}",
            f"Show {words.lower()} images",
            partial(panel.set_shown, shown),
            shortcut=f"Ctrl+Alt+{place + 1}",
            menu=MENU,
            enabled_when=lambda: panel.desk is not None,
            checked_when=partial(_is_shown, panel, shown.value),
        )
        for place, (shown, words) in enumerate(SHOWN_WORDS.items())
    ]


def _is_shown(panel: VerdictsPanel, shown: str) -> bool:
    return panel.shown.value == shown
