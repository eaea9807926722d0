"""Images with captions that become guide images, and the same taken back."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from synthstudio.core.annotations.captions import read_captions
from synthstudio.core.imaging import write_png
from synthstudio.domain.errors import UserError
from synthstudio.project import Project
from synthstudio.project.imports import Existing, ImportOutcome, apply_import
from synthstudio.project.merging import redo_merge, undo_merge


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = Project.create(tmp_path / "study")
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "ten"
    root.mkdir()
    for number in range(3):
        write_png(root / f"{number}.png", np.full((20, 30, 3), 60 * number, np.uint8))
        (root / f"{number}.txt").write_text(f"a zxq rash {number}")
    return root


def bring(project: Project, folder: Path, *, existing: Existing = Existing.MERGE) -> ImportOutcome:
    return apply_import(project, read_captions(folder), copy=False, existing=existing, guide_set="rash")


def captions(project: Project) -> list[str]:
    return [each.caption for each in project.guides.get("rash").images]


def test_that_imported_captions_make_a_guide_set(project: Project, folder: Path) -> None:
    outcome = bring(project, folder)
    assert (outcome.n_fovs, outcome.n_guides) == (3, 3)
    assert "guides" in outcome.changes.kinds
    assert captions(project) == ["a zxq rash 0", "a zxq rash 1", "a zxq rash 2"]


def test_that_images_known_to_the_project_become_guide_images_and_no_second_fovs(
    project: Project, folder: Path
) -> None:
    apply_import(project, read_captions(folder), copy=False)
    assert project.guides.list() == []
    outcome = bring(project, folder)
    assert (outcome.n_fovs, outcome.n_merged, outcome.n_guides) == (0, 3, 3)
    assert len(project.fovs.list()) == 3
    before = project.guides.get("rash")
    undo_merge(project, outcome.merged)
    assert captions(project) == []
    redo_merge(project, outcome.merged)
    assert project.guides.get("rash") == before


def test_that_a_missing_caption_is_filled_in_and_a_written_one_stays(project: Project, folder: Path) -> None:
    bring(project, folder)
    first, second, _ = project.guides.get("rash").images
    project.guides.set_captions({first.id: "", second.id: "by hand"})
    outcome = bring(project, folder)
    assert captions(project) == ["a zxq rash 0", "by hand", "a zxq rash 2"]
    assert outcome.n_guides == 0
    assert "1.png: has another caption" in str(outcome.problems[-1])
    undo_merge(project, outcome.merged)
    assert captions(project) == ["", "by hand", "a zxq rash 2"]


def test_that_an_impossible_name_leaves_the_project_as_it_was(project: Project, folder: Path) -> None:
    with pytest.raises(UserError, match="cannot be called"):
        apply_import(project, read_captions(folder), copy=True, guide_set="../up")
    assert project.fovs.list() == []
    assert not [path for path in (project.folder / "images").rglob("*") if path.is_file()]


def test_that_a_name_between_blanks_brings_guide_images_back_to_its_set(project: Project, folder: Path) -> None:
    apply_import(project, read_captions(folder), copy=False)
    outcome = apply_import(project, read_captions(folder), copy=False, guide_set=" rash ")
    undo_merge(project, outcome.merged)
    redo_merge(project, outcome.merged)
    assert captions(project) == ["a zxq rash 0", "a zxq rash 1", "a zxq rash 2"]
