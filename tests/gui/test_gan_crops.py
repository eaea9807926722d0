"""The crops that a GAN would learn from, seen before it is trained."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from synthstudio.gui.pages.generate.gan.crops_panel import GanCropsPanel
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.settings.train_gan import RegionCropSettings, TrainGanSettings
from tests.support.gan_runs import add_gan_run
from tests.support.region_projects import make_region_project
from tests.support.windows import TIMEOUT_MS


@pytest.fixture
def workspace(qtbot: QtBot, tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(preferences_file=tmp_path / "preferences.toml")
    yield made
    made.shut_down()


@pytest.fixture
def project(workspace: Workspace, tmp_path: Path) -> Project:
    """A project of six photographs that is open in the workspace."""
    make_region_project(tmp_path / "project").close()
    workspace.open_project(tmp_path / "project")
    assert workspace.project is not None
    return workspace.project


@pytest.fixture
def panel(qtbot: QtBot, workspace: Workspace) -> GanCropsPanel:
    made = GanCropsPanel(workspace)
    qtbot.addWidget(made)
    made.resize(1200, 700)
    made.show()
    return made


def wait_for_crops(qtbot: QtBot, panel: GanCropsPanel, *, count: int) -> None:
    def is_shown() -> bool:
        return len(panel.pictures.grid.images) == count and panel.pictures.is_complete

    qtbot.waitUntil(is_shown, timeout=TIMEOUT_MS)


def test_that_the_crops_of_all_training_images_are_seen_with_their_boxes(
    qtbot: QtBot, project: Project, panel: GanCropsPanel
) -> None:
    wait_for_crops(qtbot, panel, count=16)

    first = panel.pictures.grid.images[0]
    assert first.image.width() == first.image.height() == 128
    assert first.boxes
    assert "photo0.png" in first.caption
    assert "tone light" in first.caption
    assert panel.facts.text().startswith("16 crops of 4 images")


def test_that_crops_and_their_maps_are_seen_by_turns_and_together(
    qtbot: QtBot, project: Project, panel: GanCropsPanel
) -> None:
    wait_for_crops(qtbot, panel, count=16)
    crop = panel.pictures.grid.images[0].image

    qtbot.mouseClick(panel.pictures.looks.button("map"), Qt.MouseButton.LeftButton)
    drawn = panel.pictures.grid.images[0].image
    assert drawn.pixelColor(0, 0).red() == 85
    assert drawn.pixelColor(0, 0).green() == drawn.pixelColor(0, 0).blue() == 0
    qtbot.mouseClick(panel.pictures.looks.button("both"), Qt.MouseButton.LeftButton)
    both = panel.pictures.grid.images[0].image
    assert both.width() > 2 * crop.width()
    assert panel.pictures.grid.tile_rect(0).width() == pytest.approx(2 * panel.pictures.grid.tile_rect(0).height())
    assert both.pixelColor(5, 5) == crop.pixelColor(5, 5)
    qtbot.mouseClick(panel.pictures.boxes, Qt.MouseButton.LeftButton, pos=QPoint(8, panel.pictures.boxes.height() // 2))
    assert not panel.pictures.grid.images[0].boxes


def test_that_the_table_counts_crops_by_condition_and_tone(
    qtbot: QtBot, project: Project, panel: GanCropsPanel
) -> None:
    wait_for_crops(qtbot, panel, count=16)

    assert panel.side.table is not None
    head, nevus, rash = panel.side.table.texts()
    assert head == ["Condition", "All", "light", "medium", "dark"]
    for row in (nevus, rash):
        assert int(row[1]) == sum(int(cell) for cell in row[2:]) > 0


def test_that_another_seed_and_another_side_show_other_windows(
    qtbot: QtBot, project: Project, panel: GanCropsPanel
) -> None:
    wait_for_crops(qtbot, panel, count=16)
    former = [each.caption for each in panel.pictures.grid.images]

    with qtbot.waitSignal(panel.settings_changed, timeout=TIMEOUT_MS):
        qtbot.mouseClick(panel.pictures.seed, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(
        lambda: panel.pictures.is_complete and [each.caption for each in panel.pictures.grid.images] != former,
        timeout=TIMEOUT_MS,
    )
    panel.side.form.show_value("crops.side", "64")
    qtbot.waitUntil(lambda: panel.pictures.grid.images[0].image.width() == 64, timeout=TIMEOUT_MS)


def test_that_the_held_out_crops_are_seen_and_the_test_images_never(
    qtbot: QtBot, project: Project, panel: GanCropsPanel
) -> None:
    wait_for_crops(qtbot, panel, count=16)

    qtbot.mouseClick(panel.splits.button("val"), Qt.MouseButton.LeftButton)

    wait_for_crops(qtbot, panel, count=4)
    assert {each.caption.split(":")[0] for each in panel.pictures.grid.images} == {"photo4.png"}


def test_that_the_arrows_leaf_through_all_crops(qtbot: QtBot, project: Project, panel: GanCropsPanel) -> None:
    wait_for_crops(qtbot, panel, count=16)
    panel.pictures.count.setValue(10)
    wait_for_crops(qtbot, panel, count=10)

    qtbot.mouseClick(panel.pictures.forth, Qt.MouseButton.LeftButton)
    wait_for_crops(qtbot, panel, count=6)

    assert not panel.pictures.forth.isEnabled()
    qtbot.mouseClick(panel.pictures.back, Qt.MouseButton.LeftButton)
    wait_for_crops(qtbot, panel, count=10)
    assert panel.pictures.first.value() == 0


def test_that_a_project_without_boxes_says_what_to_do_next(
    qtbot: QtBot, workspace: Workspace, project: Project, panel: GanCropsPanel
) -> None:
    wait_for_crops(qtbot, panel, count=16)
    for fov in project.fovs.list():
        workspace.announce(project.annotations.remove(project.annotations.list(fov.id)))

    qtbot.waitUntil(lambda: panel.stack.currentWidget() is panel.notice, timeout=TIMEOUT_MS)
    assert "No training image has a box" in panel.notice.title.text()
    with qtbot.waitSignal(panel.page_requested, timeout=TIMEOUT_MS, check_params_cb=lambda page: page == "annotations"):
        qtbot.mouseClick(panel.notice.button, Qt.MouseButton.LeftButton)


def test_that_an_image_that_is_gone_is_named_and_the_others_are_seen(
    qtbot: QtBot, workspace: Workspace, tmp_path: Path
) -> None:
    make_region_project(tmp_path / "project").close()
    (tmp_path / "photo2.png").unlink()
    workspace.open_project(tmp_path / "project")
    panel = GanCropsPanel(workspace)
    qtbot.addWidget(panel)
    panel.resize(1200, 700)
    panel.show()

    qtbot.waitUntil(lambda: "photo2.png" in panel.notes.text(), timeout=TIMEOUT_MS)
    qtbot.waitUntil(
        lambda: sum("tone" in each.caption for each in panel.pictures.grid.images) == 12, timeout=TIMEOUT_MS
    )


def test_that_the_settings_of_a_training_are_taken_over_without_an_echo(
    qtbot: QtBot, project: Project, panel: GanCropsPanel
) -> None:
    wait_for_crops(qtbot, panel, count=16)
    told: list[object] = []
    panel.settings_changed.connect(told.append)

    panel.take_settings(TrainGanSettings(crops=RegionCropSettings(side="64", crops_per_fov=2)))

    wait_for_crops(qtbot, panel, count=8)
    assert told == []
    run_id = add_gan_run(project, settings=TrainGanSettings(crops=RegionCropSettings(crops_per_fov=1), seed=5))
    panel.set_run(project.runs.get(run_id))
    panel.show_crops_of_run()
    wait_for_crops(qtbot, panel, count=4)
    assert panel.side.form.settings().seed == 5
    assert len(told) == 1
