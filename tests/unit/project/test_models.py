"""Models of a project: brought in with hashes and licence, found by name or path, and noticed when they change."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from synthstudio.core.imaging import sha256_of_file
from synthstudio.domain.errors import NotFound, ProjectIsReadOnly, UserError
from synthstudio.domain.models import ModelKind
from synthstudio.project import Project, models
from tests.support.weight_files import compact_upscaler_shapes, ldm_shapes, write_hollow_weights


@pytest.fixture(autouse=True)
def _own_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = tmp_path / "cache" / "hashes.json"
    monkeypatch.setattr(models, "_memory_path", lambda: memory)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = Project.create(tmp_path / "work" / "project")
    yield made
    made.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = write_hollow_weights(tmp_path / "downloads" / "compact" / "small x4.safetensors", compact_upscaler_shapes())
    (made.parent / "LICENSE").write_text("BSD 3-Clause\n")
    return made


@pytest.mark.parametrize("copies", [False, True])
def test_that_a_model_is_kept_with_hash_licence_and_facts(project: Project, file: Path, copies: bool) -> None:
    seen: list[tuple[int, int]] = []
    added = project.models.add(file.parent, copies=copies, tick=lambda done, total: seen.append((done, total)))
    assert added == project.models.get("small-x4") == project.models.list()[0]
    assert (added.kind, added.licence, added.is_in_place) == (ModelKind.COMPACT_UPSCALER, "BSD 3-Clause", not copies)
    assert added.sha256 == sha256_of_file(added.path)
    assert added.fact("Scale") == "4 x"
    inside = project.folder / "models" / "small-x4" / "files" / file.name
    assert added.path == (inside if copies else file)
    assert seen[-1][0] == seen[-1][1]
    assert project.models.check("small-x4") == []


def test_that_a_folder_is_copied_with_all_its_parts(project: Project, tmp_path: Path) -> None:
    from tests.unit.core.models.test_recognition import _diffusers

    folder = _diffusers(tmp_path / "sd")
    added = project.models.add(folder, copies=True)
    in_place = project.models.add(folder, name="there")
    assert added.sha256 == in_place.sha256
    assert (added.path / "unet" / "config.json").is_file()
    assert {each.name for each in added.files} == {each.name for each in in_place.files}


def test_that_copies_move_with_the_project_and_a_neighbour_is_found_again(
    project: Project, file: Path, tmp_path: Path
) -> None:
    project.models.add(file, name="inside", copies=True)
    beside = Path(shutil.copytree(file.parent, project.folder.parent / "weights")) / file.name
    project.models.add(beside, name="beside")
    project.close()
    moved = tmp_path / "moved"
    shutil.move(tmp_path / "work", moved)
    with_all = Project.open(moved / "project", read_only=True)
    assert with_all.models.locate("inside").path.is_relative_to(moved)
    assert with_all.models.locate("beside").path == moved / "weights" / file.name
    with_all.close()


def test_that_a_model_is_found_by_its_name_or_by_a_path(project: Project, file: Path) -> None:
    added = project.models.add(file, name="tiny")
    assert project.models.locate("tiny", ModelKind.COMPACT_UPSCALER) == added
    by_path = project.models.locate(str(file))
    assert (by_path.sha256, by_path.path, by_path.kind) == (added.sha256, added.path, added.kind)
    with pytest.raises(UserError, match=r"is a Compact upscaler .* not a Stable Diffusion"):
        project.models.locate("tiny", ModelKind.STABLE_DIFFUSION)
    with pytest.raises(NotFound, match="There is no model big") as caught:
        project.models.locate("big")
    assert "tiny" in caught.value.hint


def test_that_a_file_named_by_its_path_is_hashed_once(
    project: Project, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = project.models.locate(str(file))

    def never(*_: object) -> str:
        raise AssertionError("hashed again")

    monkeypatch.setattr("synthstudio.core.models.fingerprints.sha256_of_file", never)
    assert project.models.locate(str(file)).sha256 == first.sha256


def test_that_a_file_that_was_only_touched_is_still_the_model(project: Project, file: Path) -> None:
    project.models.add(file, name="tiny")
    os.utime(file, ns=(1, 1))
    assert project.models.locate("tiny").name == "tiny"


def test_that_changed_and_missing_files_are_noticed(project: Project, file: Path) -> None:
    project.models.add(file, name="tiny")
    with file.open("rb+") as stream:
        stream.seek(-1, os.SEEK_END)
        stream.write(b"\x07")
    with pytest.raises(UserError, match=r"not as it was brought in: .* other content"):
        project.models.locate("tiny")
    assert project.models.check("tiny") == [f"{file.name} has other content than when it was brought in."]
    file.unlink()
    assert project.models.check("tiny") == [f"{file.name} is missing."]
    with pytest.raises(UserError, match="is missing"):
        project.models.locate("tiny")


def test_that_a_change_behind_the_same_size_and_time_is_found_by_the_check(project: Project, file: Path) -> None:
    project.models.add(file, name="tiny")
    stat = file.stat()
    with file.open("rb+") as stream:
        stream.seek(-1, os.SEEK_END)
        stream.write(b"\x07")
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert project.models.check("tiny") == [f"{file.name} has other content than when it was brought in."]


def test_that_removing_forgets_the_model_and_leaves_files_elsewhere_alone(project: Project, file: Path) -> None:
    project.models.add(file, name="there")
    project.models.add(file, name="copied", copies=True)
    assert project.models.remove("there").kinds == {"models"}
    project.models.remove("copied")
    assert project.models.list() == []
    assert file.is_file()
    assert list((project.folder / "models").iterdir()) == []
    with pytest.raises(NotFound):
        project.models.remove("there")


def test_that_names_are_unique_and_valid(project: Project, file: Path) -> None:
    assert project.models.add(file).name == "small-x4"
    assert project.models.add(file).name == "small-x4-2"
    with pytest.raises(UserError, match="already a model small-x4"):
        project.models.add(file, name="small-x4")
    for name in ("a b", "../up", ".hidden", "x" * 65):
        with pytest.raises(UserError, match="cannot name a model"):
            project.models.add(file, name=name)


def test_that_a_damaged_card_hides_no_other_model_and_can_be_removed(project: Project, file: Path) -> None:
    project.models.add(file, name="good")
    project.models.add(file, name="bad")
    (project.folder / "models" / "bad" / "model.json").write_text("{")
    assert [each.name for each in project.models.list()] == ["good"]
    assert project.models.damaged() == ["bad"]
    assert "is damaged" in project.models.check("bad")[0]
    project.models.remove("bad")
    assert project.models.damaged() == []


def test_that_a_full_disk_leaves_no_half_model(project: Project, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("synthstudio.project.models.shutil.copyfile", full)
    with pytest.raises(UserError, match="disk is full"):
        project.models.add(file, copies=True)
    assert list((project.folder / "models").iterdir()) == []


def test_that_what_a_killed_copy_left_is_removed_with_the_next_model(project: Project, file: Path) -> None:
    left = project.folder / "models" / ".1-0123456789abcdef" / "files"
    left.mkdir(parents=True)
    (left / "half.safetensors").write_bytes(bytes(100))
    assert project.models.list() == []
    project.models.add(file, name="tiny", copies=True)
    assert [each.name for each in (project.folder / "models").iterdir()] == ["tiny"]


def test_that_a_model_larger_than_the_disk_is_refused_before_it_is_copied(
    project: Project, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "_SPARE_BYTES", 10**18)
    with pytest.raises(UserError, match="too full to copy"):
        project.models.add(file, copies=True)


def test_that_a_project_opened_for_reading_takes_no_model(project: Project, file: Path) -> None:
    folder = project.folder
    reader = Project.open(folder, read_only=True)
    with pytest.raises(ProjectIsReadOnly):
        reader.models.add(file)
    reader.close()


def test_that_models_are_listed_by_kind(project: Project, file: Path, tmp_path: Path) -> None:
    project.models.add(file, name="small")
    project.models.add(write_hollow_weights(tmp_path / "sd.safetensors", ldm_shapes()), name="sd")
    assert [each.name for each in project.models.list()] == ["sd", "small"]
    assert [each.name for each in project.models.list(ModelKind.STABLE_DIFFUSION)] == ["sd"]


def test_that_a_card_of_another_shape_is_damaged_and_hidden_folders_of_others_stay(
    project: Project, file: Path
) -> None:
    project.models.add(file, name="bad")
    card = project.folder / "models" / "bad" / "model.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | {"facts": []}))
    assert (project.models.list(), project.models.damaged()) == ([], ["bad"])
    own = project.folder / "models" / ".my-own"
    own.mkdir()
    project.models.add(file, name="good")
    assert own.is_dir()
