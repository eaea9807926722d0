"""Keeps the panel of suggestions in step with what is suggested and judged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from PySide6.QtCore import QObject, QTimer, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from synthstudio.domain.ids import ClassId
from synthstudio.domain.records import ObjectClass
from synthstudio.domain.suggestions import SuggestionState
from synthstudio.gui.canvas.suggested_view import SuggestedView
from synthstudio.gui.pages.annotate.hard_negatives import HardNegatives
from synthstudio.gui.pages.annotate.suggesting import Suggesting
from synthstudio.gui.pages.annotate.suggestion_panel import SuggestionPanel
from synthstudio.gui.pages.annotate.suggestion_search import SuggestionSearch
from synthstudio.gui.widgets.section import Section
from synthstudio.gui.workspace import Workspace

JUDGING = tuple(f"suggestions.{name}" for name in ("previous", "next", "take", "reject", "take_in_view"))
MORE = tuple(f"suggestions.{name}" for name in ("show", "search_listed", "search_unfinished", "reset", "artifacts"))
"""Ids of the actions that the panel offers: as buttons, and in its menu."""

GLUE = "\N{NO-BREAK SPACE}"
"""Between a number and its word, which a narrow column would part."""
NO_MODEL = "Train a classifier or a detector in the Train workspace. It then suggests what to mark here."
NOT_SEARCHED = "This model has not searched the field yet."
GUARDED = (
    "This field is annotated without suggestions, so that their influence can be measured. They are shown once it is"
    " annotated exhaustively."
)
NOTHING = "The model found nothing on this field."


class SuggestionKeeper(QObject):
    """Has the panel, in a section whose heading counts what is left, and fills it.

    Args:
        classes: Gives the classes of the project.
    """

    def __init__(
        self,
        workspace: Workspace,
        suggesting: Suggesting,
        view: SuggestedView,
        *,
        classes: Callable[[], Mapping[ClassId, ObjectClass]],
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._workspace, self._suggesting, self._view = workspace, suggesting, view
        self.panel, self._classes = SuggestionPanel(), classes
        self.section = Section("Suggestions", self.panel)
        self._had_models: bool | None = None
        self.searching = SuggestionSearch(workspace, window)
        self._hard_negatives = HardNegatives(workspace, window)
        self._count = QTimer(self)
        self._count.setSingleShot(True)
        self._count.setInterval(0)
        self._count.timeout.connect(self._show_counts)
        suggesting.facts_read.connect(self._show)
        suggesting.counts_changed.connect(self._count.start)
        self.searching.progressed.connect(self.panel.set_progress)
        self.panel.model_chosen.connect(suggesting.choose_model)
        self.panel.threshold_moved.connect(suggesting.set_threshold)
        self.panel.search_requested.connect(self.search_shown)
        self._show()

    def offer(self, actions: Iterable[QAction]) -> None:
        """Offer those of the actions that are about suggestions."""
        known = {each.objectName(): each for each in actions}
        self.panel.set_actions(*([known[name] for name in names if name in known] for names in (JUDGING, MORE)))

    # What is asked for

    @Slot()
    def search_shown(self) -> None:
        """Let the model search the shown field, also where it has done so before."""
        facts = self._suggesting.facts
        if facts.run_id is not None and facts.fov_id is not None:
            self.searching.search(facts.run_id, [facts.fov_id], again=facts.is_searched)

    def search_listed(self) -> None:
        """Let the model search all fields of the list that it has not searched."""
        if self._suggesting.facts.run_id is not None and self._workspace.fov_order:
            self.searching.search(self._suggesting.facts.run_id, self._workspace.fov_order)

    def search_unfinished(self) -> None:
        """Let the model search all fields that are not annotated completely, but those of the test split."""
        if self._suggesting.facts.run_id is not None:
            self.searching.search(self._suggesting.facts.run_id, ())

    def make_artifacts(self) -> None:
        """Annotate what was rejected of this model's suggestions as artifacts."""
        if self._suggesting.facts.run_id is not None:
            self._hard_negatives.make(self._suggesting.facts.run_id)

    @property
    def can_search(self) -> bool:
        """Whether there is a model, and a project that can be written."""
        return self._suggesting.facts.run_id is not None and self._workspace.is_writable

    # What is shown

    @Slot()
    def _show(self) -> None:
        facts, classes = self._suggesting.facts, self._classes()
        self.panel.show_models([(each.line, each.run_id) for each in facts.models], facts.run_id)
        if self._had_models is not bool(facts.models):  # before there is a model the room is better used by others
            self._had_models = bool(facts.models)
            self.section.set_folded(not facts.models)
        shown = [] if facts.is_guarded else [classes[each] for each in facts.thresholds if each in classes]
        self.panel.show_thresholds(shown, facts.thresholds)
        self._show_counts()

    @Slot()
    def _show_counts(self) -> None:
        self._count.stop()
        facts, counts = self._suggesting.facts, self._view.shown_counts()
        self.panel.show_counts(counts)
        n_shown = sum(counts.values())
        self.section.detail.setText(f"{n_shown:,}" if n_shown else "")
        can_search = self.can_search and facts.fov_id is not None
        words, more = self._words(n_shown), self._more_words(n_shown)
        self.panel.say(words, more, can_search=can_search, is_searched=facts.is_searched)

    def _words(self, n_shown: int) -> str:
        facts = self._suggesting.facts
        if not facts.models:
            return NO_MODEL
        if facts.fov_id is None:
            return ""
        if facts.is_guarded:
            return GUARDED
        if not facts.is_searched:
            return NOT_SEARCHED
        states = facts.states
        if not states.total():
            return NOTHING
        judged = (
            f"{states[SuggestionState.ACCEPTED]:,}{GLUE}accepted, {states[SuggestionState.REJECTED]:,}{GLUE}rejected"
        )
        return f"{n_shown:,} to judge, {judged}"

    def _more_words(self, n_shown: int) -> str:
        n_hidden = self._suggesting.facts.states[SuggestionState.OPEN] - n_shown
        return f"{n_hidden:,} more are below the threshold, or stand where a mark is already" if n_hidden > 0 else ""
