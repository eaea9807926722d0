"""Running elsewhere: the command is copied, and the recipe that it reads is written."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from synthstudio.client.elsewhere import Place
from synthstudio.gui import errors
from synthstudio.gui.forms.elsewhere_dialog import ElsewhereDialog
from synthstudio.gui.forms.presets import PresetBar, list_presets
from synthstudio.gui.pages.train.page import TrainPage
from synthstudio.settings.compose import ComposeSettings
from synthstudio.settings.recipe import read_recipe
from tests.support.windows import make_project, open_window


def test_that_without_a_project_nothing_is_written(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[BaseException] = []
    monkeypatch.setattr(errors, "report", lambda error, parent: told.append(error))
    bar = PresetBar(list_presets("compose"), ComposeSettings(), find_settings=ComposeSettings)
    qtbot.addWidget(bar)
    bar.show()
    bar.elsewhere_action.trigger()
    assert [str(each) for each in told] == ["No project is open. Open the one that this is to be done in."]
    assert bar.findChild(ElsewhereDialog) is None


def test_that_the_command_of_a_form_is_copied_and_its_recipe_written(qtbot: QtBot, tmp_path: Path) -> None:
    study = make_project(tmp_path / "my study")
    with open_window(qtbot, tmp_path / "private", study) as window:
        window.show_page(3)
        page = window.page(3)
        assert isinstance(page, TrainPage)
        page.presets.elsewhere_action.trigger()
        dialog = window.findChild(ElsewhereDialog)
        assert dialog is not None
        assert not dialog.gpus.isVisible()
        qtbot.mouseClick(dialog.copy, Qt.MouseButton.LeftButton)
        words = shlex.split(QGuiApplication.clipboard().text())
        assert words[:3] == ["synthstudio", "run", str(study)]
        assert read_recipe(Path(words[3])) == page.form.find_settings()
        dialog.place.setCurrentIndex(dialog.place.findData(Place.SLURM))
        assert dialog.machines.isVisible()
        dialog.machines.setValue(5)
        assert "--nodes=5" in dialog.text.toPlainText()
        dialog.recipe.setText(str(study / "project.sqlite" / "x.toml"))
        qtbot.mouseClick(dialog.copy, Qt.MouseButton.LeftButton)
        assert "cannot be made" in window.message_bar.label.text()
        dialog.reject()
