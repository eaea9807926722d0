"""Training an upscaler on drawn objects: it beats bicubic enlargement, resumes, and keeps away from the test split."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from synthstudio.core.imaging import read_image
from synthstudio.core.training.gan_samples import GAP_PX, find_samples
from synthstudio.core.training.upscaler_card import WEIGHTS_NAME, read_upscaler_card
from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.domain.guides import NEW_GUIDE, GuideImage
from synthstudio.domain.records import Box, Split
from synthstudio.engine.checkpoints import load_checkpoint
from synthstudio.engine.compact_upscaling import CompactEnlarger, load_compact
from synthstudio.engine.jobs import train_upscaler
from synthstudio.engine.networks.compact_upscaler import CompactShape, build_compact
from synthstudio.project import Project
from synthstudio.protocol.messages import PreviewReady
from synthstudio.settings.train_upscaler import TrainUpscalerSettings
from tests.support.engine_project import RecordingContext
from tests.support.sharp_projects import build_sharp_project

JOB = "train-upscaler"
SHORT = 6
QUICK: dict[str, dict[str, object]] = {
    "pairs": {"small_side": 16, "per_image": 8, "blur": 2.0},  # cameras blur, too: what is lost can be learned soon
    "network": {"layers": 2},
    "optimization": {"steps": 160, "evaluate_every": 80, "batch_size": 8, "learning_rate": 5e-4},
}
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return build_sharp_project(tmp_path)


def settings(**changes: object) -> TrainUpscalerSettings:
    optimization = changes.pop("optimization", {})
    assert isinstance(optimization, dict)
    groups = {**QUICK, "optimization": {**QUICK["optimization"], **optimization}}
    return TrainUpscalerSettings.model_validate({"factor": "2", **groups, **changes})


def trained(project: Project, **changes: object) -> RecordingContext:
    context = RecordingContext(project, JOB)
    train_upscaler.run(settings(**changes), context)
    return context


def test_that_the_compact_network_beats_bicubic_enlargement_on_held_out_patches(project: Project) -> None:
    context = RecordingContext(project, JOB)
    result = train_upscaler.run(settings(), context)
    assert result.psnr_gain.ci95 is not None
    assert result.psnr_gain.ci95[0] > 0.05
    assert result.psnr.mean - result.psnr_bicubic.mean == pytest.approx(result.psnr_gain.mean)
    assert result.ssim_gain.mean > 0.0
    assert (result.n_samples, result.is_reliable) == (4, False)
    assert [step for step, _ in context.metrics("psnr/upscaler")] == [80, 160]
    assert len({value for _, value in context.metrics("psnr/bicubic")}) == 1
    assert not (context.run_dir / "cache").exists()
    assert sum(isinstance(each, PreviewReady) for each in context.events) == 3
    samples = find_samples(context.run_dir)
    assert [step for step, _ in samples] == [80, 160]
    assert read_image(samples[0][1]).shape == (3 * 32 + 2 * GAP_PX, 6 * 32 + 5 * GAP_PX, 3)


def test_that_the_card_tells_what_was_learned_and_the_test_split_is_locked(project: Project) -> None:
    context = trained(project, optimization={"steps": 2})
    card = read_upscaler_card(context.run_dir)
    by_split = {split: {int(fov.id) for fov in project.fovs.list(split=split)} for split in Split}
    assert set(card.train_fov_ids) == by_split[Split.TRAIN]
    assert set(card.validation_fov_ids) == by_split[Split.VAL]
    assert (card.method, card.factor, card.side, card.step) == ("compact", 2, 16, 2)


def test_that_a_resumed_training_ends_as_an_uninterrupted_one(project: Project) -> None:
    changes = {"optimization": {"steps": SHORT, "evaluate_every": 3}}
    straight = trained(project, **changes)
    broken = RecordingContext(project, JOB)
    broken.stop_at = (4, SHORT)
    with pytest.raises(Cancelled):
        train_upscaler.run(settings(**changes), broken)
    assert load_checkpoint(broken.run_dir / "checkpoints" / "last.safetensors").facts["step"] == 4
    assert read_upscaler_card(broken.run_dir).step == 3  # what was stopped early can be used
    resumed = RecordingContext(project, JOB, run_dir=broken.run_dir)
    train_upscaler.run(settings(**changes), resumed)
    assert (resumed.run_dir / WEIGHTS_NAME).read_bytes() == (straight.run_dir / WEIGHTS_NAME).read_bytes()


def test_that_it_learns_from_the_parts_that_a_guide_set_shows(project: Project) -> None:
    fovs = [fov for fov in project.fovs.list() if fov.split is not Split.TEST]
    project.guides.add("discs", class_name="disc", identifier="zxq")
    boxes = [Box(0, 0, 64, 64)] * 4 + [None] * 3 + [Box(0, 0, 20, 20), None]
    project.guides.add_images(
        "discs", [GuideImage(NEW_GUIDE, fov.id, box) for fov, box in zip(fovs, boxes, strict=False)]
    )
    context = trained(project, guides="discs", optimization={"steps": 1})
    card = read_upscaler_card(context.run_dir)
    assert (card.guides, card.subject, len(card.train_fov_ids)) == ("discs", "zxq disc", 7)
    assert any("smaller than a patch of 32 px: 1 images" in text for text in context.warnings)
    with pytest.raises(UserError, match="too small for patches of 128 px"):
        trained(project, guides="discs", factor="4", pairs={"small_side": 32})


def test_that_a_guide_image_of_the_test_split_is_refused(project: Project) -> None:
    (fov, *_) = project.fovs.list(split=Split.TEST)
    project.guides.add("tests", class_name="disc", identifier="zxq")
    project.guides.add_images("tests", [GuideImage(NEW_GUIDE, fov.id)])
    with pytest.raises(UserError, match="test split"):
        trained(project, guides="tests")


def test_that_a_training_begins_from_a_local_file_of_the_field(project: Project, tmp_path: Path) -> None:
    network = build_compact(CompactShape(48, 1, 2), seed=3)
    tensors = {f"params.{name}": value.contiguous() for name, value in network.state_dict().items()}
    save_file(tensors, tmp_path / "a.safetensors")
    start = {"optimization": {"steps": 1, "learning_rate": 1e-9, "ema": 0.0}}
    context = trained(project, model=str(tmp_path / "a.safetensors"), **start)
    kept = load_file(context.run_dir / WEIGHTS_NAME)
    assert all(torch.allclose(kept[name], value, atol=1e-6) for name, value in network.state_dict().items())
    assert len(read_upscaler_card(context.run_dir).base_sha256) == 64
    with pytest.raises(UserError, match="enlarges 2 times"):
        trained(project, model=str(tmp_path / "a.safetensors"), factor="4")


def test_that_a_network_begins_as_bicubic_enlargement_for_every_factor() -> None:
    from synthstudio.core.training.resolution_pairs import enlarge_bicubic

    rows, columns = np.mgrid[:24, :30]
    image = np.stack([rows * 6, columns * 6, 128 + 60 * np.sin(rows / 3 + columns / 5)], axis=2).astype(np.uint8)
    for factor in (2, 3, 4):
        made = CompactEnlarger(build_compact(CompactShape(32, 2, factor), seed=0), CPU, tile=64).enlarge(image)
        inner = slice(3 * factor, -3 * factor)
        difference = np.abs(made.astype(int) - enlarge_bicubic(image, factor))[inner, inner]
        assert difference.max() <= 1


def test_that_windows_leave_no_seam(tmp_path: Path) -> None:
    network = build_compact(CompactShape(32, 2, 2), seed=0)
    for each in network.parameters():
        torch.nn.init.normal_(each, std=0.1, generator=torch.Generator().manual_seed(each.numel()))
    image = np.random.default_rng(0).integers(0, 256, (70, 45, 3), np.uint8)
    whole = CompactEnlarger(network, CPU, tile=128).enlarge(image)
    parts = CompactEnlarger(network, CPU, tile=32).enlarge(image)
    assert whole.shape == (140, 90, 3)
    assert np.abs(whole.astype(int) - parts).max() <= 1  # rounding of sums in another order


def test_that_another_network_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"body.0.weight": torch.zeros(8, 3, 3, 3), "body.2.weight": torch.zeros(8, 8, 3, 3)}, path)
    with pytest.raises(UserError, match="holds no compact upscaler"):
        load_compact(path)


@pytest.fixture(scope="module")
def tiny_upscaler(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.support.tiny_diffusion import write_tiny_upscaler

    return write_tiny_upscaler(tmp_path_factory.mktemp("models") / "x4")


def diffusion(model: Path, **optimization: object) -> dict[str, object]:
    steps = {"batch_size": 2, "learning_rate": 1e-3, "evaluate_every": 3, **optimization}
    return {"method": "diffusion", "model": str(model), "diffusion": {"sample_steps": 2}, "optimization": steps}


def test_that_a_diffusion_upscaler_resumes_exactly_and_loads_in_plain_diffusers(
    project: Project, tiny_upscaler: Path
) -> None:
    from diffusers import UNet2DConditionModel

    changes = diffusion(tiny_upscaler, steps=SHORT)
    straight = trained(project, **changes)
    broken = RecordingContext(project, JOB)
    broken.stop_at = (4, SHORT)
    with pytest.raises(Cancelled):
        train_upscaler.run(settings(**changes), broken)
    resumed = RecordingContext(project, JOB, run_dir=broken.run_dir)
    result = train_upscaler.run(settings(**changes), resumed)
    assert (result.method, result.factor, result.n_held_out) == ("diffusion", 4, 4)
    card = read_upscaler_card(straight.run_dir)
    first, second = (each.run_dir / card.weights_name for each in (straight, resumed))
    assert first.read_bytes() == second.read_bytes()
    assert card.base_sha256 == project.models.locate(str(tiny_upscaler)).sha256
    plain = UNet2DConditionModel.from_pretrained(str(straight.run_dir / "unet"), use_safetensors=True)
    kept = load_file(first)
    assert all(torch.equal(value, kept[name]) for name, value in plain.state_dict().items())
    untrained = load_file(tiny_upscaler / "unet" / first.name)
    assert any(not torch.equal(value, untrained[name]) for name, value in kept.items())


def test_that_fine_tuning_the_diffusion_upscaler_lowers_its_loss(project: Project, tiny_upscaler: Path) -> None:
    context = trained(project, **diffusion(tiny_upscaler, steps=20, evaluate_every=20, batch_size=4))
    losses = [value for _, value in context.metrics("loss/train")]
    assert losses[1] < 0.95 * losses[0]


def test_that_the_loss_of_the_diffusion_upscaler_is_that_of_v_prediction(tiny_upscaler: Path) -> None:
    from diffusers import DDPMScheduler

    from synthstudio.engine.diffusion_models import load_components
    from synthstudio.engine.diffusion_upscaling import DiffusionTraining
    from synthstudio.settings.train_upscaler import UpscalerDiffusionSettings

    parts = load_components(tiny_upscaler, device=CPU)
    chosen = UpscalerDiffusionSettings(noise_level=350, caption_dropout=0.0, checkpointing=False)
    training = DiffusionTraining(parts, chosen, subject="zxq cell", seed=0)
    rng = np.random.default_rng(0)
    small, large = (torch.from_numpy(rng.integers(0, 256, (2, side, side, 3), np.uint8)) for side in (16, 64))
    torch.manual_seed(5)
    found = training.loss(small, large)
    torch.manual_seed(5)
    times, levels, _ = torch.randint(1000, (2,)), torch.randint(351, (2,)), torch.rand(2)
    schedule = DDPMScheduler.from_pretrained(str(tiny_upscaler), subfolder="scheduler")
    low_schedule = DDPMScheduler.from_pretrained(str(tiny_upscaler), subfolder="low_res_scheduler")
    with torch.no_grad():
        spread = parts.vae.encode(large.permute(0, 3, 1, 2) / 127.5 - 1).latent_dist
        latents = (spread.mean + spread.std * torch.randn(spread.mean.shape)) * 0.08333
        low = small.permute(0, 3, 1, 2) / 127.5 - 1
        low = low_schedule.add_noise(low, torch.randn(low.shape), levels)
        noise = torch.randn(latents.shape)
        ids = parts.tokenizer(["zxq cell"] * 2, padding="max_length", max_length=77, return_tensors="pt").input_ids
        seen = torch.cat([schedule.add_noise(latents, noise, times), low], 1)
        said = parts.unet(seen, times, parts.text_encoder(ids)[0], class_labels=levels).sample
        expected = torch.nn.functional.mse_loss(said, schedule.get_velocity(latents, noise, times))
    assert float(found.detach()) == pytest.approx(float(expected), rel=1e-5)


def test_that_an_image_is_enlarged_as_by_the_plain_pipeline(
    tiny_upscaler: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from diffusers import StableDiffusionUpscalePipeline
    from diffusers.pipelines.stable_diffusion import pipeline_stable_diffusion_upscale as plain
    from PIL import Image

    from synthstudio.engine.diffusion_models import load_components
    from synthstudio.engine.diffusion_upscaling import DiffusionEnlarger, DrawnNoise, UpscaleRequest

    image = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
    noise = DrawnNoise.draw((24, 32), seed=3, index=7 << 20)
    parts = load_components(tiny_upscaler, device=CPU)
    enlarger = DiffusionEnlarger(parts, UpscaleRequest(3, guidance=4.0), tile=64)
    made = enlarger.enlarge(image, prompt="photo of cell", seed=3, index=7)
    pipeline = StableDiffusionUpscalePipeline.from_pretrained(str(tiny_upscaler), use_safetensors=True)
    pipeline.set_progress_bar_config(disable=True)
    monkeypatch.setattr(plain, "randn_tensor", lambda *_, **__: torch.from_numpy(noise.pixels)[None])
    latents = torch.from_numpy(noise.latents)[None]
    expected = pipeline(
        "photo of cell",
        Image.fromarray(image),
        num_inference_steps=3,
        guidance_scale=4.0,
        noise_level=20,
        latents=latents,
    )
    assert np.array_equal(made, np.asarray(expected.images[0]))
    odd = enlarger.enlarge(image[:21, :30], prompt="", seed=3, index=7)
    assert odd.shape == (84, 120, 3)
    tiled = DiffusionEnlarger(parts, UpscaleRequest(2), tile=16).enlarge(image, prompt="", seed=3, index=7)
    assert tiled.shape == (96, 128, 3)


def test_that_a_model_of_another_kind_and_a_missing_one_are_refused(project: Project, tmp_path: Path) -> None:
    from tests.support.tiny_diffusion import write_tiny_diffusion

    with pytest.raises(UserError, match="none is named"):
        trained(project, **{**diffusion(tmp_path, steps=1), "model": ""})
    with pytest.raises(UserError, match="not a Diffusion upscaler"):
        trained(project, **diffusion(write_tiny_diffusion(tmp_path / "sd"), steps=1))
