"""Real data sets are imported, corrected and exported in the real window, by keyboard and mouse alone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from synthstudio.domain.ids import AnnotationId
from synthstudio.domain.records import Annotation
from synthstudio.gui import errors
from tests.support.hands import ALT, CTRL, Hands
from tests.support.shared_data import shared_data
from tests.support.windows import ScriptedQuestions, open_window

SLACK_PX = 1.0


@pytest.fixture
def hands(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hands]:
    """At a window with a new project, made by Ctrl+N; only the file dialog is answered by a script."""
    monkeypatch.setattr(errors, "ask", ScriptedQuestions(paths=[tmp_path / "study"]))
    with open_window(qtbot, tmp_path / "private") as window:
        hands = Hands(qtbot, window)
        window.activateWindow()
        hands.wait(window.isActiveWindow)
        hands.press(Qt.Key.Key_N, CTRL)
        hands.wait(lambda: window.workspace.project is not None)
        yield hands


@dataclass(frozen=True, slots=True)
class Corrections:
    """What a person has changed on the first two fields.

    Attributes:
        marks: Class name, x and y of every mark that those fields must have now, by the name of their image.
        gained: Change of the number of marks of each class in the whole project.
    """

    marks: dict[str, Counter[tuple[str, float, float]]]
    gained: Counter[str]


def test_that_bccd_is_imported_corrected_and_exported_by_hand(hands: Hands, tmp_path: Path) -> None:
    bccd = shared_data("bccd")
    hands.import_folder(bccd, format_name="Pascal")
    assert counts(hands) == count_voc_objects(bccd)
    made = correct(hands)
    hands.export_to(tmp_path / "out", format_name="COCO")
    exported = read_coco_marks(tmp_path / "out")
    assert_exported(exported, made, before=count_voc_objects(bccd))
    assert len(exported) == len(list((bccd / "Annotations").glob("*.xml")))


def test_that_chula_is_imported_corrected_and_exported_by_hand(hands: Hands, tmp_path: Path) -> None:
    chula = shared_data("chula-rbc12")
    hands.import_folder(chula, format_name="Centres")
    assert counts(hands) == count_center_lines(chula)
    made = correct(hands)
    hands.export_to(tmp_path / "out", format_name="Centres")
    exported = read_center_marks(tmp_path / "out")
    assert_exported(exported, made, before=count_center_lines(chula))
    # A field without a single mark counts as not annotated; 573.jpg and 620.jpg are one image, which was said.
    n_marked = sum(bool(path.read_text().strip()) for path in (chula / "Label").glob("*.txt"))
    assert len(exported) == n_marked - 1
    assert any("573" in problem and "620" in problem for problem in hands.problems)


# The hand's work


def correct(hands: Hands) -> Corrections:
    """Correct two fields in every way there is; returns what must be there then."""
    page, names = hands.page, {each.id: each.name for each in hands.page.classes.values()}
    by_key = {each.key: each for each in page.classes.values()}
    before = Counter(names[mark.class_id] for mark in hands.committed())
    wrong, other, shifted = pick_three(hands)
    hands.press(Qt.Key.Key_V)
    hands.click_at(wrong.x, wrong.y)
    hands.press(Qt.Key.Key_Delete)
    hands.click_at(other.x, other.y)
    key = next(key for key in "123" if by_key[key].id != other.class_id)
    hands.press(getattr(Qt.Key, f"Key_{key}"))
    way = 9.0
    hands.drag((shifted.x, shifted.y), (shifted.x + way, shifted.y))
    hands.press(Qt.Key.Key_Escape)
    hands.press(Qt.Key.Key_2)
    hands.press(Qt.Key.Key_C)
    new = hands.free_place(40)
    hands.click_at(*new)
    hands.press(Qt.Key.Key_Z, CTRL)
    hands.press(Qt.Key.Key_Y, CTRL)
    hands.press(Qt.Key.Key_B)
    x, y = hands.free_place(60)
    hands.drag((x - 20, y - 15), (x + 20, y + 15))
    after = {mark.id: mark for mark in hands.committed()}
    assert wrong.id not in after
    assert after[other.id].class_id == by_key[key].id
    assert after[shifted.id].x == pytest.approx(shifted.x + way, abs=SLACK_PX)
    added = [mark for mark in after.values() if mark.source.value == "manual"]
    assert [mark.is_box for mark in added] == [False, True]
    assert (added[0].x, added[0].y) == pytest.approx(new, abs=SLACK_PX)
    assert {mark.class_id for mark in added} == {by_key["2"].id}
    assert page.shown_fov is not None
    first = page.shown_fov.name
    hands.press(Qt.Key.Key_4, CTRL | ALT)
    assert page.shown_fov.state.value == "reviewed"
    gained = Counter(names[mark.class_id] for mark in after.values())
    gained.subtract(before)
    marks = {first: places(list(after.values()), names)}

    hands.go_to_next_field()
    assert page.shown_fov.name != first
    hands.press(Qt.Key.Key_C)
    hands.press(Qt.Key.Key_1)
    hands.click_at(*hands.free_place(40))
    gained[by_key["1"].name] += 1
    marks[page.shown_fov.name] = places(hands.committed(), names)
    return Corrections(marks, gained)


def pick_three(hands: Hands) -> list[Annotation]:
    """Three marks that the mouse can take hold of; the one to be dragged has room on its right."""
    spared: set[AnnotationId] = set()
    picked: list[Annotation] = []
    assert hands.page.shown_fov is not None
    width = hands.page.shown_fov.width
    while len(picked) < 3:
        mark = hands.reachable_mark(spared=spared)
        spared.add(mark.id)
        right = mark.box.x1 if mark.box else mark.x
        if len(picked) < 2 or right + 30 < width:
            picked.append(mark)
    return picked


def places(marks: list[Annotation], names: dict[object, str]) -> Counter[tuple[str, float, float]]:
    return Counter((names[mark.class_id], round(mark.x, 3), round(mark.y, 3)) for mark in marks)


def counts(hands: Hands) -> Counter[str]:
    project = hands.window.workspace.require_project()
    totals = project.annotations.totals()
    return Counter({each.name: totals.get(each.id, 0) for each in project.classes.list()})


# What the files say, read without our readers


def count_voc_objects(root: Path) -> Counter[str]:
    found: Counter[str] = Counter()
    for path in (root / "Annotations").glob("*.xml"):
        for node in ElementTree.parse(path).getroot().iter("object"):
            box = {side.tag: float(side.text or "nan") for side in node.iter() if side.tag[1:] in ("min", "max")}
            if box["xmax"] > box["xmin"] and box["ymax"] > box["ymin"]:
                found[node.findtext("name", "")] += 1
    return found


def count_center_lines(root: Path) -> Counter[str]:
    lines = [line.split() for path in (root / "Label").glob("*.txt") for line in path.read_text().splitlines()]
    return Counter(f"class {line[2]}" for line in lines if line)


def read_coco_marks(root: Path) -> dict[str, Counter[tuple[str, float, float]]]:
    found: dict[str, Counter[tuple[str, float, float]]] = {}
    for path in (root / "annotations").glob("instances_*.json"):
        document = json.loads(path.read_text())
        names = {each["id"]: each["name"] for each in document["categories"]}
        images = {each["id"]: each["file_name"] for each in document["images"]}
        found |= {name: Counter() for name in images.values()}
        for each in document["annotations"]:
            x, y, width, height = each["bbox"]
            x, y = each.get("attributes", {}).get("center", (x + width / 2, y + height / 2))
            found[images[each["image_id"]]][names[each["category_id"]], round(x, 3), round(y, 3)] += 1
    return found


def read_center_marks(root: Path) -> dict[str, Counter[tuple[str, float, float]]]:
    names = (root / "classes.txt").read_text().splitlines()
    found: dict[str, Counter[tuple[str, float, float]]] = {}
    for path in root.rglob("*.txt"):
        if path.name != "classes.txt":
            lines = [line.split() for line in path.read_text().splitlines()]
            marks = ((names[int(c)], round(float(x), 3), round(float(y), 3)) for x, y, c in lines)
            found[f"{path.stem}.jpg"] = Counter(marks)
    return found


def assert_exported(
    exported: dict[str, Counter[tuple[str, float, float]]], made: Corrections, *, before: Counter[str]
) -> None:
    """The corrected fields hold just what was committed; all others what the files held."""
    for name, marks in made.marks.items():
        assert exported[name] == marks
    totals = Counter(name for marks in exported.values() for name, _, _ in marks.elements())
    expected = before.copy()
    expected.update(made.gained)
    assert totals == expected
