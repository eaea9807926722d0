"""Training a diffusion model of patches from scratch, on drawn objects: it learns, resumes, stops, and is asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from synthstudio.core.imaging import read_image
from synthstudio.core.training.gan_samples import GAP_PX, find_samples
from synthstudio.core.training.patch_diffusion_card import CARD_NAME, WEIGHTS_NAME, read_patch_card
from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.domain.maps import MapRegion, MapRequest
from synthstudio.domain.records import Box, Split
from synthstudio.engine import patch_diffusion_loop
from synthstudio.engine.checkpoints import load_checkpoint
from synthstudio.engine.jobs import train_patch_diffusion
from synthstudio.engine.patch_artist import open_patch_artist
from synthstudio.engine.processes import Processes
from synthstudio.project import Project
from synthstudio.settings.train_patch_diffusion import PatchSamplingSettings, TrainPatchDiffusionSettings
from tests.support.engine_project import RecordingContext, build_engine_project

STEPS, SHORT = 40, 6
QUICK: dict[str, dict[str, object]] = {
    "crops": {"side": "32", "crops_per_fov": 2},
    "network": {"base_channels": 8},
    "noise": {},
    "optimization": {
        **{"steps": STEPS, "sample_every": 20, "batch_size": 4},
        **{"learning_rate": 2e-3, "warmup_steps": 0, "ema": 0.9},
    },
    "sampling": {"sampler_steps": 2},
}
JOB = "train-patch-diffusion"
N_OF_LOOK = 8
"""Losses of a look at the held-out crops."""
REQUEST = MapRequest(32, 0, (MapRegion("disc", Box(6, 6, 26, 26)),))


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return build_engine_project(tmp_path)


def settings(**changes: dict[str, object]) -> TrainPatchDiffusionSettings:
    groups = {name: {**group, **changes.pop(name, {})} for name, group in QUICK.items()}
    return TrainPatchDiffusionSettings.model_validate({**groups, **changes})


def trained(project: Project, **changes: dict[str, object]) -> RecordingContext:
    context = RecordingContext(project, JOB)
    train_patch_diffusion.run(settings(**changes), context)
    return context


def test_that_a_denoiser_learns_and_leaves_what_is_asked_for_images(project: Project) -> None:
    context = RecordingContext(project, JOB)
    result = train_patch_diffusion.run(settings(), context)
    losses = [value for _, value in context.metrics("loss/denoising")]
    assert losses[-1] < 0.9 * losses[0]
    assert [step for step, _ in context.metrics("validation/denoising")] == [20, 40]
    assert [step for step, _ in context.metrics("kid/held-out")] == [20, 40]
    assert (result.step, result.classes, result.tones) == (STEPS, ("disc", "square"), ())
    assert result.validation["validation/denoising"] == context.metrics("validation/denoising")[-1][1]
    samples = find_samples(context.run_dir)
    assert [step for step, _ in samples] == [20, 40]
    assert read_image(samples[0][1]).shape == (3 * (32 + GAP_PX) - GAP_PX, 8 * (32 + GAP_PX) - GAP_PX, 3)
    assert not (context.run_dir / "cache").exists()


def test_that_the_card_tells_what_was_learned_and_the_test_split_is_locked(project: Project) -> None:
    context = trained(project, optimization={"steps": 2})
    card = read_patch_card(context.run_dir)
    by_split = {split: {fov.id for fov in project.fovs.list(split=split)} for split in Split}
    assert set(card.train_fov_ids) <= by_split[Split.TRAIN]
    assert set(card.validation_fov_ids) <= by_split[Split.VAL]
    assert (card.side, card.step, card.has_unknown_tone, card.threads) == (32, 2, True, 1)
    assert {"torch", "diffusers"} == set(card.versions)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="plain"),
        pytest.param(
            {
                "network": {"dropout": 0.2, "attention": False},
                "noise": {"prediction": "epsilon", "schedule": "linear", "without_request": 0.0},
                "optimization": {"turns": True, "balance": "none", "precision": "bf16"},
                "sampling": {"sampler": "ddim"},
            },
            id="otherwise",
        ),
    ],
)
def test_that_a_resumed_training_ends_as_an_uninterrupted_one(
    project: Project, changes: dict[str, dict[str, object]]
) -> None:
    changes = {**changes, "optimization": {"steps": SHORT, "sample_every": 3, **changes.get("optimization", {})}}
    straight = trained(project, **changes)
    broken = RecordingContext(project, JOB)
    broken.stop_at = (4, SHORT)
    with pytest.raises(Cancelled):
        train_patch_diffusion.run(settings(**changes), broken)
    assert read_patch_card(broken.run_dir).step == 4  # what was stopped early can be asked for images
    resumed = RecordingContext(project, JOB, run_dir=broken.run_dir)
    train_patch_diffusion.run(settings(**changes), resumed)
    assert_same_end(straight, resumed)


def test_that_a_training_that_ran_out_of_memory_goes_on_from_its_last_samples(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes: dict[str, object] = {"steps": SHORT, "sample_every": 3}
    straight = trained(project, optimization=changes)
    take_step = patch_diffusion_loop.DenoiserLearner.take_step

    def starved(learner: object, *arguments: object, step: int) -> object:
        if step == 4:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return take_step(learner, *arguments, step=step)  # type: ignore[arg-type]

    broken = RecordingContext(project, JOB)
    with monkeypatch.context() as patched:
        patched.setattr(patch_diffusion_loop.DenoiserLearner, "take_step", starved)
        with pytest.raises(torch.OutOfMemoryError):  # the engine's runner makes one sentence of it
            train_patch_diffusion.run(settings(optimization=changes), broken)
    assert load_checkpoint(broken.run_dir / "checkpoints" / "last.safetensors").facts["step"] == 3
    train_patch_diffusion.run(settings(optimization=changes), RecordingContext(project, JOB, run_dir=broken.run_dir))
    assert_same_end(straight, broken)


def test_that_samples_that_were_stopped_are_taken_first_by_a_resumed_training(project: Project) -> None:
    changes: dict[str, object] = {"steps": SHORT, "sample_every": 3}
    straight = trained(project, optimization=changes)
    broken = RecordingContext(project, JOB)
    broken.stop_at = (3, SHORT)  # of the samples: the step that comes after them has the same number
    with pytest.raises(Cancelled):
        train_patch_diffusion.run(settings(optimization=changes), broken)
    assert find_samples(broken.run_dir) == []
    train_patch_diffusion.run(settings(optimization=changes), RecordingContext(project, JOB, run_dir=broken.run_dir))
    assert [step for step, _ in find_samples(broken.run_dir)] == [3, 6]
    assert_same_end(straight, broken)


def assert_same_end(first: RecordingContext, second: RecordingContext) -> None:
    for name in (WEIGHTS_NAME, CARD_NAME, f"samples/{SHORT:06d}.png"):
        assert (first.run_dir / name).read_bytes() == (second.run_dir / name).read_bytes(), name
    states = [load_checkpoint(each.run_dir / "checkpoints" / "last.safetensors") for each in (first, second)]
    assert states[0].tensors.keys() == states[1].tensors.keys()
    assert all(torch.equal(value, states[1].tensors[name]) for name, value in states[0].tensors.items())
    assert {k: v for k, v in states[0].facts.items() if k != "seconds"} == {
        k: v for k, v in states[1].facts.items() if k != "seconds"
    }


def test_that_an_image_depends_on_request_seed_and_index_alone(project: Project) -> None:
    folder = trained(project, optimization={"steps": 2}).run_dir
    artist = open_patch_artist(folder, device="cpu")
    first = artist.draw(REQUEST, seed=3, index=5)
    artist.draw(REQUEST, seed=4)
    again = open_patch_artist(folder, device="cpu").draw(REQUEST, seed=3, index=5)
    assert first.shape == (32, 32, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, again)
    assert not np.array_equal(first, artist.draw(REQUEST, seed=3, index=6))
    assert not np.array_equal(first, artist.draw(REQUEST, seed=4, index=5))
    other = open_patch_artist(folder, device="cpu", sampling=PatchSamplingSettings(sampler="ddim", sampler_steps=3))
    assert not np.array_equal(first, other.draw(REQUEST, seed=3, index=5))
    assert artist.provider == "torch CPU"


def test_that_a_map_that_the_model_does_not_know_is_refused(project: Project) -> None:
    artist = open_patch_artist(trained(project, optimization={"steps": 1}).run_dir, device="cpu")
    with pytest.raises(UserError, match="images of 32 px, not of 64 px"):
        artist.draw(MapRequest(64, 0), seed=0)
    with pytest.raises(UserError, match='no condition "ghost"'):
        artist.draw(MapRequest(32, 0, (MapRegion("ghost", Box(0, 0, 9, 9)),)), seed=0)


def test_that_a_run_that_has_made_nothing_yet_says_so(project: Project) -> None:
    context = trained(project, optimization={"steps": 1})
    (context.run_dir / WEIGHTS_NAME).unlink()
    with pytest.raises(UserError, match="has made no images yet"):
        open_patch_artist(context.run_dir, device="cpu")


def test_that_a_loss_that_is_no_number_ends_the_training_and_leaves_the_last_good_state(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    loss = patch_diffusion_loop.Noising.loss
    taken: list[int] = []

    def break_later(*args: object, **kwargs: object) -> torch.Tensor:
        value: torch.Tensor = loss(*args, **kwargs)  # type: ignore[arg-type]
        taken.append(1)
        return value * float("nan") if len(taken) > 22 + N_OF_LOOK else value

    monkeypatch.setattr(patch_diffusion_loop.Noising, "loss", break_later)
    context = RecordingContext(project, JOB)
    with pytest.raises(UserError, match=r"loss/denoising became nan by step 30; the training was stopped"):
        train_patch_diffusion.run(settings(), context)
    assert load_checkpoint(context.run_dir / "checkpoints" / "last.safetensors").facts["step"] == 20


def test_that_several_processes_are_refused(project: Project) -> None:
    context = RecordingContext(project, JOB)
    context.processes = Processes(0, 2)
    with pytest.raises(UserError, match="one process"):
        train_patch_diffusion.run(settings(), context)


def test_that_rates_rise_and_fall_where_they_should() -> None:
    chosen = settings(
        optimization={"steps": 100, "warmup_steps": 10, "decay_from": 0.5, "learning_rate": 1.0}
    ).optimization
    rates = [patch_diffusion_loop.learning_rate(step, chosen) for step in (0, 4, 9, 49, 50, 75, 99)]
    assert rates == pytest.approx([0.1, 0.5, 1.0, 1.0, 1.0, 0.5, 0.02])
