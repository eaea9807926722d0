"""A very small diffusion model, trained from scratch on drawn objects, makes those that it is asked for. Seconds.

The same of real cells, by a reader that has seen real ones alone, comes from
`python -m tests.benchmarks.bench_patch_diffusion`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from synthstudio.core.imaging import ImageArray
from synthstudio.core.synthesis.semantic_maps import region_mask
from synthstudio.domain.maps import MapRegion, MapRequest
from synthstudio.domain.records import Box
from synthstudio.engine.jobs import train_patch_diffusion
from synthstudio.engine.patch_artist import open_patch_artist
from synthstudio.project.region_crops import list_region_crops, read_region_crops
from synthstudio.settings.train_patch_diffusion import TrainPatchDiffusionSettings
from tests.support.engine_project import RecordingContext, build_engine_project

SETTINGS = TrainPatchDiffusionSettings.model_validate(
    {
        "seed": 1,
        "crops": {"side": "32", "crops_per_fov": 6},
        "network": {"base_channels": 8, "attention": False},
        "optimization": {
            **{"steps": 120, "sample_every": 120, "batch_size": 8, "ema": 0.95},
            **{"learning_rate": 4e-3, "warmup_steps": 20, "turns": True},
        },
        "sampling": {"sampler_steps": 8},
    }
)


def color_against_ground(image: ImageArray, request: MapRequest) -> NDArray[np.float64]:
    """Mean colour inside the regions against that outside, (3,)."""
    mask = region_mask(request)
    return np.asarray(image[mask].mean(axis=0) - image[~mask].mean(axis=0), np.float64)


def test_that_an_object_looks_like_real_ones_of_the_class_that_was_asked_for(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    project = build_engine_project(tmp_path, n_train=10, n_val=1, n_test=3)
    context = RecordingContext(project, "train-patch-diffusion", seed=1)
    train_patch_diffusion.run(SETTINGS, context)
    losses = [value for _, value in context.metrics("loss/denoising")]
    assert losses[-1] < 0.75 * losses[0]

    real: dict[str, list[NDArray[np.float64]]] = {"disc": [], "square": []}
    for crop in read_region_crops(project, list_region_crops(project, SETTINGS, split="test").crops):
        names = {each.class_name for each in crop.request.regions}
        if len(names) == 1:
            real[names.pop()].append(color_against_ground(crop.image, crop.request))
    means = {name: np.mean(colors, axis=0) for name, colors in real.items()}

    artist = open_patch_artist(context.run_dir, device="cpu")
    right = []
    for index in range(24):
        name, start = ("disc", "square")[index % 2], 4.0 + index % 5
        request = MapRequest(32, 0, (MapRegion(name, Box(start, start, start + 20, start + 20)),))
        color = color_against_ground(artist.draw(request, seed=2, index=index), request)
        right.append(min(means, key=lambda each: float(np.linalg.norm(color - means[each]))) == name)
    assert np.mean(right) > 0.8  # by chance: one half
