"""An import happens as a whole or not at all."""

import dataclasses
import errno
import shutil
from pathlib import Path

import numpy as np
import pytest

from synthstudio.core.imaging import read_image, sha256_of_file, write_png
from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.domain.plans import ImportPlan, PlannedAnnotation, PlannedFov
from synthstudio.domain.records import AnnotationState, Box, Role, Split
from synthstudio.project import Project
from synthstudio.project.files import FileState, file_state
from synthstudio.project.imports import Existing, apply_import
from synthstudio.project.merging import redo_merge, undo_merge


def planned(folder: Path, name: str, *, value: int = 0, sample: str = "s", split: Split | None = None) -> PlannedFov:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    write_png(path, np.full((20, 30, 3), value, np.uint8))
    marks = (
        PlannedAnnotation("RBC", 3.5, 4.5),
        PlannedAnnotation("WBC", 5.0, 5.0, box=Box(1, 1, 9, 9)),
    )
    return PlannedFov(
        path, name, sample, split, sha256_of_file(path), 30, 20, annotations=marks, labels=(("RBC", True),)
    )


def plan(*fovs: PlannedFov) -> ImportPlan:
    return ImportPlan(fovs, ("RBC", "WBC"), {"WBC": 8.0})


@pytest.fixture
def project(tmp_path: Path):
    project = Project.create(tmp_path / "study")
    yield project
    project.close()


@pytest.mark.parametrize("copy", [True, False])
def test_that_an_import_adds_images_classes_marks_and_labels(project: Project, tmp_path: Path, copy: bool) -> None:
    outcome = apply_import(project, plan(planned(tmp_path / "in", "é 1.png", split=Split.VAL)), copy=copy)
    assert (outcome.n_fovs, outcome.n_annotations) == (1, 2)
    (fov,) = project.fovs.list()
    assert fov.split is Split.VAL
    assert read_image(Path(fov.path)).shape == (20, 30, 3)
    assert Path(fov.path).is_relative_to(project.folder) == copy
    assert [each.size_px for each in project.classes.list()] == [None, 8.0]
    assert project.fovs.image_labels(fov.id) == {project.classes.list()[0].id: True}
    assert [(each.x, each.box) for each in project.annotations.list(fov.id)] == [(3.5, None), (5.0, Box(1, 1, 9, 9))]
    assert file_state(fov) is FileState.SAME


def test_that_the_same_image_is_left_out_on_request(project: Project, tmp_path: Path) -> None:
    fov = planned(tmp_path / "in", "a.png")
    apply_import(project, plan(fov), copy=False)
    again = plan(fov, planned(tmp_path / "in", "b.png", value=9))
    outcome = apply_import(project, again, copy=False, existing=Existing.SKIP)
    assert outcome.n_fovs == 1
    assert [str(each) for each in outcome.problems] == ["a.png: is in the project already; left out."]


def test_that_the_same_import_twice_adds_nothing(project: Project, tmp_path: Path) -> None:
    fov = planned(tmp_path / "in", "a.png")
    fov = dataclasses.replace(fov, annotations=fov.annotations * 2)  # two equal marks are two
    apply_import(project, plan(fov), copy=False)
    before = project.training_state()
    outcome = apply_import(project, plan(fov, fov), copy=False)
    assert (outcome.n_fovs, outcome.n_merged, outcome.n_annotations, outcome.n_known) == (0, 2, 0, 8)
    assert outcome.problems == ()
    assert project.training_state() == before


def test_that_new_marks_of_a_known_image_are_merged_and_its_state_and_labels_only_grow(
    project: Project, tmp_path: Path
) -> None:
    fov = planned(tmp_path / "in", "a.png", split=Split.TRAIN)
    apply_import(project, plan(fov), copy=False)
    (rbc, wbc) = project.classes.list()
    (known,) = project.fovs.list()
    project.fovs.set_image_label(known.id, rbc.id, present=False)
    marks = (
        PlannedAnnotation("RBC", 3.9, 4.5),  # the same click, but for rounding
        PlannedAnnotation("WBC", 5.0, 5.0),  # the middle of the box, whose side is the size of its class
        PlannedAnnotation("WBC", 3.5, 4.5),  # another class
        PlannedAnnotation("RBC", 13.5, 4.5),
    )
    labels = (("RBC", True), ("WBC", True))
    more = dataclasses.replace(
        fov, annotations=marks, labels=labels, state=AnnotationState.EXHAUSTIVE, split=Split.TEST, um_per_px=0.5
    )
    outcome = apply_import(project, plan(more), copy=False)
    assert (outcome.n_merged, outcome.n_annotations, outcome.n_known) == (1, 2, 2)
    (merged,) = project.fovs.list()
    assert (merged.id, merged.split, merged.state) == (known.id, Split.TRAIN, AnnotationState.EXHAUSTIVE)
    assert merged.um_per_px == 0.5
    assert [(each.x, each.class_id) for each in project.annotations.list(known.id)][2:] == [
        (3.5, wbc.id),
        (13.5, rbc.id),
    ]
    assert project.fovs.image_labels(known.id) == {rbc.id: False, wbc.id: True}
    apply_import(project, plan(fov), copy=False)
    assert project.fovs.list()[0].state is AnnotationState.EXHAUSTIVE


def test_that_a_merge_is_taken_back_and_brought_back_whole(project: Project, tmp_path: Path) -> None:
    fov = planned(tmp_path / "in", "a.png")
    apply_import(project, plan(fov), copy=False)
    (known,) = project.fovs.list()
    before, labels_before = project.annotations.list(known.id), project.fovs.image_labels(known.id)
    marks = (PlannedAnnotation("RBC", 13.5, 4.5), PlannedAnnotation("WBC", 15.0, 9.0))
    more = dataclasses.replace(
        fov, annotations=marks, state=AnnotationState.EXHAUSTIVE, um_per_px=0.5, labels=(("WBC", True),)
    )
    outcome = apply_import(project, plan(more), copy=False)
    after, grown = project.annotations.list(known.id), project.fovs.get(known.id)
    labels = project.fovs.image_labels(known.id)
    assert after == [*before, *outcome.merged.annotations]
    assert (grown.um_per_px, grown.state, len(labels)) == (0.5, AnnotationState.EXHAUSTIVE, len(labels_before) + 1)
    undo_merge(project, outcome.merged)
    assert project.annotations.list(known.id) == before
    assert project.fovs.list() == [known]
    assert project.fovs.image_labels(known.id) == labels_before
    redo_merge(project, outcome.merged)
    assert project.annotations.list(known.id) == after
    assert project.fovs.get(known.id) == grown
    assert project.fovs.image_labels(known.id) == labels


def test_that_a_sample_that_the_project_has_in_another_split_stays_there_and_is_told(
    project: Project, tmp_path: Path
) -> None:
    apply_import(project, plan(planned(tmp_path / "in", "a.png", sample="p1", split=Split.TRAIN)), copy=False)
    more = [planned(tmp_path / "in", f"{i}.png", value=i, sample="p1", split=Split.TEST) for i in (1, 2)]
    outcome = apply_import(project, plan(*more), copy=False)
    assert {fov.split for fov in project.fovs.list()} == {Split.TRAIN}
    assert [str(each) for each in outcome.problems] == [
        "1.png: is listed as test, but its sample 'p1' is in the project in train; it stays so"
    ]


def test_that_the_same_image_becomes_a_new_fov_on_request(project: Project, tmp_path: Path) -> None:
    fov = planned(tmp_path / "in", "a.png")
    for n in (1, 2, 3):
        outcome = apply_import(project, plan(fov), copy=True, existing=Existing.NEW)
        assert (outcome.n_fovs, outcome.n_annotations) == (1, 2)
        assert len({each.name for each in project.fovs.list()}) == n


def test_that_artifacts_and_colours_of_a_data_set_are_taken_for_new_classes_only(
    project: Project, tmp_path: Path
) -> None:
    project.classes.add("WBC", color="#101010")
    told = dataclasses.replace(
        plan(planned(tmp_path / "in", "a.png")),
        artifacts=frozenset({"RBC", "WBC"}),
        class_colors={"RBC": "#123456", "WBC": "#123456"},
    )
    apply_import(project, told, copy=False)
    assert [(each.name, each.role, each.color) for each in project.classes.list()] == [
        ("WBC", Role.OBJECT, "#101010"),
        ("RBC", Role.ARTIFACT, "#123456"),
    ]


def test_that_two_images_of_one_name_in_a_sample_are_told_apart(project: Project, tmp_path: Path) -> None:
    apply_import(project, plan(planned(tmp_path / "x", "a.png"), planned(tmp_path / "y", "a.png", value=9)), copy=False)
    names = [each.name for each in project.fovs.list()]
    assert len(set(names)) == 2
    assert all(name.endswith(".png") for name in names)


def test_that_a_cancelled_import_leaves_no_row(project: Project, tmp_path: Path) -> None:
    def tick(done: int, total: int) -> None:
        if done == 1:
            raise Cancelled

    fovs = [planned(tmp_path / "in", f"{i}.png", value=i) for i in range(3)]
    with pytest.raises(Cancelled):
        apply_import(project, plan(*fovs), copy=True, tick=tick)
    assert project.fovs.list() == []
    assert project.classes.list() == []


def test_that_an_image_changed_or_gone_is_noticed_by_its_hash(project: Project, tmp_path: Path) -> None:
    apply_import(project, plan(planned(tmp_path / "in", "a.png")), copy=False)
    (fov,) = project.fovs.list()
    write_png(Path(fov.path), np.full((20, 30, 3), 77, np.uint8))
    assert file_state(fov) is FileState.CHANGED
    Path(fov.path).unlink()
    assert file_state(fov) is FileState.MISSING


def test_that_an_image_that_changed_since_it_was_read_is_refused(project: Project, tmp_path: Path) -> None:
    fov = planned(tmp_path / "in", "a.png")
    write_png(fov.path, np.full((20, 30, 3), 77, np.uint8))
    with pytest.raises(UserError, match="changed while it was copied"):
        apply_import(project, plan(fov), copy=True)
    assert project.fovs.list() == []


def test_that_a_project_moved_with_its_images_still_finds_them(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "old" / "study")
    apply_import(project, plan(planned(tmp_path / "old" / "images", "a.png")), copy=False)
    project.close()
    (tmp_path / "old").rename(tmp_path / "new")
    again = Project.open(tmp_path / "new" / "study")
    assert file_state(again.fovs.list()[0]) is FileState.SAME
    again.close()


def test_that_a_failed_copy_leaves_neither_rows_nor_files(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fovs = [planned(tmp_path / "in", f"{value}.png", value=value) for value in range(3)]
    apply_import(project, plan(fovs[0]), copy=True)
    removed = project.fovs.list()[0]
    project.fovs.remove([removed.id])  # its file stays, so that the removal can be undone

    def full(source: Path, target: Path) -> None:
        if source.name == "2.png":
            raise OSError(errno.ENOSPC, "No space left on device")
        target.write_bytes(source.read_bytes())

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(UserError, match="disk is full"):
        apply_import(project, plan(*fovs), copy=True)
    assert project.fovs.list() == []
    assert [path for path in (project.folder / "images").rglob("*") if path.is_file()] == [Path(removed.path)]
