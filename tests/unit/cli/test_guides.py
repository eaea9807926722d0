"""Guide sets by the commands: captions in, boxes in, checked, and out again."""

import json
from pathlib import Path

import numpy as np
import pytest

from synthstudio.core.imaging import read_image, write_png
from synthstudio.domain.records import Box, Split
from synthstudio.project import Project
from tests.support.region_projects import make_region_project
from tests.unit.cli.test_formats import result_of, synthstudio

SPLITS = (Split.TRAIN, Split.TRAIN, None, Split.VAL, Split.TEST)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    project = make_region_project(tmp_path / "study", splits=SPLITS)
    project.close()
    return project.folder


@pytest.fixture
def captions(tmp_path: Path) -> Path:
    folder = tmp_path / "ten"
    folder.mkdir()
    for number in range(3):
        write_png(folder / f"{number}.png", np.full((20, 30, 3), 60 * number, np.uint8))
        (folder / f"{number}.txt").write_text(f"a zxq rash {number}")
    return folder


def test_that_captions_are_imported_into_a_guide_set_of_the_folders_name(study: Path, captions: Path) -> None:
    flags = ("--format", "captions", "--class-name", "rash", "--identifier", "zxq")
    result = result_of("import", study, captions, *flags)
    assert (result["n_images"], result["guide_set"], result["n_guides"]) == (3, "ten", 3)
    listed = result_of("guides", "list", study)
    facts = {"guide_set": "ten", "class_name": "rash", "identifier": "zxq", "n_images": 3, "n_captions": 3}
    assert listed == {"guide_sets": [facts]}
    again = result_of("import", study, captions, "--format", "captions", "--guides", "other")
    assert (again["n_images"], again["n_merged"], again["n_guides"]) == (0, 3, 3)


def test_that_flags_of_captions_are_refused_for_other_formats(study: Path, captions: Path) -> None:
    ended = synthstudio("import", study, captions, "--format", "imagefolder", "--guides", "ten")
    assert ended.returncode == 2
    assert "--guides goes with --format captions only" in ended.stderr


def test_that_squares_around_boxes_come_from_every_image_in_turn_and_none_of_the_test_split(study: Path) -> None:
    result_of("guides", "new", study, "rash", "--class-name", "rash", "--identifier", "zxq")
    result = result_of("guides", "add", study, "rash", "--boxes-of", "rash", "nevus", "--count", "5", "--margin", "0")
    assert (result["n_added"], result["n_images"]) == (5, 5)
    project = Project.open(study, read_only=True)
    fovs = [fov.id for fov in project.fovs.list()]
    images = project.guides.get("rash").images
    project.close()
    assert [each.fov_id for each in images] == [*fovs[:4], fovs[0]]
    assert [each.box.width for each in images if each.box] == [40, 40, 40, 40, 24]


def test_that_named_fields_are_added_once(study: Path) -> None:
    result_of("guides", "new", study, "rash", "--class-name", "rash", "--identifier", "zxq")
    arguments = ("guides", "add", study, "rash", "--field", "photo0.png", "2", "--caption", "a zxq rash")
    assert result_of(*arguments)["n_added"] == 2
    assert result_of(*arguments)["n_added"] == 0
    assert "2 were there already" in synthstudio(*arguments).stdout


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("add", "rash"), 2, "Nothing is named"),
        (("add", "rash", "--field", "gone.png"), 1, "no field of view gone.png"),
        (("add", "rash", "--boxes-of", "wart"), 1, 'no class "wart"'),
        (("add", "rash", "--boxes-of", "--margin", "9"), 2, "margin"),
        (("add", "rash", "--boxes-of", "--count", "0"), 2, "count"),
        (("add", "gone", "--field", "photo0.png"), 1, "The guide sets are: rash"),
        (("new", "rash", "--class-name", "x", "--identifier", "y"), 1, "already a guide set"),
        (("export", "rash", "out"), 1, "no images"),
    ],
)
def test_that_what_cannot_be_done_is_told(study: Path, arguments: tuple[str, ...], status: int, words: str) -> None:
    synthstudio("guides", "new", study, "rash", "--class-name", "rash", "--identifier", "zxq")
    ended = synthstudio("guides", arguments[0], study, *arguments[1:])
    assert ended.returncode == status
    assert words in ended.stderr


def test_that_images_are_cropped_to_the_regions_on_them_and_captions_stay(study: Path) -> None:
    result_of("guides", "new", study, "rash", "--class-name", "rash", "--identifier", "zxq")
    result_of("guides", "add", study, "rash", "--field", "photo0.png", "photo1.png", "--caption", "a zxq rash")
    arguments = ("guides", "crop", study, "rash", "--boxes-of", "rash", "--margin", "0")
    assert result_of(*arguments)["n_cropped"] == 2
    assert result_of(*arguments)["n_cropped"] == 0
    assert result_of("guides", "crop", study, "rash", "--margin", "0")["n_cropped"] == 2
    project = Project.open(study, read_only=True)
    first = project.guides.get("rash").images[0]
    project.close()
    assert (first.box, first.caption) == (Box(30, 8, 140, 118), "a zxq rash")  # both regions are in it
    ended = synthstudio("guides", "crop", study, "rash", "--boxes-of", "wart")
    assert (ended.returncode, 'no class "wart"' in ended.stderr) == (1, True)


def test_that_a_check_names_what_is_off(study: Path) -> None:
    result_of("guides", "new", study, "ten", "--class-name", "skin rash", "--identifier", "zxq")
    result_of("guides", "add", study, "ten", "--field", "photo0.png", "photo4.png")
    checked = synthstudio("guides", "check", study, "ten", "--side", "128", "--json")
    assert checked.returncode == 1  # it has found an error
    problems = json.loads(checked.stdout)["problems"]
    assert isinstance(problems, list)
    assert [each["kind"] for each in problems] == ["test-split", "few-images", "small", "no-caption", "unknown-class"]
    shown = synthstudio("guides", "check", study, "ten")
    assert shown.stdout.startswith("error: photo4.png: of the test split")
    assert result_of("guides", "remove", study, "ten", "--field", "photo4.png")["n_removed"] == 1
    assert synthstudio("guides", "check", study, "ten").returncode == 0  # what is left is no error
    assert "1 guide images removed" in synthstudio("guides", "remove", study, "ten").stdout
    assert result_of("guides", "list", study)["guide_sets"] == []


def test_that_guide_images_that_come_into_the_test_split_are_told(study: Path) -> None:
    result_of("guides", "new", study, "ten", "--class-name", "rash", "--identifier", "zxq")
    result_of("guides", "add", study, "ten", "--field", "photo0.png", "photo1.png")
    moved = synthstudio("split", study, "--move", "train=test", "--json")
    assert json.loads(moved.stdout)["guides_in_test"] == {"ten": 2}
    assert "2 images of the guide set ten are in the test split" in moved.stderr


def test_that_an_exported_guide_set_comes_back_as_it_was(study: Path, tmp_path: Path) -> None:
    result_of("guides", "new", study, "rash", "--class-name", "rash", "--identifier", "zxq")
    flags = ("--boxes-of", "rash", "--caption", "a zxq rash, red", "--margin", "0")
    result_of("guides", "add", study, "rash", *flags, "--field", "photo1.png", "photo2.png", "photo3.png")
    result = result_of("guides", "export", study, "rash", tmp_path / "out")
    assert (result["n_images"], result["n_captions"]) == (3, 3)
    names = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.png"))
    assert names == ["train/s0001_00001.png", "train/s0002_00002.png", "val/s0003_00003.png"]
    assert read_image(tmp_path / "out" / names[0]).shape == (40, 40, 3)
    synthstudio("new", tmp_path / "again")
    result_of("import", tmp_path / "again", tmp_path / "out", "--format", "captions", "--guides", "back")
    project = Project.open(tmp_path / "again", read_only=True)
    assert [each.caption for each in project.guides.get("back").images] == ["a zxq rash, red"] * 3
    assert [fov.split for fov in project.fovs.list()] == [Split.TRAIN] * 2 + [Split.VAL]
    project.close()


def test_that_an_export_keeps_names_and_takes_a_side_where_that_is_asked_for(study: Path, tmp_path: Path) -> None:
    result_of("guides", "new", study, "ten", "--class-name", "rash", "--identifier", "zxq")
    result_of("guides", "add", study, "ten", "--field", "photo0.png")
    ended = synthstudio("guides", "export", study, "ten", tmp_path / "out", "--side", "32", "--keep-names", "--json")
    assert json.loads(ended.stdout)["n_captions"] == 0
    assert "1 images have no caption" in ended.stderr
    assert read_image(tmp_path / "out" / "photo0_00001.png").shape == (32, 32, 3)


def test_that_an_image_is_named_by_its_id_where_several_have_its_name(study: Path) -> None:
    result_of("guides", "new", study, "rash", "--class-name", "rash", "--identifier", "zxq")
    assert result_of("guides", "add", study, "rash", "--field", "#1", "2")["n_added"] == 2
