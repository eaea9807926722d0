"""Data sets of other programs, looked at in place."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthstudio.client import foreign
from synthstudio.client.foreign import DataSet, keep_data_set
from synthstudio.core.annotations.planning import ReadOptions
from synthstudio.core.annotations.readers import READERS
from synthstudio.core.export.datasets import ExportData
from synthstudio.core.export.writers import WRITERS
from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.domain.plans import ImportPlan
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.project import Project
from synthstudio.project.origins import find_looked_at
from synthstudio.project.project import DATABASE_NAME
from tests.support.engine_project import build_engine_project

N_IMAGES = 3


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setattr(foreign, "looked_at_folder", lambda: folder)
    return folder


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    project = build_engine_project(tmp_path / "own", n_train=N_IMAGES, n_val=0, n_test=0)
    data = ExportData(project.fovs.list(), project.annotations.by_fov(), project.classes.list(), keep_names=True)
    WRITERS["coco"](data, tmp_path / "foreign set")
    project.close()
    return tmp_path / "foreign set"


def read(path: Path) -> tuple[DataSet, ImportPlan]:
    return DataSet(path, "coco", ReadOptions()), READERS["coco"](path, ReadOptions())


def look_at(path: Path, tick: Tick = no_tick) -> Path:
    return keep_data_set(*read(path), tick=tick)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_that_a_foreign_data_set_is_looked_at_where_it_lies(coco: Path, cache: Path) -> None:
    before = contents(coco)
    folder = look_at(coco)
    assert folder.name == "foreign set"
    assert folder.is_relative_to(cache)
    project = Project.open(folder)
    assert [Path(fov.path).is_relative_to(coco) for fov in project.fovs.list()] == [True] * N_IMAGES
    assert project.annotations.totals()
    told = find_looked_at(project)
    assert told is not None
    assert (told.path, told.format, told.problems) == (str(coco), "coco", ())
    project.close()
    assert contents(coco) == before
    assert look_at(coco) == folder


def test_that_a_changed_data_set_is_brought_up_to_date_and_an_edited_copy_is_not(coco: Path) -> None:
    folder = look_at(coco)
    gone = next(path for path in sorted(coco.rglob("*")) if path.suffix in (".png", ".jpg"))
    gone.unlink()
    assert look_at(coco) == folder
    project = Project.open(folder)
    assert len(project.fovs.list()) == N_IMAGES - 1
    told = find_looked_at(project)
    assert told is not None
    assert gone.name in told.problems[0]
    mark = next(mark for own in project.annotations.by_fov().values() for mark in own)
    project.annotations.update([mark.moved(1.0, 0.0)])
    project.close()
    next(path for path in sorted(coco.rglob("*")) if path.suffix in (".png", ".jpg")).unlink()
    other = look_at(coco)
    assert other != folder
    assert other.name == folder.name
    kept = Project.open(folder, read_only=True)
    assert len(kept.fovs.list()) == N_IMAGES - 1
    kept.close()


def test_that_one_that_is_open_is_not_changed_beneath_its_window(coco: Path) -> None:
    folder = look_at(coco)
    shown = Project.open(folder)
    assert look_at(coco) == folder
    next(path for path in sorted(coco.rglob("*")) if path.suffix in (".png", ".jpg")).unlink()
    with pytest.raises(UserError, match="still looked at"):
        look_at(coco)
    assert len(shown.fovs.list()) == N_IMAGES
    shown.close()


def test_that_a_cancelled_look_leaves_nothing_and_an_empty_folder_says_why(
    coco: Path, cache: Path, tmp_path: Path
) -> None:
    def cancel(_done: int, _total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        look_at(coco, cancel)
    assert contents(cache) == {}
    with pytest.raises(UserError, match="nothing to look at"):
        keep_data_set(DataSet(tmp_path, "coco", ReadOptions()), ImportPlan((), ()))


def test_that_the_last_ones_are_kept(coco: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign, "MOST_KEPT", 2)
    plan = read(coco)[1]
    folders = [keep_data_set(DataSet(coco.with_name(name), "coco", ReadOptions()), plan) for name in "abc"]
    assert not folders[0].exists()
    assert folders[1].exists()
    assert folders[2].exists()
    assert len(list(cache.iterdir())) == 2


def test_that_a_project_of_its_own_looks_at_nothing(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "study")
    assert find_looked_at(project) is None
    project.close()


def test_that_a_copy_that_another_window_makes_at_the_same_time_stays(
    coco: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = Project.create
    theirs: list[Project] = []

    def create_after_them(folder: Path) -> Project:
        theirs.append(create(folder))
        return create(folder)

    monkeypatch.setattr(foreign.Project, "create", create_after_them)
    with pytest.raises(UserError, match="already a project"):
        look_at(coco)
    assert (theirs[0].folder / DATABASE_NAME).is_file()
    theirs[0].close()


def test_that_a_damaged_copy_is_passed_over(coco: Path) -> None:
    folder = look_at(coco)
    (folder / DATABASE_NAME).write_bytes(b"no database at all, but long enough to be looked at" * 99)
    other = look_at(coco)
    assert other != folder
    kept = Project.open(other, read_only=True)
    assert len(kept.fovs.list()) == N_IMAGES
    kept.close()
