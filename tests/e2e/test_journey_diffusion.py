"""Journey C: captioned guide images, fine-tuning, prompts, verdicts, a classifier; offline, by hand and by commands."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from synthstudio.cli.main import main
from synthstudio.core.imaging import ImageArray, write_png
from synthstudio.core.training.model_card import read_model_card
from synthstudio.domain.records import Box, Run
from synthstudio.gui.forms.lines import LinesControl
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.pages.generate.diffusion.prompts_panel import PromptsPanel
from synthstudio.gui.pages.review import ReviewPage
from synthstudio.gui.pages.train import TrainPage
from synthstudio.settings.train_classifier import TrainClassifierSettings
from tests.support.region_projects import draw_photo
from tests.support.tiny_diffusion import write_tiny_diffusion
from tests.support.watched import Watched, show_diffusion, wait_for_job
from tests.support.windows import TIMEOUT_MS, open_window

POX, NORMAL = "pox", "normal"
SET, PROMPTS = "variants", ("photo of zxq pox, early, red", "photo of zxq pox, late, brown")
TUNING = (
    *(
        "--model",
        "tiny",
        "--guides",
        "lesions",
        "--side",
        "64",
        "--precision",
        "fp32",
        "--steps",
        "4",
        "--text-encoder-steps",
        "2",
    ),
    *("--n-images", "2", "--every", "2", "--per-prompt", "1", "--sampler-steps", "2"),
)
CLASSIFIER = TrainClassifierSettings.model_validate(
    {
        "source": "mix",
        "view": "whole-images",
        "real_part": "negatives",
        "real_share": 0.5,
        "set_name": SET,
        "loss": {"task": "single-label"},
        "composition": {"canvas_px": 32},
        "optimization": {"steps": 8, "batch_size": 4, "evaluate_every": 4, "workers": 0},
    }
)


def write_photos(folder: Path) -> tuple[Path, Path]:
    """Guide photographs with captions beside them, and labelled ones by split and class; skin of its own each."""
    guides, labelled = folder / "guides", folder / "labelled"
    rng = np.random.default_rng(3)
    guides.mkdir()
    for number in range(3):
        write_png(guides / f"{number}.png", _photo(rng, is_ill=True))
        (guides / f"{number}.txt").write_text(f"photo of zxq pox, stage {number}, red, one on the arm")
    for split, classes in {"train": (NORMAL,), "val": (POX, NORMAL), "test": (POX, NORMAL)}.items():
        for name in classes:
            (labelled / split / name).mkdir(parents=True)
            for number in range(4 if split == "train" else 2):
                write_png(labelled / split / name / f"{split}-{name}-{number}.png", _photo(rng, is_ill=name == POX))
    return guides, labelled


def _photo(rng: np.random.Generator, *, is_ill: bool) -> ImageArray:
    x, y = rng.integers(10, 40, 2)
    boxes = {"rash": Box(float(x), float(y), float(x + 40), float(y + 30))} if is_ill else {}
    image = draw_photo(boxes, tone=int(rng.integers(1, 4)), width=96, height=80)
    grainy = image.astype(np.int64) + rng.integers(-6, 7, image.shape)
    return np.asarray(np.clip(grainy, 0, 255), np.uint8)


def build_project(folder: Path) -> Path:
    """By the commands of the terminal: classes, guide set, labelled photographs, base model."""
    guides, labelled = write_photos(folder)
    project = folder / "study"
    words = ("--guides", "lesions", "--class-name", POX, "--identifier", "zxq")
    for arguments in (
        ("new", project),
        ("import", project, labelled, "--format", "imagefolder", "--labels-from-folder"),
        ("import", project, guides, "--format", "captions", "--split", "train", *words),
        ("models", "add", project, write_tiny_diffusion(folder / "tiny"), "--name", "tiny"),
    ):
        assert main([str(each) for each in arguments], open_app=lambda _folder: 1) == 0, arguments
    return project


def write_by_hand(qtbot: QtBot, window: MainWindow) -> PromptsPanel:
    """Ask for the set on the tab Images, and wait until all of it is seen."""
    panel = show_diffusion(window, "Images").panel("Images")
    assert isinstance(panel, PromptsPanel)
    qtbot.waitUntil(lambda: panel.book is not None and bool(panel.side.run_name), timeout=TIMEOUT_MS)
    form = panel.side.form
    lines = form.row(("prompts", "prompts")).control
    assert isinstance(lines, LinesControl)
    for prompt in PROMPTS:
        QTest.keyClicks(lines.text, prompt)
        QTest.keyClick(lines.text, Qt.Key.Key_Return)
    for name, value in (("set_name", SET), ("prompts.variants", 3), ("prompts.steps", 2)):
        form.show_value(name, value)
    QTest.mouseClick(panel.side.write, Qt.MouseButton.LeftButton)
    wait_for_job(qtbot, window, "generate")
    qtbot.waitUntil(lambda: len(panel.grid.keys) == 6 and panel.review.isEnabled(), timeout=TIMEOUT_MS)
    return panel


def judge_by_hand(qtbot: QtBot, window: MainWindow, panel: PromptsPanel) -> None:
    """Open the set in Review; keep all images by key but the fifth."""
    QTest.mouseClick(panel.review, Qt.MouseButton.LeftButton)
    page = window.findChild(ReviewPage)
    assert isinstance(page, ReviewPage)
    verdicts = page.verdicts
    qtbot.waitUntil(lambda: verdicts.isVisible() and len(verdicts.grid.keys) == 6, timeout=TIMEOUT_MS)
    verdicts.grid.select_key(0)
    for index in range(6):
        QTest.keyClick(verdicts.grid, Qt.Key.Key_R if index == 4 else Qt.Key.Key_K)
    project = window.workspace.require_project()
    qtbot.waitUntil(lambda: len(project.verdicts.list(SET)) == 6, timeout=TIMEOUT_MS)


def train_by_hand(qtbot: QtBot, window: MainWindow) -> Run:
    """Train the classifier of the paper's design, very small, on the tab of trainings."""
    window.findChild(QAction, "go.train").trigger()  # type: ignore[union-attr]
    page = window.findChild(TrainPage)
    assert isinstance(page, TrainPage)
    page.form.set_settings(CLASSIFIER)
    QTest.mouseClick(page.train, Qt.MouseButton.LeftButton)
    return wait_for_job(qtbot, window, "train-classifier")


@pytest.mark.slow
def test_that_the_journey_from_ten_captions_to_a_classifier_runs_offline_by_hand_and_from_a_terminal(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = build_project(tmp_path)
    watched = Watched(tmp_path, monkeypatch)
    tuned = watched.result_of("train-diffusion", project, *TUNING)
    with open_window(qtbot, tmp_path / "private", project) as window:
        panel = write_by_hand(qtbot, window)
        judge_by_hand(qtbot, window, panel)
        trained = train_by_hand(qtbot, window)
        opened = window.workspace.require_project()
        card = read_model_card(opened.run_folder(trained.id))
        header = json.loads((opened.set_folder(SET) / "set.json").read_text())
        assert set(header["generators"]) == {tuned["run"]}
        window.findChild(QAction, "go.generate").trigger()  # type: ignore[union-attr]
        rows = [[PROMPTS[0], "3", "2", "1", "0"], [PROMPTS[1], "3", "3", "0", "0"]]
        qtbot.waitUntil(lambda: panel.table.texts()[1:] == rows, timeout=TIMEOUT_MS)
    assert (card.whole_px, card.task, set(card.class_names)) == (32, "single-label", {POX, NORMAL})
    scores = watched.result_of("evaluate", project, "--run", trained.id)["classification"]
    assert isinstance(scores, dict)
    assert {name: each["support"] for name, each in scores["per_class"].items()} == {NORMAL: 2, POX: 2}
    assert all(scores[figure] is not None for figure in ("accuracy", "auc", "ap", "macro", "weighted"))
    watched.check(n_engines=4)
