"""What can be done with suggestions, as data."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.canvas.suggested_view import SuggestedView
from synthstudio.gui.pages.annotate.suggesting import Suggesting
from synthstudio.gui.pages.annotate.suggestion_keeper import SuggestionKeeper

SUGGESTIONS = "Suggestions"


def suggestion_actions(suggesting: Suggesting, keeper: SuggestionKeeper, view: SuggestedView) -> Sequence[ActionSpec]:
    """The actions of the suggestions on the shown field."""

    def has_any() -> bool:
        return suggesting.has_any

    def toggle() -> None:
        view.set_suggestions_visible(not view.shows_suggestions)

    onwards = "From a single one it goes on to the next; what is picked together is judged together"
    rows = (
        ("take", "Accept the suggestion", suggesting.take_picked, "T", "mdi6.check", onwards),
        ("reject", "Reject the suggestion", suggesting.reject_picked, "R", "mdi6.close", onwards),
        ("next", "Next suggestion", partial(suggesting.go, 1), "N", "mdi6.arrow-right", ""),
        ("previous", "Previous suggestion", partial(suggesting.go, -1), "P", "mdi6.arrow-left", ""),
        ("take_in_view", "Accept all suggestions in view", suggesting.take_in_view, "Shift+T", "mdi6.check-all", ""),
        ("reject_in_view", "Reject all suggestions in view", suggesting.reject_in_view, "Shift+R", "", ""),
    )
    judging = [
        ActionSpec(f"suggestions.{name}", text, callback, key, icon, SUGGESTIONS, has_any, tip=tip)
        for name, text, callback, key, icon, tip in rows
    ]
    show = ActionSpec(
        "suggestions.show",
        "Show suggestions",
        toggle,
        "U",
        "mdi6.dots-circle",
        SUGGESTIONS,
        checked_when=lambda: view.shows_suggestions,
    )
    return [*judging, show, *_searches(suggesting, keeper)]


def _searches(suggesting: Suggesting, keeper: SuggestionKeeper) -> list[ActionSpec]:
    def can_search() -> bool:
        return keeper.can_search

    not_again = "Fields that the model has searched before are left out"
    rows = (
        ("search", "Search this field for suggestions", keeper.search_shown, ""),
        ("search_listed", "Search all listed fields for suggestions", keeper.search_listed, not_again),
        (
            "search_unfinished",
            "Search all unfinished fields for suggestions",
            keeper.search_unfinished,
            f"All that are not annotated exhaustively, but those of the test split. {not_again}",
        ),
    )
    searches = [
        ActionSpec(f"suggestions.{name}", text, callback, menu=SUGGESTIONS, enabled_when=can_search, tip=tip)
        for name, text, callback, tip in rows
    ]
    reset = ActionSpec(
        "suggestions.reset",
        "Thresholds of suggestions as the training chose them",
        suggesting.reset_thresholds,
        menu=SUGGESTIONS,
        enabled_when=lambda: suggesting.facts.thresholds != suggesting.facts.tuned,
    )
    artifacts = ActionSpec(
        "suggestions.artifacts",
        "Rejected suggestions become artifacts",
        keeper.make_artifacts,
        menu=SUGGESTIONS,
        enabled_when=can_search,
        tip="Of the shown model, on all fields: what it takes for objects is what the next training must leave",
    )
    return [*searches, reset, artifacts]
