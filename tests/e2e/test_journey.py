"""Clicks to class activation maps on real images: the whole window, by mouse and keys, with the real engine."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QPushButton, QSpinBox, QWidget
from pytestqt.qtbot import QtBot

from synthstudio.domain.ids import RunId
from synthstudio.domain.records import RunStatus, Split
from synthstudio.gui import errors
from synthstudio.gui.forms.settings_form import SettingsForm
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.main_window.import_dialog import ImportDialog
from synthstudio.gui.pages.generate import GeneratePage
from synthstudio.gui.pages.train import TrainPage
from tests.support.shared_data import shared_data
from tests.support.windows import TIMEOUT_MS, ScriptedQuestions, annotate_page, open_window, wait_for_field

JOB_MS = 240_000
N_OF = {"train": 16, "val": 6, "test": 4}
N_STEPS = 50


def copy_some_of_bccd(folder: Path) -> Path:
    """A small VOC data set of real images with its own splits."""
    source = shared_data("bccd")
    lists = {name: (source / f"ImageSets/Main/{name}.txt").read_text().split() for name in ("train", "val")}
    splits = {"train": lists["train"], "val": lists["val"], "test": lists["val"][N_OF["val"] :]}
    for kind in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (folder / kind).mkdir(parents=True)
    for split, stems in splits.items():
        chosen = stems[: N_OF[split]]
        (folder / "ImageSets/Main" / f"{split}.txt").write_text("\n".join(chosen))
        for stem in chosen:
            for kind, suffix in (("Annotations", "xml"), ("JPEGImages", "jpg")):
                shutil.copyfile(next(source.rglob(f"{stem}.{suffix}")), folder / kind / f"{stem}.{suffix}")
    return folder


def type_into(form: SettingsForm, name: str, text: str) -> None:
    """Type a value into a field of a form, as a user does."""
    row = next(row for path, row in form.rows.items() if ".".join(path) == name)
    field = row.findChild(QSpinBox) or row.findChild(QLineEdit)
    assert field is not None
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, text)
    QTest.keyClick(field, Qt.Key.Key_Tab)


def click(button: QPushButton) -> None:
    assert button.isEnabled()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def go_to(qtbot: QtBot, window: MainWindow, key: Qt.Key, kind: type[QWidget]) -> QWidget:
    """Open a workspace by its key."""
    QTest.keyClick(window, key, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: isinstance(window.stack.currentWidget(), kind), timeout=TIMEOUT_MS)
    return window.stack.currentWidget()


def finish_job(qtbot: QtBot, window: MainWindow, button: QPushButton) -> RunId:
    """Click a button that starts a job; wait for its end, which must be a good one."""
    with qtbot.waitSignal(window.workspace.gpu_worker.job_ended, timeout=JOB_MS) as ended:
        click(button)
    run = window.workspace.require_project().runs.get(RunId(ended.args[0]))
    assert run.status is RunStatus.FINISHED, run.message
    return run.id


def import_dropped(qtbot: QtBot, window: MainWindow, folder: Path) -> None:
    window.projects.take_dropped(folder)
    dialog = window.findChild(ImportDialog)
    assert dialog is not None
    qtbot.waitUntil(lambda: dialog.plan is not None and dialog.import_button.isEnabled(), timeout=TIMEOUT_MS)
    with qtbot.waitSignal(dialog.accepted, timeout=TIMEOUT_MS):
        click(dialog.import_button)
    wait_for_field(qtbot, window)
    window.activateWindow()  # no window manager does it here when the dialog has gone
    qtbot.waitUntil(window.isActiveWindow, timeout=TIMEOUT_MS)


def click_and_take_back(qtbot: QtBot, window: MainWindow) -> None:
    """One centre by number key and mouse; there at once, and gone after Ctrl+Z."""
    page, project = annotate_page(window), window.workspace.require_project()
    fov = page.shown_fov
    assert fov is not None
    before = {each.id for each in project.annotations.list(fov.id)}
    page.view.setFocus()
    QTest.keyClick(page.view, Qt.Key.Key_1)
    page.view.set_tool("center")
    place = next(
        QPointF(x, y)
        for y in range(20, fov.height, 20)
        for x in range(20, fov.width, 20)
        if page.view.annotation_at(x, y) is None
    )
    QTest.mouseClick(
        page.view,
        Qt.MouseButton.LeftButton,
        pos=page.view.image_to_widget(place.x(), place.y()).toPoint(),
    )
    (new,) = [each for each in project.annotations.list(fov.id) if each.id not in before]
    assert abs(new.x - place.x()) <= 1
    assert abs(new.y - place.y()) <= 1
    QTest.keyClick(page.view, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: {each.id for each in project.annotations.list(fov.id)} == before, timeout=TIMEOUT_MS)


def test_that_clicks_become_a_class_activation_map_on_real_images(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = copy_some_of_bccd(tmp_path / "voc")
    monkeypatch.setattr(errors, "ask", ScriptedQuestions(paths=[tmp_path / "mine"]))
    with open_window(qtbot, tmp_path / "private") as window:
        window.registry.action("file.new").trigger()
        import_dropped(qtbot, window, data)
        project = window.workspace.require_project()
        assert len(project.fovs.list()) == sum(N_OF.values())
        click_and_take_back(qtbot, window)

        generate = go_to(qtbot, window, Qt.Key.Key_2, GeneratePage)
        assert isinstance(generate, GeneratePage)
        compositing = generate.compositing
        qtbot.waitUntil(lambda: bool(compositing.preview.facts.text()), timeout=TIMEOUT_MS)
        type_into(compositing.writer.form, "set_name", "first")
        type_into(compositing.writer.form, "count", "20")
        finish_job(qtbot, window, compositing.writer.button)
        found = project.sets.find("first")
        assert found is not None
        assert found.n_images == 20

        train = go_to(qtbot, window, Qt.Key.Key_4, TrainPage)
        assert isinstance(train, TrainPage)
        type_into(train.form, "optimization.steps", str(N_STEPS))
        training = finish_job(qtbot, window, train.train)
        qtbot.waitUntil(lambda: "loss" in train.curves.plots, timeout=TIMEOUT_MS)
        losses = [value for _, value in project.runs.metrics(training)["loss/train"]]
        assert losses[-1] < 0.7 * losses[0]

        train.header.split.setCurrentIndex(train.header.split.findData(Split.TEST.value))
        finish_job(qtbot, window, train.header.evaluate)
        finish_job(qtbot, window, train.header.explain)
        test_fov = next(fov for fov in project.fovs.list() if fov.split is Split.TEST)
        window.workspace.set_current_fov(test_fov.id)
        train.tabs.setCurrentWidget(train.cam)
        qtbot.waitUntil(lambda: train.cam.main.view._overlay is not None, timeout=TIMEOUT_MS)
