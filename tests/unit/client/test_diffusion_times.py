"""How long a training of a diffusion model takes."""

from __future__ import annotations

import json

import pytest

from synthstudio.client.diffusion_times import estimate_patch_training, estimate_tuning
from synthstudio.client.experiment_times import START_S
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import Run, RunStatus
from synthstudio.settings.base import JobSettings
from synthstudio.settings.train_diffusion import DiffusionOptimizationSettings, TrainDiffusionSettings
from synthstudio.settings.train_patch_diffusion import (
    DenoiserSettings,
    PatchCropSettings,
    PatchOptimizationSettings,
    TrainPatchDiffusionSettings,
)


def finished(settings: JobSettings, *, seconds: float) -> Run:
    return Run(
        id=RunId("run"),
        kind=settings.kind,
        title="",
        status=RunStatus.FINISHED,
        settings_json=settings.model_dump_json(),
        summary_json=json.dumps({"seconds": seconds}),
        message="",
        hint="",
        created_at="2026-01-01T00:00:00",
        finished_at="",
    )


def patches(*, steps: int = 1000, side: str = "32", base_channels: int = 32) -> TrainPatchDiffusionSettings:
    return TrainPatchDiffusionSettings(
        crops=PatchCropSettings.model_validate({"side": side}),
        network=DenoiserSettings(base_channels=base_channels),
        optimization=PatchOptimizationSettings(steps=steps),
    )


def tuning(*, steps: int = 1000, precision: str = "fp32") -> TrainDiffusionSettings:
    optimization = {"steps": steps, "precision": precision}
    return TrainDiffusionSettings(optimization=DiffusionOptimizationSettings.model_validate(optimization))


def test_that_a_training_like_a_finished_one_takes_as_long_a_step() -> None:
    known = [finished(patches(steps=100), seconds=50.0), finished(patches(side="64"), seconds=9000.0)]
    estimate = estimate_patch_training(known, patches(steps=1000))
    assert estimate.is_measured
    assert estimate.seconds == pytest.approx(START_S + 500.0)


def test_that_a_larger_network_and_larger_crops_are_guessed_to_take_longer() -> None:
    small, wide, large = (
        estimate_patch_training([], settings) for settings in (patches(), patches(base_channels=64), patches(side="64"))
    )
    assert not small.is_measured
    assert small.seconds < wide.seconds < large.seconds


def test_that_a_fine_tuning_is_not_guessed_but_measured() -> None:
    assert estimate_tuning([], tuning()) is None
    known = [finished(tuning(steps=10), seconds=20.0)]
    assert estimate_tuning(known, tuning(precision="bf16")) is None
    measured = estimate_tuning(known, tuning(steps=100))
    assert measured is not None
    assert measured.seconds == pytest.approx(START_S + 200.0)
