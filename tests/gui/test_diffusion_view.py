"""Diffusion in the Generate workspace: trainings from scratch and fine-tunings, their samples, checkpoints, starts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from synthstudio.core.training.diffusion_card import read_diffusion_card
from synthstudio.domain.records import RunStatus, changes
from synthstudio.gui.pages.generate import GeneratePage
from synthstudio.gui.pages.generate.diffusion import DiffusionView
from synthstudio.gui.pages.generate.diffusion.scratch_panel import ScratchPanel
from synthstudio.gui.pages.generate.diffusion.training_panel import TunedTrainingPanel
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.protocol.messages import MetricLogged
from tests.support.diffusion_runs import PROMPTS, add_patch_run, add_tuned_checkpoint, add_tuned_run
from tests.support.engine_project import build_engine_project
from tests.support.scripted_engine import scripted_engine
from tests.support.walking import find_unreachable
from tests.support.weight_files import ldm_shapes, write_hollow_weights
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
    page = GeneratePage(workspace)
    qtbot.addWidget(page)
    page.resize(1280, 760)
    page.show()
    page.choose("Diffusion")
    return page


@pytest.fixture
def view(page: GeneratePage) -> DiffusionView:
    return page.diffusion


def scratch_panel(view: DiffusionView) -> ScratchPanel:
    view.show_tab("From scratch")
    panel = view.panel("From scratch")
    assert isinstance(panel, ScratchPanel)
    return panel


def tuning_panel(view: DiffusionView) -> TunedTrainingPanel:
    view.show_tab("Training")
    panel = view.panel("Training")
    assert isinstance(panel, TunedTrainingPanel)
    return panel


def announce(workspace: Workspace) -> None:
    workspace.announce(changes("runs", "models", "guides"))


def test_that_a_training_from_scratch_is_started_shown_and_stopped(
    qtbot: QtBot, workspace: Workspace, view: DiffusionView, project: Project
) -> None:
    panel = scratch_panel(view)
    qtbot.waitUntil(panel.side.start.isEnabled, timeout=TIMEOUT_MS)
    assert panel.stack.currentWidget() is panel.empty
    qtbot.waitUntil(lambda: "a guess" in panel.side.effort.text(), timeout=TIMEOUT_MS)
    qtbot.mouseClick(panel.side.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(panel.stop.isVisible, timeout=TIMEOUT_MS)
    assert view.scratch.chosen is not None
    started = view.scratch.chosen.run.id
    qtbot.waitUntil(lambda: workspace.gpu_worker.running == started, timeout=TIMEOUT_MS)
    with qtbot.waitSignal(workspace.gpu_worker.idle, timeout=TIMEOUT_MS):
        qtbot.mouseClick(panel.stop, Qt.MouseButton.LeftButton)
    assert project.runs.get(started).status is RunStatus.CANCELLED


def test_that_a_training_from_scratch_shows_its_samples_curves_and_resume(
    qtbot: QtBot, workspace: Workspace, view: DiffusionView, project: Project
) -> None:
    add_patch_run(project, status=RunStatus.CANCELLED, has_checkpoint=True)
    announce(workspace)
    panel = scratch_panel(view)
    qtbot.waitUntil(panel.resume.isVisible, timeout=TIMEOUT_MS)
    assert view.scratch.choice.currentText().startswith("Diffusion 32 px · 60 steps")
    assert view.scratch.given is not None
    qtbot.waitUntil(lambda: panel.samples.shown_step == 60, timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: set(panel.plots.plots) == {"loss", "validation"}, timeout=TIMEOUT_MS)


def test_that_each_tab_shows_the_choice_of_the_models_it_works_with(view: DiffusionView, project: Project) -> None:
    view.show_tab("Training")
    assert view.tuned.isVisible()
    assert not view.scratch.isVisible()
    view.show_tab("From scratch")
    assert view.scratch.isVisible()
    assert not view.tuned.isVisible()


def test_that_fine_tuning_says_what_is_missing_and_leads_there(
    qtbot: QtBot, workspace: Workspace, view: DiffusionView, project: Project
) -> None:
    panel = tuning_panel(view)
    qtbot.waitUntil(panel.empty.button.isVisible, timeout=TIMEOUT_MS)
    assert panel.empty.title.text() == "No base model yet."
    assert not panel.side.start.isEnabled()
    with qtbot.waitSignal(panel.page_requested, timeout=TIMEOUT_MS) as asked:
        qtbot.mouseClick(panel.empty.button, Qt.MouseButton.LeftButton)
    assert asked.args == ["Models"]


def test_that_checkpoints_and_samples_go_together(
    qtbot: QtBot, workspace: Workspace, view: DiffusionView, project: Project
) -> None:
    run_id = add_tuned_run(project, status=RunStatus.RUNNING)
    announce(workspace)
    panel = tuning_panel(view)
    table = panel.checkpoints.table
    qtbot.waitUntil(lambda: table.keys == ["40", "20"], timeout=TIMEOUT_MS)
    assert table.texts()[1:] == [["40", "0.5000", "3.2 MB", ""], ["20", "0.2500", "3.2 MB", "best"]]
    qtbot.waitUntil(lambda: panel.checkpoints.selected == 40, timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: len(panel.samples.grid.images) == 8, timeout=TIMEOUT_MS)
    assert panel.samples.grid.images[4].caption == f"{PROMPTS[1]}, image 1, step 40"
    table.selectRow(1)
    qtbot.waitUntil(lambda: panel.samples.shown_step == 20, timeout=TIMEOUT_MS)
    panel.samples.go_forth()
    assert panel.checkpoints.selected == 40
    panel.samples.follow_latest()
    add_tuned_checkpoint(project, run_id, read_diffusion_card(project.run_folder(run_id)), step=60, best_step=20)
    workspace.gpu_worker.event_received.emit(run_id, MetricLogged(name="loss/guides", step=60, value=0.1))
    qtbot.waitUntil(lambda: table.keys == ["60", "40", "20"], timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: panel.checkpoints.selected == 60, timeout=TIMEOUT_MS)
    with qtbot.waitSignal(panel.checkpoints.use_requested, timeout=TIMEOUT_MS) as asked:
        panel.checkpoints.request_use()
    assert asked.args == [60]


def test_that_a_fine_tuning_says_what_it_takes_before_it_is_started(
    qtbot: QtBot, workspace: Workspace, view: DiffusionView, project: Project, tmp_path: Path
) -> None:
    project.models.add(write_hollow_weights(tmp_path / "sd.safetensors", ldm_shapes()), name="sd")
    project.guides.add("lesions", class_name="skin lesion", identifier="zxq")
    panel = tuning_panel(view)
    qtbot.waitUntil(panel.side.start.isEnabled, timeout=TIMEOUT_MS)
    assert panel.empty.title.text() == "Nothing has been fine-tuned yet."
    assert panel.side.form.settings().guides == "lesions"
    qtbot.waitUntil(lambda: "GB of memory" in panel.side.effort.text(), timeout=TIMEOUT_MS)
    panel.side.form.show_value("method", "lora")
    qtbot.mouseClick(panel.side.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(panel.stop.isVisible, timeout=TIMEOUT_MS)
    assert view.tuned.choice.currentText().startswith("LoRA on lesions")
    workspace.gpu_worker.cancel_all()
    qtbot.waitUntil(lambda: workspace.gpu_worker.is_idle, timeout=TIMEOUT_MS)


def test_that_every_tab_can_be_heard_and_walked_by_tab(
    qtbot: QtBot, workspace: Workspace, page: GeneratePage, project: Project
) -> None:
    add_patch_run(project)
    add_tuned_run(project)
    announce(workspace)
    wrong: dict[str, list[str]] = {}
    for title in page.diffusion.tabs.titles:
        page.diffusion.show_tab(title)
        qtbot.waitUntil(lambda: workspace.background.is_idle, timeout=TIMEOUT_MS)
        wrong[title] = find_unreachable(page, page.segments.button("Diffusion"))
    assert not any(wrong.values()), wrong
