"""The Generate workspace with a real project, real patches and a scripted engine."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from synthstudio.core.synthesis.composer import Composer
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import AnnotationId
from synthstudio.domain.records import changes
from synthstudio.gui.pages.generate import GeneratePage
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.project.patches import build_project_bank
from synthstudio.settings.compose import ComposeSettings, CompositionSettings
from tests.support.engine_project import build_engine_project
from tests.support.scripted_engine import scripted_engine
from tests.support.sets import add_set
from tests.support.windows import TIMEOUT_MS, annotate_page, make_project, open_window

WAIT_MS = 20_000


@pytest.fixture
def workspace(qtbot: QtBot, tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(engine_command=scripted_engine("finished"), preferences_file=tmp_path / "preferences.toml")
    yield made
    made.shut_down()


@pytest.fixture
def project_folder(tmp_path: Path) -> Path:
    project = build_engine_project(tmp_path)
    folder = project.folder
    project.close()
    return folder


@pytest.fixture
def page(qtbot: QtBot, workspace: Workspace) -> GeneratePage:
    made = GeneratePage(workspace)
    qtbot.addWidget(made)
    made.resize(1000, 700)
    made.show()
    return made


def wait_for_preview(qtbot: QtBot, page: GeneratePage) -> None:
    view = page.compositing
    qtbot.waitUntil(lambda: len(view.preview.grid.images) == view.preview.count.value(), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not view.maker._is_busy, timeout=WAIT_MS)


def pixels_of_first(page: GeneratePage) -> bytes:
    return bytes(page.compositing.preview.grid.images[0].image.constBits())


def test_that_without_a_project_the_page_says_so(page: GeneratePage) -> None:
    view = page.compositing
    assert view.stack.currentWidget() is view.notice
    assert "No project" in view.notice.title.text()
    assert not view.writer.button.isEnabled()


def test_that_without_annotations_the_page_offers_the_way_to_annotate(
    qtbot: QtBot, workspace: Workspace, page: GeneratePage, project_folder: Path
) -> None:
    project = Project.open(project_folder)
    for marks in project.annotations.by_fov().values():
        project.annotations.remove(marks)
    project.close()
    workspace.open_project(project_folder)
    view = page.compositing
    qtbot.waitUntil(lambda: view.notice.title.text() == "Nothing is annotated yet.", timeout=WAIT_MS)
    with qtbot.waitSignal(page.page_requested, check_params_cb=lambda place: place == "annotations"):
        view.notice.button.click()


def test_that_a_class_without_a_size_is_named_with_the_way_to_mend_it(
    qtbot: QtBot, workspace: Workspace, page: GeneratePage, tmp_path: Path
) -> None:
    project = build_engine_project(tmp_path, with_boxes=False)
    project.classes.update(dataclasses.replace(project.classes.list()[0], size_px=None))
    folder = project.folder
    project.close()
    workspace.open_project(folder)
    view = page.compositing
    qtbot.waitUntil(lambda: view.notice.title.text() == "The class disc has no size.", timeout=WAIT_MS)
    with qtbot.waitSignal(page.page_requested, check_params_cb=lambda place: place == "classes"):
        view.notice.button.click()


def test_that_the_preview_shows_the_very_images_that_a_set_would_hold(
    qtbot: QtBot, workspace: Workspace, page: GeneratePage, project_folder: Path
) -> None:
    workspace.open_project(project_folder)
    wait_for_preview(qtbot, page)
    settings = page.compositing.form.settings()
    assert workspace.project is not None
    bank = build_project_bank(workspace.project, settings.patches)
    expected = Composer(bank, settings.composition, seed=settings.seed).compose(0).image
    shown = page.compositing.preview.grid.images[0].image
    found = np.frombuffer(shown.constBits(), np.uint8).reshape(shown.height(), shown.width(), 4)[..., 2::-1]
    np.testing.assert_array_equal(found, expected)


def test_that_the_preview_pages_through_the_images_of_a_seed(
    qtbot: QtBot, workspace: Workspace, page: GeneratePage, project_folder: Path
) -> None:
    workspace.open_project(project_folder)
    wait_for_preview(qtbot, page)
    preview = page.compositing.preview
    assert not preview.back.isEnabled()
    first = pixels_of_first(page)
    preview.forth.click()
    preview.forth.click()
    assert preview.first.value() == 12
    wait_for_preview(qtbot, page)
    settings, bank = page.compositing.form.settings(), page.compositing.loader.bank
    assert bank is not None
    expected = Composer(bank, settings.composition, seed=settings.seed).compose(12 + 5)
    qtbot.waitUntil(
        lambda: [box.x0 for box in preview.grid.images[5].boxes] == [item.box.x0 for item in expected.objects],
        timeout=WAIT_MS,
    )
    preview.back.click()
    preview.back.click()
    qtbot.waitUntil(lambda: pixels_of_first(page) == first, timeout=WAIT_MS)
    assert not preview.back.isEnabled()


def test_that_every_change_of_a_control_is_seen_in_the_preview(
    qtbot: QtBot, workspace: Workspace, page: GeneratePage, project_folder: Path
) -> None:
    workspace.open_project(project_folder)
    wait_for_preview(qtbot, page)
    bank = page.compositing.loader.bank
    for name, value in (("seed", 5), ("composition.canvas", "black"), ("composition.n_objects_max", 3)):
        before = pixels_of_first(page)
        page.compositing.form.show_value(name, value)
        qtbot.waitUntil(lambda before=before: pixels_of_first(page) != before, timeout=WAIT_MS)
    wait_for_preview(qtbot, page)
    assert page.compositing.loader.bank is bank  # composition alone never cuts patches anew


def test_that_the_last_of_many_quick_changes_is_what_stays(
    qtbot: QtBot, workspace: Workspace, page: GeneratePage, project_folder: Path
) -> None:
    workspace.open_project(project_folder)
    wait_for_preview(qtbot, page)
    for seed in range(1, 30):
        page.compositing.form.show_value("seed", seed)
    wait_for_preview(qtbot, page)
    assert workspace.project is not None
    settings = page.compositing.form.settings()
    bank = build_project_bank(workspace.project, settings.patches)
    expected = Composer(bank, settings.composition, seed=29).compose(5)
    boxes = page.compositing.preview.grid.images[5].boxes
    assert [box.x0 for box in boxes] == [item.box.x0 for item in expected.objects]


def test_that_a_new_annotation_cuts_the_patches_anew(
    qtbot: QtBot, workspace: Workspace, page: GeneratePage, project_folder: Path
) -> None:
    workspace.open_project(project_folder)
    wait_for_preview(qtbot, page)
    project, loader = workspace.project, page.compositing.loader
    assert project is not None
    assert loader.bank is not None
    n_patches = len(loader.bank.patches)
    marks = next(iter(project.annotations.by_fov().values()))
    _, changed = project.annotations.add([dataclasses.replace(marks[0], id=type(marks[0].id)(0))])
    workspace.announce(changed)
    qtbot.waitUntil(lambda: loader.bank is not None and len(loader.bank.patches) == n_patches + 1, timeout=WAIT_MS)


def test_that_objects_without_a_place_are_told(
    qtbot: QtBot, workspace: Workspace, page: GeneratePage, project_folder: Path
) -> None:
    workspace.open_project(project_folder)
    wait_for_preview(qtbot, page)
    page.compositing.form.show_value("composition.canvas_px", 64)
    page.compositing.form.show_value("composition.n_objects_max", 200)
    qtbot.waitUntil(lambda: "find no place" in page.compositing.preview.facts.text(), timeout=WAIT_MS)


def test_that_write_set_queues_the_job_with_the_form_and_the_name(
    qtbot: QtBot, workspace: Workspace, page: GeneratePage, project_folder: Path
) -> None:
    workspace.open_project(project_folder)
    wait_for_preview(qtbot, page)
    view = page.compositing
    view.form.show_value("composition.n_objects_max", 4)
    view.writer.form.show_value("set_name", "mine")
    view.writer.form.show_value("count", 12)
    with qtbot.waitSignal(workspace.gpu_worker.job_ended, timeout=WAIT_MS):
        view.writer.button.click()
    assert workspace.project is not None
    (run,) = workspace.project.runs.list()
    settings = ComposeSettings.model_validate_json(run.settings_json)
    assert (settings.set_name, settings.count, settings.composition.n_objects_max) == ("mine", 12, 4)
    qtbot.waitUntil(lambda: view.sets.list.count() == 1, timeout=WAIT_MS)


def test_that_a_written_set_is_browsed_with_its_boxes_and_verified(
    qtbot: QtBot, workspace: Workspace, page: GeneratePage, project_folder: Path
) -> None:
    workspace.open_project(project_folder)
    project = workspace.project
    assert project is not None
    settings = ComposeSettings(
        set_name="small", count=15, composition=CompositionSettings(canvas_px=64, n_objects_min=1, n_objects_max=4)
    )
    add_set(project, settings)
    folder = project.set_folder("small")
    workspace.announce(changes("sets"))
    panel = page.compositing.sets
    page.compositing.tabs.setCurrentWidget(panel)
    qtbot.waitUntil(lambda: len(panel.images.grid.images) == 12, timeout=WAIT_MS)
    assert any(image.boxes for image in panel.images.grid.images)
    panel.images.forth.click()
    qtbot.waitUntil(lambda: len(panel.images.grid.images) == 3, timeout=WAIT_MS)
    panel.verify.click()
    qtbot.waitUntil(lambda: panel.outcome.text().startswith("All 15 images"), timeout=WAIT_MS)
    gallery = page.compositing.loader.gallery
    assert gallery is not None
    rejected = [gallery.bank.patches[0].annotation_id]
    workspace.announce(project.patch_verdicts.reject(rejected))
    panel.verify.click()
    qtbot.waitUntil(lambda: "cannot be made again" in panel.outcome.text(), timeout=WAIT_MS)
    workspace.announce(project.patch_verdicts.restore(rejected))
    image = folder / "images" / "000003.png"
    data = bytearray(image.read_bytes())
    data[-20] ^= 1
    image.write_bytes(bytes(data))
    panel.verify.click()
    qtbot.waitUntil(lambda: "000003.png" in panel.outcome.text(), timeout=WAIT_MS)


def test_that_each_way_to_make_images_has_its_own_keys(page: GeneratePage) -> None:
    page.choose("GAN")
    assert page.stack.currentWidget() is page.gan
    specs = {spec.id: spec for spec in page.actions()}
    specs["generate.charts"].callback()
    assert page.stack.currentWidget() is page.compositing
    assert page.compositing.tabs.currentWidget() is page.compositing.charts
    specs["gan.show_training"].callback()
    assert page.stack.currentWidget() is page.gan
    assert page.gan.tabs.currentWidget() is page.gan.training


def test_that_a_changed_control_is_seen_within_the_target(
    qtbot: QtBot, workspace: Workspace, page: GeneratePage, project_folder: Path
) -> None:
    workspace.open_project(project_folder)
    wait_for_preview(qtbot, page)
    waits = []
    for step in range(20):
        page.compositing.form.show_value("composition.n_objects_max", 5 + step)
        wait_for_preview(qtbot, page)
        waits.append(page.compositing.preview.latency_s)
        time.sleep(0)
    # The target of 50 ms is measured on a quiet machine; here only its order of magnitude is held.
    assert float(np.median(waits)) < 0.25


def test_that_an_object_in_a_composite_leads_to_the_annotation_it_was_cut_from(qtbot: QtBot, tmp_path: Path) -> None:
    with open_window(qtbot, tmp_path / "private", make_project(tmp_path / "study")) as window:
        window.show_page(1)
        page = window.page(1)
        assert isinstance(page, GeneratePage)
        grid = page.compositing.preview.grid
        qtbot.waitUntil(lambda: any(each.boxes for each in grid.images), timeout=TIMEOUT_MS)
        index = next(number for number, each in enumerate(grid.images) if each.boxes)
        image, tile = grid.images[index], grid.tile_rect(index)
        box = image.boxes[-1]  # the topmost one
        scale = min(tile.width() / image.image.width(), tile.height() / image.image.height())
        place = QPointF(tile.x() + scale * (box.x0 + box.x1) / 2, tile.y() + scale * (box.y0 + box.y1) / 2).toPoint()
        found = grid.box_at(place)
        assert found is not None
        assert found.source is not None
        fov_id, annotation_id = found.source
        QTest.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, place)
        annotate = annotate_page(window)
        qtbot.waitUntil(lambda: annotate.view.selection == {annotation_id}, timeout=TIMEOUT_MS)
        assert window.stack.currentWidget() is annotate
        assert window.workspace.current_fov_id == fov_id
        with pytest.raises(UserError, match="no longer there"):
            window.workspace.show_annotation(fov_id, AnnotationId(10**9))
