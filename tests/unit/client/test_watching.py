"""A watched folder: what counts as complete, what is taken once, what is told."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synthstudio.client.watch_options import WatchOptions, read_watch, write_watch
from synthstudio.client.watching import FolderWatch
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import Split, Storage
from synthstudio.project import Project
from synthstudio.project.removal import remove_fovs


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = Project.create(tmp_path / "study")
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "from the scope µ"
    made.mkdir()
    return made


def put(path: Path, seed: int = 0) -> Path:
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (24, 32, 3), np.uint8)).save(path)
    return path


def names(project: Project) -> list[str]:
    return [fov.name for fov in project.fovs.list()]


def test_that_a_file_is_taken_once_it_has_stopped_growing(project: Project, folder: Path) -> None:
    watch = FolderWatch(WatchOptions(str(folder)))
    whole = put(folder / "a.png").read_bytes()
    (folder / "a.png").write_bytes(whole[:50])
    assert watch.look(project).n_images == 0  # seen for the first time
    (folder / "a.png").write_bytes(whole)
    os.utime(folder / "a.png", ns=(1, 1))
    assert watch.look(project).n_images == 0  # it has changed since
    arrival = watch.look(project)
    assert (arrival.names, arrival.problems, names(project)) == (("a.png",), (), ["a.png"])
    assert arrival.changes is not None
    assert "fovs" in arrival.changes.kinds
    assert watch.look(project).n_images == 0
    assert project.fovs.list()[0].storage is Storage.REFERENCE


def test_that_each_image_is_taken_once_over_restarts_and_by_its_content(project: Project, folder: Path) -> None:
    put(folder / "p1" / "a.png")
    for _ in range(2):
        first = FolderWatch(WatchOptions(str(folder), split=Split.TRAIN, copies=True))
        first.look(project)
        first.look(project)
    put(folder / "p2" / "b.png", seed=1)
    put(folder / "p2" / "again.png")  # the same pixels as a.png
    second = FolderWatch(WatchOptions(str(folder), split=Split.TRAIN, copies=True))
    second.look(project)
    arrival = second.look(project)
    assert arrival.n_images == 1
    assert [(fov.name, fov.sample_name, fov.split) for fov in project.fovs.list()] == [
        ("a.png", "p1", Split.TRAIN),
        ("b.png", "p2", Split.TRAIN),
    ]


def test_that_a_broken_file_is_told_once_and_taken_when_it_has_been_mended(project: Project, folder: Path) -> None:
    whole = put(folder / "a.png").read_bytes()
    (folder / "a.png").write_bytes(whole[:50])
    watch = FolderWatch(WatchOptions(str(folder)))
    watch.look(project)
    arrival = watch.look(project)
    assert arrival.n_images == 0
    assert [problem.file for problem in arrival.problems] == ["a.png"]
    assert watch.look(project).problems == ()
    (folder / "a.png").write_bytes(whole)
    watch.look(project)
    assert watch.look(project).n_images == 1


def test_that_suggestions_are_due_only_when_images_came(project: Project, folder: Path) -> None:
    watch = FolderWatch(WatchOptions(str(folder), suggests=True, run="the-run"))
    assert watch.look(project).suggest is None
    put(folder / "a.png")
    watch.look(project)
    arrival = watch.look(project)
    assert arrival.suggest is not None
    assert (arrival.suggest.run, arrival.suggest.fovs) == ("the-run", (f"#{project.fovs.list()[0].id}",))
    assert arrival.title == "Suggestions on a new image"


def test_that_what_is_watched_is_kept_with_the_project(project: Project, folder: Path) -> None:
    assert read_watch(project) is None
    options = WatchOptions(str(folder), sample_from="stem", split=Split.VAL, suggests=True)
    write_watch(project, options)
    assert read_watch(project) == options
    write_watch(project, None)
    assert read_watch(project) is None
    project.set_meta("watched_folder", '{"other": 1}')
    assert read_watch(project) is None


def test_that_a_folder_that_is_gone_is_told(project: Project, folder: Path) -> None:
    watch = FolderWatch(WatchOptions(str(folder)))
    folder.rmdir()
    with pytest.raises(UserError, match=str(folder)):
        watch.look(project)
    with pytest.raises(UserError, match="no folder"):
        FolderWatch(WatchOptions(str(folder)))
    for impossible in ("", "scope"):  # would be the folder that the program happens to run in
        with pytest.raises(UserError, match="no folder"):
            FolderWatch(WatchOptions(impossible))


def test_that_what_the_project_writes_below_the_folder_is_no_new_image(project: Project) -> None:
    put(project.folder / "made" / "set.png")
    put(project.folder.parent / "own.png", seed=1)
    watch = FolderWatch(WatchOptions(str(project.folder.parent)))
    watch.look(project)
    watch.look(project)
    assert names(project) == ["own.png"]


def test_that_a_field_that_was_removed_does_not_come_back(project: Project, folder: Path) -> None:
    put(folder / "a.png")
    for _ in range(2):
        watch = FolderWatch(WatchOptions(str(folder), copies=True))
        assert watch.look(project).problems == ()
        assert watch.look(project).problems == ()
        if project.fovs.list():
            remove_fovs(project, [fov.id for fov in project.fovs.list()])
    assert names(project) == []
