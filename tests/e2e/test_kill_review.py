"""kill -9 of the window while a set is judged costs no verdict that it had taken."""

from pathlib import Path

import pytest

from synthstudio.project import Project
from synthstudio.settings.compose import ComposeSettings, CompositionSettings
from tests.support.cell_projects import make_cell_project
from tests.support.killed_window import kill_after
from tests.support.sets import add_set

COMPOSITION = CompositionSettings(canvas_px=64, n_objects_min=1, n_objects_max=2)


@pytest.mark.timeout(120)
def test_that_no_verdict_is_lost_when_the_window_is_killed(tmp_path: Path) -> None:
    project = make_cell_project(tmp_path / "study")
    add_set(project, ComposeSettings(set_name="small", count=60, composition=COMPOSITION))
    project.close()
    taken: dict[int, str] = {}
    lines = kill_after("tests.support.judging_window", str(tmp_path / "study"), n_lines=7)
    for line in lines:
        index, kind = line.split()
        taken[int(index)] = kind
    project = Project.open(tmp_path / "study")
    try:
        stored = {each.index: str(each.kind) for each in project.verdicts.list("small")}
        assert {index: stored.get(index) for index in taken} == taken
        assert project.database.rows("PRAGMA integrity_check")[0][0] == "ok"
    finally:
        project.close()
