"""Random editing in the real Annotate page, compared after each step with a model in plain Python."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from synthstudio.domain.ids import AnnotationId, ClassId, FovId
from synthstudio.domain.records import Annotation, Box, changes
from synthstudio.gui.pages.annotate import AnnotatePage
from synthstudio.gui.pages.annotate.gesture import Gesture
from synthstudio.gui.workspace import Workspace
from tests.support.cell_projects import make_cell_project
from tests.support.cells import make_cells
from tests.support.editing_model import EditingModel, Everything, Mark, Marks

WIDTH, HEIGHT = 320.0, 240.0
SIZES = {1: 40.0, 2: 60.0, 3: 14.0}
PAUSE_S = 5.0
TIMEOUT_S = 20.0

across, down = st.floats(0, WIDTH - 1, width=32), st.floats(0, HEIGHT - 1, width=32)
picks = st.lists(st.integers(0, 50), min_size=1, max_size=4)
class_ids = st.sampled_from(sorted(SIZES))
ways = st.sampled_from([(1, 0), (-1, 0), (0, 1), (0, -1), (10, 0), (0, -10)])
factors = st.sampled_from([1.05, 1 / 1.05, 1.05**3, 0.2, 4.0])


class EditedPage:
    """A page on a project of its own, and a second connection that sees only what is committed."""

    def __init__(self, folder: Path) -> None:
        make_cell_project(folder, cells=make_cells(n_fovs=3)).close()
        self.workspace = Workspace(preferences_file=folder.parent / "preferences.toml")
        self.page = AnnotatePage(self.workspace)
        self.page.resize(900, 600)
        self.workspace.open_project(folder)
        database = next(folder.glob("*.sqlite"))
        self.stored = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
        self.fovs = self.workspace.fov_order

    def load_all(self) -> None:
        """Have every image decoded, so that switching takes no time."""
        for fov_id in self.fovs:
            self.workspace.set_current_fov(fov_id)
            deadline = time.monotonic() + TIMEOUT_S
            while self.shown != fov_id and time.monotonic() < deadline:
                QTest.qWait(5)
            assert self.shown == fov_id, "the image was never shown"

    @property
    def shown(self) -> FovId | None:
        return self.page.shown_fov.id if self.page.shown_fov is not None else None

    def clear(self) -> None:
        """Remove all annotations, sizes of classes and steps of undo."""
        project = self.workspace.require_project()
        for marks in project.annotations.by_fov().values():
            project.annotations.remove(marks)
        for each in project.classes.list():
            project.classes.update(replace(each, size_px=SIZES[each.id]))
        self.workspace.undo_stack.clear()
        self.workspace.announce(changes("annotations", "classes"))
        self.workspace.set_current_fov(self.fovs[0])

    def marks_in_database(self, fov_id: int) -> Marks:
        rows = self.stored.execute(
            "SELECT id, class_id, x, y, x0, y0, x1, y1, size_px FROM annotation WHERE fov_id = ?", (fov_id,)
        )
        return {
            number: Mark(class_id, x, y, (x0, y0, x1, y1) if x0 is not None else None, size)
            for number, class_id, x, y, x0, y0, x1, y1, size in rows
        }

    def sizes_in_database(self) -> dict[int, float]:
        return dict(self.stored.execute("SELECT id, size_px FROM object_class"))

    def close(self) -> None:
        self.stored.close()
        self.page.deleteLater()
        self.workspace.shut_down()


@contextmanager
def edited_page(folder: Path) -> Iterator[EditedPage]:
    """A page that is closed in the end."""
    edited = EditedPage(folder)
    try:
        edited.load_all()
        yield edited
    finally:
        edited.close()


class EditingMachine(RuleBasedStateMachine):
    """Each rule asks the page and the model for the same; the invariant compares all that can be seen."""

    def __init__(self, edited: EditedPage) -> None:
        super().__init__()
        edited.clear()
        self.edited, self.page, self.view = edited, edited.page, edited.page.view
        self.time_s = 0.0
        self.page.editor.gesture = Gesture(clock=lambda: self.time_s)
        self.n_gestures = 0
        self.last_turned: tuple[object, ...] = ()
        nothing: dict[int, Marks] = {fov_id: {} for fov_id in edited.fovs}
        self.model = EditingModel(WIDTH, HEIGHT, Everything(nothing, dict(SIZES)), edited.fovs[0])

    # Rules

    @initialize()
    def begin_with_marks(self) -> None:
        """Most sequences would else run on empty fields."""
        for place in (2, 1, 0):
            self.switch_field(place)
            for number in range(4):
                self.click_a_centre(30.0 + 70 * number, 60.5 + 50 * place, 1 + number % 3)
                self.draw_a_box(20.0 + 60 * number, 30.0 + 40 * place, 25.0, 35.5, 1 + number % 3)

    @rule(x=across, y=down, class_id=class_ids)
    def click_a_centre(self, x: float, y: float, class_id: int) -> None:
        self.edited.workspace.set_current_class(ClassId(class_id))
        self.view.center_requested.emit(x, y)
        self._expect_new(Mark(class_id, x, y, None, None))

    @rule(x=across, y=down, width=st.floats(1, 60, width=32), height=st.floats(1, 60, width=32), class_id=class_ids)
    def draw_a_box(self, x: float, y: float, width: float, height: float, class_id: int) -> None:
        self.edited.workspace.set_current_class(ClassId(class_id))
        box = Box(x, y, min(x + width, WIDTH), min(y + height, HEIGHT))
        self.view.box_requested.emit(box)
        self._expect_new(Mark(class_id, *box.center, (box.x0, box.y0, box.x1, box.y1), None))

    def _expect_new(self, mark: Mark) -> None:
        stored = self.edited.marks_in_database(self.model.fov)
        new = stored.keys() - self.model.shown.keys()
        assert len(new) == 1, f"{len(new)} annotations were added, not 1"
        self.model.change({**self.model.shown, new.pop(): mark})

    @rule(pick=picks, dx=st.integers(-40, 40), dy=st.integers(1, 40))
    def drag(self, pick: list[int], dx: int, dy: int) -> None:
        if ids := self._chosen(pick):
            way = self.model.limited(ids, float(dx), float(dy))
            if way != (0, 0):
                self.view.move_requested.emit(tuple(ids), *way)
                self.model.change(self.model.moved(ids, *way))

    @rule(pick=picks, way=ways)
    def nudge(self, pick: list[int], way: tuple[int, int]) -> None:
        if ids := self._select(pick):
            self.page.editor.nudge(float(way[0]), float(way[1]))
            limited = self.model.limited(ids, float(way[0]), float(way[1]))
            if limited != (0, 0):
                self.model.change(self.model.moved(ids, *limited), joins=("nudge", tuple(ids)))

    @rule(pick=st.integers(0, 50), x=across, y=down, width=st.floats(1, 80, width=32))
    def pull_a_grip(self, pick: int, x: float, y: float, width: float) -> None:
        boxes = sorted(number for number, mark in self.model.shown.items() if mark.box)
        if boxes:
            number, corners = boxes[pick % len(boxes)], (x, y, min(x + width, WIDTH), min(y + width, HEIGHT))
            if corners == self.model.shown[number].box:
                return
            self.view.resize_requested.emit(AnnotationId(number), Box(*corners))
            mark = self.model.shown[number]
            middle = (corners[0] + corners[2]) / 2, (corners[1] + corners[3]) / 2
            self.model.change(self.model.each([number], lambda _: mark._replace(x=middle[0], y=middle[1], box=corners)))

    @rule(pick=picks, factor=factors, rests=st.booleans())
    def turn_the_wheel(self, pick: list[int], factor: float, rests: bool) -> None:
        if ids := self._chosen(pick):
            joins = self._turn(("marks", *ids), rests=rests)
            self.view.grow_requested.emit(tuple(ids), factor)
            grown = self.model.grown(ids, factor)
            changed = tuple(number for number in ids if grown[number] != self.model.shown[number])
            self.model.change(grown, joins=(joins, changed))

    @rule(class_id=class_ids, factor=factors, rests=st.booleans())
    def turn_the_wheel_at_a_class(self, class_id: int, factor: float, rests: bool) -> None:
        joins = self._turn(("class", class_id), rests=rests)
        self.view.class_grow_requested.emit(ClassId(class_id), factor)
        size = float(f"{max(self.model.now.sizes[class_id] * factor, 1.0):.4g}")
        self.model.change_size(class_id, size, joins=joins)

    @rule(pick=picks, class_id=class_ids)
    def change_class(self, pick: list[int], class_id: int) -> None:
        if ids := self._select(pick):
            self.page.choose_class(ClassId(class_id))
            self.model.change(self.model.each(ids, lambda mark: mark._replace(class_id=class_id)))

    @rule(pick=picks)
    def convert(self, pick: list[int]) -> None:
        if ids := self._select(pick):
            self.page.editor.convert_selected()
            self.model.change(self.model.converted(ids))

    @rule(pick=picks)
    def delete(self, pick: list[int]) -> None:
        if ids := self._select(pick):
            self.page.editor.remove_selected()
            self.model.change({number: mark for number, mark in self.model.shown.items() if number not in ids})

    @rule(n=st.sampled_from([1, 1, 1, 2, 6]))
    def undo(self, n: int) -> None:
        for _ in range(n):
            self.edited.workspace.undo_stack.undo()
            self.model.undo()

    @rule(n=st.sampled_from([1, 1, 2, 6]))
    def redo(self, n: int) -> None:
        for _ in range(n):
            self.edited.workspace.undo_stack.redo()
            self.model.redo()

    @rule(place=st.integers(0, 2))
    def switch_field(self, place: int) -> None:
        self.edited.workspace.set_current_fov(self.edited.fovs[place])
        self.model.fov = self.edited.fovs[place]

    @rule(turns=st.integers(-1, 1), factor=st.floats(0.5, 2.0))
    def look_elsewhere(self, turns: int, factor: float) -> None:
        """Turning the view changes which way a nudge goes: it is turned back before the next."""
        self.view.turn(turns)
        self.view.zoom_by(factor)
        self.view.turn(-turns)
        QApplication.processEvents()

    # Help

    def _chosen(self, pick: Sequence[int]) -> list[int]:
        known = sorted(self.model.shown)
        return sorted({known[i % len(known)] for i in pick}) if known else []

    def _select(self, pick: Sequence[int]) -> list[int]:
        ids = self._chosen(pick)
        self.view.set_selection([AnnotationId(number) for number in ids])
        return ids

    def _turn(self, what: tuple[object, ...], *, rests: bool) -> tuple[object, ...]:
        """One notch of the wheel: what joins it with the notches before."""
        self.time_s += PAUSE_S if rests else 0.1
        if rests or self.last_turned != what:
            self.n_gestures += 1
        self.last_turned = what
        return ("turn", self.n_gestures, what)

    # What must hold

    @invariant()
    def page_database_and_model_agree(self) -> None:
        fov_id, stack = self.model.fov, self.edited.workspace.undo_stack
        assert self.edited.shown == fov_id
        _assert_same(self.edited.marks_in_database(fov_id), self.model.shown, "database")
        _assert_same(_as_marks(self.page.editor.annotations), self.model.shown, "editor")
        assert self.edited.sizes_in_database() == pytest.approx(self.model.now.sizes)
        assert (stack.canUndo(), stack.canRedo()) == (self.model.n_done > 0, self.model.n_done < len(self.model.steps))
        self.compare_what_is_shown()

    def compare_what_is_shown(self) -> None:
        assert self.page.annotation_panel.model.rowCount() == len(self.model.shown)
        assert self.view.selection <= self.model.shown.keys()
        assert +self.page.editor.counts == Counter(mark.class_id for mark in self.model.shown.values())
        for number, mark in self.model.shown.items():
            half = (mark.size or self.model.now.sizes[mark.class_id]) / 2
            expected = mark.box or (mark.x - half, mark.y - half, mark.x + half, mark.y + half)
            shown = self.view.box_of(AnnotationId(number))
            assert np.allclose((shown.x0, shown.y0, shown.x1, shown.y1), expected, atol=1e-6), f"mark {number}"

    def teardown(self) -> None:
        for fov_id, marks in self.model.now.marks.items():
            _assert_same(self.edited.marks_in_database(fov_id), marks, f"database, field {fov_id}")
        while self.model.n_done:
            self.undo(1)
        self.page_database_and_model_agree()
        assert not any(self.edited.marks_in_database(fov_id) for fov_id in self.edited.fovs)


def _as_marks(annotations: dict[AnnotationId, Annotation]) -> Marks:
    def corners(box: Box | None) -> tuple[float, float, float, float] | None:
        return (box.x0, box.y0, box.x1, box.y1) if box is not None else None

    return {
        each.id: Mark(each.class_id, each.x, each.y, corners(each.box), each.size_px) for each in annotations.values()
    }


def _assert_same(found: Marks, expected: Marks, where: str) -> None:
    assert found.keys() == expected.keys(), where
    for number, mark in expected.items():
        other = found[number]
        assert (other.class_id, other.box is None, other.size is None) == (
            mark.class_id,
            mark.box is None,
            mark.size is None,
        ), f"{where}: mark {number}"
        pairs = [(other.x, mark.x), (other.y, mark.y), (other.size or 0.0, mark.size or 0.0)]
        pairs += list(zip(other.box or (), mark.box or (), strict=True))
        assert all(abs(a - b) < 1e-6 for a, b in pairs), f"{where}: mark {number} is {other}, not {mark}"


def run_random_edits(edited: EditedPage, *, n_sequences: int, n_steps: int, shortens: bool = True) -> None:
    """Raises AssertionError, `shortens`: with the shortest sequence that shows it, where anything diverges."""
    run_state_machine_as_test(
        lambda: EditingMachine(edited),
        settings=settings(
            max_examples=n_sequences,
            stateful_step_count=n_steps,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink) if shortens else (Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )
