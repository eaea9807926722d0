"""Guide sets: stored, changed, taken back, and what a training may learn from them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from synthstudio.core.imaging import read_image
from synthstudio.domain.errors import NotFound, UserError
from synthstudio.domain.guides import NEW_GUIDE, GuideImage
from synthstudio.domain.records import Box, Split
from synthstudio.project import Project
from synthstudio.project.guide_material import list_guide_crops, list_guide_material
from tests.support.region_projects import make_region_project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """Six photographs (four to learn from, one val, one test) and a guide set of all but the last."""
    made = make_region_project(tmp_path / "study")
    made.guides.add("rash", class_name="skin rash", identifier="zxq")
    fovs = made.fovs.list()
    made.guides.add_images(
        "rash", [GuideImage(NEW_GUIDE, fov.id, None, f"photo {number}") for number, fov in enumerate(fovs[:5])]
    )
    yield made
    made.close()


def captions(project: Project) -> list[str]:
    return [each.caption for each in project.guides.get("rash").images]


def test_that_a_guide_set_keeps_its_images_in_order(project: Project) -> None:
    guide_set = project.guides.get("rash")
    assert (guide_set.class_name, guide_set.identifier, guide_set.subject) == ("skin rash", "zxq", "zxq skin rash")
    assert captions(project) == [f"photo {number}" for number in range(5)]
    assert [each.fov_id for each in guide_set.images] == [fov.id for fov in project.fovs.list()[:5]]


def test_that_an_image_is_added_once_and_its_parts_beside_it(project: Project) -> None:
    first = project.fovs.list()[0].id
    box = Box(10, 10, 60, 60)
    added, told = project.guides.add_images(
        "rash", [GuideImage(NEW_GUIDE, first), GuideImage(NEW_GUIDE, first, box), GuideImage(NEW_GUIDE, first, box)]
    )
    assert [each.box for each in added] == [box]
    assert told.kinds == {"guides"}
    assert project.guides.get("rash").images[-1] == added[0]


def test_that_captions_are_one_line(project: Project) -> None:
    first = project.guides.get("rash").images[0]
    project.guides.set_captions({first.id: "  a zxq\nskin   rash "})
    assert captions(project)[0] == "a zxq skin rash"


def test_that_any_change_is_taken_back_by_putting_what_was_there(project: Project) -> None:
    before = project.guides.get("rash")
    after = replace(before, class_name="eczema", images=before.images[4:1:-1])
    project.guides.put(after)
    assert project.guides.get("rash") == after
    project.guides.put(before)
    assert project.guides.get("rash") == before
    project.guides.remove("rash")
    assert project.guides.list() == []
    project.guides.put(before)
    assert project.guides.get("rash") == before


def test_that_images_of_removed_fovs_leave_the_set_and_are_not_put_back(project: Project) -> None:
    before = project.guides.get("rash")
    told = project.fovs.remove([before.images[0].fov_id])
    assert "guides" in told.kinds
    assert captions(project) == ["photo 1", "photo 2", "photo 3", "photo 4"]
    project.guides.put(before)
    assert captions(project) == ["photo 1", "photo 2", "photo 3", "photo 4"]


@pytest.mark.parametrize("name", ["", "  ", "../up", "a/b", "x" * 101])
def test_that_an_impossible_name_is_refused(project: Project, name: str) -> None:
    with pytest.raises(UserError, match="cannot be called"):
        project.guides.add(name, class_name="", identifier="")


def test_that_a_name_is_taken_once_and_an_unknown_one_names_those_that_exist(project: Project) -> None:
    with pytest.raises(UserError, match="already a guide set"):
        project.guides.add("rash", class_name="", identifier="")
    with pytest.raises(NotFound) as caught:
        project.guides.get("naevus")
    assert "rash" in caught.value.hint


def test_that_sets_are_found_by_the_fovs_that_they_show(project: Project) -> None:
    fovs = [fov.id for fov in project.fovs.list()]
    assert project.guides.sets_of(fovs[:2]) == ["rash"]
    assert project.guides.sets_of(fovs[5:]) == []


def test_that_a_training_learns_from_train_images_and_is_judged_by_val_ones(project: Project) -> None:
    material = list_guide_material(project, "rash")
    fovs = project.fovs.list()
    assert [each.caption for each in material.training] == [f"photo {number}" for number in range(4)]
    assert [each.fov.split for each in material.held_out] == [Split.VAL]
    assert material.train_fov_ids == {fov.id for fov in fovs[:4]}


def test_that_images_of_the_test_split_are_refused_by_name(project: Project) -> None:
    last = project.fovs.list()[5]
    project.guides.add_images("rash", [GuideImage(NEW_GUIDE, last.id)])
    with pytest.raises(UserError, match=r"1 images of the test split, among them photo5\.png"):
        list_guide_material(project, "rash")


def test_that_a_set_without_an_image_to_learn_from_is_refused(project: Project) -> None:
    guide_set = project.guides.get("rash")
    project.guides.put(replace(guide_set, images=guide_set.images[4:]))
    with pytest.raises(UserError, match="no image to learn from"):
        list_guide_material(project, "rash")


def test_that_a_whole_photograph_is_read_as_its_middle_square_and_a_box_as_its_square(project: Project) -> None:
    fov = project.fovs.list()[0]
    project.guides.add_images("rash", [GuideImage(NEW_GUIDE, fov.id, Box(100, 50, 140, 86))])
    crops = list_guide_crops(project, project.guides.get("rash"))
    pixels = read_image(Path(fov.path))
    assert np.array_equal(crops[0].read(120), pixels[:, 20:140])
    assert np.array_equal(crops[-1].read(40), pixels[48:88, 100:140])
    assert crops[-1].read(64).shape == (64, 64, 3)
