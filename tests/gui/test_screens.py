"""The script that photographs the window goes through all of it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from tests.screens import Photographer
from tests.support.engine_project import build_engine_project


def test_that_every_workspace_and_dialog_is_photographed_at_the_size_asked_for(qtbot: QtBot, tmp_path: Path) -> None:
    project = build_engine_project(tmp_path, n_train=2, n_val=1, n_test=1)
    folder = project.folder
    project.close()
    photographer = Photographer(tmp_path / "out", folder, scratch=tmp_path, size=(1280, 800), theme="light")
    paths = photographer.walk()
    names = {path.name.split("-light")[0] for path in paths}
    assert {
        "welcome",
        "annotate",
        "generate-preview",
        "generate-gan-editor",
        "generate-diffusion-guides",
        "generate-diffusion-from-scratch",
        "review-verdicts",
        "review-studies",
        "train-curves",
        "train-cam",
        "quality-checks",
        "quality-gallery",
        "quality-charts",
    } <= names
    assert {"dialog-import", "dialog-export", "dialog-calibrate"} <= names
    for path in paths:
        image = QImage(str(path))
        assert not image.isNull()
        if not path.name.startswith("dialog"):
            assert (image.width(), image.height()) == (1280, 800), path.name
