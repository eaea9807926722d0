"""Images from prompts: the same as plain diffusers makes, from (seed, index) alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    PNDMScheduler,
    StableDiffusionImg2ImgPipeline,
    StableDiffusionInpaintPipeline,
    StableDiffusionPipeline,
)

from synthstudio.core.imaging import ImageArray
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import FovId
from synthstudio.domain.prompts import PromptPlace, PromptRequest, SchedulerName
from synthstudio.domain.records import Box
from synthstudio.engine import diffusion_sampling
from synthstudio.engine.diffusion_models import load_components
from synthstudio.engine.diffusion_sampling import PromptArtist, draw_latents
from tests.support.tiny_diffusion import write_tiny_diffusion

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SIDE, STEPS = 64, 4
ASKED = PromptRequest("photo of red cell", SIDE, negative="blue", steps=STEPS, guidance=4.0)
WINDOW = Box(100.0, 50.0, 228.0, 178.0)
PLAIN = {
    "dpm-solver++": DPMSolverMultistepScheduler,
    "ddim": DDIMScheduler,
    "pndm": PNDMScheduler,
    "euler": EulerDiscreteScheduler,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_diffusion(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def artist(folder: Path) -> PromptArtist:
    return PromptArtist(load_components(folder, device=torch.device("cpu")))


@pytest.fixture(scope="module")
def models(artist: PromptArtist, folder: Path) -> tuple[PromptArtist, Path]:
    return artist, folder


@pytest.fixture(scope="module")
def ground() -> ImageArray:
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    return np.stack([rows * 3, columns * 3, (rows + columns) * 2], axis=-1).astype(np.uint8)


def plain_pipeline(folder: Path, make: Callable[..., StableDiffusionPipeline], scheduler: SchedulerName):
    found = StableDiffusionPipeline.from_pretrained(
        str(folder), safety_checker=None, feature_extractor=None, requires_safety_checker=False, use_safetensors=True
    )
    pipeline = make(**found.components, requires_safety_checker=False)
    # PNDM without its Runge-Kutta steps and DDIM without clipping, as all Stable Diffusion models are published.
    own = {"skip_prk_steps": True} if scheduler == "pndm" else {}
    pipeline.scheduler = PLAIN[scheduler].from_config(pipeline.scheduler.config, **own)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def noise(index: int) -> torch.Tensor:
    return torch.from_numpy(draw_latents((4, SIDE // 8, SIDE // 8), seed=7, index=index))[None]


def placed(*, box: Box | None = None, strength: float = 0.6) -> PromptRequest:
    return dataclasses.replace(ASKED, place=PromptPlace(FovId(1), WINDOW, box, strength))


@pytest.mark.parametrize("scheduler", get_args(SchedulerName))
def test_that_plain_diffusers_makes_the_same_image_of_the_same_noise(
    artist: PromptArtist, folder: Path, scheduler: SchedulerName
) -> None:
    pipeline = plain_pipeline(folder, StableDiffusionPipeline, scheduler)
    expected = pipeline(
        ASKED.prompt,
        negative_prompt=ASKED.negative,
        num_inference_steps=STEPS,
        guidance_scale=ASKED.guidance,
        latents=noise(3),
        output_type="np",
    ).images[0]
    made = artist.draw(dataclasses.replace(ASKED, scheduler=scheduler), seed=7, index=3)
    assert np.array_equal(made, np.rint(expected * 255).astype(np.uint8))


@pytest.mark.parametrize("scheduler", get_args(SchedulerName))
def test_that_plain_diffusers_changes_a_picture_alike(
    models: tuple[PromptArtist, Path],
    ground: ImageArray,
    scheduler: SchedulerName,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    artist, folder = models
    import diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_img2img as module

    pipeline = plain_pipeline(folder, StableDiffusionImg2ImgPipeline, scheduler)
    monkeypatch.setattr(module, "randn_tensor", lambda shape, **_: noise(2))
    monkeypatch.setattr(module, "retrieve_latents", lambda found, **_: found.latent_dist.mean)
    expected = pipeline(
        ASKED.prompt,
        image=torch.from_numpy(ground).permute(2, 0, 1)[None].float() / 255,
        strength=0.5,
        negative_prompt=ASKED.negative,
        num_inference_steps=STEPS,
        guidance_scale=ASKED.guidance,
        output_type="np",
    ).images[0]
    asked = dataclasses.replace(placed(strength=0.5), scheduler=scheduler)
    made = artist.draw(asked, seed=7, index=2, ground=ground)
    assert np.abs(made.astype(int) - np.rint(expected * 255)).max() <= 1


@pytest.mark.parametrize(
    ("scheduler", "strength"), [*((each, 0.5) for each in get_args(SchedulerName)), ("ddim", 1.0), ("euler", 1.0)]
)
def test_that_plain_diffusers_paints_a_box_alike(
    models: tuple[PromptArtist, Path],
    ground: ImageArray,
    scheduler: SchedulerName,
    strength: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    artist, folder = models
    import diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_inpaint as module

    pipeline = plain_pipeline(folder, StableDiffusionInpaintPipeline, scheduler)
    monkeypatch.setattr(module, "randn_tensor", lambda shape, **_: noise(2))
    monkeypatch.setattr(module, "retrieve_latents", lambda found, **_: found.latent_dist.mean)
    monkeypatch.setattr(diffusion_sampling, "_pasted", lambda image, *_: image)
    mask = torch.zeros(1, 1, SIDE, SIDE)
    mask[:, :, 16:48, 8:40] = 1
    expected = pipeline(
        ASKED.prompt,
        image=torch.from_numpy(ground).permute(2, 0, 1)[None].float() / 255,
        mask_image=mask,
        height=SIDE,
        width=SIDE,
        strength=strength,
        negative_prompt=ASKED.negative,
        num_inference_steps=STEPS,
        guidance_scale=ASKED.guidance,
        output_type="np",
    ).images[0]
    box = Box(WINDOW.x0 + 16, WINDOW.y0 + 32, WINDOW.x0 + 80, WINDOW.y0 + 96)  # half the size, on the image
    asked = dataclasses.replace(placed(box=box, strength=strength), scheduler=scheduler)
    made = artist.draw(asked, seed=7, index=2, ground=ground)
    assert np.abs(made.astype(int) - np.rint(expected * 255)).max() <= 1


def test_that_only_the_box_of_a_real_picture_is_painted(artist: PromptArtist, ground: ImageArray) -> None:
    box = Box(WINDOW.x0 + 21, WINDOW.y0 + 33, WINDOW.x0 + 91, WINDOW.y0 + 99)
    asked = placed(box=box, strength=1.0)
    made = artist.draw(asked, seed=1, ground=ground)
    painted = asked.place.box_within(SIDE) if asked.place is not None else None
    assert painted == Box(10.0, 16.0, 46.0, 50.0)
    inside = np.zeros((SIDE, SIDE), bool)
    inside[16:50, 10:46] = True
    assert np.array_equal(made[~inside], ground[~inside])
    assert np.mean(made[20:46, 16:40] != ground[20:46, 16:40]) > 0.9


def test_that_an_image_does_not_depend_on_its_neighbours(artist: PromptArtist) -> None:
    other = dataclasses.replace(ASKED, prompt="blue lesion")
    together = artist.draw_batch([ASKED, other, ASKED], seed=5, indices=[0, 1, 2])
    alone = [artist.draw(ASKED, seed=5, index=0), artist.draw(other, seed=5, index=1)]
    assert all(np.abs(a.astype(int) - b).max() <= 1 for a, b in zip(together, alone, strict=False))
    assert np.array_equal(alone[0], artist.draw(ASKED, seed=5, index=0))
    assert not np.array_equal(together[0], together[2])
    assert not np.array_equal(alone[0], artist.draw(ASKED, seed=6, index=0))


def test_that_words_and_guidance_count(artist: PromptArtist) -> None:
    without = dataclasses.replace(ASKED, guidance=1.0)
    assert np.array_equal(
        artist.draw(without, seed=1), artist.draw(dataclasses.replace(without, negative="skin"), seed=1)
    )
    assert not np.array_equal(
        artist.draw(ASKED, seed=1), artist.draw(dataclasses.replace(ASKED, negative="skin"), seed=1)
    )


def test_that_networks_in_training_are_left_as_they_were(artist: PromptArtist) -> None:
    unet, encoder = artist.components.unet, artist.components.text_encoder
    unet.train()
    try:
        first = artist.draw(ASKED, seed=1)
        assert unet.training
        assert next(unet.children()).training
        assert not encoder.training
    finally:
        unet.eval()
    assert np.array_equal(first, artist.draw(ASKED, seed=1))


def test_that_what_the_model_cannot_make_is_told(artist: PromptArtist, folder: Path) -> None:
    with pytest.raises(UserError, match="multiple of 8 px, not of 60 px"):
        artist.draw(dataclasses.replace(ASKED, side=60), seed=1)
    broken = load_components(folder, device=torch.device("cpu"))
    with torch.no_grad():
        next(broken.unet.parameters()).fill_(float("nan"))
    with pytest.raises(UserError, match="not numbers"):
        PromptArtist(broken).draw(ASKED, seed=1)


def test_that_half_precision_makes_nearly_the_same_image(artist: PromptArtist, folder: Path) -> None:
    half = PromptArtist(load_components(folder, device=torch.device("cpu"), dtype=torch.bfloat16))
    full, short = artist.draw(ASKED, seed=1).astype(int), half.draw(ASKED, seed=1).astype(int)
    assert np.abs(full - short).mean() < 12
