"""Fine-tuning a tiny Stable Diffusion on drawn guide images: what it learns, how it resumes, who can read it."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from diffusers import DDIMScheduler, DDPMScheduler, StableDiffusionPipeline

from synthstudio.core.imaging import ImageArray, read_image, write_png
from synthstudio.core.training.diffusion_card import (
    LORA_NAME,
    checkpoint_folder,
    find_checkpoint,
    read_diffusion_card,
)
from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.domain.prompts import PromptRequest
from synthstudio.domain.records import Split
from synthstudio.engine import checkpoints, diffusion_loop, diffusion_tuning
from synthstudio.engine.checkpoints import Checkpoint, load_checkpoint
from synthstudio.engine.diffusion_draws import draw_step
from synthstudio.engine.diffusion_latents import to_pixels
from synthstudio.engine.diffusion_models import load_components
from synthstudio.engine.diffusion_passes import latent_moments, text_states, token_ids
from synthstudio.engine.diffusion_samples import PromptSampler
from synthstudio.engine.diffusion_sampling import PromptArtist, draw_latents
from synthstudio.engine.diffusion_weights import load_tuned
from synthstudio.engine.jobs import train_diffusion
from synthstudio.project import Project
from synthstudio.project.guide_material import list_guide_material
from synthstudio.settings.train_diffusion import TrainDiffusionSettings
from tests.support.engine_project import RecordingContext
from tests.support.guide_sets import CLASS_NAME, GUIDES, IDENTIFIER, MODEL, build_guide_project
from tests.support.tiny_diffusion import write_tiny_diffusion

JOB = "train-diffusion"
CPU = torch.device("cpu")
SIDE, STEPS = 32, 4
QUICK: dict[str, object] = {
    "side": SIDE,
    "optimization": {"steps": STEPS, "text_encoder_steps": 2, "rate": 1e-3, "text_encoder_rate": 1e-4},
    "prior": {"n_images": 2},
    "samples": {"every": 2, "sampler_steps": 2, "per_prompt": 1, "prompts": ("photo of a zxq skin lesion",)},
}


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return build_guide_project(tmp_path_factory.mktemp("diffusion"))


@pytest.fixture
def project(made: Project) -> Iterator[Project]:
    yield made
    for folder in (made.folder / "runs").iterdir():
        shutil.rmtree(folder)


def settings(**changes: object) -> TrainDiffusionSettings:
    values = dict(QUICK)
    for name, change in changes.items():
        own = values.get(name)
        values[name] = {**own, **change} if isinstance(own, dict) and isinstance(change, dict) else change
    return TrainDiffusionSettings.model_validate(values)


def trained(project: Project, **changes: object) -> RecordingContext:
    context = RecordingContext(project, JOB)
    train_diffusion.run(settings(**changes), context)
    return context


def last_state(context: RecordingContext) -> Checkpoint:
    return load_checkpoint(context.run_dir / "checkpoints" / "last.safetensors")


def assert_same_end(first: RecordingContext, second: RecordingContext) -> None:
    states = [last_state(each) for each in (first, second)]
    assert states[0].tensors.keys() == states[1].tensors.keys()
    assert all(torch.equal(value, states[1].tensors[name]) for name, value in states[0].tensors.items())
    for path in (path for path in first.run_dir.rglob("*") if path.is_file() and path.name != "last.safetensors"):
        other = second.run_dir / path.relative_to(first.run_dir)
        assert path.read_bytes() == other.read_bytes(), path


def plain_image(pipeline: StableDiffusionPipeline, prompt: str, *, seed: int, index: int) -> ImageArray:
    pipeline.set_progress_bar_config(disable=True)
    pipeline.scheduler = DDIMScheduler.from_config(pipeline.scheduler.config)
    noise = torch.from_numpy(draw_latents((4, SIDE // 8, SIDE // 8), seed=seed, index=index))[None]
    made = pipeline(prompt, height=SIDE, width=SIDE, num_inference_steps=3, guidance_scale=5.0, latents=noise)
    return np.asarray(made.images[0])


def own_image(context: RecordingContext, prompt: str, *, seed: int, index: int) -> ImageArray:
    base = context.project.models.get(MODEL)
    card = read_diffusion_card(context.run_dir)
    artist = PromptArtist(load_tuned(context.run_dir, card, base.path, device=CPU))
    request = PromptRequest(prompt, side=SIDE, steps=3, guidance=5.0, scheduler="ddim")
    return artist.draw(request, seed=seed, index=index)


def test_that_a_training_learns_and_leaves_checkpoints_samples_and_a_card(project: Project) -> None:
    context = RecordingContext(project, JOB)
    result = train_diffusion.run(settings(optimization={"steps": 12}, samples={"every": 6}), context)
    losses = [value for _, value in context.metrics("loss/fixed")]
    assert losses[1] < losses[0]
    assert [step for step, _ in context.metrics("loss/guides")] == [10, 12]
    assert (result.step, result.checkpoints, result.best["step"]) == (12, (6, 12), 12.0)
    assert (result.n_guides, result.n_held_out, result.n_prior, result.guides) == (3, 1, 2, GUIDES)
    card = read_diffusion_card(context.run_dir)
    assert (card.class_name, card.identifier, card.base_model, card.side) == (CLASS_NAME, IDENTIFIER, MODEL, SIDE)
    assert set(card.train_fov_ids) == {fov.id for fov in project.fovs.list(split=Split.TRAIN)}
    assert card.base_sha256 == project.models.get(MODEL).sha256
    assert card.captions[0] == f"photo of a {IDENTIFIER} {CLASS_NAME} with 0 red cell"
    assert find_checkpoint(context.run_dir, card) == (12, checkpoint_folder(context.run_dir, 12))
    with pytest.raises(UserError, match=r"no checkpoint of step 5"):
        find_checkpoint(context.run_dir, card, step=5)
    assert read_image(context.run_dir / result.sample).shape == (SIDE, SIDE, 3)
    assert any("3 guide images only" in text for text in result.warnings)


def test_that_the_text_encoder_stops_at_its_own_step_and_both_have_their_rates(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, tuple[float, float] | None]] = []
    weights: list[torch.Tensor] = []
    take_step = diffusion_loop.DiffusionLoop._take_step

    def watched(loop: diffusion_loop.DiffusionLoop) -> None:
        take_step(loop)
        state: dict[str, tuple[float, float] | None] = {}
        for name, tuned in loop.networks.items():
            optimizer = tuned.optimizer
            if optimizer is None:
                state[name] = None
            else:
                steps = {float(each["step"]) for each in optimizer.state.values()}
                assert len(steps) == 1
                state[name] = (optimizer.param_groups[0]["lr"], steps.pop())
        seen.append(state)
        weights.append(next(iter(loop.networks["text_encoder"].weights.values())).detach().clone())

    monkeypatch.setattr(diffusion_loop.DiffusionLoop, "_take_step", watched)
    context = trained(project)
    assert [each["denoiser"] for each in seen] == [(1e-3, 1.0), (1e-3, 2.0), (1e-3, 3.0), (1e-3, 4.0)]
    assert [each["text_encoder"] for each in seen] == [(1e-4, 1.0), (1e-4, 2.0), None, None]
    assert not torch.equal(weights[0], weights[1])
    assert torch.equal(weights[1], weights[3])
    parts = {name.partition("/")[0] for name in last_state(context).tensors}
    assert parts == {"denoiser", "denoiser-optimizer", "text_encoder"}


def test_that_a_step_is_what_plain_code_makes_of_it(project: Project) -> None:
    context = trained(
        project,
        optimization={"steps": 1, "batch_size": 2, "text_encoder_steps": 1, "min_snr": 0.0, "clip": 0.0},
        prior={"weight": 0.25},
    )
    base = load_components(project.models.get(MODEL).path, device=CPU)
    guides, prior = draw_step(
        seed=0, step=0, count=2, n_guides=3, n_prior=2, shape=(4, 4, 4), n_times=1000, flips=False
    )
    assert prior is not None
    crops = list_guide_material(project, GUIDES).training
    images = [crops[number].read(SIDE) for number in guides.numbers]
    images += [read_image(context.run_dir / "prior" / f"{number:06d}.png") for number in prior.numbers]
    captions = [crops[number].caption for number in guides.numbers] + [f"a photo of {CLASS_NAME}"] * 2
    spread, noise = (
        torch.from_numpy(np.concatenate([getattr(each, name) for each in (guides, prior)]))
        for name in ("spread", "noise")
    )
    times = torch.from_numpy(np.concatenate([guides.times, prior.times]))
    with torch.no_grad():
        mean, deviation = latent_moments(base.vae, to_pixels(np.stack(images), CPU))
    latents = (mean + deviation * spread) * base.latent_scale
    base.unet.requires_grad_(requires_grad=True)
    states = text_states(base.text_encoder, token_ids(base.tokenizer, captions))
    noisy = DDPMScheduler.from_config(base.scheduler).add_noise(latents, noise, times)
    answer = base.unet(noisy, times, states).sample
    of_guides, of_prior = F.mse_loss(answer[:2], noise[:2]), F.mse_loss(answer[2:], noise[2:])
    assert context.metrics("loss/guides")[0][1] == pytest.approx(of_guides.item(), rel=1e-5)
    assert context.metrics("loss/prior")[0][1] == pytest.approx(of_prior.item(), rel=1e-5)
    optimizer = torch.optim.AdamW(base.unet.parameters(), lr=1e-3, weight_decay=0.01)
    (of_guides + 0.25 * of_prior).backward()
    optimizer.step()
    stored = last_state(context).part("denoiser")
    for name, weight in base.unet.named_parameters():
        # The first step of Adam is the sign of the gradient: where that is next to nothing, rounding decides.
        is_clear = weight.grad.abs() > 1e-6
        assert torch.allclose(weight[is_clear], stored[name][is_clear], atol=2e-5), name


@pytest.mark.parametrize(
    ("stop_at", "changes"),
    [
        pytest.param(
            3,
            {"flips": True, "optimization": {"ema": 0.9, "min_snr": 5.0, "accumulate": 2, "schedule": "cosine"}},
            id="dreambooth",
        ),
        pytest.param(1, {"method": "lora", "lora": {"rank": 2, "dropout": 0.5}, "prior": {"weight": 0.0}}, id="lora"),
        pytest.param(2, {"optimization": {"cache_latents": False, "precision": "bf16"}}, id="while-sampling"),
    ],
)
def test_that_a_resumed_training_ends_as_an_uninterrupted_one(
    project: Project, stop_at: int, changes: dict[str, object]
) -> None:
    straight = trained(project, **changes)
    broken = RecordingContext(project, JOB)
    broken.stop_at = (stop_at, STEPS)
    with pytest.raises(Cancelled):
        train_diffusion.run(settings(**changes), broken)
    resumed = RecordingContext(project, JOB, run_dir=broken.run_dir)
    train_diffusion.run(settings(**changes), resumed)
    assert_same_end(straight, resumed)


def test_that_a_trained_model_makes_the_same_image_in_plain_diffusers(project: Project) -> None:
    context = trained(project, samples={"pipeline": True})
    plain = StableDiffusionPipeline.from_pretrained(context.run_dir / "pipeline", local_files_only=True)
    prompt = "photo of a zxq skin lesion"
    image = own_image(context, prompt, seed=5, index=3)
    assert np.array_equal(plain_image(plain, prompt, seed=5, index=3), image)
    untrained = StableDiffusionPipeline.from_pretrained(project.models.get(MODEL).path, local_files_only=True)
    assert not np.array_equal(plain_image(untrained, prompt, seed=5, index=3), image)


def test_that_trained_additions_make_the_same_image_in_plain_diffusers(project: Project) -> None:
    changes = {"method": "lora", "lora": {"rank": 4, "alpha": 2.0}, "optimization": {"rate": 0.05}}
    context = trained(project, **changes, samples={"pipeline": True})
    base = project.models.get(MODEL).path
    prompt = "photo of a zxq skin lesion"
    plain = StableDiffusionPipeline.from_pretrained(base, local_files_only=True)
    untrained = plain_image(plain, prompt, seed=5, index=3)
    plain.load_lora_weights(str(checkpoint_folder(context.run_dir, STEPS)), weight_name=LORA_NAME)
    image = own_image(context, prompt, seed=5, index=3)
    assert np.array_equal(plain_image(plain, prompt, seed=5, index=3), image)
    assert not np.array_equal(untrained, image)
    merged = StableDiffusionPipeline.from_pretrained(context.run_dir / "pipeline", local_files_only=True)
    assert np.abs(plain_image(merged, prompt, seed=5, index=3).astype(int) - image).max() <= 1


def test_that_gradient_checkpointing_changes_memory_and_not_the_result(project: Project) -> None:
    for method in ("dreambooth", "lora"):
        plain, saving = (
            last_state(trained(project, method=method, optimization={"steps": 2, "gradient_checkpointing": each}))
            for each in (False, True)
        )
        assert plain.tensors.keys() == saving.tensors.keys()
        weights = saving.part("denoiser")
        for name, value in plain.part("denoiser").items():
            assert torch.allclose(value, weights[name], atol=1e-4), name


def test_that_prior_images_of_ones_own_come_first_and_others_are_made_once(project: Project, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    write_png(own / "a.png", np.full((50, 70, 3), 90, np.uint8))
    context = trained(project, optimization={"steps": 1}, prior={"folder": str(own)})
    made = sorted((context.run_dir / "prior").iterdir())
    assert [path.name for path in made] == ["000001.png"]
    before = made[0].stat().st_mtime_ns
    resumed = RecordingContext(project, JOB, run_dir=context.run_dir)
    train_diffusion.run(settings(optimization={"steps": 1}, prior={"folder": str(own)}), resumed)
    assert made[0].stat().st_mtime_ns == before
    card = read_diffusion_card(context.run_dir)
    assert (card.n_prior, card.n_prior_supplied, card.prior_prompt) == (2, 1, f"a photo of {CLASS_NAME}")
    with pytest.raises(UserError, match="no folder"):
        train_diffusion.run(settings(prior={"folder": str(tmp_path / "gone")}), RecordingContext(project, JOB))


def _short_of_memory(monkeypatch: pytest.MonkeyPatch, *, most: int, until: int = 10**9) -> None:
    """Let the memory hold `most` images at once in a training step; for ever, or `until` so many calls."""
    predict, calls = diffusion_loop.predict, [0]

    def limited(*arguments: torch.nn.Module | torch.Tensor) -> torch.Tensor:
        calls[0] += 1
        if torch.is_grad_enabled() and len(arguments[1]) > most and calls[0] <= until:  # type: ignore[arg-type]
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return predict(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(diffusion_loop, "predict", limited)


def test_that_a_batch_that_does_not_fit_is_halved_and_the_steps_stay_the_same(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {"optimization": {"batch_size": 4, "steps": 2}}
    roomy = last_state(trained(project, **changes))
    _short_of_memory(monkeypatch, most=2)  # one guide image, and one prior image
    context = trained(project, **changes)
    assert [text for text in context.warnings if "too small for this batch" in text][-1].startswith(
        "The memory was too small for this batch: 1 at once"
    )
    tight = last_state(context).part("denoiser")
    for name, value in roomy.part("denoiser").items():
        assert torch.allclose(value, tight[name], atol=2e-4), name


def test_that_too_little_memory_is_one_sentence_and_nothing_is_lost(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    straight = trained(project)
    broken = RecordingContext(project, JOB)
    with monkeypatch.context() as patch:
        patch.setattr(diffusion_loop.DiffusionLoop, "_follow_up", _squeezed(patch))
        with pytest.raises(UserError, match="memory is too small for this training") as caught:
            train_diffusion.run(settings(), broken)
    assert "gradient checkpointing" in caught.value.hint
    assert last_state(broken).facts["step"] == 3
    resumed = RecordingContext(project, JOB, run_dir=broken.run_dir)
    train_diffusion.run(settings(), resumed)
    assert_same_end(straight, resumed)


def test_that_samples_that_do_not_fit_the_memory_stop_no_training(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def squeezed(sampler: PromptSampler, step: int) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(PromptSampler, "__call__", squeezed)
    context = trained(project)
    assert read_diffusion_card(context.run_dir).steps == (2, 4)
    assert any("no samples of step 2" in text for text in context.warnings)


def _squeezed(patch: pytest.MonkeyPatch) -> object:
    """What follows a step; after the third one there is no memory any more."""
    follow_up = diffusion_loop.DiffusionLoop._follow_up

    def squeezed(loop: diffusion_loop.DiffusionLoop) -> None:
        follow_up(loop)
        if loop.state.step == 3:
            _short_of_memory(patch, most=0)

    return squeezed


def test_that_a_disk_that_is_full_in_the_middle_is_one_sentence_and_the_training_goes_on_later(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    straight = trained(project)
    broken = RecordingContext(project, JOB)
    writing = checkpoints.writing_atomically

    @contextmanager
    def full(path: Path) -> Iterator[BinaryIO]:
        if "step-000004" in str(path):
            raise checkpoints.translate_os_error(OSError(errno.ENOSPC, "No space left on device"), path)
        with writing(path) as stream:
            yield stream

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "writing_atomically", full)
        with pytest.raises(UserError, match="The disk is full"):
            train_diffusion.run(settings(), broken)
    assert read_diffusion_card(broken.run_dir).steps == (2,)
    assert [path.name for path in (broken.run_dir / "checkpoints").glob("*step-*")] == ["step-000002"]
    resumed = RecordingContext(project, JOB, run_dir=broken.run_dir)
    train_diffusion.run(settings(), resumed)
    assert_same_end(straight, resumed)


def test_that_a_disk_that_cannot_hold_the_checkpoints_is_refused_at_once(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_diffusion.shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(10, 9, 1))
    with pytest.raises(UserError, match=r"The disk is too small: the training writes .* MB, 0 MB are free"):
        trained(project)


def test_that_a_device_that_is_too_small_is_said_with_what_would_fit(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_diffusion, "device_bytes", lambda device: 1e8)
    context = trained(project, optimization={"steps": 1}, prior={"weight": 0.0})
    assert any("There are 0.1 GB of memory. No change of settings would fit." in text for text in context.warnings)


def test_that_a_damaged_last_state_is_named(project: Project) -> None:
    context = trained(project, optimization={"steps": 1})
    path = context.run_dir / "checkpoints" / "last.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(UserError, match=r"last\.safetensors is damaged"):
        train_diffusion.run(settings(), RecordingContext(project, JOB, run_dir=context.run_dir))


def test_that_a_state_of_other_settings_is_refused(project: Project) -> None:
    context = trained(project, method="lora", optimization={"steps": 1})
    with pytest.raises(UserError, match="do not fit the base model and the settings"):
        train_diffusion.run(
            settings(method="lora", lora={"rank": 3}), RecordingContext(project, JOB, run_dir=context.run_dir)
        )


def test_that_a_text_encoder_of_another_model_is_refused(project: Project, tmp_path: Path) -> None:
    other = write_tiny_diffusion(tmp_path / "other", text_width=48)
    with pytest.raises(UserError, match="text encoder"):
        trained(project, model=str(other))


def test_that_a_base_model_that_has_changed_is_refused_when_a_run_goes_on_until_it_is_put_back(
    project: Project, tmp_path: Path
) -> None:
    changes = {"model": str(write_tiny_diffusion(tmp_path / "model"))}
    context = RecordingContext(project, JOB)
    context.stop_at = (1, STEPS)
    with pytest.raises(Cancelled):
        train_diffusion.run(settings(**changes), context)
    (tmp_path / "model").rename(tmp_path / "aside")
    write_tiny_diffusion(tmp_path / "model", seed=1)
    with pytest.raises(UserError, match="is not the one that this training began with"):
        train_diffusion.run(settings(**changes), RecordingContext(project, JOB, run_dir=context.run_dir))
    shutil.rmtree(tmp_path / "model")
    (tmp_path / "aside").rename(tmp_path / "model")
    resumed = RecordingContext(project, JOB, run_dir=context.run_dir)
    assert train_diffusion.run(settings(**changes), resumed).checkpoints == (2, STEPS)
    assert_same_end(trained(project, **changes), resumed)


def test_that_plain_adamw_is_taken_and_said_where_the_8_bit_one_is_not_installed(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (diffusion_tuning, train_diffusion):
        monkeypatch.setattr(module, "has_eight_bit", lambda: False)
    context = trained(project, optimization={"steps": 1, "optimizer": "adamw-8bit"}, prior={"weight": 0.0})
    assert any("bitsandbytes is not installed: plain AdamW is taken" in text for text in context.warnings)


class WrappingOptimizer(torch.optim.SGD):
    """Wraps a part of its state once more, counts in plain numbers, takes it back flat: as the 8-bit one."""

    def state_dict(self) -> dict[str, Any]:
        given = super().state_dict()
        kept = {index: dict(state) for index, state in given["state"].items()}
        return given | {"state": {i: {"step": each.pop("step"), "wrapped": each} for i, each in kept.items()}}


def test_that_the_state_of_an_8_bit_optimiser_is_stored_flat_and_comes_back() -> None:
    weight = torch.nn.Parameter(torch.zeros(4))
    state = {"step": 3, "state1": torch.tensor([1, 2, 3, 4], dtype=torch.uint8), "absmax1": torch.tensor([0.5])}
    optimizer, other = (WrappingOptimizer([weight], lr=0.1) for _ in range(2))
    optimizer.state[weight].update(state)
    tensors = checkpoints.optimizer_tensors(optimizer)
    assert sorted(tensors) == ["0/absmax1", "0/state1", "0/step"]
    checkpoints.restore_optimizer(other, tensors)
    assert other.state[weight]["step"] == 3
    assert isinstance(other.state[weight]["step"], int)
    assert other.state[weight]["absmax1"].tolist() == [0.5]


def test_that_fp16_is_refused_on_a_processor(project: Project) -> None:
    with pytest.raises(UserError, match="A processor does not train in fp16"):
        trained(project, optimization={"precision": "fp16"}, prior={"weight": 0.0})
