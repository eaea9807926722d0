"""Notes, flags, goals, reviewed fields, crop labels, samples that change; and projects from before they existed."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import AnnotationId, ClassId, FovId
from synthstudio.domain.records import Annotation, AnnotationState, CropLabel, CropSquare, Storage
from synthstudio.project import Project
from synthstudio.project import database as database_module
from synthstudio.project.database import iter_database_faults
from synthstudio.project.migrations import MIGRATIONS


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = Project.create(tmp_path / "study")
    yield project
    project.close()


def add_fov(project: Project, name: str = "a.png", sample: str = "s1") -> FovId:
    return project.fovs.add(
        sample_id=project.samples.get_or_add(sample).id,
        name=name,
        stored_path=f"/images/{name}",
        storage=Storage.REFERENCE,
        sha256="0" * 64,
        width=640,
        height=480,
    )


def add_mark(project: Project, fov_id: FovId, class_id: ClassId) -> Annotation:
    (stored,), _ = project.annotations.add([Annotation(AnnotationId(0), fov_id, class_id, 10.0, 20.0, author="ann")])
    return stored


def make_project_of_the_first_schema(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a project with the statements that the first version used, under the first version's schema."""
    with monkeypatch.context() as before:
        before.setattr(database_module, "MIGRATIONS", MIGRATIONS[:1])
        Project.create(folder).close()
    connection = sqlite3.connect(folder / "project.sqlite")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.executescript(
        "INSERT INTO sample (name, split) VALUES ('s1', 'train');"
        "INSERT INTO fov (sample_id, name, path, storage, sha256, width, height, state, added_at)"
        " VALUES (1, 'a.png', '/images/a.png', 'reference', 'ab', 640, 480, 'exhaustive', '2026-01-01T00:00:00Z');"
        "INSERT INTO object_class (name, color, role, size_px, position) VALUES ('RBC', '#CC0000', 'object', 40, 0);"
        "INSERT INTO annotation (fov_id, class_id, x, y, author, source, created_at)"
        " VALUES (1, 1, 10.5, 20.25, 'ann', 'manual', '2026-01-01T00:00:00Z');"
        "INSERT INTO image_label (fov_id, class_id, present) VALUES (1, 1, 1);"
    )
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    connection.close()


def test_that_an_older_project_is_upgraded_in_place_and_keeps_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "old"
    make_project_of_the_first_schema(folder, monkeypatch)
    project = Project.open(folder)
    (fov,) = project.fovs.list()
    (mark,) = project.annotations.list(fov.id)
    (rbc,) = project.classes.list()
    assert (fov.name, fov.state, fov.note, fov.is_flagged) == ("a.png", AnnotationState.EXHAUSTIVE, "", False)
    assert (mark.x, mark.y, mark.author, mark.note, mark.is_flagged) == (10.5, 20.25, "ann", "", False)
    assert (rbc.size_px, rbc.goal) == (40, None)
    assert project.fovs.image_labels(fov.id) == {rbc.id: True}
    assert project.crop_labels.by_fov() == {}
    assert list(iter_database_faults(project.database)) == []
    project.fovs.set_state(fov.id, AnnotationState.REVIEWED)
    project.close()
    again = Project.open(folder)
    assert again.fovs.get(fov.id).state is AnnotationState.REVIEWED
    again.close()


def test_that_an_older_project_opened_for_reading_only_asks_to_be_upgraded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_project_of_the_first_schema(tmp_path / "old", monkeypatch)
    with pytest.raises(UserError, match="upgraded first"):
        Project.open(tmp_path / "old", read_only=True)


@pytest.mark.parametrize("state", list(AnnotationState))
def test_that_every_state_comes_back(project: Project, state: AnnotationState) -> None:
    fov_id = add_fov(project)
    for former in AnnotationState:
        project.fovs.set_state(fov_id, former)
        project.fovs.set_state(fov_id, state)
        assert project.fovs.get(fov_id).state is state


def test_that_exhaustive_and_reviewed_are_complete_and_the_others_are_not() -> None:
    complete = {state for state in AnnotationState if state.is_complete}
    assert complete == {AnnotationState.EXHAUSTIVE, AnnotationState.REVIEWED}


def test_that_notes_flags_and_goals_come_back(project: Project) -> None:
    rbc = project.classes.add("RBC", goal=200)
    fov_id = add_fov(project)
    project.fovs.set_note(fov_id, "Blurred at the left; prüfen")
    project.fovs.set_flagged([fov_id], flagged=True)
    mark = dataclasses.replace(add_mark(project, fov_id, rbc.id), note="or WBC?", is_flagged=True)
    project.annotations.update([mark])
    project.classes.update(dataclasses.replace(rbc, goal=None))
    assert project.fovs.get(fov_id).note == "Blurred at the left; prüfen"
    assert project.fovs.get(fov_id).is_flagged
    assert project.annotations.list(fov_id) == [mark]
    assert project.classes.get(rbc.id).goal is None
    project.annotations.remove([mark])
    project.annotations.add([mark])  # as undo does
    assert project.annotations.list(fov_id) == [mark]


def test_that_totals_and_authors_count_the_whole_project(project: Project) -> None:
    rbc, wbc = project.classes.add("RBC"), project.classes.add("WBC")
    first, second = add_fov(project), add_fov(project, "b.png")
    for fov_id, class_id in ((first, rbc.id), (second, rbc.id), (second, wbc.id)):
        add_mark(project, fov_id, class_id)
    assert project.annotations.totals() == {rbc.id: 2, wbc.id: 1}
    assert project.annotations.authors() == {"ann": 3}


def test_that_a_crop_label_is_replaced_whole_and_goes_with_its_field(project: Project) -> None:
    rbc, wbc = project.classes.add("RBC"), project.classes.add("WBC")
    fov_id, place = add_fov(project), CropSquare(256, 0, 256)
    both = frozenset({rbc.id, wbc.id})
    project.crop_labels.put(CropLabel(fov_id, place, both, frozenset({rbc.id}), "ann"))
    empty = CropLabel(fov_id, place, both, frozenset(), "bob")
    project.crop_labels.put(empty)
    assert project.crop_labels.list(fov_id) == [empty]
    project.crop_labels.remove(fov_id, place)
    assert project.crop_labels.list(fov_id) == []
    project.crop_labels.put(empty)
    project.fovs.remove([fov_id])
    assert project.crop_labels.by_fov() == {}


def test_that_a_class_can_be_removed_though_crops_were_labelled_with_it(project: Project) -> None:
    rbc = project.classes.add("RBC")
    fov_id = add_fov(project)
    project.crop_labels.put(CropLabel(fov_id, CropSquare(0, 0, 64), frozenset({rbc.id}), frozenset({rbc.id})))
    project.classes.remove(rbc.id)
    assert project.crop_labels.by_fov() == {}


def test_that_fields_change_their_samples_and_empty_samples_go(project: Project) -> None:
    first, second = add_fov(project, "a.png", "s1"), add_fov(project, "a.png", "s2")
    s1, s2 = (sample.id for sample in project.samples.list())
    project.fovs.set_sample({first: s2, second: s1})  # the same name in both: halfway they would collide
    assert {fov.id: fov.sample_name for fov in project.fovs.list()} == {first: "s2", second: "s1"}
    assert {fov.name for fov in project.fovs.list()} == {"a.png"}
    third = project.samples.get_or_add("s3")
    project.fovs.set_sample({first: third.id})
    assert [sample.name for sample in project.samples.list()] == ["s1", "s3"]


def test_that_two_fields_of_one_name_cannot_share_a_sample(project: Project) -> None:
    first, second = add_fov(project, "a.png", "s1"), add_fov(project, "a.png", "s2")
    s1 = project.samples.list()[0].id
    with pytest.raises(UserError, match="would be in one sample"):
        project.fovs.set_sample({second: s1})
    assert project.fovs.get(second).sample_name == "s2"
    assert project.fovs.get(first).sample_name == "s1"
