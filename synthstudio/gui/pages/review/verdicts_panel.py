"""Judging the images of a set: as a grid or one by one, by keys, each verdict committed at once."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QWidget

from synthstudio.core.review.verdict_agreement import measure_agreement
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import AnnotationId, FovId, SetName
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Changes, Verdict, VerdictKind
from synthstudio.gui import errors
from synthstudio.gui.actions import trigger_action
from synthstudio.gui.pages.review.images_panel import ImagesPanel
from synthstudio.gui.pages.review.reasons_dialog import ReasonsDialog
from synthstudio.gui.pages.review.set_book import ImageLine, SetBook
from synthstudio.gui.pages.review.sources_strip import read_neighbours, read_sources
from synthstudio.gui.pages.review.verdict_command import VerdictChange, VerdictCommand, write_change
from synthstudio.gui.pages.review.verdict_desk import Shown
from synthstudio.gui.pages.review.verdict_side import VERDICT_WORDS
from synthstudio.gui.widgets.image_grid import GridImage
from synthstudio.gui.workspace import Workspace
from synthstudio.project.clock import now
from synthstudio.project.real_neighbours import RealLibrary, build_real_library
from synthstudio.project.verdict_reasons import set_reasons


class VerdictsPanel(ImagesPanel):
    """The images of a set, and what judges them."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace, parent)
        self._library: tuple[SetBook, RealLibrary | None] | None = None  # None in it: it is being read
        self.side.verdict_given.connect(self.judge)
        self.side.reason_given.connect(self.give_reason)
        self.side.edit_requested.connect(self.edit_reasons)
        self.side.sources.source_requested.connect(self._on_sources_source_requested)
        self._settler.timeout.connect(self._on_settler_timeout)
        self._comparer.timeout.connect(self._on_comparer_timeout)

    # Judging

    @property
    def judged_now(self) -> list[int]:
        """What a verdict would be about: the image that fills the view, or all that are selected."""
        return self.grid.selected[:1] if self.is_single else self.grid.selected

    @property
    def can_judge(self) -> bool:
        """Whether a verdict can be given now."""
        return self._workspace.is_writable and self.desk is not None and bool(self.grid.selected)

    @Slot(object)
    def judge(self, kind: VerdictKind) -> None:
        """Commit a verdict about the image in view, or all selected ones, and go on to the next."""
        desk, indices, name = self.desk, self.judged_now, self.sets.currentData()
        if desk is None or not indices:
            return
        seconds = (time.monotonic() - self._shown_since) / len(indices)
        given = [
            Verdict(
                SetName(name),
                index,
                kind,
                "",
                desk.reviewer,
                now(),
                seconds=round(seconds, 3),
                is_final=self._is_final,
            )
            for index in indices
        ]
        keys = self.grid.keys
        place = keys.index(indices[0]) + 1
        following = keys[place] if len(indices) == 1 and place < len(keys) else None
        if not self._commit(given, f"{VERDICT_WORDS[kind].lower()} {_count_words(len(given))}"):
            return
        self._is_moving = True
        if following is not None and following in self.grid.keys:
            self.grid.select_key(following)
        self._is_moving = False
        self._reason_for = indices
        self._shown_since = time.monotonic()
        what = f"Image {indices[0]:,}" if len(indices) == 1 else _count_words(len(indices))
        self._show_status(f"{what}: {kind}. A reason? 1 to {min(9, max(1, len(self.reasons)))}")

    @Slot(int)
    def give_reason(self, place: int) -> None:
        """Give a reason for the verdicts that were given last, or for those of the selected images."""
        desk = self.desk
        if desk is None or not 0 <= place < len(self.reasons):
            return
        indices, reason = self._reason_for or self.judged_now, self.reasons[place]
        found = [desk.find(index, is_final=self._is_final) for index in indices]
        given = [_with_reason(each, reason) for each in found if each is not None and each.reviewer == desk.reviewer]
        if given and self._commit(given, f"give {_count_words(len(given))} a reason"):
            self._reason_for = [each.index for each in given]
            self._show_status(f"{_count_words(len(given))}: {given[0].kind}, {reason}.")

    def _commit(self, given: Sequence[Verdict], words: str) -> bool:
        """Write verdicts as one step that can be undone; False where that failed, which has been told then."""
        desk = self.desk
        if desk is None:
            return False
        former = [desk.find(each.index, is_final=each.is_final) for each in given]
        change = VerdictChange(tuple(each for each in former if each is not None), tuple(given))
        try:
            project = self._workspace.require_writable_project()
            changed = write_change(project, change, is_undo=False)
        except UserError as error:
            errors.report(error, parent=self)
            return False
        self._take_over(change, changed, False)
        self._workspace.announce(changed)
        self._workspace.undo_stack.push(
            VerdictCommand(self._workspace, words, change, wrote=self._take_over, window=self)
        )
        return True

    def _take_over(self, change: VerdictChange, changed: Changes, is_undo: bool) -> None:
        """Follow what has been written without reading the set anew: the next image must be there at once."""
        new, gone = change.written(is_undo=is_undo)
        desk = self.desk
        about = {each.set_name for each in (*new, *gone)}
        if desk is None or about != {self.sets.currentData()}:
            return
        self._known_changes = changed
        desk.replace(new, gone)
        self._show_filter()
        self._is_moving = True
        if self.shown is not Shown.ALL:
            self.grid.set_keys(desk.select(self.shown), keep_place=True)
        if is_undo:
            back = next((each.index for each in (*gone, *new) if each.index in self.grid.keys), None)
            if back is not None:
                self.grid.select_key(back)
        elif self.grid.selected and self.shown is not Shown.ALL:
            self.grid.select_key(self.grid.selected[0])
        self._is_moving = False
        self._show_signs()
        self._comparer.start()

    @Slot()
    def toggle_final(self) -> None:
        """Give final verdicts from now on, or one's own ones again."""
        self._is_final = not self._is_final
        if self._is_final and self.desk is not None and self.desk.count(Shown.DISAGREED):
            self.set_shown(Shown.DISAGREED)
        self._show_filter()
        self._show_status(
            "Verdicts are final now: they settle what reviewers disagree about." if self._is_final else ""
        )
        self._settler.start()

    @property
    def can_undo(self) -> bool:
        """Whether the last thing that was done is a verdict."""
        stack = self._workspace.undo_stack
        return stack.canUndo() and isinstance(stack.command(stack.index() - 1), VerdictCommand)

    @property
    def can_redo(self) -> bool:
        """Whether the next thing that would be done again is a verdict."""
        stack = self._workspace.undo_stack
        return stack.canRedo() and isinstance(stack.command(stack.index()), VerdictCommand)

    def undo(self) -> None:
        """Take the last verdict back."""
        self._workspace.undo_stack.undo()

    def redo(self) -> None:
        """Give it again."""
        self._workspace.undo_stack.redo()

    # Reasons

    @Slot()
    def edit_reasons(self) -> None:
        """Change the list of reasons."""

        def adopt(reasons: Sequence[str]) -> None:
            self._workspace.announce(set_reasons(self._workspace.require_writable_project(), reasons))

        dialog = ReasonsDialog(self.reasons, adopt, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    # What follows

    @Slot()
    def _on_settler_timeout(self) -> None:
        """The hand rests: tell of the image that is looked at, and what it was made from."""
        book, desk, project, chosen = self.book, self.desk, self._workspace.project, self.grid.selected
        if book is None or desk is None or project is None or not chosen:
            self.side.show_line(None, (), reviewer="")
            self.side.show_sources(())
            return
        index, colors, wants_sources = chosen[0], self._colors, not self.side.source_section.is_folded
        library = self._find_library(book) if wants_sources else None
        is_open = self._shows_others or desk.find(index, is_final=True) is not None
        own = desk.find(index, is_final=False)
        verdicts = desk.verdicts_of(index) if is_open else ((own,) if own is not None else ())

        def work(_tick: Tick) -> tuple[ImageLine, list[GridImage]]:
            (line,) = book.read_lines([index])
            if not wants_sources:
                return line, []
            near = read_neighbours(library, line) if library is not None else []
            return line, [*read_sources(project, line, colors), *near]

        def done(read: tuple[ImageLine, list[GridImage]]) -> None:
            if self.grid.selected[:1] == [index] and self.book is book:
                self.side.show_line(read[0], verdicts, reviewer=desk.reviewer)
                self.side.show_sources(read[1])

        self._workspace.background.run(work, done=done, failed=lambda _error: None, owner=self, priority=-1)

    def _find_library(self, book: SetBook) -> RealLibrary | None:
        """What the generator of the set learned from; read once, which takes seconds, and shown as soon as it is."""
        project, name = self._workspace.project, book.folder.name
        if project is None or not book.is_generated:
            return None
        if self._library is not None and self._library[0] is book:
            return self._library[1]
        self._library = book, None

        def work(tick: Tick) -> RealLibrary:
            return build_real_library(project, name, tick=tick)

        def done(built: RealLibrary) -> None:
            if self.book is book:
                self._library = book, built
                self._settler.start()

        self._workspace.background.run(work, done=done, failed=lambda _error: None, owner=self, priority=-2)
        return None

    @Slot()
    def _on_comparer_timeout(self) -> None:
        desk = self.desk
        verdicts = desk.all_verdicts if desk is not None else []
        if len({each.reviewer for each in verdicts if not each.is_final}) < 2:
            self.side.show_agreement(None)
            return
        self._workspace.background.run(
            lambda _tick: measure_agreement(verdicts),
            done=lambda found: self.side.show_agreement(found) if self.desk is desk else None,
            owner=self,
            priority=-1,
        )

    @Slot(object)
    def _on_sources_source_requested(self, source: tuple[FovId, AnnotationId]) -> None:
        try:
            self._workspace.show_annotation(*source)
        except UserError as error:
            errors.report(error, parent=self)
            return
        trigger_action("go.annotate", self)


def _with_reason(verdict: Verdict, reason: str) -> Verdict:
    return dataclasses.replace(verdict, reason=reason)


def _count_words(n_images: int) -> str:
    return "1 image" if n_images == 1 else f"{n_images:,} images"
