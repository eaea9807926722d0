"""Text files of centres: what is read, what is skipped, and how large the objects are."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from synthstudio.core.annotations.centers import read_centers
from synthstudio.core.annotations.planning import ReadOptions
from synthstudio.core.imaging import write_png
from synthstudio.domain.errors import UserError
from synthstudio.domain.plans import ImportPlan
from synthstudio.domain.records import AnnotationState, Split
from tests.support.shared_data import shared_data

WIDTH, HEIGHT = 100, 80


def write_dataset(root: Path, labels: dict[str, str], images: tuple[str, ...] = ("a",)) -> Path:
    (root / "Label").mkdir(parents=True)
    (root / "Dataset").mkdir()
    for stem in images:
        write_png(root / "Dataset" / f"{stem}.png", np.full((HEIGHT, WIDTH, 3), 200, np.uint8))
    for stem, text in labels.items():
        (root / "Label" / f"{stem}.txt").write_text(text, encoding="utf-8")
    return root


def read_one(root: Path, text: str, **options: object) -> ImportPlan:
    return read_centers(write_dataset(root / "data", {"a": text}), ReadOptions(**options))  # type: ignore[arg-type]


def test_that_centres_are_read_as_they_stand(tmp_path: Path) -> None:
    plan = read_one(tmp_path, "10 20 2\n30.25, 40.5, Living  Cell\n\n# a comment\n5;6;0\n")
    marks = [(mark.x, mark.y, mark.class_name, mark.box) for mark in plan.fovs[0].annotations]
    assert marks == [(10, 20, "class 2", None), (30.25, 40.5, "Living Cell", None), (5, 6, "class 0", None)]
    assert plan.fovs[0].state is AnnotationState.PARTIAL
    assert plan.class_names == ("class 0", "class 2", "Living Cell")
    assert plan.problems == ()


def test_that_a_heading_a_byte_order_mark_and_windows_lines_are_accepted(tmp_path: Path) -> None:
    plan = read_one(tmp_path, "\ufeffx,y,class\r\n10,20,cell\r\n")
    assert len(plan.fovs[0].annotations) == 1
    assert plan.problems == ()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("10 20", "is not of the form 'x y class'"),
        ("a b c", "does not begin with two numbers"),
        ("nan 3 cell", "is outside the 100 x 80 px image"),
        ("1e999 3 cell", "is outside"),
        ("100 3 cell", "is outside"),
        ("3 -1 cell", "is outside"),
    ],
)
def test_that_a_bad_line_is_named_and_the_rest_is_read(tmp_path: Path, line: str, words: str) -> None:
    plan = read_one(tmp_path, f"1 2 cell\n{line}\n3 4 cell\n")
    assert len(plan.fovs[0].annotations) == 2
    assert [(problem.file, problem.line) for problem in plan.problems] == [("Label/a.txt", 2)]
    assert words in plan.problems[0].message


def test_that_numbers_count_the_lines_of_a_file_of_class_names(tmp_path: Path) -> None:
    root = write_dataset(tmp_path / "data", {"a": "1 1 1\n2 2 0\n3 3 7\n"})
    (root / "classes.txt").write_text("ring form\ntrophozoite\n")
    plan = read_centers(root)
    assert [mark.class_name for mark in plan.fovs[0].annotations] == ["trophozoite", "ring form"]
    assert plan.class_names == ("ring form", "trophozoite")
    assert "class number 7 is beyond the 2 class names" in plan.problems[0].message


def test_that_a_fixed_list_of_classes_gives_the_numbers_their_names_and_refuses_others(tmp_path: Path) -> None:
    plan = read_one(tmp_path, "1 1 1\n2 2 dust\n", known_classes=("ring", "troph"))
    assert [mark.class_name for mark in plan.fovs[0].annotations] == ["troph"]
    assert "'dust' is not in the list" in plan.problems[0].message


def test_that_a_label_without_its_image_is_told_and_an_image_without_label_comes_along(tmp_path: Path) -> None:
    root = write_dataset(tmp_path / "data", {"a": "1 1 cell", "b": "1 1 cell"}, ("a", "c"))
    plan = read_centers(root, ReadOptions(split=Split.TEST))
    assert [(fov.name, fov.state, fov.split) for fov in plan.fovs] == [
        ("a.png", AnnotationState.PARTIAL, Split.TEST),
        ("c.png", AnnotationState.NONE, Split.TEST),
    ]
    assert "its image 'b' is missing" in plan.problems[0].message


def test_that_an_empty_label_file_means_that_nobody_has_looked(tmp_path: Path) -> None:
    assert read_one(tmp_path, "\n").fovs[0].state is AnnotationState.NONE


def test_that_a_folder_without_text_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "README.txt").write_text("hello")
    with pytest.raises(UserError, match="holds no centre files"):
        read_centers(tmp_path)


def test_that_chula_is_read_whole_with_sizes_as_seen_by_eye() -> None:
    plan = read_centers(shared_data("chula-rbc12"))
    assert len(plan.fovs) == 200
    assert sum(len(fov.annotations) for fov in plan.fovs) == 7085
    assert plan.class_names == tuple(f"class {number}" for number in range(13))
    assert plan.problems == ()
    assert plan.estimated_sizes == set(plan.class_names)
    # Measured by eye on two images: normal cells 36-42 px, macrocytes about 50, fragments about 28.
    assert 35 <= plan.class_sizes_px["class 0"] <= 43
    assert 45 <= plan.class_sizes_px["class 1"] <= 55
    assert plan.class_sizes_px["class 9"] < plan.class_sizes_px["class 2"] < plan.class_sizes_px["class 0"]


def test_that_mutated_real_files_give_problems_and_never_exceptions(tmp_path: Path) -> None:
    source = shared_data("chula-rbc12")
    rng = np.random.default_rng(5)
    seed = (source / "Label" / "656.txt").read_bytes()
    images = tmp_path / "images"
    images.mkdir()
    shutil.copy(source / "Dataset" / "656.jpg", images)
    for number in range(200):
        data = bytearray(seed)
        for _ in range(int(rng.integers(1, 10))):
            place = int(rng.integers(0, len(data)))
            if rng.random() < 0.6:
                data[place] = int(rng.integers(0, 256))
            else:
                del data[place : place + int(rng.integers(1, 20))]
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "656.txt").write_bytes(data)
        plan = read_centers(folder, ReadOptions(images=images))
        (fov,) = plan.fovs
        assert all(0 <= mark.x < fov.width and 0 <= mark.y < fov.height for mark in fov.annotations)
        assert all(mark.class_name for mark in fov.annotations)
