"""A model from scratch is asked by plain diffusers, from its two files: the same image for the same noise."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler, UNet2DModel
from numpy.typing import NDArray
from safetensors.torch import load_file

from synthstudio.core.synthesis.streams import draw_noise
from synthstudio.domain.maps import MapRegion, MapRequest
from synthstudio.domain.records import Box
from synthstudio.engine.jobs import train_patch_diffusion
from synthstudio.engine.patch_artist import open_patch_artist
from synthstudio.settings.train_patch_diffusion import TrainPatchDiffusionSettings
from tests.support.engine_project import RecordingContext, build_engine_project

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SEED, INDEX = 3, 5
REQUEST = MapRequest(32, 0, (MapRegion("square", Box(6, 4, 26, 20)),))
SAMPLERS = {"dpm-solver++": DPMSolverMultistepScheduler, "ddim": DDIMScheduler}
OWN = {"dpm-solver++": {"algorithm_type": "dpmsolver++"}, "ddim": {"clip_sample": False}}
SCHEDULES = {"cosine": "squaredcos_cap_v2", "linear": "linear"}


def settings(*, prediction: str, schedule: str, sampler: str) -> TrainPatchDiffusionSettings:
    return TrainPatchDiffusionSettings.model_validate(
        {
            "crops": {"side": "32", "crops_per_fov": 2},
            "network": {"base_channels": 8, "layers": 2, "dropout": 0.1},
            "noise": {"prediction": prediction, "schedule": schedule},
            "optimization": {"steps": 12, "sample_every": 12, "batch_size": 4, "learning_rate": 2e-3, "ema": 0.5},
            "sampling": {"sampler": sampler, "sampler_steps": 5, "guidance": 2.0},
        }
    )


def plain_network(card: dict, weights: dict[str, torch.Tensor]) -> UNet2DModel:
    """The library's network as the card says it is built, with the weights that carry its name."""
    base, levels = card["network"]["base_channels"], int(np.log2(card["side"] // 8)) + 1
    network = UNet2DModel(
        sample_size=card["side"],
        in_channels=3 + len(card["class_names"]),
        out_channels=3,
        down_block_types=("DownBlock2D",) * levels,
        up_block_types=("UpBlock2D",) * levels,
        block_out_channels=tuple(base * min(level + 1, 4) for level in range(levels)),
        layers_per_block=card["network"]["layers"],
        attention_head_dim=min(32, base),
        add_attention=card["network"]["attention"],
        norm_num_groups=8,
        class_embed_type="identity",
    )
    prefix = "network/unet."
    network.load_state_dict({name[len(prefix) :]: value for name, value in weights.items() if name.startswith(prefix)})
    return network.eval()


@torch.no_grad()
def plain_image(folder: Path, noise: torch.Tensor) -> NDArray[np.uint8]:
    """Ask for the square of `REQUEST`, without anything of the application."""
    card = json.loads((folder / "patch_diffusion.json").read_text())
    weights = load_file(folder / "denoiser.safetensors")
    network = plain_network(card, weights)
    chosen, sampling = card["noise"], card["sampling"]
    scheduler = SAMPLERS[sampling["sampler"]].from_config(
        {
            "num_train_timesteps": 1000,
            "beta_schedule": SCHEDULES[chosen["schedule"]],
            "prediction_type": {"v": "v_prediction", "epsilon": "epsilon"}[chosen["prediction"]],
            "timestep_spacing": "trailing",
            **OWN[sampling["sampler"]],
        }
    )
    scheduler.set_timesteps(sampling["sampler_steps"])
    number = card["class_names"].index("square")
    mask = torch.zeros(1, len(card["class_names"]), 32, 32)
    mask[:, number, 4:20, 6:26] = 1.0
    told = weights["network/classes"][number] + weights["network/tones"][0]
    mean, deviation = weights["network/mean"], weights["network/deviation"]
    images = noise * scheduler.init_noise_sigma
    for time in scheduler.timesteps:
        seeing = network(torch.cat([images, mask], 1), time, told[None]).sample
        blind = network(torch.cat([images, 0 * mask], 1), time, weights["network/nothing"][None]).sample
        answer = blind + sampling["guidance"] * (seeing - blind)
        signal, sigma = scheduler.alphas_cumprod[time] ** 0.5, (1 - scheduler.alphas_cumprod[time]) ** 0.5
        is_v = chosen["prediction"] == "v"
        clean = signal * images - sigma * answer if is_v else (images - sigma * answer) / signal
        clean = ((clean * deviation + mean).clamp(-1, 1) - mean) / deviation  # what it stands for is an image
        answer = (signal * images - clean) / sigma if is_v else (images - signal * clean) / sigma
        images = scheduler.step(answer, time, images).prev_sample
    pixels = (images * deviation + mean).clamp(-1, 1)[0].permute(1, 2, 0)
    return ((pixels + 1) * 127.5).round().numpy().astype(np.uint8)


@pytest.mark.parametrize(
    ("prediction", "schedule", "sampler"), [("v", "cosine", "dpm-solver++"), ("epsilon", "linear", "ddim")]
)
def test_that_plain_diffusers_makes_the_same_image_of_the_same_noise(
    tmp_path: Path, prediction: str, schedule: str, sampler: str
) -> None:
    torch.set_num_threads(1)
    context = RecordingContext(build_engine_project(tmp_path, n_train=4, n_val=2, n_test=1), "train-patch-diffusion")
    train_patch_diffusion.run(settings(prediction=prediction, schedule=schedule, sampler=sampler), context)
    made = open_patch_artist(context.run_dir, device="cpu").draw(REQUEST, seed=SEED, index=INDEX)
    noise = torch.from_numpy(draw_noise(3 * 32 * 32, seed=SEED, index=INDEX).reshape(1, 3, 32, 32))
    plain = plain_image(context.run_dir, noise)
    assert np.abs(plain.astype(int) - made).max() <= 1, "the order of sums decides the last digit"
    assert np.abs(plain_image(context.run_dir, -noise).astype(int) - made).max() > 1
