"""Super-resolution in the Generate workspace: a training and its figures, a set enlarged, pairs of pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from synthstudio.domain.records import RunStatus, Split
from synthstudio.gui.pages.generate import GeneratePage
from synthstudio.gui.pages.generate.diffusion.upscaling_panel import UpscalingPanel
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.protocol.results import TrainUpscalerResult, UpscaledFigure
from synthstudio.settings.compose import ComposeSettings, CompositionSettings
from synthstudio.settings.train_upscaler import TrainUpscalerSettings
from synthstudio.settings.upscale import UpscaleSettings
from tests.support.cell_projects import make_cell_project
from tests.support.scripted_engine import scripted_engine
from tests.support.sets import add_set
from tests.support.training_runs import add_training_run
from tests.support.upscalers import add_upscaler, write_upscaled
from tests.support.windows import TIMEOUT_MS

SMALL = CompositionSettings(canvas_px=96, n_objects_max=4)


@pytest.fixture
def workspace(qtbot: QtBot, tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(engine_command=scripted_engine("patient"), preferences_file=tmp_path / "preferences.toml")
    yield made
    made.shut_down()


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A project with a set of composites."""
    project = make_cell_project(tmp_path / "study", splits=(Split.VAL,))
    add_set(project, ComposeSettings(set_name="composed", count=3, composition=SMALL))
    project.close()
    return project.folder


@pytest.fixture
def page(qtbot: QtBot, workspace: Workspace) -> GeneratePage:
    page = GeneratePage(workspace)
    qtbot.addWidget(page)
    page.resize(1280, 760)
    page.show()
    return page


def opened(page: GeneratePage) -> UpscalingPanel:
    page.choose("Diffusion")
    page.diffusion.show_tab("Upscaling")
    panel = page.diffusion.panel("Upscaling")
    assert isinstance(panel, UpscalingPanel)
    return panel


def current(workspace: Workspace) -> Project:
    assert workspace.project is not None
    return workspace.project


def result_of(run: str) -> TrainUpscalerResult:
    figure, gain = UpscaledFigure(mean=30.0), UpscaledFigure(mean=1.5, ci95=(1.0, 2.0))
    return TrainUpscalerResult(
        run=run,
        status="finished",
        seconds=1.0,
        best={"step": 60.0},
        method="compact",
        factor=4,
        step=60,
        n_patches=8,
        n_held_out=4,
        n_samples=4,
        psnr=figure,
        psnr_bicubic=figure,
        psnr_gain=gain,
        ssim=figure,
        ssim_bicubic=figure,
        ssim_gain=gain,
        is_reliable=False,
    )


def test_that_a_training_is_started_by_hand_with_what_the_form_says(
    qtbot: QtBot, workspace: Workspace, closed: Path, page: GeneratePage
) -> None:
    workspace.open_project(closed)
    panel = opened(page)
    start = panel.training.side.start
    qtbot.waitUntil(start.isEnabled, timeout=TIMEOUT_MS)
    assert "min" in panel.training.side.effort.text() or panel.training.side.effort.text() == ""
    qtbot.mouseClick(start, Qt.MouseButton.LeftButton)
    runs = current(workspace).runs.list(kind="train-upscaler")
    assert [TrainUpscalerSettings.model_validate_json(run.settings_json).method for run in runs] == ["compact"]
    qtbot.waitUntil(lambda: page.diffusion.upscalers.chosen is not None, timeout=TIMEOUT_MS)
    assert page.diffusion.upscalers.isVisible()


def test_that_the_figures_of_a_finished_training_stand_beside_bicubic(
    qtbot: QtBot, workspace: Workspace, closed: Path, page: GeneratePage
) -> None:
    project = Project.open(closed)
    curves = {"loss/train": 0.1, "psnr/upscaler": 30.0, "psnr/bicubic": 29.0}
    files = {"upscaler.json": b"{}", "upscaler.safetensors": b"weights"}
    run = add_training_run(project, TrainUpscalerSettings(), curves=curves, files=files)
    project.runs.set_ended(run, RunStatus.FINISHED, summary_json=result_of(run).model_dump_json())
    project.close()
    workspace.open_project(closed)
    panel = opened(page)
    qtbot.waitUntil(lambda: len(panel.training.samples.grid.images) == 12, timeout=TIMEOUT_MS)
    assert panel.training.samples.grid.images[0].caption.startswith("Bicubic, held-out patch 1")
    said = [label.text() for label in panel.training.figures.findChildren(type(panel.training.figures.note))]
    assert any("4 held-out patches of 4 samples" in text and "unreliable" in text for text in said)
    assert "+1.50 dB\n[+1.00, +2.00]" in panel.training.figures.texts


def test_that_a_set_is_enlarged_by_hand_with_the_chosen_training_and_shown_beside_bicubic(
    qtbot: QtBot, workspace: Workspace, closed: Path, page: GeneratePage
) -> None:
    project = Project.open(closed)
    run = add_upscaler(project)
    write_upscaled(project, UpscaleSettings(source_set="composed", set_name="larger"))
    project.close()
    workspace.open_project(closed)
    panel = opened(page)
    qtbot.waitUntil(lambda: page.diffusion.upscalers.given is not None, timeout=TIMEOUT_MS)
    qtbot.mouseClick(panel.switch.button("enlarge"), Qt.MouseButton.LeftButton)
    enlarging = panel.enlarging
    qtbot.waitUntil(lambda: len(enlarging.pairs.images) == 6, timeout=TIMEOUT_MS)
    assert [each.caption for each in enlarging.pairs.images[:2]] == ["Image 0, bicubic", "Image 0, enlarged"]
    assert enlarging.pairs.images[0].image.width() == 192
    with qtbot.waitSignal(workspace.set_wanted, timeout=TIMEOUT_MS):
        qtbot.mouseClick(enlarging.review, Qt.MouseButton.LeftButton)
    assert workspace.wanted_set == "larger"
    qtbot.waitUntil(enlarging.write.isEnabled, timeout=TIMEOUT_MS)
    qtbot.mouseClick(enlarging.write, Qt.MouseButton.LeftButton)
    made = [each for each in current(workspace).runs.list(kind="upscale") if each.title == "Larger set upscaled"]
    settings = UpscaleSettings.model_validate_json(made[0].settings_json)
    assert (settings.run, settings.source_set, settings.set_name) == (run, "composed", "upscaled")


def test_that_a_project_without_sets_or_upscalers_is_told_what_comes_first(
    qtbot: QtBot, workspace: Workspace, closed: Path, page: GeneratePage
) -> None:
    panel = opened(page)
    panel.show_enlarging()
    workspace.open_project(closed)
    enlarging = panel.enlarging
    qtbot.waitUntil(lambda: "No upscaler yet" in enlarging.empty.title.text(), timeout=TIMEOUT_MS)
    assert enlarging.stack.currentWidget() is enlarging.empty
    assert not enlarging.write.isEnabled()
    current(workspace).sets.remove("composed")
    panel.show_training()
    panel.show_enlarging()
    qtbot.waitUntil(lambda: "No set to enlarge yet" in enlarging.empty.title.text(), timeout=TIMEOUT_MS)
    with qtbot.waitSignal(panel.page_requested, timeout=TIMEOUT_MS, check_params_cb=lambda what: what == "Images"):
        qtbot.mouseClick(enlarging.empty.button, Qt.MouseButton.LeftButton)
