"""Fields and classes that are removed and brought back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from synthstudio.domain.errors import UserError
from synthstudio.domain.guides import NEW_GUIDE, GuideImage
from synthstudio.domain.ids import AnnotationId, FovId
from synthstudio.domain.records import Annotation, AnnotationState, Box, CropLabel, CropSquare, Split, Storage
from synthstudio.project import Project
from synthstudio.project.removal import put_back, remove_class, remove_fovs

TABLES = ("sample", "fov", "object_class", "annotation", "image_label", "crop_label", "rejected_patch", "guide_image")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """Two samples of two fields; every kind of fact about each field."""
    made = Project.create(tmp_path / "study")
    made.guides.add("ten", class_name="cell", identifier="zxq")
    classes = [made.classes.add(name, size_px=10.0) for name in ("RBC", "WBC")]
    for number in range(4):
        sample = made.samples.get_or_add(f"s{number // 2}", split=Split.TRAIN if number < 2 else Split.TEST)
        fov_id = made.fovs.add(
            sample_id=sample.id,
            name=f"{number}.png",
            stored_path=f"/nowhere/{number}.png",
            storage=Storage.REFERENCE,
            sha256=str(number),
            width=100,
            height=100,
            um_per_px=0.25,
        )
        marks, _ = made.annotations.add(
            [
                Annotation(
                    AnnotationId(0), fov_id, each.id, 20.0, 30.0, Box(15, 25, 25, 35), note="odd", is_flagged=True
                )
                for each in classes
            ]
        )
        made.patch_verdicts.reject([marks[0].id])
        made.fovs.set_state(fov_id, AnnotationState.REVIEWED)
        made.fovs.set_image_label(fov_id, classes[0].id, present=True)
        asked = frozenset(each.id for each in classes)
        made.guides.add_images("ten", [GuideImage(NEW_GUIDE, fov_id, Box(10, 20, 40, 50), "a zxq cell")])
        made.crop_labels.put(CropLabel(fov_id, CropSquare(0, 0, 50), asked, frozenset({classes[1].id})))
    yield made
    made.close()


def everything(project: Project) -> dict[str, set[tuple[object, ...]]]:
    return {table: {tuple(row) for row in project.database.rows(f"SELECT * FROM {table}")} for table in TABLES}


def ids(project: Project) -> list[FovId]:
    return [fov.id for fov in project.fovs.list()]


@pytest.mark.parametrize("chosen", [slice(0, 1), slice(0, 2), slice(0, 4), slice(1, 3)])
def test_that_fields_come_back_with_all_that_was_known_about_them(project: Project, chosen: slice) -> None:
    before = everything(project)
    gone = ids(project)[chosen]
    removed = remove_fovs(project, gone)
    assert not set(gone) & set(ids(project))
    assert removed.count("annotation") == 2 * len(gone)
    assert removed.told.fov_ids == frozenset(gone)
    put_back(project, removed)
    assert everything(project) == before


def test_that_a_sample_made_anew_meanwhile_takes_its_fields_back(project: Project) -> None:
    removed = remove_fovs(project, ids(project)[:2])
    again = project.samples.get_or_add("s0", split=Split.VAL)
    put_back(project, removed)
    back = [fov for fov in project.fovs.list() if fov.sample_name == "s0"]
    assert [fov.name for fov in back] == ["0.png", "1.png"]
    assert {fov.sample_id for fov in back} == {again.id}


def test_that_a_field_whose_name_is_taken_stays_away_and_nothing_is_changed(project: Project) -> None:
    first = project.fovs.list()[0]
    removed = remove_fovs(project, [first.id])
    project.fovs.add(
        sample_id=first.sample_id,
        name=first.name,
        stored_path="/elsewhere.png",
        storage=Storage.REFERENCE,
        sha256="x",
        width=5,
        height=5,
    )
    before = everything(project)
    with pytest.raises(UserError, match=r"another field 0.png"):
        put_back(project, removed)
    assert everything(project) == before


def test_that_a_class_comes_back_with_its_labels(project: Project) -> None:
    unused = project.classes.add("Platelets")
    for fov_id in ids(project):
        project.fovs.set_image_label(fov_id, unused.id, present=False)
    before = everything(project)
    removed = remove_class(project, unused.id)
    assert project.classes.find("Platelets") is None
    put_back(project, removed)
    assert everything(project) == before
    with pytest.raises(UserError, match="already a class Platelets"):
        put_back(project, removed)


def test_that_a_class_in_use_is_not_removed(project: Project) -> None:
    before = everything(project)
    with pytest.raises(UserError, match="used by 4 annotations"):
        remove_class(project, project.classes.list()[0].id)
    assert everything(project) == before


def test_that_guide_images_of_a_set_that_is_gone_do_not_come_back(project: Project) -> None:
    removed = remove_fovs(project, ids(project)[:1])
    project.guides.remove("ten")
    put_back(project, removed)
    assert len(ids(project)) == 4
    assert project.guides.list() == []
