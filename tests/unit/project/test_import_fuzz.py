"""Real annotation files, damaged in a thousand ways: each is read as far as it goes, and nothing worse happens.

The damage is seeded: a failing number can be made again.
"""

from __future__ import annotations

import contextlib
import functools
import json
import math
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from synthstudio.core.annotations import planning, sizes
from synthstudio.core.annotations.readers import READERS
from synthstudio.core.export.writers import WRITERS
from synthstudio.core.imaging import write_png
from synthstudio.domain.errors import UserError
from synthstudio.domain.plans import ImportPlan, PlannedFov
from synthstudio.project import Project
from synthstudio.project.imports import Existing, apply_import
from tests.support.exports import record_plan
from tests.support.shared_data import shared_data

N_MUTATIONS = 2000
SCRAPS = (
    *(b"nan", b"inf", b"1e999", b"-1", b"99999999999999999999999", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\\ud800"),
    *(b"{", b"}", b"[", b"]", b'"', b"'", b",", b";", b":", b"\n", b"\r", b"#", b"<", b"&x;", b"=1+1", b"\t", b"\x1b"),
)
ODD_VALUES: tuple[object, ...] = (
    *(None, True, -1, 0, 1e308, math.nan, math.inf, 10**30, "", "x", "\ud800", "\0", [], {}, [[]], {"a": {}}),
    json.loads("[" * 300 + "]" * 300),
)


class _TakenBack(Exception):
    """Ends a transaction, so that the next mutation finds the project as it was."""


@dataclass(frozen=True)
class Target:
    """A small data set whose files are damaged one at a time."""

    root: Path
    files: tuple[Path, ...]


def build_target(name: str, root: Path) -> Target:
    """Write a data set of the format from real annotations; the image is flat, which is faster to read."""
    source = "chula-rbc12" if name == "centers" else "bccd"
    plan = READERS["centers" if name == "centers" else "voc"](small_source(source, root.parent / "source"))
    if name == "voc":
        root = root.parent / "source"
    elif name == "imagefolder":
        (root / "train").mkdir(parents=True)
        for kind in ("png", "jpg", "webp", "bmp", "tif"):
            image = np.random.default_rng(1).integers(0, 255, (24, 30, 3), dtype=np.uint8)
            (root / "train" / f"{kind}.{kind}").write_bytes(cv2.imencode(f".{kind}", image)[1].tobytes())
    elif name == "captions":
        root.mkdir(parents=True)
        for number in range(3):
            write_png(root / f"{number}.png", np.full((24, 30, 3), 50 * number, np.uint8))
            (root / f"{number}.txt").write_text("a photo of zxq rash, red in colour\non the back of the hand\n")
    else:
        WRITERS[name](record_plan(plan), root)
    is_image = name == "imagefolder"
    files = [path for path in root.rglob("*") if path.is_file() and (is_image or path.suffix not in (".png", ".jpg"))]
    return Target(root, tuple(sorted(files)))


def small_source(name: str, folder: Path) -> Path:
    """Copy one annotation file of a real data set, with a flat image of the same size."""
    folder.mkdir(parents=True)
    if name == "bccd":
        shutil.copy(shared_data(name) / "Annotations" / "BloodImage_00012.xml", folder / "BloodImage_00012.xml")
        (folder / "ImageSets" / "Main").mkdir(parents=True)
        (folder / "ImageSets" / "Main" / "train.txt").write_text("BloodImage_00012\n")
        write_png(folder / "BloodImage_00012.png", np.full((480, 640, 3), 200, np.uint8))
    else:
        shutil.copy(shared_data(name) / "Label" / "656.txt", folder / "656.txt")
        write_png(folder / "656.png", np.full((480, 640, 3), 200, np.uint8))
    return folder


def find_nothing(fov: PlannedFov) -> list[tuple[str, float]]:
    """What the search for objects finds in a flat image, without the search."""
    return []


def damage(data: bytes, rng: np.random.Generator) -> bytes:
    """Damage a file's bytes, or for JSON sometimes its values."""
    if data[:1] in b"{[" and rng.random() < 0.5:
        return damage_json(data, rng)
    changed = bytearray(data)
    for _ in range(int(rng.integers(1, 6))):
        DAMAGES[int(rng.integers(len(DAMAGES)))](changed, rng)
    return bytes(changed)


def damage_json(data: bytes, rng: np.random.Generator) -> bytes:
    document = json.loads(data)
    for _ in range(int(rng.integers(1, 4))):
        homes = list(iter_homes(document))
        home, key = homes[int(rng.integers(len(homes)))]
        if rng.random() < 0.2:
            del home[key]
        else:
            home[key] = ODD_VALUES[int(rng.integers(len(ODD_VALUES)))]
        if not isinstance(document, dict | list) or not document:
            break
    return json.dumps(document).encode()


def iter_homes(value: object, depth: int = 0) -> Iterator[tuple[dict[object, object] | list[object], object]]:
    """Yield each place in a document where a value stands."""
    if isinstance(value, dict | list) and depth < 12:
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key  # type: ignore[misc]  # a list is indexed by the numbers
            yield from iter_homes(value[key], depth + 1)  # type: ignore[index]


def _place(data: bytearray, rng: np.random.Generator) -> int:
    return int(rng.integers(0, len(data) + 1))


def flip(data: bytearray, rng: np.random.Generator) -> None:
    if data:
        data[int(rng.integers(len(data)))] = int(rng.integers(256))


def cut(data: bytearray, rng: np.random.Generator) -> None:
    start = _place(data, rng)
    del data[start : start + int(rng.integers(1, 60))]


def truncate(data: bytearray, rng: np.random.Generator) -> None:
    if rng.random() < 0.3:
        del data[_place(data, rng) :]


def insert(data: bytearray, rng: np.random.Generator) -> None:
    start = _place(data, rng)
    data[start:start] = SCRAPS[int(rng.integers(len(SCRAPS)))]


def double(data: bytearray, rng: np.random.Generator) -> None:
    start = _place(data, rng)
    data[start:start] = data[start : start + int(rng.integers(1, 400))]


def swap_lines(data: bytearray, rng: np.random.Generator) -> None:
    lines = data.splitlines(keepends=True)
    if len(lines) > 1:
        first, second = (int(rng.integers(len(lines))) for _ in range(2))
        lines[first], lines[second] = lines[second], lines[first]
        data[:] = b"".join(lines)


def replace_word(data: bytearray, rng: np.random.Generator) -> None:
    """Put a scrap in the place of a whole number or word."""
    start = _place(data, rng)
    end = start
    while end < len(data) and (data[end : end + 1].isalnum() or data[end] in b".-_"):
        end += 1
    data[start:end] = SCRAPS[int(rng.integers(len(SCRAPS)))]


DAMAGES: tuple[Callable[[bytearray, np.random.Generator], None], ...] = (
    *(flip, cut, truncate, insert, double, swap_lines, replace_word),
)


def check_plan(plan: ImportPlan, root: Path) -> None:
    for problem in plan.problems:
        assert (root / problem.file).exists(), problem
        assert problem.message
        str(problem).encode()
    for fov in plan.fovs:
        for mark in fov.annotations:
            assert mark.class_name in plan.class_names
            assert 0 <= mark.x <= fov.width
            assert 0 <= mark.y <= fov.height
            if mark.box is not None:
                assert 0 <= mark.box.x0 < mark.box.x1 <= fov.width
                assert 0 <= mark.box.y0 < mark.box.y1 <= fov.height


def import_and_take_back(project: Project, plan: ImportPlan) -> tuple[int, list[str]]:
    """Import a plan, check that all arrived, and take it back; return the number of its marks and its captions."""
    n_marks = sum(len(fov.annotations) for fov in plan.fovs)
    captions = [fov.caption for fov in plan.fovs if fov.caption is not None]
    with contextlib.suppress(_TakenBack), project.transaction():
        outcome = apply_import(project, plan, copy=False, existing=Existing.NEW, guide_set="ten" if captions else "")
        assert (outcome.n_fovs, outcome.n_annotations) == (len(plan.fovs), n_marks)
        assert sum(project.annotations.totals().values()) == n_marks
        assert [guide.caption for each in project.guides.list() for guide in each.images] == captions
        raise _TakenBack
    assert project.fovs.list() == []
    return n_marks, captions


@pytest.mark.parametrize("name", sorted(READERS))
def test_that_a_damaged_data_set_is_read_as_far_as_it_goes(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name != "imagefolder":  # the images stay as they are, and are flat: each is opened once, and nothing seen on it
        monkeypatch.setattr(planning, "open_image_file", functools.cache(planning.open_image_file))
        monkeypatch.setattr(sizes, "_measure_objects", find_nothing)
    target = build_target(name, tmp_path / "data")
    whole = {path: path.read_bytes() for path in target.files}
    rng = np.random.default_rng(20)
    project = Project.create(tmp_path / "study")
    before = import_and_take_back(project, READERS[name](target.root))
    n_refused = n_hurt = 0
    try:
        for number in range(N_MUTATIONS):
            path = target.files[number % len(target.files)]
            path.write_bytes(damage(whole[path], rng))
            try:
                plan = READERS[name](target.root)
            except UserError as error:
                n_refused += str(target.root) in error.message or pytest.fail(f"{error} does not name the folder")
            else:
                check_plan(plan, target.root)
                n_hurt += import_and_take_back(project, plan) != before or bool(plan.problems)
            path.write_bytes(whole[path])
    finally:
        project.close()
    assert n_hurt > N_MUTATIONS / 20  # the damage was felt
    assert n_refused < N_MUTATIONS / 2
