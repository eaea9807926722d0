"""Fine-tuning by hand and from a terminal without a network: stopped by a full disk in the middle, gone on with."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from synthstudio.core.training.diffusion_card import CARD_NAME, CHECKPOINTS, LORA_NAME, read_diffusion_card
from synthstudio.domain.records import Run, RunStatus
from synthstudio.engine.checkpoints import load_checkpoint
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.pages.generate.diffusion.training_panel import TunedTrainingPanel
from synthstudio.settings.recipe import recipe_text
from synthstudio.settings.train_diffusion import Method, TrainDiffusionSettings
from tests.support.guide_sets import CLASS_NAME, GUIDES, IDENTIFIER, MODEL, build_guide_project
from tests.support.watched import Watched, show_diffusion, wait_for_end, wait_for_job
from tests.support.windows import TIMEOUT_MS, open_window

pytestmark = pytest.mark.slow

JOB = "train-diffusion"
FULL_AT = "step-000004"
"""Of the paths of the second and last checkpoint."""
PROMPT = f"photo of {IDENTIFIER} {CLASS_NAME}"
LEFT = Qt.MouseButton.LeftButton


def small(method: Method) -> TrainDiffusionSettings:
    """Four steps with the text encoder for two of them, prior images, a checkpoint after each two."""
    return TrainDiffusionSettings.model_validate(
        {
            "model": MODEL,
            "guides": GUIDES,
            "method": method,
            "side": 32,
            "optimization": {"steps": 4, "text_encoder_steps": 2, "rate": 1e-3, "text_encoder_rate": 1e-4},
            "prior": {"n_images": 2},
            "lora": {"rank": 2},
            "samples": {"every": 2, "sampler_steps": 2, "per_prompt": 1, "prompts": (PROMPT,)},
        }
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A closed project with guide images and a tiny Stable Diffusion."""
    made = build_guide_project(tmp_path)
    made.classes.add(CLASS_NAME, size_px=20.0)  # the label of what is made
    made.close()
    return made.folder


def write_recipe(folder: Path, settings: TrainDiffusionSettings) -> Path:
    path = folder / "recipe.toml"
    path.write_text(recipe_text(settings), encoding="utf-8")
    return path


def start_by_hand(qtbot: QtBot, window: MainWindow, settings: TrainDiffusionSettings) -> TunedTrainingPanel:
    """Fill in the form on the tab Training, and press the button."""
    panel = show_diffusion(window, "Training").panel("Training")
    assert isinstance(panel, TunedTrainingPanel)
    qtbot.waitUntil(panel.side.start.isEnabled, timeout=TIMEOUT_MS)
    panel.side.form.set_settings(settings)
    QTest.mouseClick(panel.side.start, LEFT)
    return panel


def assert_same_end(first: Path, second: Path) -> None:
    """Both runs have the same samples, prior images, stored networks and last state, to the last bit."""
    parts = [
        path.relative_to(first) for name in (CHECKPOINTS, "prior", "samples") for path in (first / name).rglob("*")
    ]
    files = [path for path in (*parts, Path(CARD_NAME)) if (first / path).is_file()]
    assert {path.parts[0] for path in files} == {CHECKPOINTS, "prior", "samples", CARD_NAME}
    last = Path(CHECKPOINTS) / "last.safetensors"
    assert last in files
    for path in files:
        if path != last:  # it tells how long the training took
            assert (first / path).read_bytes() == (second / path).read_bytes(), path
    states = [load_checkpoint(folder / last).tensors for folder in (first, second)]
    assert states[0].keys() == states[1].keys()
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())


def resume_by_hand(qtbot: QtBot, window: MainWindow, panel: TunedTrainingPanel) -> Run:
    """Press Resume, and wait until both checkpoints are listed."""
    qtbot.waitUntil(panel.resume.isVisible, timeout=TIMEOUT_MS)
    QTest.mouseClick(panel.resume, LEFT)
    resumed = wait_for_job(qtbot, window, JOB)
    qtbot.waitUntil(lambda: panel.checkpoints.table.keys == ["4", "2"], timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: panel.samples.steps == (2, 4) and bool(panel.samples.grid.images), timeout=TIMEOUT_MS)
    return resumed


def test_that_lora_goes_on_in_the_window_after_a_full_disk_to_the_end_of_an_uninterrupted_one_and_makes_images(
    qtbot: QtBot, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched(tmp_path, monkeypatch, full_at=FULL_AT)
    settings = small("lora")
    with open_window(qtbot, tmp_path / "private", project) as window:
        watched.fill_disk()
        panel = start_by_hand(qtbot, window, settings)
        broken = wait_for_end(qtbot, window, JOB)
        assert broken.status is RunStatus.FAILED
        qtbot.waitUntil(lambda: panel.trouble.text().startswith("The disk is full"), timeout=TIMEOUT_MS)
        qtbot.waitUntil(lambda: panel.checkpoints.table.keys == ["2"], timeout=TIMEOUT_MS)
        watched.free_disk()
        assert resume_by_hand(qtbot, window, panel).id == broken.id
    straight = watched.result_of(JOB, project, "--recipe", write_recipe(tmp_path, settings))
    resumed = project / "runs" / broken.id
    assert_same_end(resumed, project / "runs" / str(straight["run"]))
    assert (resumed / CHECKPOINTS / FULL_AT / LORA_NAME).is_file()
    asked = ("--generator", "diffusion", "--run", broken.id, "--prompts", PROMPT, "--variants", "2", "--steps", "2")
    made = watched.result_of("generate", project, *asked, "--set-name", "variants")
    assert (made["status"], made["set"], made["n_images"]) == ("finished", "variants", 2)
    watched.check(n_engines=4)


def test_that_dreambooth_goes_on_from_the_terminal_after_a_full_disk_to_the_end_of_an_uninterrupted_one_by_hand(
    qtbot: QtBot, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched(tmp_path, monkeypatch, full_at=FULL_AT)
    settings = small("dreambooth")
    watched.fill_disk()
    said = watched.error_of(JOB, project, "--recipe", write_recipe(tmp_path, settings))
    assert "The disk is full" in said
    (broken,) = (project / "runs").iterdir()
    assert read_diffusion_card(broken).steps == (2,)
    watched.free_disk()
    assert watched.result_of(JOB, project, "--resume", broken.name)["status"] == "finished"
    with open_window(qtbot, tmp_path / "private", project) as window:
        panel = start_by_hand(qtbot, window, settings)
        straight = wait_for_job(qtbot, window, JOB)
        qtbot.waitUntil(lambda: panel.checkpoints.table.keys == ["4", "2"], timeout=TIMEOUT_MS)
    assert straight.id != broken.name
    assert_same_end(broken, project / "runs" / straight.id)
    card = read_diffusion_card(broken)
    assert (card.has_text_encoder, card.n_prior, card.steps) == (True, 2, (2, 4))
    assert {path.name for path in (broken / CHECKPOINTS / FULL_AT).iterdir()} == {"unet", "text_encoder"}
    watched.check(n_engines=3)
