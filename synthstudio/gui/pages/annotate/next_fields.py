"""Follows the ranking: which field to annotate next, and where on it to look."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QWidget

from synthstudio.domain.ids import FovId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Changes
from synthstudio.gui import errors
from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.errors import Notice, Severity
from synthstudio.gui.pages.annotate.next_panel import NextPanel
from synthstudio.gui.widgets.section import Section
from synthstudio.gui.workspace import Workspace
from synthstudio.project.field_facts import read_field_facts

if TYPE_CHECKING:
    from synthstudio.project.next_fields import NextField, NextFields

LIST_LENGTH = 30
RANK_EVERY_S = 15.0
"""A list that is no longer true is made anew no more often: each judgement changes it a little."""
ALL_DONE = "All fields that may be learned from are annotated exhaustively."
MENU = "Field"
_TOUCHES = frozenset({"suggestions", "fovs", "samples", "classes"})


class NextFieldsKeeper(QObject):
    """Ranks off the GUI thread, while the list is seen or asked for.

    A list that is no longer true is made anew when another field is shown, not under the hand that judges.

    Args:
        panel: Shows the list.
        section: The list is made while it is unfolded.
        window: Where notices and the dialog are shown.
    """

    def __init__(self, workspace: Workspace, panel: NextPanel, section: Section, window: QWidget) -> None:
        super().__init__(window)
        self._workspace, self._panel, self._section, self._window = workspace, panel, section, window
        self.found: NextFields | None = None
        self._is_ranking = self._is_stale = False
        self._n_shown_regions: dict[FovId, int] = {}
        self._visited: set[FovId] = set()
        self._ranked_at_s = 0.0
        panel.next_requested.connect(self.annotate_next)
        panel.field_chosen.connect(self.show_field)
        panel.refresh_requested.connect(self.rank)
        panel.scores_requested.connect(self.open_scores)
        section.folded_changed.connect(lambda _folded: self._rank_if_seen())
        workspace.project_changed.connect(self._on_project_changed)
        workspace.records_changed.connect(self._on_records_changed)
        workspace.current_fov_changed.connect(self._on_current_fov_changed)
        self._show()

    @property
    def fields(self) -> tuple[NextField, ...]:
        """The list."""
        return self.found.fields if self.found is not None else ()

    @property
    def can_rank(self) -> bool:
        return self._workspace.project is not None

    # What the user asks for

    def annotate_next(self) -> None:
        """Show the first field of the list that was not shown yet; make the list where there is none."""
        if not self.fields:
            self._rank(goes_on=True)
            return
        current = self._workspace.current_fov_id
        others = [each.fov.id for each in self.fields if each.fov.id != current]
        if not others:
            self._tell("This is the only field of the list that is not done.")
            return
        following = next((fov_id for fov_id in others if fov_id not in self._visited), None)
        if following is None:
            self._visited.clear()
            following = others[0]
        self.show_field(following)

    @Slot(object)
    def show_field(self, fov_id: FovId) -> None:
        """Show a field of the list; it is not shown again before the others, however the list is ranked meanwhile."""
        self._visited.add(fov_id)
        self._workspace.set_current_fov(fov_id)

    def show_next_region(self) -> None:
        """Frame the window of the shown field where a look is worth most; again, the one after it."""
        field = self._shown_field()
        if field is None or not field.regions:
            text = "This field is looked at as a whole: nothing on it stands out, or it is not in the list."
            self._tell(text)
            return
        number = self._n_shown_regions.get(field.fov.id, 0)
        self._n_shown_regions[field.fov.id] = number + 1
        region = field.regions[number % len(field.regions)]
        self._workspace.show_region(field.fov.id, region.box)

    def open_scores(self) -> None:
        """Show how good suggestions are, and the guard."""
        from synthstudio.gui.pages.annotate import suggestion_scores_dialog  # noqa: PLC0415 - loaded when it is needed

        if self._workspace.project is not None:
            suggestion_scores_dialog.SuggestionScoresDialog(self._workspace, self._window.window()).open()

    def _shown_field(self) -> NextField | None:
        current = self._workspace.current_fov_id
        return next((each for each in self.fields if each.fov.id == current), None)

    def _tell(self, text: str) -> None:
        errors.post(Notice(text, severity=Severity.INFO), parent=self._window)

    # Making the list

    @Slot()
    def rank(self) -> None:
        """Make the list, in a thread."""
        self._rank()

    def _rank(self, *, goes_on: bool = False, is_quiet: bool = False) -> None:
        project = self._workspace.project
        if project is None or self._is_ranking:
            return
        self._is_ranking, self._is_stale, self._ranked_at_s = True, False, time.monotonic()
        self._show()

        def work(tick: Tick) -> NextFields:
            # Not while the window starts: it brings in what images are described and composed with.
            from synthstudio.project.next_fields import rank_project  # noqa: PLC0415

            return rank_project(project, count=LIST_LENGTH, tick=tick)

        def adopt(found: NextFields) -> None:
            if self._workspace.project is project:
                self._adopt(found, goes_on=goes_on)

        title = "" if is_quiet else "Choosing what to annotate next"
        task = self._workspace.background.run(work, done=adopt, owner=self, title=title)
        task.ended.connect(self._on_ranking_ended)

    @Slot()
    def _on_ranking_ended(self) -> None:
        self._is_ranking = False
        self._show()

    def _adopt(self, found: NextFields, *, goes_on: bool) -> None:
        self.found = found
        self._n_shown_regions.clear()
        self._show()
        if goes_on and found.fields:
            self.annotate_next()
        elif goes_on:
            self._tell(ALL_DONE)

    def _rank_if_seen(self) -> None:
        if self._section.is_folded:
            return
        if self.found is None:
            self.rank()
        elif self._is_stale and time.monotonic() - self._ranked_at_s > RANK_EVERY_S:
            self._rank(is_quiet=True)

    def _show(self) -> None:
        self._panel.set_fields(self.fields, words=self._words())
        self._panel.set_current(self._workspace.current_fov_id)
        self._panel.set_ranking(is_ranking=self._is_ranking, can_rank=self.can_rank)
        left = self.found.n_candidates if self.found is not None else 0
        self._section.detail.setText(f"{left:,}" if left else "")
        self._section.detail.setToolTip(f"{left:,} fields are still to be annotated" if left else "")

    def _words(self) -> str:
        if self._workspace.project is None:
            return ""
        if self.found is None:
            return "Ranking the fields…" if self._is_ranking else "The fields have not been ranked yet."
        if not self.found.n_candidates:
            return ALL_DONE
        if not self.found.run_ids:
            return "No model has suggested anything yet: the list goes by what looks new."
        return f"{self.found.n_searched:,} of {self.found.n_candidates:,} open fields were searched by a model."

    # What has changed

    @Slot()
    def _on_project_changed(self) -> None:
        self.found = None
        self._visited.clear()
        self._is_stale = self._is_ranking = False
        self._show()

    @Slot(object)
    def _on_records_changed(self, told: Changes) -> None:
        if not told.kinds & _TOUCHES or self.found is None:
            return
        self._is_stale = True
        if told.kinds & {"fovs", "samples"}:
            self._drop_done()

    def _drop_done(self) -> None:
        """Take fields off the list that are annotated exhaustively, or are gone."""
        project, listed = self._workspace.project, [each.fov.id for each in self.fields]
        if project is None or not listed:
            return

        def read(_: Tick) -> frozenset[FovId]:
            facts = read_field_facts(project, listed)
            return frozenset(fov_id for fov_id, each in facts.items() if not each.state.is_complete)

        def drop(is_open: frozenset[FovId]) -> None:
            if self.found is None or self._workspace.project is not project:
                return
            gone = set(listed) - is_open
            kept = tuple(each for each in self.fields if each.fov.id not in gone)
            n_left = self.found.n_candidates - (len(self.fields) - len(kept))
            self.found = dataclasses.replace(self.found, fields=kept, n_candidates=n_left)
            self._show()

        self._workspace.background.run(read, done=drop, owner=self, priority=1)

    @Slot(object)
    def _on_current_fov_changed(self, fov_id: FovId | None) -> None:
        self._panel.set_current(fov_id)
        if fov_id is not None and self._is_stale:
            self._rank_if_seen()


def next_field_actions(keeper: NextFieldsKeeper) -> Sequence[ActionSpec]:
    """What can be done with the ranking, as data."""

    def can_rank() -> bool:
        return keeper.can_rank

    return [
        ActionSpec(
            "annotate.next_field",
            "Annotate next",
            keeper.annotate_next,
            "J",
            "mdi6.target-account",
            MENU,
            can_rank,
            tip="The field where a click is worth most, and why; every fifth one is picked by lot",
        ),
        ActionSpec(
            "annotate.next_region",
            "Look where it is most in doubt",
            keeper.show_next_region,
            "Shift+J",
            "mdi6.magnify-scan",
            MENU,
            can_rank,
            tip="Frames one window of the field after the other",
        ),
        ActionSpec(
            "annotate.suggestion_scores",
            "How good are the suggestions…",
            keeper.open_scores,
            "",
            "mdi6.scale-balance",
            MENU,
            can_rank,
            tip="Against what was annotated after them, and whether seeing them sways; sets the guard",
        ),
    ]
