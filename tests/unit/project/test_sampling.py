"""Samples and splits change as a whole, and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthstudio.domain.errors import UserError
from synthstudio.domain.records import Split
from synthstudio.project.sampling import SampleAssignment, assign_samples, present_assignment
from tests.support.cell_projects import make_cell_project


def test_that_an_assignment_is_made_and_taken_back_whole(tmp_path: Path) -> None:
    project = make_cell_project(tmp_path / "study")
    before = present_assignment(project)
    fovs = project.fovs.list()
    wanted = SampleAssignment(dict.fromkeys(before.sample_of, "P1"), {"P1": Split.TEST})
    assign_samples(project, wanted)
    assert [(each.name, each.split) for each in project.samples.list()] == [("P1", Split.TEST)]
    assert {each.split for each in project.fovs.list()} == {Split.TEST}
    assign_samples(project, before)
    assert [(f.id, f.sample_name, f.split) for f in project.fovs.list()] == [
        (f.id, f.sample_name, f.split) for f in fovs
    ]
    assert present_assignment(project) == before
    project.close()


def test_that_an_impossible_assignment_changes_nothing(tmp_path: Path) -> None:
    project = make_cell_project(tmp_path / "study")
    first, second = project.fovs.list()[:2]
    project.database.execute("UPDATE fov SET name = ? WHERE id = ?", (first.name, second.id))
    before = present_assignment(project)
    if first.sample_name == second.sample_name:
        pytest.skip("both are in one sample already")
    with pytest.raises(UserError, match="would be in one sample"):
        assign_samples(project, SampleAssignment({first.id: "P1", second.id: "P1"}, {"P1": None}))
    assert present_assignment(project) == before
    project.close()


def test_that_what_was_removed_meanwhile_is_passed_over(tmp_path: Path) -> None:
    project = make_cell_project(tmp_path / "study")
    before = present_assignment(project)
    gone, *kept = project.fovs.list()
    project.fovs.remove([gone.id])
    assign_samples(project, before)
    assert project.fovs.list() == kept
    project.close()
