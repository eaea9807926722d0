"""Exports: whole or absent, exact, and silent about where the images come from."""

import contextlib
import dataclasses
import errno
import io
import json
import os
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO

from synthstudio.core.annotations.planning import ReadOptions
from synthstudio.core.annotations.readers import READERS
from synthstudio.core.annotations.voc import read_voc
from synthstudio.core.export.datasets import ExportData
from synthstudio.core.export.writers import WRITERS
from synthstudio.core.imaging import read_image, write_png
from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.domain.ids import FovId
from synthstudio.domain.records import AnnotationState, Box, Split
from tests.support.exports import (
    CELL,
    DUST,
    HEIGHT,
    WIDTH,
    box_mark,
    build_data,
    build_fov,
    center_mark,
    record_plan,
    write_fov,
)
from tests.support.shared_data import shared_data


def load_coco(path: Path) -> COCO:
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(path))


@pytest.mark.parametrize(("name", "reader"), [("bccd", "voc"), ("cells-mixed", "voc"), ("chula-rbc12", "centers")])
def test_that_real_data_sets_come_back_exactly_from_voc(tmp_path: Path, name: str, reader: str) -> None:
    plan = READERS[reader](shared_data(name))
    seen = [fov for fov in plan.fovs if fov.state is not AnnotationState.NONE]
    result = WRITERS["voc"](record_plan(plan), tmp_path / "out")
    again = read_voc(tmp_path / "out", ReadOptions(sample_from=r"^(s\d+)_"))
    assert (result.n_images, result.n_left_out) == (len(seen), len(plan.fovs) - len(seen))
    assert result.n_annotations == sum(len(fov.annotations) for fov in seen)
    assert [fov.annotations for fov in again.fovs] == [fov.annotations for fov in seen]
    assert [(fov.split, fov.state, fov.width, fov.height) for fov in again.fovs] == [
        (fov.split, fov.state, fov.width, fov.height) for fov in seen
    ]
    assert set(again.class_names) == set(plan.class_names)
    assert len({fov.sample for fov in again.fovs}) == len({fov.sample for fov in seen})
    assert again.problems == ()
    for before, after in zip(seen[::40], again.fovs[::40], strict=True):
        np.testing.assert_array_equal(read_image(before.path), read_image(after.path))


def test_that_pycocotools_loads_bccd_with_every_box(tmp_path: Path) -> None:
    plan = READERS["voc"](shared_data("bccd"))
    WRITERS["coco"](record_plan(plan), tmp_path / "out")
    n_images, n_boxes = 0, 0
    for split in ("train", "val"):
        coco = load_coco(tmp_path / "out" / "annotations" / f"instances_{split}.json")
        n_images += len(coco.imgs)
        n_boxes += len(coco.anns)
        assert {category["name"] for category in coco.loadCats(coco.getCatIds())} == {"RBC", "WBC", "Platelets"}
        assert all((tmp_path / "out" / "images" / image["file_name"]).is_file() for image in coco.imgs.values())
    assert (n_images, n_boxes) == (292, 3941)


sides = st.floats(1.001, 60)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.floats(0, WIDTH - 1.1), st.floats(0, HEIGHT - 1.1), sides, sides), max_size=5),
    st.lists(st.tuples(st.floats(3, WIDTH - 3), st.floats(3, HEIGHT - 3), st.none() | st.floats(2, 50)), max_size=3),
)
def test_that_any_boxes_and_centres_come_back_exactly(
    tmp_path_factory: pytest.TempPathFactory,
    corners: list[tuple[float, float, float, float]],
    clicks: list[tuple[float, float, float | None]],
) -> None:
    folder = tmp_path_factory.mktemp("trip")
    boxes = [Box(x, y, min(x + w, WIDTH), min(y + h, HEIGHT)) for x, y, w, h in corners]
    marks = [*(box_mark(box) for box in boxes), *(center_mark(x, y, size_px=size) for x, y, size in clicks)]
    data = build_data(write_fov(folder / "in", split=Split.VAL), *marks)
    WRITERS["voc"](data, folder / "voc")
    WRITERS["coco"](data, folder / "coco")

    plan = read_voc(folder / "voc")
    found = plan.fovs[0].annotations
    assert plan.problems == ()
    assert [mark.box for mark in found] == [mark.box for mark in marks]
    assert [(mark.x, mark.y, mark.size_px) for mark in found] == [(mark.x, mark.y, mark.size_px) for mark in marks]

    annotations = json.loads((folder / "coco" / "annotations" / "instances_val.json").read_text("utf-8"))["annotations"]
    for box, record in zip(boxes, annotations, strict=False):
        x, y, width, height = record["bbox"]
        assert (x, y) == (box.x0, box.y0)
        assert (x + width, y + height) == pytest.approx((box.x1, box.y1), abs=1e-9)
    assert [record["attributes"]["center"] for record in annotations[len(boxes) :]] == [[x, y] for x, y, _ in clicks]


def test_that_a_centre_becomes_the_square_of_its_class_cut_at_the_edge(tmp_path: Path) -> None:
    fov = write_fov(tmp_path / "in", um_per_px=0.5)
    data = build_data(fov, center_mark(50, 40), center_mark(5, 40), center_mark(50, 40, object_class=DUST))
    WRITERS["coco"](data, tmp_path / "out")
    coco = load_coco(tmp_path / "out" / "annotations" / "instances_default.json")
    assert [record["bbox"] for record in coco.anns.values()] == [[40, 30, 20, 20], [0, 30, 15, 20], [46, 36, 8, 8]]
    assert [record["category_id"] for record in coco.anns.values()] == [1, 1, 2]
    assert coco.cats[2]["supercategory"] == "artifact"


def test_that_a_class_without_size_is_named(tmp_path: Path) -> None:
    data = build_data(write_fov(tmp_path / "in"), center_mark(50, 40, object_class=DUST))
    with pytest.raises(UserError, match="The class 'dust' has no size"):
        WRITERS["voc"](data, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_that_an_export_tells_no_name_path_or_metadata(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "Jane Doe"
    fov = write_fov(folder)
    jpeg = cv2.imencode(".jpg", read_image(Path(fov.path)))[1].tobytes()
    secrets = b"\xff\xe1\x00\x15Exif\0\0Jane Doe 1950" + b"\xff\xfe\x00\x0aJane Doe"
    (folder / "b.jpg").write_bytes(jpeg[:2] + secrets + jpeg[2:] + b"Jane Doe")
    png = Path(fov.path).read_bytes()
    chunk = b"tEXt" + b"Author\0Jane Doe"
    lead, checksum = struct.pack(">I", len(chunk) - 4), struct.pack(">I", zlib.crc32(chunk))
    (folder / "c.png").write_bytes(png[:33] + lead + chunk + checksum + png[33:])
    fovs = [fov, build_fov(folder / "b.jpg", number=2), build_fov(folder / "c.png", number=3, sample="Doe")]
    labels = {fov.id: {CELL.id: True, DUST.id: False} for fov in fovs}  # for the folders by class
    WRITERS[name](ExportData(fovs, {}, (CELL, DUST), labels=labels), tmp_path / "out")
    written = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    images = sorted((path for path in written if path.suffix in (".png", ".jpg")), key=lambda path: path.name)
    assert [path.name for path in images] == ["s0001_00001.png", "s0001_00002.jpg", "s0002_00003.png"]
    for path in written:
        assert "Doe" not in path.name
        assert b"Doe" not in path.read_bytes()
    for fov, image in zip(fovs, images, strict=True):
        np.testing.assert_array_equal(read_image(Path(fov.path)), read_image(image))


def test_that_an_image_turned_by_exif_is_exported_upright(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (WIDTH, HEIGHT, 3), dtype=np.uint8)
    jpeg = cv2.imencode(".jpg", image)[1].tobytes()
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    (tmp_path / "a.jpg").write_bytes(jpeg[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + jpeg[2:])
    fov = build_fov(tmp_path / "a.jpg")
    WRITERS["coco"](build_data(fov, center_mark(9, 9)), tmp_path / "out")
    exported = read_image(tmp_path / "out" / "images" / "s0001_00001.png")
    np.testing.assert_array_equal(exported, read_image(tmp_path / "a.jpg"))
    assert exported.shape == (HEIGHT, WIDTH, 3)


def test_that_names_are_kept_on_request_and_stay_apart(tmp_path: Path) -> None:
    fovs = [write_fov(tmp_path / "in" / folder, "a.b.png", number=i) for i, folder in enumerate("xy")]
    WRITERS["voc"](ExportData(fovs, {}, (CELL,), keep_names=True), tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out" / "Annotations").iterdir()) == ["a.b.xml", "a.b_2.xml"]
    assert len(read_voc(tmp_path / "out").fovs) == 2


def test_that_images_nobody_has_looked_at_are_left_out_and_counted(tmp_path: Path) -> None:
    seen = write_fov(tmp_path / "in", number=1)
    unseen = dataclasses.replace(seen, id=FovId(2), state=AnnotationState.NONE)
    result = WRITERS["coco"](ExportData((seen, unseen), {}, (CELL,)), tmp_path / "out")
    assert (result.n_images, result.n_left_out) == (1, 1)


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_that_nothing_to_export_gives_a_valid_empty_data_set(tmp_path: Path, name: str) -> None:
    result = WRITERS[name](ExportData((), {}, (CELL,)), tmp_path / "out")
    assert result.n_images == 0
    assert (tmp_path / "out").is_dir()


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_that_a_folder_with_content_is_refused_and_an_empty_one_used(tmp_path: Path, name: str) -> None:
    data = build_data(write_fov(tmp_path / "in"), box_mark(Box(1, 1, 9, 9)))
    (tmp_path / "out").mkdir()
    WRITERS[name](data, tmp_path / "out")
    before = sorted((tmp_path / "out").rglob("*"))
    with pytest.raises(UserError, match="is not empty"):
        WRITERS[name](data, tmp_path / "out")
    assert sorted((tmp_path / "out").rglob("*")) == before
    with pytest.raises(UserError, match="is a file"):
        WRITERS[name](data, Path(data.fovs[0].path))


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_that_a_cancelled_export_leaves_nothing(tmp_path: Path, name: str) -> None:
    def cancel_at_the_end(done: int, total: int) -> None:
        if done == total:
            raise Cancelled

    data = build_data(write_fov(tmp_path / "in"), box_mark(Box(1, 1, 9, 9)))
    with pytest.raises(Cancelled):
        WRITERS[name](data, tmp_path / "out", tick=cancel_at_the_end)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_that_a_full_disk_leaves_nothing_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    data = build_data(write_fov(tmp_path / "in"), box_mark(Box(1, 1, 9, 9)))
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(UserError, match="The disk is full"):
        WRITERS["coco"](data, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_that_every_file_is_on_the_disk_before_the_folder_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: set[int] = set()
    fsync, rename = os.fsync, Path.rename

    def watch_fsync(descriptor: int) -> None:
        fsync(descriptor)
        synced.add(os.fstat(descriptor).st_ino)

    def watch_rename(self: Path, target: Path) -> Path:
        written = [self, *self.rglob("*")]
        assert {path.stat().st_ino for path in written} <= synced
        synced.add(-1)
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", watch_fsync)
    monkeypatch.setattr(Path, "rename", watch_rename)
    data = build_data(write_fov(tmp_path / "in"), box_mark(Box(1, 1, 9, 9)), box_mark(Box(20, 20, 40, 40)))
    for name in sorted(WRITERS):
        synced.clear()
        WRITERS[name](data, tmp_path / name)
        assert -1 in synced


def test_that_what_a_killed_export_left_is_replaced_but_a_strangers_folder_is_not(tmp_path: Path) -> None:
    data = build_data(write_fov(tmp_path / "in"), box_mark(Box(1, 1, 9, 9)))
    (tmp_path / "out.partial").mkdir()
    (tmp_path / "out.partial" / "mine").touch()
    with pytest.raises(UserError, match="is in the way"):
        WRITERS["coco"](data, tmp_path / "out")
    assert (tmp_path / "out.partial" / "mine").exists()
    (tmp_path / "out.partial" / ".export-in-progress").touch()
    WRITERS["coco"](data, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out"]


def test_that_a_changed_image_is_refused(tmp_path: Path) -> None:
    fov = write_fov(tmp_path / "in")
    write_png(Path(fov.path), np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    with pytest.raises(UserError, match="has changed since it was imported"):
        WRITERS["coco"](build_data(fov), tmp_path / "out")


def test_that_a_read_only_place_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, *args: object, **options: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    data = build_data(write_fov(tmp_path / "in"))
    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(UserError, match="read-only"):
        WRITERS["coco"](data, tmp_path / "out")
