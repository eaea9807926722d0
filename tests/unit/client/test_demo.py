"""The demo project: whole or absent, and built only once."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthstudio.client import demo
from synthstudio.client.demo import build_demo_project, build_skin_demo
from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.domain.records import AnnotationSource, Role, Split
from synthstudio.domain.tones import FITZPATRICK
from synthstudio.project import Project
from synthstudio.project.tones import find_tone_scale


@pytest.fixture(autouse=True)
def few_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "_SPLITS", (Split.TRAIN, Split.VAL, Split.TEST))
    monkeypatch.setattr(demo, "_FOVS_PER_SAMPLE", 1)
    monkeypatch.setattr(demo, "_SKIN_SPLITS", (Split.TRAIN, Split.VAL, Split.TEST))
    monkeypatch.setattr(demo, "_PHOTOS_PER_SAMPLE", 1)


def test_that_the_demo_holds_clicks_on_simulated_images_of_all_splits(tmp_path: Path) -> None:
    project = build_demo_project(tmp_path / "demo")
    fovs = project.fovs.list()
    assert [fov.split for fov in fovs] == [Split.TRAIN, Split.VAL, Split.TEST]
    assert all(Path(fov.path).is_file() for fov in fovs)
    marks = [mark for each in project.annotations.by_fov().values() for mark in each]
    assert marks
    assert not any(mark.is_box for mark in marks)
    assert {mark.source for mark in marks} == {AnnotationSource.SIMULATED}
    classes = project.classes.list()
    assert sum(each.role is Role.OBJECT for each in classes) == 5
    assert all(each.size_in(fovs[0].um_per_px) for each in classes)
    project.close()


def test_that_a_demo_that_exists_is_opened_as_it_is(tmp_path: Path) -> None:
    first = build_demo_project(tmp_path / "demo")
    first.classes.add("my own")
    first.close()
    again = build_demo_project(tmp_path / "demo")
    assert again.classes.find("my own") is not None
    again.close()


def test_that_an_interrupted_build_leaves_nothing_and_can_be_repeated(tmp_path: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        if done == 1:
            raise Cancelled

    with pytest.raises(Cancelled):
        build_demo_project(tmp_path / "demo", interrupt)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / ".demo.building" / "images").mkdir(parents=True)  # as a killed program leaves it
    project = build_demo_project(tmp_path / "demo")
    assert len(project.fovs.list()) == 3
    project.close()
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]


def test_that_a_project_of_ones_own_is_never_taken_for_the_demo(tmp_path: Path) -> None:
    Project.create(tmp_path / "mine").close()
    with pytest.raises(UserError, match="project of your own"):
        build_demo_project(tmp_path / "mine")


def test_that_the_skin_demo_holds_boxes_tones_and_splits_by_patient(tmp_path: Path) -> None:
    project = build_skin_demo(tmp_path / "skin")
    fovs = project.fovs.list()
    assert [fov.split for fov in fovs] == [Split.TRAIN, Split.VAL, Split.TEST]
    assert all(fov.tone is not None and Path(fov.path).suffix == ".jpg" for fov in fovs)
    assert find_tone_scale(project) == FITZPATRICK
    marks = [mark for each in project.annotations.by_fov().values() for mark in each]
    assert len(marks) >= len(fovs)
    assert all(mark.is_box for mark in marks)
    assert len(project.classes.list()) == 6
    assert not (project.folder / "drawn").exists()
    project.close()
    build_skin_demo(tmp_path / "skin").close()


def test_that_the_demo_of_one_journey_is_not_taken_for_that_of_the_other(tmp_path: Path) -> None:
    build_skin_demo(tmp_path / "skin").close()
    with pytest.raises(UserError, match="another journey"):
        build_demo_project(tmp_path / "skin")
