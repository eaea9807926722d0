"""Images with their captions beside them."""

from pathlib import Path

import pytest

from synthstudio.core.annotations.captions import read_captions
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import Split
from tests.unit.core.annotations.test_imagefolder import write_images


def write_captions(root: Path, **captions: str) -> Path:
    for name, caption in captions.items():
        (root / f"{name}.txt").write_text(caption, encoding="utf-8")
    return root


def test_that_each_image_has_the_text_of_its_name_as_its_caption(tmp_path: Path) -> None:
    root = write_captions(write_images(tmp_path, "a.png", "b.png"), a="a zxq\nrash,  red\n", b="\ufeffÄtzung")
    plan = read_captions(root)
    assert {fov.name: fov.caption for fov in plan.fovs} == {"a.png": "a zxq rash, red", "b.png": "Ätzung"}
    assert [fov.sample for fov in plan.fovs] == ["a", "b"]
    assert (plan.problems, plan.class_names) == ((), ())


def test_that_a_caption_without_image_and_an_image_without_caption_are_told(tmp_path: Path) -> None:
    root = write_captions(write_images(tmp_path, "a.png", "b.png"), a="a rash", gone="a rash")
    plan = read_captions(root)
    assert {fov.name: fov.caption for fov in plan.fovs} == {"a.png": "a rash", "b.png": ""}
    assert [str(problem) for problem in plan.problems] == [
        "gone.txt: its image 'gone' is missing; the caption is left out",
        "b.png: has no caption (b.txt); it comes with an empty one",
    ]


def test_that_an_empty_caption_and_a_broken_image_are_told(tmp_path: Path) -> None:
    root = write_captions(write_images(tmp_path, "a.png"), a="  \n", b="a rash")
    (root / "b.png").write_bytes(b"no image")
    plan = read_captions(root)
    assert [(fov.name, fov.caption) for fov in plan.fovs] == [("a.png", "")]
    assert [problem.file for problem in plan.problems] == ["a.txt", "b.png"]


def test_that_split_folders_and_notes_beside_the_images_are_understood(tmp_path: Path) -> None:
    root = write_images(tmp_path, "train/a.png", "val/b.png")
    write_captions(root / "train", a="a rash", README="not a caption")
    write_captions(root / "val", b="a rash")
    plan = read_captions(root)
    assert {fov.name: fov.split for fov in plan.fovs} == {"a.png": Split.TRAIN, "b.png": Split.VAL}
    assert plan.problems == ()


def test_that_a_folder_without_captions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no captions"):
        read_captions(write_images(tmp_path, "a.png"))
