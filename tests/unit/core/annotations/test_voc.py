"""VOC data sets: the good part is read, the rest is named by file and line."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from synthstudio.core.annotations.planning import ReadOptions
from synthstudio.core.annotations.voc import read_voc
from synthstudio.core.imaging import write_png
from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.domain.plans import ImportPlan
from synthstudio.domain.records import AnnotationState, Box, Split
from tests.support.shared_data import shared_data

WIDTH, HEIGHT = 100, 80


def build_object(name: str = "cell", box: tuple[object, object, object, object] = (11, 21, 30, 50)) -> str:
    corners = "".join(
        f"<{tag}>{value}</{tag}>" for tag, value in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
    )
    return f"<object><name>{name}</name><bndbox>{corners}</bndbox></object>\n"


def build_xml(*objects: str, filename: str = "a.png", size: tuple[int, int] = (WIDTH, HEIGHT)) -> str:
    head = f"<filename>{filename}</filename>\n<size><width>{size[0]}</width><height>{size[1]}</height></size>\n"
    return f"<annotation>\n{head}{''.join(objects)}</annotation>\n"


def write_dataset(root: Path, annotations: dict[str, str], images: tuple[str, ...] = ("a",)) -> Path:
    (root / "Annotations").mkdir(parents=True)
    (root / "JPEGImages").mkdir()
    for stem in images:
        write_png(root / "JPEGImages" / f"{stem}.png", np.full((HEIGHT, WIDTH, 3), 200, np.uint8))
    for stem, text in annotations.items():
        (root / "Annotations" / f"{stem}.xml").write_text(text)
    return root


def write_splits(root: Path, **stems: str) -> None:
    (root / "ImageSets" / "Main").mkdir(parents=True)
    for split, text in stems.items():
        (root / "ImageSets" / "Main" / f"{split}.txt").write_text(text)


def read_one(root: Path, *objects: str) -> ImportPlan:
    return read_voc(write_dataset(root / "voc", {"a": build_xml(*objects)}))


def test_that_pixels_counted_from_one_become_end_exclusive_boxes(tmp_path: Path) -> None:
    plan = read_one(tmp_path, build_object(box=(1, 1, WIDTH, HEIGHT)), build_object(box=(11, 21, 30, 50)))
    assert [mark.box for mark in plan.fovs[0].annotations] == [Box(0, 0, WIDTH, HEIGHT), Box(10, 20, 30, 50)]
    assert (plan.fovs[0].annotations[1].x, plan.fovs[0].annotations[1].y) == (20, 35)
    assert plan.fovs[0].state is AnnotationState.EXHAUSTIVE
    assert plan.class_names == ("cell",)
    assert plan.problems == ()


def test_that_boxes_counted_from_zero_are_taken_without_a_word(tmp_path: Path) -> None:
    plan = read_one(tmp_path, build_object(box=(0, 0, 20, 20)))
    assert plan.fovs[0].annotations[0].box == Box(0, 0, 20, 20)
    assert plan.problems == ()


def test_that_class_sizes_are_measured_from_the_boxes(tmp_path: Path) -> None:
    plan = read_one(tmp_path, build_object(box=(1, 1, 10, 40)), build_object(box=(1, 1, 40, 40)))
    assert plan.class_sizes_px == {"cell": pytest.approx(30)}
    assert plan.estimated_sizes == frozenset()


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (build_object(box=(200, 200, 240, 240)), "is outside the 100 x 80 px image; skipped"),
        (build_object(box=(50, 50, 50, 60)), "has no area"),
        (build_object(box=(50, 50, 40, 60)), "has no area"),
        (build_object(box=("x", 1, 2, 3)), "lacks a number"),
        (build_object(box=("nan", 1, 2, 3)), "lacks a number"),
        (build_object(box=("1e999", 1, 2, 3)), "lacks a number"),
        (build_object(name=" "), "without a class name"),
        ("<object><name>cell</name></object>\n", "lacks a number"),
    ],
)
def test_that_a_bad_object_is_named_with_its_line_and_the_good_one_stays(tmp_path: Path, bad: str, words: str) -> None:
    plan = read_one(tmp_path, bad, build_object())
    assert len(plan.fovs[0].annotations) == 1
    assert len(plan.problems) == 1
    assert plan.problems[0].file == "Annotations/a.xml"
    assert plan.problems[0].line == 4
    assert words in plan.problems[0].message


def test_that_a_box_that_reaches_out_is_cut_and_told(tmp_path: Path) -> None:
    plan = read_one(tmp_path, build_object(box=(91, 71, 130, 120)))
    assert plan.fovs[0].annotations[0].box == Box(90, 70, WIDTH, HEIGHT)
    assert "it is cut at the edge" in plan.problems[0].message


def test_that_a_class_outside_the_list_is_skipped_and_told(tmp_path: Path) -> None:
    root = write_dataset(tmp_path / "voc", {"a": build_xml(build_object("dust"), build_object("cell"))})
    plan = read_voc(root, ReadOptions(known_classes=("cell",)))
    assert plan.class_names == ("cell",)
    assert [problem.line for problem in plan.problems] == [4]
    assert "'dust' is not in the list" in plan.problems[0].message


def test_that_an_annotation_without_its_image_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    root = write_dataset(tmp_path / "voc", {"a": build_xml(build_object()), "b": build_xml(filename="b.png")})
    plan = read_voc(root)
    assert [fov.name for fov in plan.fovs] == ["a.png"]
    assert "image 'b.png' is missing" in plan.problems[0].message


@pytest.mark.parametrize("content", [b"not an image", b"", b"\x89PNG\r\n\x1a\n"])
def test_that_a_broken_image_is_told_and_left_out(tmp_path: Path, content: bytes) -> None:
    root = write_dataset(tmp_path / "voc", {"a": build_xml(), "b": build_xml(filename="b.png")}, ("a", "b"))
    (root / "JPEGImages" / "b.png").write_bytes(content)
    plan = read_voc(root)
    assert [fov.name for fov in plan.fovs] == ["a.png"]
    assert plan.problems[0].file == "JPEGImages/b.png"


def test_that_malformed_xml_is_named_with_its_line(tmp_path: Path) -> None:
    root = write_dataset(tmp_path / "voc", {"a": build_xml(), "b": "<annotation>\n<object>\n</annotation>"}, ("a", "b"))
    plan = read_voc(root)
    assert len(plan.problems) == 1
    assert str(plan.problems[0]).startswith("Annotations/b.xml, line 3: is malformed XML")


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;">]><annotation>&y;</annotation>',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotation><filename>&x;</filename></annotation>',
        '<!DOCTYPE annotation SYSTEM "http://example.org/a.dtd"><annotation/>',
    ],
)
def test_that_entities_and_document_types_are_refused(tmp_path: Path, text: str) -> None:
    plan = read_voc(write_dataset(tmp_path / "voc", {"a": text}))
    assert "refused for safety" in plan.problems[0].message


def test_that_a_stated_size_that_is_not_the_images_is_told(tmp_path: Path) -> None:
    plan = read_voc(write_dataset(tmp_path / "voc", {"a": build_xml(build_object(), size=(50, 40))}))
    assert "says 50 x 40 px, but the image has 100 x 80" in plan.problems[0].message
    assert len(plan.fovs[0].annotations) == 1


def test_that_an_unknown_stated_size_is_no_problem(tmp_path: Path) -> None:
    assert read_voc(write_dataset(tmp_path / "voc", {"a": build_xml(size=(0, 0))})).problems == ()


def test_that_splits_come_from_the_lists_and_an_option_overrides_them(tmp_path: Path) -> None:
    stems = ("a", "b", "c", "d")
    root = write_dataset(tmp_path / "voc", {stem: build_xml(filename=f"{stem}.png") for stem in stems}, stems)
    write_splits(root, train="a\n", val="b.png\n", test=" c \n", trainval="a\nb\n")
    splits = [fov.split for fov in read_voc(root).fovs]
    assert splits == [Split.TRAIN, Split.VAL, Split.TEST, None]
    assert {fov.split for fov in read_voc(root, ReadOptions(split=Split.TEST)).fovs} == {Split.TEST}


def test_that_an_image_in_two_lists_keeps_the_first_and_is_told(tmp_path: Path) -> None:
    root = write_dataset(tmp_path / "voc", {"a": build_xml()})
    write_splits(root, train="a\n", val="\na\n")
    plan = read_voc(root)
    assert plan.fovs[0].split is Split.TRAIN
    assert str(plan.problems[0]) == "ImageSets/Main/val.txt, line 2: 'a' is listed as train already; it stays train"


def test_that_all_images_of_a_sample_get_one_split(tmp_path: Path) -> None:
    stems = ("p1_0", "p1_1", "p1_2")
    root = write_dataset(tmp_path / "voc", {stem: build_xml(filename=f"{stem}.png") for stem in stems}, stems)
    write_splits(root, train="p1_1\n", val="p1_2\n")
    plan = read_voc(root, ReadOptions(sample_from=r"(p\d)_"))
    assert {(fov.sample, fov.split) for fov in plan.fovs} == {("p1", Split.TRAIN)}
    assert "its sample 'p1' is already train" in plan.problems[0].message


def test_that_listed_images_that_are_not_there_are_counted_once_per_list(tmp_path: Path) -> None:
    root = write_dataset(tmp_path / "voc", {"a": build_xml()})
    write_splits(root, train="a\nx\ny\n")
    assert "lists 2 images that were not read, the first is 'x'" in read_voc(root).problems[0].message


def test_that_images_of_one_name_in_a_sample_stay_apart(tmp_path: Path) -> None:
    root = tmp_path / "voc"
    for folder in ("x", "y"):
        (root / folder).mkdir(parents=True)
        write_png(root / folder / "a.png", np.full((HEIGHT, WIDTH, 3), 200, np.uint8))
        (root / folder / "a.xml").write_text(build_xml())
    plan = read_voc(root)
    assert [fov.name for fov in plan.fovs] == ["a.png", "y/a.png"]
    assert [fov.path.parent.name for fov in plan.fovs] == ["x", "y"]
    assert "has an image of this name already" in plan.problems[0].message


def test_that_two_annotation_files_for_one_image_do_not_both_count(tmp_path: Path) -> None:
    plan = read_voc(write_dataset(tmp_path / "voc", {"a": build_xml(), "b": build_xml(filename="a.png")}))
    assert len(plan.fovs) == 1
    assert "has its annotations from a.xml already" in plan.problems[0].message


def test_that_images_without_annotations_come_along_unannotated(tmp_path: Path) -> None:
    plan = read_voc(write_dataset(tmp_path / "voc", {"a": build_xml(build_object())}, ("a", "b")))
    assert [(fov.name, fov.state) for fov in plan.fovs] == [
        ("a.png", AnnotationState.EXHAUSTIVE),
        ("b.png", AnnotationState.NONE),
    ]


def test_that_a_separate_image_folder_can_be_given(tmp_path: Path) -> None:
    root = write_dataset(tmp_path / "voc", {"a": build_xml(build_object())})
    (root / "JPEGImages").rename(tmp_path / "elsewhere")
    plan = read_voc(root, ReadOptions(images=tmp_path / "elsewhere"))
    assert [fov.path for fov in plan.fovs] == [tmp_path / "elsewhere" / "a.png"]


def test_that_a_folder_without_annotations_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no Pascal VOC annotations"):
        read_voc(tmp_path)


def test_that_reading_can_be_cancelled(tmp_path: Path) -> None:
    def cancel(done: int, total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        read_voc(write_dataset(tmp_path / "voc", {"a": build_xml()}), tick=cancel)


def test_that_bccd_is_read_whole_but_for_its_two_boxes_without_area() -> None:
    plan = read_voc(shared_data("bccd"))
    assert len(plan.fovs) == 292
    assert set(plan.class_names) == {"RBC", "WBC", "Platelets"}
    assert sum(len(fov.annotations) for fov in plan.fovs) == 3941
    assert len({fov.sample for fov in plan.fovs}) == 292
    assert {fov.split for fov in plan.fovs} == {Split.TRAIN, Split.VAL}
    assert [(problem.file, problem.line) for problem in plan.problems] == [
        ("Annotations/BloodImage_00338.xml", 158),
        ("Annotations/BloodImage_00343.xml", 50),
    ]


def test_that_images_of_odd_modes_with_spaces_in_their_names_are_read() -> None:
    plan = read_voc(shared_data("cells-mixed"))
    assert len(plan.fovs) == 200
    assert sum(len(fov.annotations) for fov in plan.fovs) == 801
    assert plan.problems == ()


def test_that_mutated_real_files_give_problems_and_never_exceptions(tmp_path: Path) -> None:
    source = shared_data("bccd")
    rng = np.random.default_rng(3)
    root = tmp_path / "voc"
    (root / "Annotations").mkdir(parents=True)
    seeds = sorted((source / "Annotations").glob("*.xml"))[:3]
    for seed in seeds:
        shutil.copy(source / "JPEGImages" / f"{seed.stem}.jpg", root)
    for number in range(400):
        data = bytearray(seeds[number % len(seeds)].read_bytes())
        for _ in range(int(rng.integers(1, 8))):
            place = int(rng.integers(0, len(data)))
            if rng.random() < 0.5:
                data[place] = int(rng.integers(0, 256))
            else:
                del data[place : place + int(rng.integers(1, 40))]
        folder = root / f"{number}"
        folder.mkdir()
        (folder / seeds[number % len(seeds)].name).write_bytes(data)
        plan = read_voc(folder, ReadOptions(images=root))
        for fov in plan.fovs:
            assert all(0 <= mark.x <= fov.width and 0 <= mark.y <= fov.height for mark in fov.annotations)
        assert all(str(problem) for problem in plan.problems)
