"""kill -9 of the window while a set is judged costs no verdict that it had taken."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from synthstudio.project import Project
from synthstudio.settings.compose import ComposeSettings, CompositionSettings
from tests.support.cell_projects import make_cell_project
from tests.support.killed_window import ROOT
from tests.support.sets import add_set

COMPOSITION = CompositionSettings(canvas_px=64, n_objects_min=1, n_objects_max=2)


@pytest.mark.timeout(120)
def test_that_no_verdict_is_lost_when_the_window_is_killed(tmp_path: Path) -> None:
    project = make_cell_project(tmp_path / "study")
    add_set(project, ComposeSettings(set_name="small", count=60, composition=COMPOSITION))
    project.close()
    taken: dict[int, str] = {}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.judging_window", str(tmp_path / "study")],
        cwd=ROOT,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as window:
        assert window.stdout is not None
        lines = [window.stdout.readline() for _ in range(7)]
        window.send_signal(signal.SIGKILL)
        lines += [line for line in window.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    for line in lines:
        assert line, "the window ended by itself"
        index, kind = line.split()
        taken[int(index)] = kind
    project = Project.open(tmp_path / "study")
    try:
        stored = {each.index: str(each.kind) for each in project.verdicts.list("small")}
        assert {index: stored.get(index) for index in taken} == taken
        assert project.database.rows("PRAGMA integrity_check")[0][0] == "ok"
    finally:
        project.close()
