"""Sets of patches of a diffusion model trained from scratch: the batches of a GAN, asked of another generator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from synthstudio.core.training.patch_diffusion_card import PatchDiffusionCard, write_patch_card
from synthstudio.domain.ids import RunId, SetName
from synthstudio.domain.records import Generator, Role, Split, SyntheticSet
from synthstudio.gui.pages.generate.diffusion.patches_panel import PatchesPanel
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.project.runs import new_run_id
from synthstudio.project.tones import find_tone_scale
from synthstudio.settings.base import JobSettings
from synthstudio.settings.generate import GenerateSettings
from tests.support.skin_study import build_skin_study
from tests.support.trained_patches import QUICK
from tests.support.windows import TIMEOUT_MS


@pytest.fixture
def workspace(qtbot: QtBot, tmp_path: Path) -> Iterator[Workspace]:
    project = build_skin_study(tmp_path / "study", n_train=6, n_val=1, n_test=1, size_px=(120, 96))
    _add_card(project)
    for name, generator in (("by-gan", Generator.GAN), ("by-diffusion", Generator.DIFFUSION)):
        project.sets.put(SyntheticSet(SetName(name), generator, None, 5, "0", "{}", "", ""))
    project.close()
    opened = Workspace(preferences_file=tmp_path / "preferences.toml")
    opened.open_project(tmp_path / "study")
    yield opened
    opened.shut_down()


def _add_card(project: Project) -> None:
    """Enter a finished training that has left a card alone; nothing else is asked for here."""
    scale = find_tone_scale(project)
    card = PatchDiffusionCard(
        class_names=tuple(each.name for each in project.classes.list() if each.role is Role.OBJECT),
        tone_levels=scale.levels if scale is not None else (),
        has_unknown_tone=False,
        side=32,
        network=QUICK.network,
        noise=QUICK.noise,
        sampling=QUICK.sampling,
        crops=QUICK.crops,
        seed=0,
        step=0,
        train_fov_ids=tuple(fov.id for fov in project.fovs.list(split=Split.TRAIN)),
        validation_fov_ids=(),
        versions={},
        threads=1,
    )
    run_id = new_run_id("train-patch-diffusion")
    project.run_folder(run_id).mkdir(parents=True)
    project.runs.add(run_id, kind="train-patch-diffusion", title="Patches", settings_json=QUICK.model_dump_json())
    write_patch_card(project.run_folder(run_id), card)


def test_that_a_model_from_scratch_is_asked_for_patches_by_class_and_tone(
    qtbot: QtBot, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs: list[JobSettings] = []

    def submit(settings: JobSettings, *, title: str = "") -> RunId:
        jobs.append(settings)
        return RunId(title)

    monkeypatch.setattr(workspace, "submit", submit)
    panel = PatchesPanel(workspace)
    qtbot.addWidget(panel)
    panel.resize(1200, 760)
    assert "from scratch" in panel.notice.title.text()
    run = workspace.require_project().runs.list(kind="train-patch-diffusion")[0]
    panel.set_run(run)
    panel.show()
    qtbot.waitUntil(lambda: panel.counts is not None, timeout=TIMEOUT_MS)
    panel.side.form.show_value("count", 30)
    qtbot.waitUntil(lambda: panel.counts is not None and sum(panel.counts.added.values()) == 30, timeout=TIMEOUT_MS)
    QTest.mouseClick(panel.side.write, Qt.MouseButton.LeftButton)
    (settings,) = jobs
    assert isinstance(settings, GenerateSettings)
    assert (settings.generator, settings.run, settings.set_name, settings.count) == ("diffusion", run.id, "patches", 30)
    sets = panel.side.comparison.sets
    assert [sets.itemData(row) for row in range(sets.count())] == ["by-diffusion"]
    assert [each.id for each in panel.actions()] == ["diffusion.patches_write", "diffusion.patches_compare"]
