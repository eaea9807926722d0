"""Quality checks from the terminal: what a script sees."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from synthstudio.core.export.datasets import ExportData
from synthstudio.core.export.writers import WRITERS
from synthstudio.project import Project
from synthstudio.protocol.results import QualityResult
from tests.e2e.test_cli import command
from tests.support.engine_project import build_engine_project


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    project = build_engine_project(tmp_path, n_train=4, n_val=1, n_test=1)
    try:
        return project.folder
    finally:
        project.close()


def test_that_a_script_learns_from_the_exit_status_whether_the_data_are_sound(folder: Path) -> None:
    sound = command("quality", folder, "--json")
    assert sound.returncode == 0, sound.stderr
    told = json.loads(sound.stdout)
    assert (told["status"], told["is_sound"], told["n_by_severity"].get("error", 0)) == ("finished", True, 0)
    assert set(QualityResult.model_fields) <= set(told)
    (folder.parent / "images" / "02.png").unlink()
    broken = command("quality", folder)
    assert broken.returncode == 1
    assert "02.png" in broken.stdout
    assert "not sound (fails on error): 1 error," in " ".join(broken.stdout.split())


def test_that_a_data_set_of_another_program_is_checked_where_it_lies(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    project = Project.open(folder)
    data = ExportData(project.fovs.list(), project.annotations.by_fov(), project.classes.list(), keep_names=True)
    out = WRITERS["yolo"](data, tmp_path / "foreign").out
    project.close()
    next(out.rglob("*.png")).write_bytes(b"no image")
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    told = command("quality", out, "--json")
    assert told.returncode == 1
    result = json.loads(told.stdout)
    assert (result["format"], result["n_images"], result["is_sound"]) == ("yolo", 5, False)
    assert len(result["problems"]) == 1
    assert "is read as yolo" in told.stderr
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before
    wrong = command("quality", folder, "--format", "yolo")
    assert wrong.returncode == 2
