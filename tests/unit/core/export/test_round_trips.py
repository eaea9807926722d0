"""What an export writes, the reader of its format gives back."""

import contextlib
import csv
import dataclasses
import io
import json
import uuid
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO

from synthstudio.core.annotations.mapping import count_marks
from synthstudio.core.annotations.planning import ReadOptions
from synthstudio.core.annotations.readers import READERS
from synthstudio.core.annotations.yaml_files import parse_yaml
from synthstudio.core.export.datasets import ExportData
from synthstudio.core.export.writers import WRITERS
from synthstudio.core.export.yolo import encode_data_yaml
from synthstudio.core.imaging import read_image
from synthstudio.domain.ids import ClassId, FovId, SampleId
from synthstudio.domain.plans import ImportPlan, PlannedFov
from synthstudio.domain.records import Annotation, AnnotationState, Box, ObjectClass, Role, Split
from tests.support.exports import (
    CELL,
    DUST,
    HEIGHT,
    WIDTH,
    box_mark,
    build_data,
    center_mark,
    record_plan,
    write_fov,
)
from tests.support.shared_data import shared_data

EXACT = ("coco", "voc", "labelme", "csv", "geojson")
"""Formats that give back every box, centre and own size to the last bit."""

sides = st.floats(2, 90)
clicks = st.tuples(
    st.floats(0, WIDTH, exclude_max=True), st.floats(0, HEIGHT, exclude_max=True), st.none() | st.floats(0.5, 50)
)
boxes = st.tuples(st.floats(0, WIDTH - 2), st.floats(0, HEIGHT - 2), sides, sides).map(
    lambda each: Box(each[0], each[1], min(each[0] + each[2], WIDTH), min(each[1] + each[3], HEIGHT))
)


def seen(plan: ImportPlan) -> list[PlannedFov]:
    return [fov for fov in plan.fovs if fov.state is not AnnotationState.NONE]


@pytest.mark.parametrize(("name", "reader"), [("bccd", "voc"), ("chula-rbc12", "centers"), ("cells-mixed", "voc")])
@pytest.mark.parametrize("written_as", sorted(EXACT))
def test_that_real_data_sets_come_back_exactly(tmp_path: Path, name: str, reader: str, written_as: str) -> None:
    plan = READERS[reader](shared_data(name))
    before = seen(plan)
    result = WRITERS[written_as](record_plan(plan), tmp_path / "out")
    options = ReadOptions(sample_from=r"(s\d+)_") if written_as == "voc" else ReadOptions()
    again = READERS[written_as](tmp_path / "out", options)

    def facts(fov: PlannedFov) -> tuple[object, ...]:
        return fov.annotations, fov.split, fov.state, fov.width, fov.height

    def key(fov: PlannedFov) -> str:  # the number at the end of the neutral name
        return fov.path.stem.rpartition("_")[2]

    assert [facts(fov) for fov in sorted(again.fovs, key=key)] == [facts(fov) for fov in before]
    assert set(again.class_names) == set(plan.class_names)
    assert again.problems == ()
    assert len({fov.sample for fov in again.fovs}) == len({fov.sample for fov in before})
    assert result.n_annotations == sum(len(fov.annotations) for fov in before)
    for old, new in list(zip(before, sorted(again.fovs, key=key), strict=True))[::60]:
        np.testing.assert_array_equal(read_image(old.path), read_image(new.path))


@pytest.mark.parametrize("name", sorted(EXACT))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(boxes, max_size=5), st.lists(clicks, max_size=4), st.sampled_from([None, *Split]))
def test_that_any_marks_come_back_to_the_last_bit(
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    corners: list[Box],
    points: list[tuple[float, float, float | None]],
    split: Split | None,
) -> None:
    folder = tmp_path_factory.mktemp("trip")
    marks = [*(box_mark(box) for box in corners), *(center_mark(x, y, size_px=size) for x, y, size in points)]
    fov = write_fov(folder / "in", split=split)
    WRITERS[name](build_data(fov, *marks), folder / "out")
    plan = READERS[name](folder / "out")
    (found,) = plan.fovs
    assert plan.problems == ()
    assert [mark.box for mark in found.annotations] == [mark.box for mark in marks]
    assert [mark.size_px for mark in found.annotations] == [mark.size_px for mark in marks]
    assert [(mark.x, mark.y) for mark in found.annotations] == [(mark.x, mark.y) for mark in marks]
    assert {mark.class_name for mark in found.annotations} <= {CELL.name}
    assert (found.split, found.state) == (split, AnnotationState.PARTIAL)
    if name != "voc":
        assert found.sample == "s0001"


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(boxes, min_size=1, max_size=5), st.sampled_from([None, *Split]))
def test_that_boxes_come_back_from_yolo_within_a_millionth_px(
    tmp_path_factory: pytest.TempPathFactory, corners: list[Box], split: Split | None
) -> None:
    folder = tmp_path_factory.mktemp("trip")
    WRITERS["yolo"](build_data(write_fov(folder / "in", split=split), *map(box_mark, corners)), folder / "out")
    plan = READERS["yolo"](folder / "out")
    assert plan.problems == ()
    assert plan.class_names == (CELL.name, DUST.name)
    assert plan.fovs[0].split is split
    for mark, box in zip(plan.fovs[0].annotations, corners, strict=True):
        assert mark.box is not None
        assert dataclasses.astuple(mark.box) == pytest.approx(dataclasses.astuple(box), abs=1e-6)


def test_that_pycocotools_counts_every_centre_of_chula_by_class(tmp_path: Path) -> None:
    plan = READERS["centers"](shared_data("chula-rbc12"))
    WRITERS["coco"](record_plan(plan), tmp_path / "out")
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(tmp_path / "out" / "annotations" / "instances_default.json"))
    found = {category["name"]: len(coco.getAnnIds(catIds=[number])) for number, category in coco.cats.items()}
    assert found == count_marks(plan.fovs)
    assert len(coco.getImgIds()) == len(seen(plan))


def test_that_whole_and_half_pixels_come_back_from_yolo_exactly(tmp_path: Path) -> None:
    plan = READERS["voc"](shared_data("bccd"))
    result = WRITERS["yolo"](record_plan(plan), tmp_path / "out")
    again = READERS["yolo"](tmp_path / "out")
    assert {fov.path.stem[-5:]: fov.annotations for fov in again.fovs} == {
        f"{number:05d}": fov.annotations for number, fov in enumerate(seen(plan), start=1)
    }
    assert {fov.path.stem[-5:]: fov.split for fov in again.fovs} == {
        f"{number:05d}": fov.split for number, fov in enumerate(seen(plan), start=1)
    }
    assert again.problems == ()
    assert set(again.class_names) == set(plan.class_names)
    assert result.notes == ()


def test_that_centres_come_back_exactly_from_the_centers_format(tmp_path: Path) -> None:
    plan = READERS["centers"](shared_data("chula-rbc12"))
    WRITERS["centers"](record_plan(plan), tmp_path / "out")
    again = READERS["centers"](tmp_path / "out")
    found = {fov.path.stem[-5:]: (fov.annotations, fov.split) for fov in again.fovs}
    assert found == {f"{i:05d}": (fov.annotations, fov.split) for i, fov in enumerate(seen(plan), start=1)}
    assert again.class_names == plan.class_names
    assert again.problems == ()


@pytest.mark.parametrize("name", sorted(set(WRITERS) - {"imagefolder", "voc"}))
def test_that_odd_class_names_come_back(tmp_path: Path, name: str) -> None:
    names = ["a, b; c", "3", 'say "x"', "it's: #1", "- dash", "[x]", "yes", "é 细胞 😀", "back\\slash", "x\u2028y"]
    classes = [ObjectClass(ClassId(i), each, "#112233", "", Role.OBJECT, None, 4.0) for i, each in enumerate(names)]
    fov = write_fov(tmp_path / "in")
    marks = [center_mark(10 + i, 20, object_class=each) for i, each in enumerate(classes)]
    WRITERS[name](ExportData((fov,), {fov.id: marks}, classes), tmp_path / "out")
    plan = READERS[name](tmp_path / "out")
    expected = [each.replace("\u2028", " ") for each in names]
    assert [mark.class_name for mark in plan.fovs[0].annotations] == expected
    assert plan.problems == ()


def test_that_artifacts_sizes_and_unused_classes_come_back_from_coco(tmp_path: Path) -> None:
    fov = write_fov(tmp_path / "in", um_per_px=0.5)
    WRITERS["coco"](build_data(fov, center_mark(9, 9)), tmp_path / "out")
    plan = READERS["coco"](tmp_path / "out")
    assert plan.class_names == (CELL.name, DUST.name)
    assert plan.artifacts == {DUST.name}
    assert plan.class_sizes_px == {CELL.name: 20.0}
    assert plan.estimated_sizes == frozenset()


def test_that_colours_come_back_from_geojson(tmp_path: Path) -> None:
    WRITERS["geojson"](build_data(write_fov(tmp_path / "in"), center_mark(9, 9)), tmp_path / "out")
    assert READERS["geojson"](tmp_path / "out").class_colors == {CELL.name: CELL.color}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("coco", ["1 centre is written as boxes"]),
        ("voc", ["1 centre is written as boxes", "knows no artifacts"]),
        ("yolo", ["1 centre is written as boxes", "only partly annotated", "knows no artifacts", "no val split"]),
        ("labelme", ["knows no artifacts"]),
        ("csv", ["knows no artifacts"]),
        ("geojson", ["knows no artifacts"]),
        ("centers", ["1 box is written as centres", "own size of 1 object", "knows no artifacts"]),
        ("imagefolder", ["knows no artifacts"]),
    ],
)
def test_that_what_a_format_cannot_say_is_noted(tmp_path: Path, name: str, words: list[str]) -> None:
    fov = write_fov(tmp_path / "in", split=Split.TRAIN)
    marks = [center_mark(9, 9, size_px=5.0), box_mark(Box(1, 1, 9, 9), DUST)]
    notes = WRITERS[name](build_data(fov, *marks), tmp_path / "out").notes
    assert len(notes) == len(words)
    for note, expected in zip(notes, words, strict=True):
        assert expected in note


def test_that_a_labelme_file_has_what_its_loader_and_its_checks_ask_for(tmp_path: Path) -> None:
    marks = [box_mark(Box(1, 2, 9, 9)), center_mark(9, 9), center_mark(20, 30, size_px=6.0)]
    WRITERS["labelme"](build_data(write_fov(tmp_path / "in"), *marks), tmp_path / "out")
    (path,) = (tmp_path / "out").glob("*.json")
    document = json.loads(path.read_text("utf-8"))
    # What labelme reads without a default: imageData, imagePath, shapes; label and points of each shape.
    assert document["imageData"] is None
    assert (path.parent / document["imagePath"]).is_file()
    assert (document["imageWidth"], document["imageHeight"]) == (WIDTH, HEIGHT)
    assert isinstance(document["version"], str)
    assert document["flags"] == {}
    n_points = {"rectangle": 2, "point": 1, "circle": 2}
    assert [shape["shape_type"] for shape in document["shapes"]] == list(n_points)
    for shape in document["shapes"]:
        assert isinstance(shape["label"], str)
        assert len(shape["points"]) == n_points[shape["shape_type"]]
        assert all(
            len(point) == 2 and all(isinstance(each, float | int) for each in point) for point in shape["points"]
        )
        assert shape["flags"] == {}
        assert shape["group_id"] is None
        assert isinstance(shape["description"], str)
        assert shape["mask"] is None


def test_that_a_geojson_file_has_the_structure_that_qupath_documents(tmp_path: Path) -> None:
    marks = [box_mark(Box(1, 2, 9, 9)), center_mark(9, 9), center_mark(20, 30, size_px=6.0)]
    WRITERS["geojson"](build_data(write_fov(tmp_path / "in"), *marks), tmp_path / "out")
    (path,) = (tmp_path / "out").glob("*.geojson")
    assert path.with_suffix(".png").is_file()
    document = json.loads(path.read_text("utf-8"))
    assert document["type"] == "FeatureCollection"
    ids = {uuid.UUID(feature["id"]) for feature in document["features"]}
    assert len(ids) == len(marks)
    for feature in document["features"]:
        assert feature["type"] == "Feature"
        assert feature["properties"]["objectType"] == "annotation"
        classification = feature["properties"]["classification"]
        assert classification["name"] == CELL.name
        assert classification["color"] == [0xE6, 0x9F, 0x00]
    kinds = [feature["geometry"]["type"] for feature in document["features"]]
    assert kinds == ["Polygon", "Point", "Point"]
    (ring,) = document["features"][0]["geometry"]["coordinates"]
    assert ring[0] == ring[-1] == [1, 2]
    assert len(ring) == 5
    assert document["features"][2]["properties"]["measurements"] == {"size_px": 6.0}


def read_yolo_as_trainers_do(folder: Path) -> dict[str, list[tuple[str, tuple[float, ...]]]]:
    """Find images by data.yaml and labels by the rule of YOLO trainers: the last /images/ becomes /labels/."""
    lines = (folder / "data.yaml").read_text("utf-8").splitlines()
    keys = dict(line.split(": ", 1) for line in lines if not line.startswith(("#", " ")) and ": " in line)
    names = [json.loads(line.split(": ", 1)[1]) for line in lines[lines.index("names:") + 1 :]]
    assert int(keys["nc"]) == len(names)
    found: dict[str, list[tuple[str, tuple[float, ...]]]] = {}
    for key in ("train", "val", "test"):
        for image in sorted((folder / keys[key]).iterdir()) if key in keys else ():
            before, _, after = image.as_posix().rpartition("/images/")
            label = Path(f"{before}/labels/{after}").with_suffix(".txt")
            for line in label.read_text().splitlines():
                number, *shares = line.split()
                assert len(shares) == 4
                assert all(0 <= float(share) <= 1 for share in shares)
                found.setdefault(key, []).append((names[int(number)], tuple(float(share) for share in shares)))
    return found


def test_that_trainers_find_every_image_and_box_of_a_yolo_export(tmp_path: Path) -> None:
    plan = READERS["voc"](shared_data("bccd"))
    WRITERS["yolo"](record_plan(plan), tmp_path / "out")
    found = read_yolo_as_trainers_do(tmp_path / "out")
    for split in Split:
        expected = [mark.class_name for fov in plan.fovs if fov.split is split for mark in fov.annotations]
        assert sorted(name for name, _ in found.get(split, [])) == sorted(expected)


def test_that_data_yaml_points_at_what_there_is(tmp_path: Path) -> None:
    for folders, train, val in (
        ((), "unsplit", "unsplit"),
        ((Split.TRAIN,), "train", "train"),
        ((Split.TEST,), "test", "test"),
        ((Split.TRAIN, Split.VAL, Split.TEST), "train", "val"),
    ):
        document = parse_yaml(encode_data_yaml((CELL, DUST), folders).decode())
        assert (document.text("train"), document.text("val")) == (f"images/{train}", f"images/{val}")
        assert document.texts("names") == [CELL.name, DUST.name]
        assert document.problems == []


def test_that_a_table_names_image_class_and_place_in_columns(tmp_path: Path) -> None:
    WRITERS["csv"](build_data(write_fov(tmp_path / "in"), center_mark(9, 9.25)), tmp_path / "out")
    with (tmp_path / "out" / "annotations.csv").open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert (row["class"], float(row["x"]), float(row["y"]), row["x0"]) == (CELL.name, 9.0, 9.25, "")
    assert (tmp_path / "out" / row["image"]).is_file()


def test_that_cut_outs_lie_in_folders_by_split_and_class(tmp_path: Path) -> None:
    fov = write_fov(tmp_path / "in", split=Split.VAL)
    classes = (dataclasses.replace(CELL, name="a/b"), dataclasses.replace(DUST, name="A:B"))
    marks: list[Annotation] = [center_mark(50, 40), center_mark(0, 0), box_mark(Box(0, 0, 8, 4), DUST)]
    labelled = dataclasses.replace(write_fov(tmp_path / "in", "l.png", number=2), state=AnnotationState.NONE)
    nothing = dataclasses.replace(write_fov(tmp_path / "in", "n.png", number=3), sample_id=SampleId(3))
    data = ExportData(
        (fov, labelled, nothing), {fov.id: marks}, classes, labels={FovId(2): {CELL.id: False, DUST.id: True}}
    )
    result = WRITERS["imagefolder"](data, tmp_path / "out")
    files = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.png"))
    assert files == [
        "unsplit/A_B_2/s0001_00002.png",
        "val/A_B_2/s0001_00001_0003.png",
        "val/a_b/s0001_00001_0001.png",
        "val/a_b/s0001_00001_0002.png",
    ]
    image = read_image(Path(fov.path))
    np.testing.assert_array_equal(read_image(tmp_path / "out" / files[2]), image[28:53, 38:63])
    np.testing.assert_array_equal(read_image(tmp_path / "out" / files[3]), image[:12, :12])
    np.testing.assert_array_equal(read_image(tmp_path / "out" / files[1]), image[:10, :10])
    assert (result.n_images, result.n_annotations, result.n_left_out) == (4, 3, 1)


@pytest.mark.parametrize("written_as", ["coco", "labelme", "csv", "geojson"])
def test_that_notes_and_flags_come_back_where_names_are_kept(tmp_path: Path, written_as: str) -> None:
    plain, noted = center_mark(9, 9), dataclasses.replace(center_mark(30, 30), note='two, "not" one; Zelle 細胞')
    flagged = dataclasses.replace(box_mark(Box(40, 40, 60, 70)), is_flagged=True)
    data = build_data(write_fov(tmp_path / "in"), plain, noted, flagged)
    expected = [("", False), (noted.note, False), ("", True)]
    for keep_names in (True, False):
        out = tmp_path / f"out-{keep_names}"
        WRITERS[written_as](dataclasses.replace(data, keep_names=keep_names), out)
        (fov,) = READERS[written_as](out, ReadOptions()).fovs
        wanted = expected if keep_names else [("", is_flagged) for _, is_flagged in expected]
        assert [(mark.note, mark.is_flagged) for mark in fov.annotations] == wanted
        texts = [
            path.read_text(errors="replace")
            for path in out.rglob("*.*")
            if path.suffix in (".json", ".geojson", ".csv")
        ]
        assert any("two, " in text for text in texts) == keep_names
