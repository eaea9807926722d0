"""Shows what a model suggests on the field in view, and judges it: stored at once, and to be undone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtWidgets import QWidget

from synthstudio.domain.ids import ClassId, FovId, RunId, SuggestionId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Annotation, Changes
from synthstudio.gui import errors
from synthstudio.gui.background import Task
from synthstudio.gui.canvas.suggested_view import SuggestedView
from synthstudio.gui.errors import Notice, Severity
from synthstudio.gui.pages.annotate.editor import Editor
from synthstudio.gui.pages.annotate.edits import UNKNOWN_YET, AnnotationEdit, Judgement
from synthstudio.gui.pages.annotate.suggestion_facts import SuggestionFacts, read_suggestions
from synthstudio.gui.workspace import Workspace
from synthstudio.project.clock import now

REREAD_MS = 150
"""A search tells of every FOV; what is shown is read once for several of them."""
STORED_AFTER_MS = 400
"""A hand that rests longer on a slider has chosen the threshold."""


class Suggesting(QObject):
    """The suggestions of one model on one FOV.

    Attributes:
        facts: What is shown, as last read; its counts of states follow what is judged.

    Signals:
        facts_read: `facts` were read anew.
        counts_changed: Others are drawn, or some were judged.
        actions_outdated: Other actions are possible now.
    """

    facts_read = Signal()
    counts_changed = Signal()
    actions_outdated = Signal()

    def __init__(self, workspace: Workspace, view: SuggestedView, editor: Editor, window: QWidget) -> None:
        super().__init__(window)
        self._workspace, self._view, self._editor, self._window = workspace, view, editor, window
        self.facts = SuggestionFacts()
        self._fov_id: FovId | None = None
        self._chosen_run: RunId | None = None
        self._here: SuggestionId | None = None
        self._age = 0
        self._is_announcing = False
        self._reading: Task | None = None
        self._could = (False, False, False, False)
        self._moved_thresholds: dict[ClassId, float] = {}
        self._reread = self._timer(REREAD_MS, self.read)
        self._tell = self._timer(0, self._tell_actions)
        self._store = self._timer(STORED_AFTER_MS, self.store_thresholds)
        view.take_requested.connect(self._on_take_requested)
        view.picked_changed.connect(self._on_picked_changed)
        view.shown_changed.connect(self._on_shown_changed)
        editor.judged.connect(self._on_judged)
        workspace.records_changed.connect(self._on_records_changed)

    def _timer(self, interval_ms: int, slot: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(interval_ms)
        timer.timeout.connect(slot)
        return timer

    # What is shown

    def show_fov(self, fov_id: FovId | None) -> None:
        """Show what is suggested on this FOV, as soon as it is read."""
        self.store_thresholds()
        self._fov_id, self._here = fov_id, None
        self.read()

    def forget(self) -> None:
        """Another project is open."""
        self._store.stop()
        self._moved_thresholds.clear()
        self._chosen_run = self._fov_id = None

    def choose_model(self, run_id: RunId) -> None:
        """Show what this model suggests."""
        self.store_thresholds()
        self._chosen_run = run_id
        self.read()

    def read(self) -> None:
        """Read anew what is suggested on the FOV."""
        self._reread.stop()
        self._age += 1
        project, fov_id, wanted = self._workspace.project, self._fov_id, self._chosen_run
        if project is None:
            self._show(self._age, SuggestionFacts())
            return

        def work(tick: Tick) -> SuggestionFacts:
            return read_suggestions(project, fov_id, wanted, tick)

        if self._reading is not None:
            self._reading.cancel()
        self._reading = self._workspace.background.run(work, done=partial(self._show, self._age), owner=self)

    def _show(self, age: int, facts: SuggestionFacts) -> None:
        if age != self._age:
            return  # it was wanted anew since
        self._reading = None
        is_same = facts.fov_id == self.facts.fov_id and facts.run_id == self.facts.run_id
        self.facts = facts
        if not is_same:
            self._view.set_picked(())
        self._view.set_suggestions(facts.table)
        self.facts_read.emit()

    @Slot(object)
    def _on_records_changed(self, told: Changes) -> None:
        is_own = self._editor.is_announcing or self._is_announcing
        if is_own or not told.kinds & {"suggestions", "classes", "runs", "fovs"}:
            return
        touches = "suggestions" not in told.kinds or not told.fov_ids or self._fov_id in told.fov_ids
        if touches:
            self._reread.start()

    # Thresholds

    def set_threshold(self, class_id: ClassId, value: float) -> None:
        """Show from another score on: at once, and stored when the hand rests."""
        self.facts.thresholds[class_id] = self._moved_thresholds[class_id] = value
        self._view.set_thresholds(self.facts.thresholds)
        self._store.start()

    def reset_thresholds(self) -> None:
        """Go back to the thresholds that the training chose."""
        for class_id, value in self.facts.tuned.items():
            self.set_threshold(class_id, value)
        self.facts_read.emit()

    @Slot()
    def store_thresholds(self) -> None:
        """Keep the thresholds that were moved."""
        self._store.stop()
        moved, run_id = dict(self._moved_thresholds), self.facts.run_id
        self._moved_thresholds.clear()
        if not moved or run_id is None or not self._workspace.is_writable:
            return
        suggestions = self._workspace.require_project().suggestions
        told = Changes(frozenset())
        for class_id, value in moved.items():
            told |= suggestions.set_threshold(run_id, class_id, value)
        self._is_announcing = True  # what is shown is in step already
        try:
            self._workspace.announce(told)
        finally:
            self._is_announcing = False

    # Going from one to the next

    @property
    def has_any(self) -> bool:
        return self._view.n_suggestions > 0 and self._view.shows_suggestions

    def go(self, step: int) -> None:
        """Pick the next suggestion (1) or the one before (-1), and bring it into view."""
        found = self._view.step_from(self._here, step)
        if found is None:
            hint = "Lower the threshold, or go on with the next field."
            errors.post(Notice("No suggestion is left on this field.", hint, Severity.INFO), parent=self._window)
            return
        self._view.set_selection(())
        self._view.set_picked([found])
        self._view.reveal_suggestion(found)

    @Slot(object)
    def _on_picked_changed(self, ids: tuple[SuggestionId, ...]) -> None:
        if len(ids) == 1:
            self._here = ids[0]
        self._tell.start()

    @Slot()
    def _on_shown_changed(self) -> None:
        self._tell.start()
        self.counts_changed.emit()

    @Slot()
    def _tell_actions(self) -> None:
        """Only where they change, and once an event: asking every action anew would be felt at each key."""
        is_moved, has_model = self.facts.thresholds != self.facts.tuned, self.facts.run_id is not None
        can = (self.has_any, bool(self._view.picked), is_moved, has_model)
        if can != self._could:
            self._could = can
            self.actions_outdated.emit()

    # Judging

    def take_picked(self, class_id: ClassId | None = None) -> None:
        """Accept what is picked, as another class where one is given; from a single one go on to the next."""
        self._judge_and_go_on(lambda ids: self._take(ids, class_id=class_id))

    def reject_picked(self) -> None:
        """Say that there is no such object; from a single one go on to the next."""
        self._judge_and_go_on(self._reject)

    def _judge_and_go_on(self, judge: Callable[[Collection[SuggestionId]], bool]) -> None:
        picked = self._view.picked
        if not picked or (judge(picked) and len(picked) == 1 and self._view.step_from(self._here, 1) is not None):
            self.go(1)

    def take_in_view(self) -> None:
        """Accept all that are drawn in view."""
        self._take(self._view.suggestions_in_view())

    def reject_in_view(self) -> None:
        """Reject all that are drawn in view."""
        self._reject(self._view.suggestions_in_view())

    def nudge(self, dx: float, dy: float) -> None:
        """Move what is selected along the screen by image px; what is picked is accepted, there."""
        if not self._view.picked:
            self._editor.nudge(dx, dy)
            return
        self._take(self._view.picked, shift=self._view.limited_shift(*self._view.viewport.unturned(dx, dy)), holds=True)

    @Slot(object, float, float)
    def _on_take_requested(self, ids: tuple[SuggestionId, ...], dx: float, dy: float) -> None:
        is_drag = bool(dx or dy)
        # A click of the centre tool says of what class it is, here as everywhere.
        class_id = None if is_drag or self._view.tool != "center" else self._workspace.current_class_id
        self._take(ids, class_id=class_id, shift=(dx, dy), holds=is_drag)

    def _take(
        self,
        ids: Collection[SuggestionId],
        *,
        class_id: ClassId | None = None,
        shift: tuple[float, float] = (0.0, 0.0),
        holds: bool = False,
    ) -> bool:
        """Accept; `holds` selects the annotations, so that the next key moves them on. False where it failed."""
        author, moment = self._workspace.preferences.author_name, now()
        chosen = [self._view.suggestion(each) for each in sorted(ids)]
        new = tuple(each.to_annotation(class_id=class_id, author=author).moved(*shift) for each in chosen)
        judged = [Judgement(each, each.accepted(UNKNOWN_YET, by=author, at=moment)) for each in chosen]
        done = self._judge(judged, new, "accept")
        if done is not None and holds:
            self._view.set_selection([each.id for each in done.after])
        return done is not None

    def _reject(self, ids: Collection[SuggestionId]) -> bool:
        author, moment = self._workspace.preferences.author_name, now()
        chosen = [self._view.suggestion(each) for each in sorted(ids)]
        judged = [Judgement(each, each.rejected(by=author, at=moment)) for each in chosen]
        return self._judge(judged, (), "reject") is not None

    def _judge(self, judged: Sequence[Judgement], new: tuple[Annotation, ...], verb: str) -> AnnotationEdit | None:
        if not judged:
            return None
        edit = AnnotationEdit(judged[0].before.fov_id, after=new, judged=tuple(judged))
        text = f"{verb} suggestion" if len(judged) == 1 else f"{verb} {len(judged)} suggestions"
        return self._editor.do(edit, text)

    @Slot(object)
    def _on_judged(self, judged: Sequence[Judgement]) -> None:
        """Show what was judged no longer, and what was opened again picked: it is to be judged anew."""
        own = [each for each in judged if each.before.run_id == self.facts.run_id]
        self.facts.states.subtract(each.before.state for each in own)
        self.facts.states.update(each.after.state for each in own)
        self._view.remove_suggestions([each.after.id for each in own if not each.after.is_open])
        opened = [each.after for each in own if each.after.is_open]
        if opened and not self.facts.is_guarded:
            self._view.add_suggestions(opened)
            self._view.set_picked([each.id for each in opened])
            if len(opened) == 1:
                self._view.reveal_suggestion(opened[0].id)
        self.counts_changed.emit()
        if self._reading is not None:  # what comes was read before the judgement
            self.read()
