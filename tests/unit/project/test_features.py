"""Features of a project's pictures: only what has changed is described again."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from synthstudio.core.evaluation.descriptor import describe_images
from synthstudio.core.evaluation.similar import FeatureIndex, FeatureRows
from synthstudio.core.imaging import ImageArray, read_image, write_png
from synthstudio.domain.records import Box, CropSquare
from synthstudio.project import Project
from synthstudio.project.features import (
    BUILT_IN,
    Describer,
    describe_alone,
    describe_fovs,
    describe_missing,
    describe_pictures,
    outside_picture,
    read_store,
)
from synthstudio.project.pictures import Picture, list_pictures
from synthstudio.settings.compose import ComposeSettings, CompositionSettings
from tests.support.engine_project import build_engine_project
from tests.support.sets import add_set


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = build_engine_project(tmp_path, n_train=4, n_val=1, n_test=1)
    yield project
    project.close()


class Counting:
    """A describer that counts the pictures it is shown."""

    def __init__(self) -> None:
        self.n = 0
        self.describer = Describer(self._extract, BUILT_IN.name)

    def _extract(self, images: Sequence[ImageArray]) -> FeatureRows:
        self.n += len(images)
        return BUILT_IN.extract(images)


def test_that_images_and_objects_of_the_project_and_of_a_set_are_listed(project: Project) -> None:
    add_set(project, ComposeSettings(set_name="made", count=3, composition=CompositionSettings(canvas_px=96)))
    own, made = list_pictures(project), list_pictures(project, "made")
    assert [each.fov.name for each in own.images] == [fov.name for fov in project.fovs.list()]
    assert len(own.objects) == sum(len(marks) for marks in project.annotations.by_fov().values())
    assert ({each.set_name for each in made.images}, len(made.images)) == ({"made"}, 3)
    for each in own.objects:
        assert each.mark is not None
        assert each.window is not None
        assert min(each.window.x, each.window.y) >= 0
        assert each.window.x + each.window.side <= each.fov.width
        assert each.window.y + each.window.side <= each.fov.height
    assert not list_pictures(project, has_objects=False).objects


def test_that_features_are_those_of_the_pixels_and_stay_for_the_next_time(project: Project) -> None:
    fovs = project.fovs.list()
    features = describe_fovs(project, fovs)
    assert features[1] == pytest.approx(describe_images([read_image(Path(fovs[1].path))])[0], abs=1e-5)
    assert len(read_store(project)) == len(fovs)
    counting = Counting()
    assert not describe_missing([Picture(fov) for fov in fovs], read_store(project), counting.describer)
    assert counting.n == 0


def test_that_an_object_shown_alone_is_another_picture_than_its_square_and_than_another_outline(
    project: Project,
) -> None:
    fov = project.fovs.list()[0]
    window, wide, high = CropSquare(-5, 10, 30), Box(0, 20, 20, 30), Box(0, 15, 10, 35)
    pictures = [Picture(fov, window=window, outline=wide), Picture(fov, window=window, outline=high)]
    pictures.append(Picture(fov, window=CropSquare(0, 10, 30)))
    assert len({each.key for each in pictures}) == 3
    features = describe_pictures(project, pictures)
    assert np.isfinite(features).all()
    assert (features[0] != features[1]).any()


def test_that_a_moved_mark_alone_is_described_again(project: Project) -> None:
    before = list_pictures(project).objects
    describe_pictures(project, before)
    mark = before[0].mark
    assert mark is not None
    project.annotations.update([dataclasses.replace(mark.with_box(Box(10, 12, 40, 40)))])
    counting = Counting()
    describe_missing(list_pictures(project).objects, read_store(project), counting.describer)
    assert counting.n == 1


def test_that_an_image_that_was_changed_or_is_gone_is_told_and_holds_nobody_up(project: Project) -> None:
    first, second, *others = project.fovs.list()
    write_png(Path(first.path), np.zeros((first.height, first.width, 3), np.uint8))
    Path(second.path).unlink()
    store = read_store(project)
    failed = describe_missing([Picture(fov) for fov in (first, second, *others)], store)
    assert (len(failed), len(store)) == (2, len(others))
    assert "is not the file that was recorded" in failed[0]
    features = describe_fovs(project, [first, *others])
    assert np.isnan(features[0]).all()
    assert np.isfinite(features[1:]).all()


def test_that_a_copy_of_an_image_outside_the_project_is_recognised(project: Project, tmp_path: Path) -> None:
    fov = project.fovs.list()[2]
    copy = tmp_path / "elsewhere.png"
    copy.write_bytes(Path(fov.path).read_bytes())
    found = FeatureIndex(describe_fovs(project, project.fovs.list())).nearest(
        describe_alone(outside_picture(copy)), count=1
    )
    assert (found.rows[0], found.distances[0]) == (2, pytest.approx(0.0, abs=1e-5))


def test_that_a_project_that_cannot_be_written_keeps_nothing(project: Project) -> None:
    with_nothing = Project.open(project.folder, read_only=True)
    try:
        fov = with_nothing.fovs.list()[0]
        picture = Picture(fov, window=CropSquare(4, 4, 32))
        assert np.isfinite(describe_pictures(with_nothing, [picture])).all()
        assert not len(read_store(with_nothing))
    finally:
        with_nothing.close()
