"""The map editor: the image follows the hand, and what is kept can be taken back."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import ClassId, RunId
from synthstudio.domain.records import Box, Generator
from synthstudio.gui.actions import ActionRegistry
from synthstudio.gui.pages.generate import GeneratePage
from synthstudio.gui.pages.generate.gan import editor_panel
from synthstudio.gui.pages.generate.gan.editor_panel import MapEditorPanel
from synthstudio.gui.pages.generate.gan.map_state import MapState
from synthstudio.gui.widgets.icons import themed_icon
from synthstudio.gui.workspace import Workspace
from tests.support.skin_study import build_skin_study
from tests.support.trained_gans import add_trained_gan
from tests.support.windows import TIMEOUT_MS, open_window

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(scope="module")
def studied(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunId, RunId]:
    """A project with a GAN that takes noise, and one that takes none."""
    project = build_skin_study(tmp_path_factory.mktemp("editor") / "study", n_train=4, n_val=1, n_test=1)
    runs = add_trained_gan(project, noise=4), add_trained_gan(project)
    project.close()
    return project.folder, *runs


@pytest.fixture(scope="module")
def workspace(
    qapp: QApplication, studied: tuple[Path, RunId, RunId], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workspace]:
    """One for all tests, and with it one engine."""
    made = Workspace(preferences_file=tmp_path_factory.mktemp("private") / "preferences.toml")
    made.open_project(studied[0])
    yield made
    made.shut_down()


@pytest.fixture
def panel(qtbot: QtBot, workspace: Workspace, studied: tuple[Path, RunId, RunId]) -> MapEditorPanel:
    made = MapEditorPanel(workspace)
    qtbot.addWidget(made)
    registry = ActionRegistry(themed_icon, made)
    registry.add(made.actions(), owner=made)
    made.actions_outdated.connect(registry.refresh)
    made.resize(1100, 600)
    made.set_run(workspace.require_project().runs.get(studied[1]))
    made.show()
    qtbot.waitUntil(lambda: is_followed(made), timeout=TIMEOUT_MS)
    made.pictures.canvas.setFocus()
    return made


def is_followed(panel: MapEditorPanel) -> bool:
    """Whether the image is that of the map as it stands."""
    gan, state, shown = panel.editing.gan, panel.editing.present_state(), panel.following.shown
    return (
        gan is not None
        and state is not None
        and shown is not None
        and shown.wish.request == state.request(gan.names)
        and shown.wish.seed == (state.seed if gan.has_noise else 0)
    )


def wait_for_image(qtbot: QtBot, panel: MapEditorPanel) -> np.ndarray:
    qtbot.waitUntil(lambda: is_followed(panel), timeout=TIMEOUT_MS)
    assert panel.following.shown is not None
    return panel.following.shown.image


def at(panel: MapEditorPanel, x: float, y: float) -> QPoint:
    place: QPointF = panel.pictures.canvas.image_to_widget(x, y)
    return place.toPoint()


def drag(panel: MapEditorPanel, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag with the real mouse and stay where it ends, with the button down."""
    canvas = panel.pictures.canvas
    QTest.mousePress(canvas, LEFT, pos=at(panel, *start))
    for share in (0.25, 0.5, 0.75, 1.0):
        x, y = (first + share * (last - first) for first, last in zip(start, end, strict=True))
        QTest.mouseMove(canvas, at(panel, x, y))


def drop(panel: MapEditorPanel, end: tuple[float, float]) -> None:
    QTest.mouseRelease(panel.pictures.canvas, LEFT, pos=at(panel, *end))


def state_of(panel: MapEditorPanel) -> MapState:
    assert panel.editing.state is not None
    return panel.editing.state


def boxes_of(panel: MapEditorPanel) -> list[Box | None]:
    return [each.box for each in state_of(panel).boxes]


def ground_of(panel: MapEditorPanel) -> np.ndarray:
    ground = panel.pictures.canvas._ground
    assert ground is not None
    stored = np.frombuffer(ground.constBits(), np.uint8).reshape(ground.height(), ground.width(), 4)
    return stored[..., 2::-1].copy()


def press(panel: MapEditorPanel, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(panel.pictures.canvas, key, modifier)


def test_that_the_image_follows_a_box_while_it_is_dragged(qtbot: QtBot, panel: MapEditorPanel) -> None:
    before, box = wait_for_image(qtbot, panel), boxes_of(panel)[0]
    assert box is not None
    drag(panel, (32, 32), (42, 26))
    during = wait_for_image(qtbot, panel)  # the button is still down
    moved = panel.editing.present_state()
    assert moved is not None
    assert moved.boxes[0].box == box.moved(10, -6)
    assert boxes_of(panel) == [box]
    assert not np.array_equal(during, before)
    drop(panel, (42, 26))
    assert boxes_of(panel) == [box.moved(10, -6)]
    assert np.array_equal(wait_for_image(qtbot, panel), during)
    assert panel.pictures.latency.text().endswith(" ms")
    press(panel, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert boxes_of(panel) == [box]
    assert np.array_equal(wait_for_image(qtbot, panel), before)
    press(panel, Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    assert boxes_of(panel) == [box.moved(10, -6)]


def test_that_escape_takes_a_drag_back_and_the_image_with_it(qtbot: QtBot, panel: MapEditorPanel) -> None:
    before, boxes = wait_for_image(qtbot, panel), boxes_of(panel)
    drag(panel, (32, 32), (22, 40))
    assert not np.array_equal(wait_for_image(qtbot, panel), before)
    press(panel, Qt.Key.Key_Escape)
    assert np.array_equal(wait_for_image(qtbot, panel), before)
    drop(panel, (22, 40))
    assert boxes_of(panel) == boxes
    assert not panel.editing.undo_stack.canUndo()


def test_that_a_crop_whose_image_is_gone_is_told_and_the_map_stays(
    qtbot: QtBot, panel: MapEditorPanel, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Exception] = []

    def report(error: Exception, **_: object) -> None:
        told.append(error)

    def read(*_: object) -> Iterator[object]:
        raise UserError("The image is gone.", "Find it again.")

    monkeypatch.setattr(editor_panel, "report", report)
    monkeypatch.setattr(editor_panel, "read_region_crops", read)
    before = state_of(panel)
    QTest.mouseClick(panel.side.next, LEFT)
    qtbot.waitUntil(lambda: bool(told), timeout=TIMEOUT_MS)
    assert state_of(panel) == before
    assert panel.side.start is None
    assert panel.side.fields.currentIndex() == 0


def test_that_boxes_are_drawn_resized_and_deleted_by_hand(qtbot: QtBot, panel: MapEditorPanel) -> None:
    drag(panel, (4, 4), (15, 17))
    drop(panel, (15, 17))
    assert boxes_of(panel)[1] == Box(4, 4, 15, 17)
    assert panel.pictures.canvas.selection == {state_of(panel).ids[1]}
    drag(panel, (15, 17), (12, 12))  # by the grip of its corner
    drop(panel, (12, 12))
    assert boxes_of(panel)[1] == Box(4, 4, 12, 12)
    wait_for_image(qtbot, panel)
    press(panel, Qt.Key.Key_Delete)
    assert len(boxes_of(panel)) == 1
    for _ in range(3):
        press(panel, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert len(boxes_of(panel)) == 1
    assert not panel.editing.undo_stack.canUndo()


def test_that_a_box_is_drawn_over_another_while_alt_is_held(qtbot: QtBot, panel: MapEditorPanel) -> None:
    canvas, alt = panel.pictures.canvas, Qt.KeyboardModifier.AltModifier
    QTest.mousePress(canvas, LEFT, alt, at(panel, 25, 25))
    for x in (28, 32, 36):
        QTest.mouseMove(canvas, at(panel, x, 36))
    QTest.mouseRelease(canvas, LEFT, alt, at(panel, 36, 36))
    assert boxes_of(panel)[1] == Box(25, 25, 36, 36)
    assert len(boxes_of(panel)) == 2
    wait_for_image(qtbot, panel)


def test_that_the_map_is_edited_by_keys_alone(qtbot: QtBot, panel: MapEditorPanel) -> None:
    press(panel, Qt.Key.Key_Insert)
    assert len(boxes_of(panel)) == 2
    first = boxes_of(panel)[1]
    assert first is not None
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Up):
        press(panel, key)
    assert boxes_of(panel)[1] == first.moved(2, -1)
    press(panel, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    assert boxes_of(panel)[1] == Box(first.x0 + 2, first.y0 - 1, first.x1 + 3, first.y1 - 1)
    press(panel, Qt.Key.Key_2)
    assert [each.class_id for each in state_of(panel).boxes] == [ClassId(1), ClassId(2)]
    assert panel.side.classes.currentData() == 2
    press(panel, Qt.Key.Key_N)
    assert panel.pictures.canvas.selection == {state_of(panel).ids[0]}
    assert panel.side.classes.currentData() == 1
    before = state_of(panel).tone
    press(panel, Qt.Key.Key_Period)
    assert state_of(panel).tone == before + 1
    assert panel.side.tone_name.text() == "V"
    wait_for_image(qtbot, panel)
    while panel.editing.undo_stack.canUndo():
        press(panel, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert state_of(panel) == panel.editing.start


def test_that_the_tone_slider_and_the_seed_change_the_image(qtbot: QtBot, panel: MapEditorPanel) -> None:
    first = wait_for_image(qtbot, panel)
    QTest.keyClick(panel.side.tone, Qt.Key.Key_Right)
    second = wait_for_image(qtbot, panel)
    assert not np.array_equal(first, second)
    assert panel.following.shown is not None
    assert panel.following.shown.wish.request.tone == state_of(panel).tone == 5
    panel.side.seed.setValue(77)
    third = wait_for_image(qtbot, panel)
    assert not np.array_equal(second, third)
    QTest.mouseClick(panel.side.dice, LEFT)
    wait_for_image(qtbot, panel)
    QTest.mouseClick(panel.side.reset, LEFT)
    assert np.array_equal(wait_for_image(qtbot, panel), first)


def test_that_a_gan_without_noise_says_why_there_is_no_seed(
    qtbot: QtBot, panel: MapEditorPanel, workspace: Workspace, studied: tuple[Path, RunId, RunId]
) -> None:
    panel.set_run(workspace.require_project().runs.get(studied[2]))
    qtbot.waitUntil(lambda: is_followed(panel), timeout=TIMEOUT_MS)
    assert not panel.side.seed.isEnabled()
    assert not panel.side.dice.isEnabled()
    assert panel.side.seed_note.isVisible()
    assert "without noise" in panel.side.seed_note.text()


def test_that_a_real_crop_is_started_from_and_shown_beside(qtbot: QtBot, panel: MapEditorPanel) -> None:
    assert panel.side.place.text().startswith("any of")
    QTest.mouseClick(panel.side.next, LEFT)
    qtbot.waitUntil(panel.pictures.real_side.isVisible, timeout=TIMEOUT_MS)
    planned = panel.side.start
    assert planned is not None
    assert panel.editing.gan is not None
    assert state_of(panel).request(panel.editing.gan.names).tone == planned.request.tone
    assert len(boxes_of(panel)) == len(planned.request.regions)
    assert planned.fov_name in panel.pictures.real_name.text()
    assert panel.side.place.text().startswith("Crop 1 of")
    start = wait_for_image(qtbot, panel)
    panel.editing.select_next(1)
    press(panel, Qt.Key.Key_Delete)
    wait_for_image(qtbot, panel)
    QTest.mouseClick(panel.side.reset, LEFT)
    assert np.array_equal(wait_for_image(qtbot, panel), start)
    panel.side.fields.setCurrentIndex(0)
    panel.side.fields.activated.emit(0)
    assert not panel.pictures.real_side.isVisible()
    assert len(boxes_of(panel)) == 1


def test_that_a_kept_image_is_in_its_set_with_its_boxes_and_undo_takes_it_out(
    qtbot: QtBot, panel: MapEditorPanel, workspace: Workspace
) -> None:
    sets = workspace.require_project().sets
    wait_for_image(qtbot, panel)
    QTest.mouseClick(panel.side.keep, LEFT)
    qtbot.waitUntil(panel.editing.undo_stack.canUndo, timeout=TIMEOUT_MS)
    known = sets.find("kept")
    assert known is not None
    assert (known.generator, known.n_images) == (Generator.GAN, 1)
    assert panel.side.set_note.text() == "1 image in it."
    press(panel, Qt.Key.Key_Right)  # nothing is selected: the map stays
    press(panel, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: panel.editing.undo_stack.count() == 2, timeout=TIMEOUT_MS)
    assert sets.get("kept").n_images == 2
    press(panel, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert sets.get("kept").n_images == 1
    press(panel, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert sets.find("kept") is None
    press(panel, Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    assert sets.get("kept").n_images == 1


def test_that_an_image_of_former_weights_is_not_kept_and_drawn_anew(
    qtbot: QtBot, panel: MapEditorPanel, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Exception] = []

    def report(error: Exception, **_: object) -> None:
        told.append(error)

    monkeypatch.setattr(editor_panel, "report", report)
    former = panel.following.shown
    assert former is not None
    card = workspace.require_project().run_folder(former.wish.run_id) / "gan.json"
    os.utime(card, ns=(1, 1))  # as after a further step of the training
    panel.side.set_name.setText("former")
    QTest.mouseClick(panel.side.keep, LEFT)
    qtbot.waitUntil(lambda: bool(told), timeout=TIMEOUT_MS)
    assert "trained further" in str(told[0])
    assert workspace.require_project().sets.find("former") is None
    qtbot.waitUntil(lambda: panel.following.shown not in (None, former), timeout=TIMEOUT_MS)
    QTest.mouseClick(panel.side.keep, LEFT)
    qtbot.waitUntil(panel.editing.undo_stack.canUndo, timeout=TIMEOUT_MS)
    assert workspace.require_project().sets.get("former").n_images == 1


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_that_a_killed_engine_is_told_below_the_pictures_and_the_next_change_draws_again(
    qtbot: QtBot, panel: MapEditorPanel, workspace: Workspace
) -> None:
    wait_for_image(qtbot, panel)
    pid = workspace.drawing.engine_pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    panel.side.seed.setValue(5)
    qtbot.waitUntil(lambda: workspace.drawing.is_busy, timeout=TIMEOUT_MS)
    qtbot.wait(0)
    os.kill(pid, signal.SIGKILL)

    def is_told_or_drawn() -> bool:  # an engine that dies before the map is sent is replaced without a word
        return "was killed" in panel.pictures.note.text() or is_followed(panel)

    qtbot.waitUntil(is_told_or_drawn, timeout=TIMEOUT_MS)
    panel.side.seed.setValue(6)
    wait_for_image(qtbot, panel)
    assert workspace.drawing.engine_pid not in (None, pid)
    assert "Drag to draw" in panel.pictures.note.text()


def test_that_a_hidden_editor_draws_nothing_and_catches_up_when_it_is_seen(qtbot: QtBot, panel: MapEditorPanel) -> None:
    shown = panel.following.shown
    panel.hide()
    panel.editing.set_tone(1)
    qtbot.waitUntil(lambda: not panel.following._is_to_ask, timeout=TIMEOUT_MS)
    assert panel.following.shown is shown
    panel.show()
    wait_for_image(qtbot, panel)


def test_that_the_project_closes_with_its_engine_and_leaves_a_next_step(
    qtbot: QtBot, panel: MapEditorPanel, workspace: Workspace, studied: tuple[Path, RunId, RunId]
) -> None:
    pid = workspace.drawing.engine_pid
    assert pid is not None
    workspace.close_project()
    assert workspace.drawing.engine_pid is None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert panel.stack.currentWidget() is panel.notice
    assert panel.notice.title.text() == "No GAN is trained yet"
    workspace.open_project(studied[0])


def test_that_boxes_and_ground_are_switched_and_the_image_is_copied_without_boxes(
    qtbot: QtBot, panel: MapEditorPanel
) -> None:
    image = wait_for_image(qtbot, panel)
    press(panel, Qt.Key.Key_B)
    assert not panel.pictures.boxes.isChecked()
    grounds = [ground_of(panel)]
    for name in ("Semantic map", "Image", "Sketch"):
        press(panel, Qt.Key.Key_M)
        assert panel.pictures.ground.currentText() == name
        grounds.append(ground_of(panel))
    gan, request = panel.editing.gan, panel.following.shown
    assert gan is not None
    assert request is not None
    assert np.array_equal(grounds[1], gan.coding.draw(request.wish.request))
    assert np.array_equal(grounds[2], image)
    assert np.array_equal(grounds[3], grounds[0])
    press(panel, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    copied = QApplication.clipboard().image()
    assert (copied.width(), copied.height()) == image.shape[1::-1]
    color = copied.pixelColor(3, 5)
    assert (color.red(), color.green(), color.blue()) == tuple(int(value) for value in image[5, 3])


def test_that_keys_reach_the_editor_in_the_window_and_undo_there_what_was_done_there(
    qtbot: QtBot, workspace: Workspace, studied: tuple[Path, RunId, RunId], tmp_path: Path
) -> None:
    workspace.close_project()  # a project is written from one window at a time
    with open_window(qtbot, tmp_path / "private", studied[0]) as window:
        window.show_page(1)
        page = window.page(1)
        assert isinstance(page, GeneratePage)
        page.choose("GAN")
        page.gan.show_tab("Editor")
        editor = page.gan.findChild(MapEditorPanel)
        assert editor is not None
        qtbot.waitUntil(lambda: is_followed(editor), timeout=TIMEOUT_MS)
        QTest.keyClick(window, Qt.Key.Key_Insert)
        assert len(boxes_of(editor)) == 2
        assert editor.pictures.canvas.hasFocus()
        before = boxes_of(editor)[1]
        assert before is not None
        press(editor, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
        assert boxes_of(editor)[1] == before.moved(0, 10)
        for _ in range(2):
            press(editor, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert len(boxes_of(editor)) == 1
        pid = window.workspace.drawing.engine_pid
        assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    workspace.open_project(studied[0])
