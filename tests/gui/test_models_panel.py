"""The tab of local models: added from a folder, a file or a drop, checked, removed; what is missing stands beside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from synthstudio.gui import errors
from synthstudio.gui.pages.generate import GeneratePage
from synthstudio.gui.pages.generate.diffusion.models_panel import ModelsPanel
from synthstudio.gui.workspace import Workspace
from tests.support.weight_files import compact_upscaler_shapes, ldm_shapes, write_hollow_weights
from tests.support.windows import TIMEOUT_MS, ScriptedQuestions, make_project


@pytest.fixture
def workspace(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setattr("synthstudio.project.models._memory_path", lambda: tmp_path / "hashes.json")
    made = Workspace(preferences_file=tmp_path / "preferences.toml")
    made.open_project(make_project(tmp_path / "project"))
    yield made
    made.shut_down()


@pytest.fixture
def page(qtbot: QtBot, workspace: Workspace) -> GeneratePage:
    made = GeneratePage(workspace)
    qtbot.addWidget(made)
    made.resize(1280, 760)
    made.show()
    made.choose("Diffusion")
    made.diffusion.show_tab("Models")
    return made


@pytest.fixture
def panel(page: GeneratePage) -> ModelsPanel:
    made = page.diffusion.panel("Models")
    assert isinstance(made, ModelsPanel)
    return made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = write_hollow_weights(tmp_path / "downloads" / "sd15.safetensors", ldm_shapes())
    (made.parent / "LICENSE").write_text("CreativeML Open RAIL-M\nFull text.")
    return made


def _wait_for(qtbot: QtBot, panel: ModelsPanel, *names: str) -> None:
    qtbot.waitUntil(lambda: panel.table.keys == list(names), timeout=TIMEOUT_MS)


def _scripted(monkeypatch: pytest.MonkeyPatch, *paths: Path) -> ScriptedQuestions:
    questions = ScriptedQuestions(paths=paths)
    monkeypatch.setattr(errors, "ask", questions)
    return questions


def test_that_without_models_the_tab_says_what_to_bring_for_what(panel: ModelsPanel) -> None:
    assert panel.stack.currentWidget() is panel.empty
    assert "Nothing is downloaded" in panel.empty.text.text()
    assert "stable-diffusion-x4-upscaler" in panel.details.needs.text()
    assert not panel.check.isEnabled()


def test_that_a_file_is_added_recognised_and_shown_with_its_licence(
    qtbot: QtBot, panel: ModelsPanel, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _scripted(monkeypatch, file.parent)
    QTest.mouseClick(panel.empty.button, Qt.MouseButton.LeftButton)
    _wait_for(qtbot, panel, "sd15")
    assert panel.selected == "sd15"
    assert panel.outcome.text().startswith("sd15 was added: Stable Diffusion 1.x, one file")
    assert panel.details.licence.toPlainText() == "CreativeML Open RAIL-M\nFull text."
    assert panel.table.texts()[1][1:3] == ["Stable Diffusion", "Stable Diffusion 1.x, one file"]
    assert "✓ Fine-tuning on guide images" in panel.details.needs.text()


def test_that_a_dropped_file_is_copied_where_that_is_wanted(
    qtbot: QtBot, panel: ModelsPanel, workspace: Workspace, tmp_path: Path
) -> None:
    file = write_hollow_weights(tmp_path / "compact.safetensors", compact_upscaler_shapes())
    QTest.mouseClick(panel.copies, Qt.MouseButton.LeftButton)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file))])
    event = QDropEvent(
        QPointF(10, 10),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    panel.dropEvent(event)
    _wait_for(qtbot, panel, "compact")
    assert workspace.require_project().models.get("compact").path.is_relative_to(workspace.require_project().folder)
    assert "none found" in panel.table.texts()[1]


def test_that_what_cannot_be_used_is_refused_in_one_sentence(
    qtbot: QtBot, panel: ModelsPanel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(errors, "post", lambda notice, **_: said.append(notice.message))
    pickle = tmp_path / "v1-5.ckpt"
    pickle.write_bytes(b"PK\x03\x04")
    _scripted(monkeypatch, pickle)
    QTest.mouseClick(panel.add_file, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(said), timeout=TIMEOUT_MS)
    assert said == ["v1-5.ckpt is a pickle, which can run any code when it is read, so it is never opened here."]
    assert panel.outcome.isHidden()
    assert panel.stack.currentWidget() is panel.empty


def test_that_files_are_checked_and_a_model_is_removed(
    qtbot: QtBot, panel: ModelsPanel, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel.add(file)
    _wait_for(qtbot, panel, "sd15")
    QTest.mouseClick(panel.check, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.outcome.text() == "sd15 is as it was added, byte by byte.", timeout=TIMEOUT_MS)
    file.unlink()
    QTest.mouseClick(panel.check, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.outcome.text() == "sd15: sd15.safetensors is missing.", timeout=TIMEOUT_MS)
    questions = _scripted(monkeypatch)
    QTest.mouseClick(panel.remove, Qt.MouseButton.LeftButton)
    _wait_for(qtbot, panel)
    assert questions.asked == ["Remove model"]
    assert panel.stack.currentWidget() is panel.empty


def test_that_models_that_come_in_elsewhere_are_shown_when_the_tab_is(
    qtbot: QtBot, panel: ModelsPanel, workspace: Workspace, file: Path
) -> None:
    workspace.require_project().models.add(file, name="other")
    (workspace.require_project().folder / "models" / "bad").mkdir()
    (workspace.require_project().folder / "models" / "bad" / "model.json").write_text("{")
    panel.refresh()
    _wait_for(qtbot, panel, "other", "bad")
    assert panel.table.texts()[2][1] == "damaged"
    panel.table.select(["bad"], current="bad")
    panel.table.selection_changed.emit()
    assert panel.remove.isEnabled()
    assert panel.details.selected.isHidden()


def test_that_everything_here_is_an_action(panel: ModelsPanel) -> None:
    ids = [spec.id for spec in panel.actions()]  # type: ignore[attr-defined]
    assert ids == [
        "diffusion.add_model_folder",
        "diffusion.add_model_file",
        "diffusion.check_model",
        "diffusion.remove_model",
    ]
