"""Folders of images: samples or classes by folder."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from synthstudio.core.annotations.imagefolder import read_imagefolder
from synthstudio.core.annotations.planning import ReadOptions
from synthstudio.core.annotations.readers import READERS
from synthstudio.core.imaging import write_png
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import AnnotationState, Split
from tests.support.shared_data import shared_data


def write_images(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        write_png(root / name, np.full((6, 8, 3), 200, np.uint8))
    return root


def test_that_the_subfolder_is_the_sample(tmp_path: Path) -> None:
    plan = read_imagefolder(write_images(tmp_path, "p1/a.png", "p1/b.png", "p2/a.png", "alone.png"))
    assert [(fov.sample, fov.name) for fov in plan.fovs] == [
        ("alone", "alone.png"),
        ("p1", "a.png"),
        ("p1", "b.png"),
        ("p2", "a.png"),
    ]
    assert {fov.state for fov in plan.fovs} == {AnnotationState.NONE}
    assert plan.problems == ()


def test_that_a_folder_that_only_holds_the_images_is_no_sample(tmp_path: Path) -> None:
    plan = read_imagefolder(write_images(tmp_path, "images/a.png", "images/b.png"))
    assert [fov.sample for fov in plan.fovs] == ["a", "b"]


def test_that_folders_named_after_splits_give_the_split(tmp_path: Path) -> None:
    plan = read_imagefolder(write_images(tmp_path, "train/p1/a.png", "Valid/p2/a.png", "test/c.png"))
    assert {fov.sample: fov.split for fov in plan.fovs} == {"p1": Split.TRAIN, "p2": Split.VAL, "c": Split.TEST}


def test_that_a_sample_in_two_splits_is_told_and_stays_in_the_first(tmp_path: Path) -> None:
    plan = read_imagefolder(write_images(tmp_path, "test/p1/a.png", "train/p1/b.png"))
    assert [fov.split for fov in plan.fovs] == [Split.TEST, Split.TEST]
    assert "its sample 'p1' is already test" in plan.problems[0].message


def test_that_a_folder_per_class_gives_labels(tmp_path: Path) -> None:
    root = write_images(tmp_path, "train/cyst/a.png", "train/cyst/b.png", "val/nevus/c.png")
    plan = read_imagefolder(root, ReadOptions(labels_from_folder=True))
    assert plan.class_names == ("cyst", "nevus")
    assert [dict(fov.labels) for fov in plan.fovs] == [
        {"cyst": True, "nevus": False},
        {"cyst": True, "nevus": False},
        {"cyst": False, "nevus": True},
    ]
    assert [(fov.sample, fov.split) for fov in plan.fovs] == [
        ("a", Split.TRAIN),
        ("b", Split.TRAIN),
        ("c", Split.VAL),
    ]


def test_that_a_class_outside_the_list_gives_no_label_and_is_told(tmp_path: Path) -> None:
    root = write_images(tmp_path, "cyst/a.png", "dust/b.png")
    plan = read_imagefolder(root, ReadOptions(labels_from_folder=True, known_classes=("cyst",)))
    assert [fov.labels for fov in plan.fovs] == [(("cyst", True),), ()]
    assert "'dust' is not in the list" in plan.problems[0].message


def test_that_a_text_named_jpg_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    write_images(tmp_path, "a.png")
    (tmp_path / "b.jpg").write_text("remember the milk")
    plan = read_imagefolder(tmp_path)
    assert [fov.name for fov in plan.fovs] == ["a.png"]
    assert str(plan.problems[0]).startswith("b.jpg: the image is left out")


def test_that_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no images"):
        read_imagefolder(tmp_path)


def test_that_real_photographs_in_one_folder_are_samples_of_their_own() -> None:
    plan = READERS["imagefolder"](shared_data("lesions"))
    assert len(plan.fovs) == len({fov.sample for fov in plan.fovs}) == 1066


def test_that_a_bmp_cut_off_in_its_header_is_told(tmp_path: Path) -> None:
    whole = cv2.imencode(".bmp", np.zeros((24, 30, 3), np.uint8))[1].tobytes()
    (tmp_path / "cut.bmp").write_bytes(whole[:31])
    plan = read_imagefolder(tmp_path)
    assert plan.fovs == ()
    assert "cut.bmp" in str(plan.problems[0])
