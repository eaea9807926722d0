"""Data sets as other tools write them: the good part is read, the rest is named by file and record."""

import json
from pathlib import Path

import numpy as np
import pytest

from synthstudio.core.annotations.guessing import guess_format
from synthstudio.core.annotations.planning import ReadOptions
from synthstudio.core.annotations.readers import READERS
from synthstudio.core.imaging import write_png
from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.domain.plans import ImportPlan
from synthstudio.domain.records import AnnotationState, Box, Split

WIDTH, HEIGHT = 100, 80
NEW_FORMATS = ("coco", "yolo", "labelme", "csv", "geojson")
SUFFIXES = {"coco": ".json", "yolo": ".txt", "labelme": ".json", "csv": ".csv", "geojson": ".geojson"}


def write_image(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_png(path, np.full((HEIGHT, WIDTH, 3), 200, np.uint8))
    return path


def write_text(path: Path, text: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")
    return path


def problems_of(plan: ImportPlan) -> list[str]:
    return [str(problem) for problem in plan.problems]


# COCO


def coco(*annotations: object, **extra: object) -> dict[str, object]:
    return {
        "images": [{"id": 1, "file_name": "images/a.png", "width": WIDTH, "height": HEIGHT}],
        "categories": [{"id": 3, "name": "cell"}, {"id": 4, "name": "unused"}],
        "annotations": list(annotations),
        **extra,
    }


def coco_box(*values: object, **extra: object) -> dict[str, object]:
    return {"id": 1, "image_id": 1, "category_id": 3, "bbox": list(values), **extra}


def read_coco_text(root: Path, document: object, name: str = "annotations/instances_val2017.json") -> ImportPlan:
    write_image(root / "images" / "a.png")
    write_text(root / name, document)
    return READERS["coco"](root)


def test_that_coco_boxes_are_read_with_the_split_of_the_file_name(tmp_path: Path) -> None:
    plan = read_coco_text(tmp_path, coco(coco_box(10, 20, 30.5, 40), coco_box(0, 0, WIDTH, HEIGHT)))
    (fov,) = plan.fovs
    assert [mark.box for mark in fov.annotations] == [Box(10, 20, 40.5, 60), Box(0, 0, WIDTH, HEIGHT)]
    assert (fov.split, fov.state) == (Split.VAL, AnnotationState.EXHAUSTIVE)
    assert plan.class_names == ("cell",)
    assert plan.problems == ()


def test_that_a_single_keypoint_without_area_is_a_centre(tmp_path: Path) -> None:
    points = [coco_box(keypoints=[5, 6.5, 2]), coco_box(5, 6, 0, 0, keypoints=[5, 6, 1])]
    plan = read_coco_text(tmp_path, coco(*points, coco_box(1, 2, 3, 4, keypoints=[2, 3, 2])))
    found = [(mark.x, mark.y, mark.box) for mark in plan.fovs[0].annotations]
    assert found == [(5, 6.5, None), (5, 6, None), (2.5, 4, Box(1, 2, 4, 6))]
    assert plan.problems == ()


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (coco_box(10, 20, 30), "annotation 1: the box of a 'cell' lacks a number; skipped"),
        (coco_box(10, 20, 30, "4"), "lacks a number"),
        (coco_box(10, 20, 30, None), "lacks a number"),
        (coco_box(10, 20, 30, True), "lacks a number"),
        (coco_box(10, 20, 30, 10**400), "lacks a number"),
        (coco_box(10, 20, float("nan"), 3), "lacks a number"),
        (coco_box(10, 20, 30, -4), "has no area"),
        (coco_box(200, 20, 30, 4), "is outside the 100 x 80 px image"),
        (coco_box(90, 20, 30, 4), "it is cut at the edge"),
        (coco_box(1, 2, 3, 4, category_id=9), "its category '9' is not listed"),
        (coco_box(1, 2, 3, 4, category_id=[]), "is not listed"),
        (coco_box(1, 2, 3, 4, image_id=7), "belongs to image '7', which is not listed"),
        (coco_box(1, 2, 3, 4, image_id={}), "names no image"),
        (coco_box(segmentation=[[5, 5, 20, 5, 9, 30]]), "is read as its bounding box"),
        (coco_box(segmentation={"counts": "abc", "size": [3, 3]}), "has no points"),
        ("text", "annotations 1: is no record"),
    ],
)
def test_that_a_bad_coco_annotation_is_named_and_the_good_one_stays(tmp_path: Path, bad: object, words: str) -> None:
    plan = read_coco_text(tmp_path, coco(bad, coco_box(10, 20, 30, 40)))
    assert Box(10, 20, 40, 60) in [mark.box for mark in plan.fovs[0].annotations]
    (problem,) = problems_of(plan)
    assert problem.startswith("annotations/instances_val2017.json: annotation")
    assert words in problem


def test_that_an_image_that_coco_lists_but_nobody_has_is_told(tmp_path: Path) -> None:
    images = [{"id": "x", "file_name": "gone.png"}, {"id": "x", "file_name": "a.png"}, {"id": 2}, 5]
    plan = read_coco_text(tmp_path, coco(images=images))
    assert plan.fovs == ()
    assert [problem.message for problem in plan.problems] == [
        "images 4: is no record; left out",
        "its image 'gone.png' is missing; the annotations are left out",
        "image 2: has no id of its own; left out",
        "image 3: has no file_name; left out",
    ]


def test_that_a_json_file_that_is_not_coco_is_told(tmp_path: Path) -> None:
    write_text(tmp_path / "x.json", [1, 2])
    plan = read_coco_text(tmp_path, coco(coco_box(1, 2, 3, 4)))
    assert len(plan.fovs) == 1
    assert problems_of(plan) == ["x.json: is no COCO file: it has no list 'images'"]


# YOLO

DATA_YAML = """# comment
path: ../datasets/cells
train: images/train
val:
  - images/val
test: # nothing
download: |
  from somewhere import something
  something(path='x')

names:
  0: red cell  # the round ones
  1: "white: cell"
nc: 2
"""


def test_that_yolo_is_read_by_data_yaml(tmp_path: Path) -> None:
    write_text(tmp_path / "data.yaml", DATA_YAML)
    write_image(tmp_path / "images" / "train" / "a.png")
    write_image(tmp_path / "images" / "val" / "a.png")
    write_image(tmp_path / "images" / "val" / "empty.png")
    write_image(tmp_path / "images" / "val" / "without.png")
    write_text(tmp_path / "labels" / "train" / "a.txt", "0 0.5 0.5 0.2 0.5\n")
    write_text(tmp_path / "labels" / "val" / "a.txt", "1 0.1 0.1 0.2 0.2 0.97\n")
    write_text(tmp_path / "labels" / "val" / "empty.txt", "")
    plan = READERS["yolo"](tmp_path)
    found = [(fov.split, fov.name, fov.state, [mark.box for mark in fov.annotations]) for fov in plan.fovs]
    exhaustive = AnnotationState.EXHAUSTIVE
    assert found == [
        (Split.TRAIN, "a.png", exhaustive, [Box(40, 20, 60, 60)]),
        (Split.TRAIN, "images/val/a.png", exhaustive, [Box(0, 0, 20, 16)]),
        (Split.VAL, "empty.png", exhaustive, []),
        (Split.VAL, "without.png", AnnotationState.NONE, []),
    ]
    assert plan.class_names == ("red cell", "white: cell")
    # The same name in both splits is one sample by its stem: told, and kept out of the validation.
    assert [problem for problem in problems_of(plan) if "images/val/a.png" not in problem] == []


@pytest.mark.parametrize(
    "names",
    ["names: ['cell', \"b, c\"]", "names: [cell,\n  'b, c']", "names:\n- cell\n- b, c", "names: {0: cell, 1: 'b, c'}"],
)
@pytest.mark.parametrize("split", ["train: ../train/images\nval: ../valid/images", "train: lists/train.txt"])
def test_that_names_and_splits_are_understood_however_they_are_written(tmp_path: Path, names: str, split: str) -> None:
    write_text(tmp_path / "data.yaml", f"{split}\n{names}\n")
    write_text(tmp_path / "lists" / "train.txt", "./somewhere/a.png\n")
    write_image(tmp_path / "somewhere" / "a.png")
    write_image(tmp_path / "valid" / "images" / "b.png")
    write_text(tmp_path / "somewhere" / "a.txt", "1 .5 .5 .5 .5")
    write_text(tmp_path / "valid" / "labels" / "b.txt", "0 .5 .5 .5 .5")
    plan = READERS["yolo"](tmp_path)
    assert plan.class_names == ("cell", "b, c")
    assert plan.problems == ()
    expected = Split.TRAIN if "lists" in split else None
    assert [fov.split for fov in plan.fovs] == [expected, Split.VAL]


@pytest.mark.parametrize("val", ["pictures", "./pictures/"])
def test_that_one_folder_for_two_splits_is_told_and_stays_undivided(tmp_path: Path, val: str) -> None:
    write_text(tmp_path / "data.yaml", f"train: pictures\nval: {val}\nnames: [cell]\n")
    write_image(tmp_path / "pictures" / "a.png")
    write_text(tmp_path / "pictures" / "a.txt", "0 .5 .5 .5 .5")
    plan = READERS["yolo"](tmp_path)
    assert [fov.split for fov in plan.fovs] == [None]
    (problem,) = problems_of(plan)
    assert problem.startswith(f"data.yaml: train and val name one folder, {val!r}: nothing in it is held out")


def test_that_images_that_two_splits_list_are_told(tmp_path: Path) -> None:
    write_text(tmp_path / "data.yaml", "train: lists/train.txt\nval: lists/val.txt\nnames: [cell]\n")
    write_text(tmp_path / "lists" / "train.txt", "pictures/a.png\n")
    write_text(tmp_path / "lists" / "val.txt", "./pictures/a.png\npictures/b.png\n")
    for name in ("a", "b"):
        write_image(tmp_path / "pictures" / f"{name}.png")
        write_text(tmp_path / "pictures" / f"{name}.txt", "0 .5 .5 .5 .5")
    problems = problems_of(READERS["yolo"](tmp_path))
    assert problems == ["lists/val.txt: lists 1 image(s) that another split lists, too; they stay in that one"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("names: [a\nx", "line 2: is not valid YAML"),
        ('names: ["\\UFFFFFFFF"]', "is not valid YAML"),
        ("a: &a [names, *a]", "is not valid YAML"),
        ("names: " + "[" * 5000, "is nested too deeply"),
        (f"names: [a]\npath: {'x' * 5000}\ntrain: {'y' * 5000}\nval: {'z' * 5000}.txt", ""),
        ('names: [a]\npath: "\\ud800\\0"\ntrain: "\\0.txt"', ""),
    ],
)
def test_that_a_data_yaml_of_any_content_is_named_and_the_labels_are_read(
    tmp_path: Path, text: str, words: str
) -> None:
    write_image(tmp_path / "a.png")
    write_text(tmp_path / "a.txt", "0 .5 .5 .5 .5\n")
    write_text(tmp_path / "data.yaml", text)
    plan = READERS["yolo"](tmp_path)
    assert len(plan.fovs[0].annotations) == 1
    assert [problem.startswith("data.yaml") and words in problem for problem in problems_of(plan)] == [True] * bool(
        words
    )


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("0 0.5 0.5 0.2", "is not of the form 'class x y width height'"),
        ("0 0.5 0.5 0.2 nan", "is not of the form"),
        ("0 50 50 20 20", "is not of the form"),
        ("0 0.5 0.5 0 0.2", "has no area"),
        ("7 0.5 0.5 0.2 0.2", "class number 7 is beyond the 1 class names"),
        ("0 0.98 0.5 0.2 0.2", "it is cut at the edge"),
        ("0 0.1 0.1 0.5 0.1 0.5 0.5", "1 outline is read as its bounding box"),
    ],
)
def test_that_a_bad_yolo_line_is_named_and_the_good_one_stays(tmp_path: Path, line: str, words: str) -> None:
    write_image(tmp_path / "a.png")
    write_text(tmp_path / "classes.txt", "cell\n")
    write_text(tmp_path / "a.txt", f"0 0.5 0.5 0.2 0.2\n{line}\n")
    plan = READERS["yolo"](tmp_path)
    assert Box(40, 32, 60, 48) in [mark.box for mark in plan.fovs[0].annotations]
    assert plan.problems[0].file == "a.txt"
    assert plan.problems[0].line == 2
    assert words in plan.problems[0].message


# labelme


def shape(kind: str, *points: object, label: object = "cell") -> dict[str, object]:
    return {"label": label, "points": list(points), "shape_type": kind, "group_id": None, "flags": {}}


def read_shapes(root: Path, *shapes: object) -> ImportPlan:
    write_image(root / "train" / "a.png")
    document = {"version": "5.4.1", "flags": {}, "shapes": list(shapes), "imagePath": "..\\x\\a.png", "imageData": None}
    write_text(root / "train" / "a.json", {**document, "imageHeight": HEIGHT, "imageWidth": WIDTH})
    return READERS["labelme"](root)


def test_that_labelme_shapes_become_boxes_and_centres(tmp_path: Path) -> None:
    plan = read_shapes(
        tmp_path,
        shape("rectangle", [30, 40], [10, 20]),
        shape("point", [5.5, 6.5]),
        shape("circle", [50, 40], [53, 44]),
        shape("polygon", [1, 1], [9, 1], [5, 9]),
    )
    (fov,) = plan.fovs
    assert [(mark.x, mark.y, mark.box, mark.size_px) for mark in fov.annotations] == [
        (20, 30, Box(10, 20, 30, 40), None),
        (5.5, 6.5, None, None),
        (50, 40, None, 10),
        (5, 5, Box(1, 1, 9, 9), None),
    ]
    assert (fov.split, fov.state) == (Split.TRAIN, AnnotationState.PARTIAL)
    assert problems_of(plan) == ["train/a.json: shape 4: the outline of a 'cell' is read as its bounding box"]


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (shape("rectangle", [1, 2]), "has no area"),
        (shape("point", [1, 2], [3, 4]), "a 'point' of 2 points marks no object"),
        (shape("point", [1, "2"]), "lacks a number"),
        (shape("point", 1), "lacks a number"),
        (shape("point", [500, 2]), "is outside the 100 x 80 px image"),
        (shape("star", [1, 2]), "a 'star' of 1 points marks no object"),
        (shape("point", [1, 2], label=""), "without a class name"),
        (shape("point", [1, 2], label={}), "without a class name"),
        (3, "without a class name"),
    ],
)
def test_that_a_bad_labelme_shape_is_named_and_the_good_one_stays(tmp_path: Path, bad: object, words: str) -> None:
    plan = read_shapes(tmp_path, bad, shape("point", [1, 2]))
    assert len(plan.fovs[0].annotations) == 1
    assert problems_of(plan)[0].startswith("train/a.json: shape 1: ")
    assert words in problems_of(plan)[0]


# CSV


@pytest.mark.parametrize(
    "text",
    [
        "image,class,x,y\nsub/a.png,cell,10.5,20\n",
        "Filename;Label;Center X;Center-Y\na.png;cell;10,5;20\n",
        "\ufeffimage\tclass\tx\ty\r\na\tcell\t10.5\t20\r\n",
        'class|y|x|image\n"cell"|20|10.5|"a.png"\n',
        "class,x,y\ncell,10.5,20\n",
    ],
)
def test_that_tables_are_read_whatever_their_delimiter_and_order(tmp_path: Path, text: str) -> None:
    write_image(tmp_path / "a.png")
    write_text(tmp_path / "a.csv", text)
    plan = READERS["csv"](tmp_path)
    assert [(mark.class_name, mark.x, mark.y, mark.box) for mark in plan.fovs[0].annotations] == [
        ("cell", 10.5, 20, None)
    ]
    assert plan.problems == ()


def test_that_a_spreadsheets_utf16_text_is_read(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png")
    (tmp_path / "a.tsv").write_bytes("image\tclass\tx\ty\r\na.png\tZélle\t1\t2\r\n".encode("utf-16"))
    assert READERS["csv"](tmp_path / "a.tsv").class_names == ("Zélle",)


@pytest.mark.parametrize(
    ("heading", "row", "box"),
    [
        ("x0,y0,x1,y1", "10,20,30,50", Box(10, 20, 30, 50)),
        ("xmin,ymin,xmax,ymax,width,height", "10,20,30,50,100,80", Box(10, 20, 30, 50)),
        ("x,y,width,height", "10,20,20,30", Box(10, 20, 30, 50)),
        ("left,top,w,h", "10,20,20,30", Box(10, 20, 30, 50)),
        ("cx,cy,width,height", "20,35,20,30", Box(10, 20, 30, 50)),
    ],
)
def test_that_tables_of_boxes_are_read_by_their_columns(tmp_path: Path, heading: str, row: str, box: Box) -> None:
    write_image(tmp_path / "a.png")
    write_text(tmp_path / "boxes_test.csv", f"filename,class,{heading}\na.png,cell,{row}\n")
    plan = READERS["csv"](tmp_path)
    assert [mark.box for mark in plan.fovs[0].annotations] == [box]
    assert plan.fovs[0].split is Split.TEST
    assert plan.problems == ()


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("a.png,cell,1", "has neither a centre nor a whole box"),
        ("a.png,cell,one,2", "x is 'one', which is no number of px"),
        ("a.png,cell,1e99,2", "is no number of px"),
        ("a.png,cell,nan,2", "is no number of px"),
        ("a.png,cell,-1,2", "is outside"),
        ("a.png,,1,2", "without a class name"),
    ],
)
def test_that_a_bad_row_is_named_by_its_line_and_the_good_one_stays(tmp_path: Path, row: str, words: str) -> None:
    write_image(tmp_path / "a.png")
    write_text(tmp_path / "t.csv", f"image,class,x,y\n\n{row}\na.png,cell,1,2\n")
    plan = READERS["csv"](tmp_path)
    assert len(plan.fovs[0].annotations) == 1
    assert (plan.problems[0].file, plan.problems[0].line) == ("t.csv", 3)
    assert words in plan.problems[0].message


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "is empty"), ("image,colour\na.png,red\n", "has no heading with the columns image, class and x, y")],
)
def test_that_a_table_without_the_columns_is_told(tmp_path: Path, text: str, words: str) -> None:
    write_image(tmp_path / "a.png")
    write_text(tmp_path / "t.csv", text)
    plan = READERS["csv"](tmp_path)
    assert plan.fovs == ()
    assert words in plan.problems[0].message


# GeoJSON


def feature(kind: str, coordinates: object, classification: object = None) -> dict[str, object]:
    facts = {"objectType": "annotation", "classification": classification or {"name": "cell", "color": [1, 2, 255]}}
    return {"type": "Feature", "geometry": {"type": kind, "coordinates": coordinates}, "properties": facts}


def read_features(root: Path, document: object, name: str = "a.png.geojson") -> ImportPlan:
    write_image(root / "a.png")
    write_text(root / name, document)
    return READERS["geojson"](root)


SQUARE = [[[10, 20], [10, 40], [30, 40], [30, 20], [10, 20]]]


def test_that_geojson_geometries_become_boxes_and_centres(tmp_path: Path) -> None:
    features = [
        feature("Point", [5.5, 6.5]),
        feature("MultiPoint", [[1, 2], [3, 4]], {"names": ["cell", "big"], "colorRGB": -65536}),
        feature("Polygon", SQUARE),
        feature("Polygon", [[[1, 1], [9, 1], [5, 9], [1, 1]]]),
        feature("MultiPolygon", [SQUARE, [[[50, 50], [60, 50], [60, 60], [50, 50]]]]),
    ]
    plan = read_features(tmp_path, {"type": "FeatureCollection", "features": features})
    (fov,) = plan.fovs
    assert [(mark.x, mark.y, mark.box) for mark in fov.annotations] == [
        (5.5, 6.5, None),
        (1, 2, None),
        (3, 4, None),
        (20, 30, Box(10, 20, 30, 40)),
        (5, 5, Box(1, 1, 9, 9)),
        (35, 40, Box(10, 20, 60, 60)),
    ]
    assert plan.class_colors == {"cell": "#0102FF", "cell: big": "#FF0000"}
    assert [problem.message.partition(":")[0] for problem in plan.problems] == ["feature 4", "feature 5"]


@pytest.mark.parametrize(
    "document", [[feature("Point", [1, 2])], feature("Point", [1, 2]), {"features": [feature("Point", [1, 2, 0])]}]
)
def test_that_lists_and_single_features_are_geojson_too(tmp_path: Path, document: object) -> None:
    plan = read_features(tmp_path, document, "a.json")
    assert len(plan.fovs[0].annotations) == 1
    assert plan.problems == ()


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (feature("Point", [1]), "lacks a number"),
        (feature("Polygon", [[[1, 2], [3, None]]]), "lacks a number"),
        (feature("Polygon", []), "has no points"),
        (feature("Polygon", 7), "has no points"),
        (feature("Sphere", [1, 2]), "a geometry 'Sphere' marks no object"),
        (feature("Point", [1, 2], {"x": 1}), "without a class name"),
        (feature("Point", [500, 2]), "is outside"),
        ({"geometry": None, "properties": 3}, "without a class name"),
        (None, "without a class name"),
    ],
)
def test_that_a_bad_feature_is_named_and_the_good_one_stays(tmp_path: Path, bad: object, words: str) -> None:
    plan = read_features(tmp_path, {"features": [bad, feature("Point", [1, 2])]})
    assert len(plan.fovs[0].annotations) == 1
    (problem,) = problems_of(plan)
    assert problem.startswith("a.png.geojson: feature 1: ")
    assert words in problem


# All of them


@pytest.mark.parametrize("name", ["coco", "labelme", "geojson"])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[" * 200_000, "is nested too deeply"),
        ('{"images": [}', "is malformed JSON"),
        ("null", "holds nothing but 'null'"),
        ("", "is malformed JSON"),
        ("9" * 5000, "is no "),
        ("NaN", "is no "),
        ('"\\ud800"', "is no "),
    ],
)
def test_that_json_of_any_shape_is_named_and_the_rest_is_read(tmp_path: Path, name: str, text: str, words: str) -> None:
    write_image(tmp_path / "a.png")
    write_text(tmp_path / "bad.json", text)
    plan = READERS[name](tmp_path)
    (problem,) = problems_of(plan)
    assert problem.startswith("bad.json")
    assert words in problem


@pytest.mark.parametrize("name", NEW_FORMATS)
def test_that_a_folder_without_such_files_is_refused(tmp_path: Path, name: str) -> None:
    write_image(tmp_path / "a.png")
    with pytest.raises(UserError, match="holds no"):
        READERS[name](tmp_path)
    with pytest.raises(UserError, match="does not exist"):
        READERS[name](tmp_path / "gone")


def write_good(root: Path, name: str) -> Path:
    write_image(root / "a.png")
    documents: dict[str, object] = {
        "coco": coco(coco_box(1, 2, 30, 40)),
        "yolo": "dust .5 .5 .5 .5\ncell .5 .5 .5 .5\n",
        "labelme": {"shapes": [shape("point", [1, 2]), shape("point", [1, 2], label="dust")]},
        "csv": "image,class,x,y\na.png,cell,1,2\na.png,dust,1,2\n",
        "geojson": [feature("Point", [1, 2]), feature("Point", [1, 2], "dust")],
    }
    return write_text(root / f"a{SUFFIXES[name]}", documents[name])


@pytest.mark.parametrize("name", sorted(set(NEW_FORMATS) - {"coco"}))
def test_that_a_class_outside_the_list_is_skipped_unless_it_will_be_renamed(tmp_path: Path, name: str) -> None:
    write_good(tmp_path, name)
    plan = READERS[name](tmp_path, ReadOptions(known_classes=("cell",)))
    assert plan.class_names == ("cell",)
    assert "'dust' is not in the list" in plan.problems[0].message
    renamed = READERS[name](tmp_path, ReadOptions(known_classes=("cell",), renamed_classes=("dust",)))
    assert set(renamed.class_names) == {"cell", "dust"}


@pytest.mark.parametrize("name", NEW_FORMATS)
def test_that_reading_can_be_cancelled(tmp_path: Path, name: str) -> None:
    def cancel(done: int, total: int) -> None:
        raise Cancelled

    write_good(tmp_path, name)
    with pytest.raises(Cancelled):
        READERS[name](tmp_path, tick=cancel)


@pytest.mark.parametrize("name", ["coco", "labelme", "csv", "geojson"])
def test_that_a_single_file_can_be_read(tmp_path: Path, name: str) -> None:
    path = write_good(tmp_path, name)
    write_text(tmp_path / f"other{SUFFIXES[name]}", "[")
    plan = READERS[name](path)
    assert len(plan.fovs) == 1
    assert plan.problems == ()


@pytest.mark.parametrize("name", NEW_FORMATS)
def test_that_a_broken_image_is_told_and_left_out(tmp_path: Path, name: str) -> None:
    write_good(tmp_path, name)
    (tmp_path / "a.png").write_bytes(b"no image")
    plan = READERS[name](tmp_path)
    assert plan.fovs == ()
    assert plan.problems[0].file == "a.png"


def test_that_what_lies_in_hidden_folders_is_no_sign_of_a_format(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png")
    write_text(tmp_path / ".git" / "index.json", "{}")
    assert guess_format(tmp_path) == "imagefolder"


def test_that_of_several_files_the_same_one_is_looked_at_however_the_system_lists_them(tmp_path: Path) -> None:
    for first, second in (("a", "b"), ("b", "a")):
        folder = tmp_path / first
        texts = {"a": {"shapes": []}, "b": {"images": []}}
        for name in (first, second):
            write_text(folder / f"{name}.json", texts[name])
        assert guess_format(folder) == "labelme"
