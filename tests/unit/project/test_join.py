"""Parts of a set that several machines have made: joined, they are the bytes of one; what does not fit is refused."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from synthstudio.cli.main import main
from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.project import Project
from synthstudio.project.joined_sets import join_set
from synthstudio.settings.compose import ComposeSettings
from tests.support.engine_project import build_engine_project
from tests.support.sets import add_set

SMALL = {"composition": {"canvas_px": 64, "n_objects_max": 4}, "masks": True, "seed": 3}


def _write(project: Project, name: str, *, first: int, count: int, **others: object) -> Path:
    settings = {**SMALL, "set_name": name, "first_index": first, "count": count, **others}
    add_set(project, ComposeSettings.model_validate(settings))
    return project.set_folder(name)


def _bytes(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = build_engine_project(tmp_path, n_train=2, n_val=1, n_test=1)
    yield project
    project.close()


def _copy(project: Project, folder: Path) -> Project:
    shutil.copytree(project.folder, folder, ignore=shutil.ignore_patterns(".lock*"))
    return Project.open(folder)


def test_that_a_part_that_is_not_there_is_answered_with_the_sets_that_are(project: Project, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"has no set both\. It has none yet"):
        join_set(project, "both", [project.folder])
    _write(project, "first", first=0, count=1)
    with pytest.raises(UserError, match=r"has no set both\. Its sets are: first\. Name the folder"):
        join_set(project, "both", [project.folder])
    with pytest.raises(UserError, match="There is no folder"):
        join_set(project, "both", [tmp_path / "nowhere"])


def test_that_parts_from_copies_of_a_project_join_to_the_bytes_of_one(project: Project, tmp_path: Path) -> None:
    copies = [_copy(project, tmp_path / name) for name in ("one", "two", "three")]
    for copy, (first, count) in zip(copies, ((0, 5), (5, 1), (6, 4)), strict=True):
        _write(copy, "both", first=first, count=count)
        copy.close()
    home = _copy(project, tmp_path / "home")
    expected = _write(project, "both", first=0, count=10)
    places = [copies[2].folder, copies[0].folder, copies[1].set_folder("both")]  # in any order; projects and folders
    made, told = join_set(home, "both", places)
    assert told.kinds == {"sets"}
    assert _bytes(home.set_folder("both")) == _bytes(expected)
    assert dataclasses.replace(home.sets.get("both"), created_at="") == made
    assert made.n_images == 10
    assert made.manifest_sha256 == project.sets.get("both").manifest_sha256
    home.close()
    assert main(["verify", str(home.folder), "--set", "both"], open_app=lambda _: 0) == 0  # it can be made again


def test_that_the_command_joins_what_begins_anywhere(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = _write(project, "a", first=7, count=2), _write(project, "b", first=9, count=3)
    project.close()
    arguments = ["join", str(project.folder), str(first), str(second), "--set", "c", "--json"]
    assert main(arguments, open_app=lambda _: 0) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["set"], told["n_images"], told["n_parts"]) == ("c", 5, 2)
    assert main(arguments, open_app=lambda _: 0) == 1  # the name is taken
    again = Project.open(project.folder)
    settings = json.loads(again.sets.get("c").settings_json)
    assert (settings["first_index"], settings["count"], settings["set_name"]) == (7, 5, "c")
    again.close()


@pytest.mark.parametrize(
    ("first", "others", "words"),
    [
        (3, {}, "in two parts"),
        (6, {}, "images 4 to 5 are missing"),
        (4, {"seed": 4}, "they differ in seed"),
        (4, {"composition": {"canvas_px": 64, "n_objects_max": 5}}, "composition.n_objects_max"),
        (4, {"format": "jpeg"}, "settings differ in format"),
    ],
)
def test_that_parts_that_do_not_belong_together_are_refused(
    project: Project, first: int, others: dict[str, object], words: str
) -> None:
    places = [_write(project, "a", first=0, count=4), _write(project, "b", first=first, count=2, **others)]
    with pytest.raises(UserError, match=words):
        join_set(project, "c", places)
    assert project.sets.find("c") is None
    assert not project.set_folder("c").exists()


def test_that_parts_of_a_project_that_went_on_are_refused(project: Project) -> None:
    first = _write(project, "a", first=0, count=2)
    project.annotations.remove(next(iter(project.annotations.by_fov().values()))[:1])
    second = _write(project, "b", first=2, count=2)
    with pytest.raises(UserError, match="not the same"):
        join_set(project, "c", [first, second])


def test_that_a_damaged_part_is_refused_and_leaves_nothing(project: Project, tmp_path: Path) -> None:
    first, second = _write(project, "a", first=0, count=2), _write(project, "b", first=2, count=2)
    image = second / "images" / "000003.png"
    data = image.read_bytes()
    image.write_bytes(data[:-1] + b"x")
    with pytest.raises(UserError, match=r"000003\.png was changed"):
        join_set(project, "c", [first, second])
    assert not list(project.set_folder("c").parent.glob("*c*"))
    image.write_bytes(data)
    with (second / "manifest.jsonl").open("a") as manifest:
        manifest.write("\n")
    with pytest.raises(UserError, match=r"manifest of .* was changed"):
        join_set(project, "c", [first, second])
    with pytest.raises(UserError, match="holds no synthetic set"):
        join_set(project, "c", [first, tmp_path])


def test_that_a_cancelled_join_leaves_nothing(project: Project) -> None:
    places = [_write(project, "a", first=0, count=2), _write(project, "b", first=2, count=2)]

    def stop(done: int, total: int) -> None:
        if done == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        join_set(project, "c", places, tick=stop)
    assert not list(project.set_folder("c").parent.glob("*c*"))
    assert join_set(project, "c", places)[0].n_images == 4
