"""Rejected patches: stored by annotation, and part of what a synthetic set depends on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from synthstudio.domain.errors import ProjectIsReadOnly
from synthstudio.domain.ids import AnnotationId
from synthstudio.project import Project
from synthstudio.project.patches import build_project_bank
from synthstudio.settings.compose import PatchSettings
from tests.support.engine_project import build_engine_project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = build_engine_project(tmp_path)
    yield project
    project.close()


def test_that_rejecting_and_restoring_survive_closing_the_project(project: Project) -> None:
    told = project.patch_verdicts.reject([AnnotationId(3), AnnotationId(1), AnnotationId(3)])
    assert told.kinds == {"patch_verdicts"}
    project.patch_verdicts.reject([AnnotationId(1)])
    project.patch_verdicts.restore([AnnotationId(3), AnnotationId(7)])
    project.close()
    again = Project.open(project.folder)
    assert again.patch_verdicts.rejected() == {1}
    again.close()


def test_that_a_rejected_annotation_is_in_no_bank_of_the_project(project: Project) -> None:
    whole = build_project_bank(project, PatchSettings())
    chosen = whole.patches[2].annotation_id
    project.patch_verdicts.reject([chosen])
    bank = build_project_bank(project, PatchSettings())
    assert chosen not in {patch.annotation_id for patch in bank.patches}
    assert len(bank.patches) == len(whole.patches) - 1
    assert len(build_project_bank(project, PatchSettings(), rejected=()).patches) == len(whole.patches)


def test_that_the_training_state_follows_a_rejection_and_its_end(project: Project) -> None:
    before, all_patches = project.training_state(), project.training_state(ignores_rejections=True)
    assert before == all_patches  # sets of projects that never rejected anything stay as they are
    project.patch_verdicts.reject([AnnotationId(1)])
    assert project.training_state() != before
    assert project.training_state(ignores_rejections=True) == all_patches
    project.patch_verdicts.restore([AnnotationId(1)])
    assert project.training_state() == before


def test_that_an_annotation_whose_deletion_is_undone_is_still_rejected(project: Project) -> None:
    marks = next(iter(project.annotations.by_fov().values()))
    project.patch_verdicts.reject([marks[0].id])
    project.annotations.remove([marks[0]])
    project.annotations.add([marks[0]])
    assert marks[0].id in project.patch_verdicts.rejected()


def test_that_a_read_only_project_refuses_verdicts(project: Project) -> None:
    other = Project.open(project.folder, read_only=True)
    with pytest.raises(ProjectIsReadOnly):
        other.patch_verdicts.reject([AnnotationId(1)])
    other.close()
