"""Batches of generated images in the window: what they add to the data, and the classifier with and without them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from synthstudio.domain.ids import RunId, SetName
from synthstudio.domain.records import Generator, Split, SyntheticSet, changes
from synthstudio.gui import errors
from synthstudio.gui.pages.generate.gan.batch_panel import BatchPanel
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.settings.base import JobSettings
from synthstudio.settings.evaluate import EvaluateSettings
from synthstudio.settings.generate import GenerateSettings
from synthstudio.settings.train_classifier import TrainClassifierSettings
from tests.support.skin_study import build_skin_study
from tests.support.trained_gans import add_card, make_card
from tests.support.windows import TIMEOUT_MS


@pytest.fixture
def workspace(qtbot: QtBot, tmp_path: Path) -> Iterator[Workspace]:
    project = build_skin_study(tmp_path / "study", n_train=6, n_val=1, n_test=2, size_px=(120, 96))
    add_card(project, make_card(project))
    project.close()
    opened = Workspace(preferences_file=tmp_path / "preferences.toml")
    opened.open_project(tmp_path / "study")
    yield opened
    opened.shut_down()


@pytest.fixture
def project(workspace: Workspace) -> Project:
    return workspace.require_project()


@pytest.fixture
def panel(qtbot: QtBot, workspace: Workspace, project: Project) -> BatchPanel:
    made = BatchPanel(workspace)
    qtbot.addWidget(made)
    made.resize(1200, 760)
    made.set_run(project.runs.list(kind="train-gan")[0])
    made.show()
    qtbot.waitUntil(lambda: made.counts is not None, timeout=TIMEOUT_MS)
    return made


class Submitted:
    """Stands for the queue of jobs."""

    def __init__(self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
        self.jobs: list[tuple[str, JobSettings]] = []
        monkeypatch.setattr(workspace, "submit", self._submit)

    def _submit(self, settings: JobSettings, *, title: str = "") -> RunId:
        self.jobs.append((title, settings))
        return RunId(f"run-{len(self.jobs)}")


def add_generated(project: Project, name: str) -> None:
    project.sets.put(SyntheticSet(SetName(name), Generator.GAN, None, 5, "0", "{}", "", ""))


def test_that_the_chart_shows_what_the_data_has_and_what_the_set_adds(qtbot: QtBot, panel: BatchPanel) -> None:
    panel.side.form.show_value("requests.distribution", "top-up")
    panel.side.form.show_value("count", 60)
    qtbot.waitUntil(lambda: panel.counts is not None and sum(panel.counts.added.values()) == 60, timeout=TIMEOUT_MS)
    counts = panel.counts
    assert counts is not None
    assert sum(counts.shown.values()) >= 6
    before, after = counts.of_classes()
    bars = panel.charts[0].chart
    assert bars.groups == counts.class_names
    assert [[bar.value for bar in series.bars] for series in bars.series] == [before, after]
    total = [counts.shown.get(cell, 0) + number for cell, number in counts.added.items()]
    assert max(total) - min(total) <= 1
    cells = panel.table.texts()[1:]
    assert sum(int(more) for row in cells for _, more in (cell.split(" + ") for cell in row[1:])) == 60
    assert "60 images of the set" in panel.summary.text()


def test_that_the_written_set_is_made_by_the_gan_that_is_chosen(
    panel: BatchPanel, workspace: Workspace, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitted = Submitted(workspace, monkeypatch)
    panel.side.form.show_value("set_name", "new")
    panel.side.form.show_value("requests.classes", (project.classes.list()[0].name,))
    QTest.mouseClick(panel.side.write, Qt.MouseButton.LeftButton)
    ((title, settings),) = submitted.jobs
    assert title == "Set new"
    assert isinstance(settings, GenerateSettings)
    assert settings.run == project.runs.list(kind="train-gan")[0].id
    assert settings.requests.classes == (project.classes.list()[0].name,)
    told: list[str] = []
    monkeypatch.setattr(errors, "post", lambda notice, **_: told.append(notice.message))
    add_generated(project, "new")
    QTest.mouseClick(panel.side.write, Qt.MouseButton.LeftButton)
    assert len(submitted.jobs) == 1
    assert told == ["There is already a set new."]


def test_that_one_click_trains_and_scores_a_classifier_with_and_without_the_set(
    qtbot: QtBot, panel: BatchPanel, workspace: Workspace, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    comparison = panel.side.comparison
    comparison.set_folded(False)
    assert not comparison.compare.isEnabled()
    add_generated(project, "made")
    workspace.announce(changes("sets"))
    assert comparison.set_name == "made"
    comparison.form.show_value("optimization.steps", 40)
    submitted = Submitted(workspace, monkeypatch)
    notices: list[str] = []
    monkeypatch.setattr("synthstudio.gui.pages.generate.gan.batch_panel.post", lambda each, **_: notices.append(each))
    QTest.mouseClick(comparison.compare, Qt.MouseButton.LeftButton)
    (first, without), (_, one), (second, mixed), (_, other) = submitted.jobs
    assert (first, second) == ("Without made", "With made")
    assert isinstance(without, TrainClassifierSettings)
    assert isinstance(mixed, TrainClassifierSettings)
    assert (without.source, without.set_name, mixed.source, mixed.set_name) == ("real-crops", "", "mix", "made")
    differing = {"source", "set_name"}
    assert without.model_dump(exclude=differing) == mixed.model_dump(exclude=differing)
    assert without.optimization.steps == 40
    assert one == EvaluateSettings(run="run-1", split=Split.TEST)
    assert other == EvaluateSettings(run="run-3", split=Split.TEST)
    assert len(notices) == 1


def test_that_nothing_is_compared_without_test_images(
    panel: BatchPanel, workspace: Workspace, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_generated(project, "made")
    for fov in project.fovs.list(split=Split.TEST):
        project.samples.set_split([fov.sample_id], Split.TRAIN)
    workspace.announce(changes("sets", "samples"))
    submitted = Submitted(workspace, monkeypatch)
    told: list[str] = []
    monkeypatch.setattr(errors, "post", lambda notice, **_: told.append(notice.message))
    panel.compare()
    assert submitted.jobs == []
    assert "No image of the test split is annotated" in told[0]


def test_that_a_tone_or_condition_that_the_data_lacks_is_told_beside_the_button(
    qtbot: QtBot, panel: BatchPanel, project: Project
) -> None:
    card = make_card(project)
    assert panel.counts is not None
    missing = next(
        (name, level)
        for name in card.class_names
        for number, level in enumerate(card.tone_levels, start=1)
        if not panel.counts.shown.get((name, number))
    )
    panel.side.form.show_value("requests.distribution", "as-in-data")
    panel.side.form.show_value("requests.classes", (missing[0],))
    panel.side.form.show_value("requests.tones", (missing[1],))
    qtbot.waitUntil(lambda: "No training image shows" in panel.side.trouble.text(), timeout=TIMEOUT_MS)
    assert not panel.side.write.isEnabled()
    panel.side.form.show_value("requests.distribution", "balanced")
    qtbot.waitUntil(panel.side.write.isEnabled, timeout=TIMEOUT_MS)


def test_that_without_a_gan_the_panel_says_what_to_do_next(qtbot: QtBot, workspace: Workspace) -> None:
    made = BatchPanel(workspace)
    qtbot.addWidget(made)
    made.set_run(None)
    made.show()
    assert made.stack.currentWidget() is made.notice
    assert "Training" in made.notice.text.text()
    assert not made.side.write.isEnabled()
