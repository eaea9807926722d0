"""The GAN in the Generate workspace: the choice of a training, its samples through time, starting and stopping."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from synthstudio.core.synthesis.semantic_maps import MapCoding
from synthstudio.core.training.gan_samples import sample_grid
from synthstudio.domain.maps import UNKNOWN_TONE, MapRegion, MapRequest
from synthstudio.domain.records import Box, RunStatus, changes
from synthstudio.gui.pages.generate import GeneratePage
from synthstudio.gui.pages.generate.gan import GanView, sample_maps
from synthstudio.gui.pages.generate.gan.map_sketch import sketch_map
from synthstudio.gui.pages.generate.gan.sample_maps import cut_sketched
from synthstudio.gui.pages.generate.trainings.sample_strip import cut_crops
from synthstudio.gui.widgets.image_grid import to_qimage
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.protocol.messages import MetricLogged, Progress, StageChanged, WarningRaised
from synthstudio.settings.train_gan import GanLossSettings, TrainGanSettings
from tests.support.engine_project import build_engine_project
from tests.support.gan_runs import N_CROPS, add_gan_run, add_sample
from tests.support.scripted_engine import scripted_engine
from tests.support.walking import find_unreachable
from tests.support.windows import TIMEOUT_MS


@pytest.fixture
def workspace(qtbot: QtBot, tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(engine_command=scripted_engine("patient"), preferences_file=tmp_path / "preferences.toml")
    yield made
    made.shut_down()


@pytest.fixture
def project(workspace: Workspace, tmp_path: Path) -> Project:
    """A project that is open in the workspace."""
    build_engine_project(tmp_path, n_train=1, n_val=1, n_test=1).close()
    workspace.open_project(tmp_path / "project")
    assert workspace.project is not None
    return workspace.project


@pytest.fixture
def page(qtbot: QtBot, workspace: Workspace) -> GeneratePage:
    made = GeneratePage(workspace)
    qtbot.addWidget(made)
    made.resize(1280, 760)
    made.show()
    made.choose("GAN")
    made.gan.show_tab("Training")
    return made


@pytest.fixture
def view(page: GeneratePage) -> GanView:
    return page.gan


def announce(workspace: Workspace) -> None:
    workspace.announce(changes("runs"))


def test_that_without_a_training_the_view_says_how_to_begin(
    qtbot: QtBot, workspace: Workspace, view: GanView, project: Project
) -> None:
    training = view.training
    qtbot.waitUntil(training.side.start.isEnabled, timeout=TIMEOUT_MS)
    assert training.stack.currentWidget() is training.empty
    assert "Train the GAN" in training.empty.text.text()
    assert not view.choice.isEnabled()
    qtbot.waitUntil(lambda: "a guess" in training.side.effort.text(), timeout=TIMEOUT_MS)


def test_that_an_empty_project_is_told_what_a_training_lacks(
    qtbot: QtBot, workspace: Workspace, view: GanView, tmp_path: Path
) -> None:
    Project.create(tmp_path / "new").close()
    workspace.open_project(tmp_path / "new")
    training = view.training
    qtbot.waitUntil(lambda: training.empty.title.text() == "There are no images yet.", timeout=TIMEOUT_MS)
    assert training.empty.button.text() == "Import images"
    assert not training.side.start.isEnabled()


def test_that_without_a_project_nothing_can_be_started(view: GanView) -> None:
    assert not view.training.side.start.isEnabled()
    assert "Open a project" in view.training.empty.text.text()


def test_that_the_newest_training_is_shown_with_its_newest_samples_and_its_curves(
    qtbot: QtBot, workspace: Workspace, view: GanView, project: Project
) -> None:
    add_gan_run(project, title="First")
    newest = add_gan_run(project, title="Second", warnings=("The losses run away.", "The losses run away."))
    announce(workspace)
    training = view.training
    qtbot.waitUntil(lambda: view.choice.count() == 2, timeout=TIMEOUT_MS)
    assert view.chosen is not None
    assert view.chosen.run.id == newest
    assert view.choice.currentText().startswith("Second · 60 steps")
    qtbot.waitUntil(lambda: training.samples.shown_step == 60, timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: len(training.samples.grid.images) == 3 * N_CROPS, timeout=TIMEOUT_MS)
    assert training.samples.grid.images[0].image.pixelColor(0, 0).red() == 255
    assert training.samples.grid.images[-1].image.pixelColor(0, 0).red() == 60
    assert training.samples.grid.images[-1].caption == f"Synthetic, held-out crop {N_CROPS}, step 60"
    qtbot.waitUntil(lambda: set(training.plots.plots) == {"loss", "validation"}, timeout=TIMEOUT_MS)
    assert training.remarks.text() == "The losses run away."
    assert not training.trouble.isVisible()
    assert not training.stop.isVisible()
    assert not training.resume.isVisible()


def test_that_the_arrow_keys_walk_through_the_samples(
    qtbot: QtBot, workspace: Workspace, view: GanView, project: Project
) -> None:
    add_gan_run(project)
    announce(workspace)
    strip = view.training.samples
    qtbot.waitUntil(lambda: strip.shown_step == 60, timeout=TIMEOUT_MS)
    slider = strip.slider
    slider.setFocus()
    qtbot.keyClick(slider, Qt.Key.Key_Left)
    assert strip.shown_step == 40
    assert not strip.latest.isChecked()
    qtbot.waitUntil(lambda: strip.grid.images[-1].caption.endswith("step 40"), timeout=TIMEOUT_MS)
    qtbot.keyClick(slider, Qt.Key.Key_Home)
    qtbot.waitUntil(lambda: strip.grid.images[-1].caption.endswith("step 20"), timeout=TIMEOUT_MS)
    assert strip.step.text() == "step 20 · 1 of 3"
    strip.follow_latest()
    qtbot.waitUntil(lambda: strip.grid.images[-1].caption.endswith("step 60"), timeout=TIMEOUT_MS)


def test_that_a_running_training_is_followed_unless_an_older_sample_is_looked_at(
    qtbot: QtBot, workspace: Workspace, view: GanView, project: Project
) -> None:
    run_id = add_gan_run(project, status=RunStatus.RUNNING, has_generator=False)
    announce(workspace)
    training = view.training
    strip = training.samples
    qtbot.waitUntil(lambda: strip.shown_step == 60, timeout=TIMEOUT_MS)
    worker = workspace.gpu_worker
    worker.event_received.emit(run_id, StageChanged(text="Training"))
    worker.event_received.emit(run_id, Progress(done=80, total=100))
    assert training.state.text() == "Running: training, 80 of 100."
    worker.event_received.emit(run_id, WarningRaised(text="The discriminator wins."))
    assert "The discriminator wins." in training.remarks.text()
    add_sample(project, run_id, 80)
    worker.event_received.emit(run_id, MetricLogged(name="loss/image", step=80, value=0.1))
    qtbot.waitUntil(lambda: strip.shown_step == 80, timeout=TIMEOUT_MS)
    strip.go_back()
    add_sample(project, run_id, 100)
    worker.event_received.emit(run_id, MetricLogged(name="loss/image", step=100, value=0.1))
    qtbot.waitUntil(lambda: strip.steps == (20, 40, 60, 80, 100), timeout=TIMEOUT_MS)
    assert strip.shown_step == 60


def test_that_a_training_is_started_shown_and_stopped(
    qtbot: QtBot, workspace: Workspace, view: GanView, project: Project
) -> None:
    add_gan_run(project, title="Before")
    announce(workspace)
    training = view.training
    qtbot.waitUntil(lambda: view.choice.count() == 1 and training.side.start.isEnabled(), timeout=TIMEOUT_MS)
    qtbot.mouseClick(training.side.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(training.stop.isVisible, timeout=TIMEOUT_MS)
    assert view.chosen is not None
    started = view.chosen.run.id
    assert view.choice.count() == 2
    qtbot.waitUntil(lambda: workspace.gpu_worker.running == started, timeout=TIMEOUT_MS)
    with qtbot.waitSignal(workspace.gpu_worker.idle, timeout=TIMEOUT_MS):
        qtbot.mouseClick(training.stop, Qt.MouseButton.LeftButton)
    assert project.runs.get(started).status is RunStatus.CANCELLED


def test_that_a_training_that_was_stopped_can_be_resumed(
    qtbot: QtBot, workspace: Workspace, view: GanView, project: Project
) -> None:
    run_id = add_gan_run(project, status=RunStatus.CANCELLED, has_checkpoint=True)
    announce(workspace)
    training = view.training
    qtbot.waitUntil(training.resume.isVisible, timeout=TIMEOUT_MS)
    assert "stopped early" in view.choice.currentText()
    qtbot.mouseClick(training.resume, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: workspace.gpu_worker.running == run_id, timeout=TIMEOUT_MS)
    workspace.gpu_worker.cancel_all()
    qtbot.waitUntil(lambda: workspace.gpu_worker.is_idle, timeout=TIMEOUT_MS)


def test_that_trainings_that_left_nothing_are_not_offered(
    qtbot: QtBot, workspace: Workspace, view: GanView, project: Project
) -> None:
    add_gan_run(project, status=RunStatus.FAILED, has_generator=False, samples=())
    add_gan_run(project, title="Useful")
    announce(workspace)
    qtbot.waitUntil(lambda: view.choice.count() == 1, timeout=TIMEOUT_MS)
    assert view.choice.currentText().startswith("Useful")


def test_that_crops_and_training_share_the_settings_of_the_crops(qtbot: QtBot, view: GanView, project: Project) -> None:
    view.show_tab("Crops")
    view.crops.side.form.show_value("crops.crops_per_fov", 7)
    training = view.training.side.form
    assert training.settings().crops.crops_per_fov == 7
    training.show_value("crops.side", "64")
    training.show_value("optimization.steps", 12)
    assert view.crops.side.form.control_value("crops.side") == "64"
    assert training.settings().optimization.steps == 12


def test_that_every_tab_can_be_opened_with_and_without_a_project(
    qtbot: QtBot, workspace: Workspace, view: GanView, tmp_path: Path
) -> None:
    titles = [view.tabs.tabText(number) for number in range(view.tabs.count())]
    assert titles[:3] == ["Crops", "Training", "Editor"]
    for title in titles:
        view.show_tab(title)
    build_engine_project(tmp_path, n_train=1, n_val=1, n_test=1).close()
    workspace.open_project(tmp_path / "project")
    for title in titles:
        view.show_tab(title)
        assert view.tabs.tabText(view.tabs.currentIndex()) == title
    qtbot.waitUntil(lambda: workspace.background.is_idle, timeout=TIMEOUT_MS)


def test_that_every_tab_can_be_heard_and_walked_by_tab(
    qtbot: QtBot, workspace: Workspace, page: GeneratePage, project: Project
) -> None:
    add_gan_run(project)
    announce(workspace)
    view = page.gan
    qtbot.waitUntil(lambda: view.choice.count() == 1, timeout=TIMEOUT_MS)
    view.study.open_form()
    wrong: dict[str, list[str]] = {}
    for number in range(view.tabs.count()):
        view.tabs.setCurrentIndex(number)
        qtbot.waitUntil(lambda: workspace.background.is_idle, timeout=TIMEOUT_MS)
        wrong[view.tabs.tabText(number)] = find_unreachable(page, page.segments.button("GAN"))
    assert not any(wrong.values()), wrong


def test_that_a_variant_of_a_study_comes_into_the_form_of_the_training(view: GanView, project: Project) -> None:
    view.show_tab("Study")
    view.study.training_offered.emit(TrainGanSettings(losses=GanLossSettings(region=30.0), seed=4))
    assert view.tabs.currentWidget() is view.training
    settings = view.training.side.form.settings()
    assert (settings.losses.region, settings.seed) == (30.0, 4)


def test_that_maps_of_samples_are_shown_in_the_colours_of_the_classes(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = project.classes.list()[0]
    card = SimpleNamespace(class_names=(first.name, "gone"), tone_levels=(), has_unknown_tone=True)
    coding = MapCoding(card.class_names, 0, True)
    request = MapRequest(32, UNKNOWN_TONE, (MapRegion(first.name, Box(8, 8, 24, 24)),))
    maps, real = coding.draw(request)[None], np.full((1, 32, 32, 3), 77, np.uint8)
    picture = to_qimage(sample_grid(maps, real, real))
    assert cut_sketched(project, tmp_path, picture, 20) == cut_crops(tmp_path, picture, 20), "there is no card"
    monkeypatch.setattr(sample_maps, "read_map_card", lambda _folder: card)
    cells = cut_sketched(project, tmp_path, picture, 20)
    sketch = sketch_map(request, {first.name: first.color}, n_tones=0)
    assert cells.images[0].image == to_qimage(sketch)
    assert cells.images[0].caption.endswith(f": {first.name}")
    assert cells.images[1].image.pixelColor(0, 0).red() == 77
