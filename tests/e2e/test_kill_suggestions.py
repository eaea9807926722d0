"""kill -9 of the window while suggestions are judged costs no judgement that it had taken."""

from pathlib import Path

import pytest

from synthstudio.core.fields.simulator import simulate_fov
from synthstudio.core.imaging import write_png
from synthstudio.project import Project
from tests.support.killed_window import build_clicking_project, kill_after
from tests.support.suggestions import suggest


@pytest.mark.timeout(120)
def test_that_no_judged_suggestion_is_lost_when_the_window_is_killed(tmp_path: Path) -> None:
    write_png(tmp_path / "fov.png", simulate_fov(seed=1, sample_index=0, fov_index=0).image)
    build_clicking_project(tmp_path / "study", tmp_path / "fov.png")
    project = Project.open(tmp_path / "study")
    fov = project.fovs.list()[0]
    suggest(project, fov.id, [(x, y, 0.9) for x in range(20, fov.width, 30) for y in range(20, fov.height, 30)])
    project.close()
    taken: dict[int, tuple[str, int]] = {}
    for wait_s in (0.0, 0.004):
        module = "tests.support.suggesting_window"
        for line in kill_after(module, str(tmp_path / "study"), n_lines=6, wait_s=wait_s):
            number, state, annotation = line.split()
            taken[int(number)] = (state, int(annotation))
    project = Project.open(tmp_path / "study")
    try:
        judged = [each for each in project.suggestions.list(fov.id) if not each.is_open]
        stored = {int(each.id): (each.state.value, int(each.annotation_id or 0)) for each in judged}
        assert {number: stored.get(number) for number in taken} == taken
        made = {each.annotation_id for each in judged if each.annotation_id is not None}
        assert {each.id for each in project.annotations.list(fov.id)} == made
        assert project.database.rows("PRAGMA integrity_check")[0][0] == "ok"
    finally:
        project.close()
