"""Quality checks from the terminal: what a script sees."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

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
