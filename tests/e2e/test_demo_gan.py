"""Journey B from one command: photographs, a GAN, its images, their figures. Very small."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from synthstudio.cli import demo_gan
from synthstudio.cli.main import main
from synthstudio.client import demo
from synthstudio.domain.records import Split
from synthstudio.project import Project


def test_that_the_demo_of_the_gan_ends_with_a_measured_set_of_every_condition_in_every_tone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(demo, "_SKIN_SPLITS", (Split.TRAIN,) * 12 + (Split.VAL,) * 2 + (Split.TEST,) * 3)
    monkeypatch.setattr(demo, "_PHOTOS_PER_SAMPLE", 1)
    monkeypatch.setattr(demo_gan, "_N_STEPS", 2)
    monkeypatch.setattr(demo_gan, "_N_IMAGES", 36)
    folder = tmp_path / "demo"
    assert main(["demo", str(folder), "--journey", "gan", "--headless", "--json"], open_app=lambda _folder: 1) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["set"] == demo_gan.SET_NAME
    assert told["figures"]["fid"]["floor"] > 0
    for place in ("project", "training", "samples", "generated", "measured"):
        assert Path(told[place]).exists(), place
    project = Project.open(folder)
    try:
        assert sorted(run.kind for run in project.runs.list()) == ["generate", "measure", "train-gan"]
        assert len(list((project.set_folder(told["set"]) / "images").iterdir())) == 36
    finally:
        project.close()


def test_that_the_preset_of_the_demo_is_the_small_one_with_fewer_steps() -> None:
    whole, part = demo_gan.build_training(), demo_gan.build_training(100)
    assert whole.optimization.steps > 1000
    assert (part.optimization.steps, part.optimization.sample_every) == (100, 100)
    assert part.network == whole.network
