"""The real images that generated ones are most like, for a reviewer and for reading studies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from synthstudio.core.imaging import read_image
from synthstudio.core.synthesis.manifest import HEADER_NAME
from synthstudio.domain.records import Split
from synthstudio.gui.pages.review import ReviewPage
from synthstudio.project import Project
from synthstudio.project.real_neighbours import build_real_library
from synthstudio.project.region_crops import list_region_crops
from synthstudio.project.set_images import list_set_images
from synthstudio.project.study_sources import list_study_sources
from synthstudio.settings.generate import GenerateSettings
from synthstudio.settings.train_gan import TrainGanSettings
from tests.support.skin_study import build_skin_study
from tests.support.trained_gans import add_trained_gan, put_crops_in_place, write_generated
from tests.support.windows import TIMEOUT_MS, open_window

N_IMAGES, REVIEW = 5, 2


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """With a set whose images are training crops, but for a little noise."""
    project = build_skin_study(tmp_path / "skin", n_train=6, n_val=2, n_test=2, size_px=(160, 120))
    gan = add_trained_gan(project)
    write_generated(project, GenerateSettings(run=gan, set_name="copied", count=N_IMAGES))
    put_crops_in_place(project, gan, "copied")
    return project


def test_that_a_copy_is_shown_beside_the_crop_that_it_was_copied_from(project: Project) -> None:
    library = build_real_library(project, "copied")
    run = project.runs.list(kind="train-gan")[0]
    settings = TrainGanSettings.model_validate_json(run.settings_json)
    crops = list_region_crops(project, settings, split="train").crops
    assert len(library.windows) == len(crops)
    for place, fov in enumerate(list_set_images(project, "copied")[0]):
        nearest = library.find_nearest(read_image(Path(fov.path)), count=3)
        assert (nearest[0].real.fov.id, nearest[0].real.window) == (crops[place].fov_id, crops[place].window)
        assert nearest[0].correlation > 0.97
        assert len({each.real.fov.id for each in nearest}) == len(nearest)
        assert [each.correlation for each in nearest] == sorted((each.correlation for each in nearest), reverse=True)


def test_that_the_middles_of_images_stand_in_for_a_training_that_has_gone(project: Project) -> None:
    run = project.runs.list(kind="train-gan")[0]
    project.database.execute("UPDATE run SET settings_json = '{' WHERE id = ?", (run.id,))
    library = build_real_library(project, "copied")
    train = {fov.id for fov in project.fovs.list(split=Split.TRAIN)}
    assert {each.fov.id for each in library.windows} == train
    assert all(each.window.side == min(each.fov.width, each.fov.height) for each in library.windows)


def test_that_real_images_of_a_study_are_crops_as_the_generator_learns_from(project: Project) -> None:
    sources = list_study_sources(project, "copied", split=Split.TRAIN)
    windows = {(each.fov.id, each.window) for each in sources.images.values() if each.candidate.is_real}
    library = build_real_library(project, "copied")
    assert windows == {(each.fov.id, each.window) for each in library.windows}


def test_that_real_images_of_a_study_about_prompts_are_whole_images(project: Project) -> None:
    path = project.set_folder("copied") / HEADER_NAME
    header = json.loads(path.read_text())
    (key,) = header["generators"]
    header["generators"][key]["asked_by"] = "prompts"
    path.write_text(json.dumps(header))
    sources = list_study_sources(project, "copied", split=Split.TRAIN)
    real = [each for each in sources.images.values() if each.candidate.is_real]
    marked = {fov.id for fov in project.fovs.list(split=Split.TRAIN) if project.annotations.list(fov.id)}
    assert {each.fov.id for each in real} == marked
    assert len(real) == len(marked)
    assert all(each.window is not None and each.window.side == min(each.fov.width, each.fov.height) for each in real)


def test_that_a_reviewer_sees_map_and_nearest_real_images(qtbot: QtBot, tmp_path: Path, project: Project) -> None:
    folder = project.folder
    project.close()
    with open_window(qtbot, tmp_path / "private", folder) as window:
        window.show_page(REVIEW)
        page = window.page(REVIEW)
        assert isinstance(page, ReviewPage)
        side = page.verdicts.side
        qtbot.waitUntil(lambda: len(side.sources.images) > 1, timeout=TIMEOUT_MS)
        captions = [each.caption for each in side.sources.images]
        assert captions[0].startswith("The map")
        assert captions[1].startswith("Nearest real image, correlation 0.9") or "1.00" in captions[1]
