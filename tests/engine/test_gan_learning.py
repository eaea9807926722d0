"""A very small GAN of simulated skin does as its maps say: tone, condition and place. Seconds, not minutes.

The same figures of the small preset, and of readers that have seen real photographs alone, come from
`python -m tests.benchmarks.bench_gan_learning`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from synthstudio.core.synthesis.semantic_maps import region_mask
from synthstudio.domain.maps import MapRequest
from synthstudio.domain.records import Split
from synthstudio.engine.gan_drawing import GanArtist, open_gan
from synthstudio.engine.jobs import train_gan
from synthstudio.settings.train_gan import TrainGanSettings
from tests.support.engine_project import RecordingContext
from tests.support.gan_reading import Images, cut_crops, draw_requests, measure_changes, move_region
from tests.support.skin_study import build_skin_study

RED, DARK = "red scaly plate", "dark irregular spot"
SETTINGS = TrainGanSettings.model_validate(
    {
        "seed": 1,
        "crops": {"side": "64", "crops_per_fov": 4},
        "network": {"base_channels": 8, "discriminator_layers": 2},
        "optimization": {"steps": 200, "sample_every": 100, "batch_size": 4, "generator_rate": 1e-3, "ema": 0.9},
    }
)


class Learned:
    """A GAN, what was said while it learned, and the mean colours of the real regions that it has never seen."""

    def __init__(self, folder: Path) -> None:
        project = build_skin_study(folder / "skin", n_train=24, n_val=2, n_test=8, conditions=(RED, DARK))
        self.context = RecordingContext(project, "train-gan")
        train_gan.run(SETTINGS, self.context)
        self.artist: GanArtist = open_gan(self.context.run_dir, scratch=folder, device="cpu", threads=1)
        colors: dict[str, list[NDArray[np.float64]]] = {RED: [], DARK: []}
        for crop in cut_crops(project, SETTINGS.crops, Split.TEST):
            colors[crop.request.regions[0].class_name].append(region_color(crop.image, crop.request))
        self.colors = {name: np.mean(each, axis=0) for name, each in colors.items()}
        project.close()

    def draw(self, request: MapRequest) -> Images:
        return self.artist.draw(request, seed=1)


def region_color(image: Images, request: MapRequest) -> NDArray[np.float64]:
    """Mean colour inside the regions against that outside, (3,)."""
    mask = region_mask(request)
    return np.asarray(image[mask].mean(axis=0) - image[~mask].mean(axis=0), np.float64)


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Learned]:
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield Learned(tmp_path_factory.mktemp("learned"))
    torch.set_num_threads(n_threads)


@pytest.fixture(scope="module")
def requests() -> list[MapRequest]:
    return draw_requests(64, n_per_pair=3, seed=3, known=(RED, DARK))


def test_that_the_losses_fall(learned: Learned) -> None:
    for name in ("loss/image", "loss/region"):
        values = [value for _, value in learned.context.metrics(name)]
        assert values[-1] < 0.8 * values[0], name


def test_that_the_condition_asked_for_is_the_one_whose_real_regions_look_most_like_it(
    learned: Learned, requests: list[MapRequest]
) -> None:
    right = []
    for request in requests:
        color = region_color(learned.draw(request), request)
        away = {name: float(np.linalg.norm(color - mean)) for name, mean in learned.colors.items()}
        right.append(min(away, key=lambda name: away[name]) == request.regions[0].class_name)
    assert np.mean(right) > 0.8  # by chance: one half


def test_that_a_darker_tone_makes_a_darker_skin(learned: Learned, requests: list[MapRequest]) -> None:
    light = []
    for tone in range(1, 7):
        images = [learned.draw(replace(each, tone=tone)) for each in requests[::4]]
        light.append(np.mean([image[:6].mean() for image in images]))
    assert np.corrcoef(light, range(6))[0, 1] < -0.9, light
    assert light[0] > light[-1] + 20


def test_that_a_region_changes_the_image_in_its_box_and_the_change_moves_with_it(
    learned: Learned, requests: list[MapRequest]
) -> None:
    changes = measure_changes(learned.draw, requests)
    assert changes.center_in_box.interval[0] > changes.area
    assert changes.peak_in_box.interval[0] > changes.area
    assert changes.followed.interval[0] > changes.area
    assert changes.share_in_box > 1.5 * changes.area
    assert changes.strength > 10


def test_that_the_measure_of_place_knows_who_obeys_the_map_and_who_does_not(requests: list[MapRequest]) -> None:
    def obey(request: MapRequest) -> Images:
        image = np.full((64, 64, 3), 180, np.uint8)
        image[region_mask(request)] = 90
        return image

    def ignore_the_place(request: MapRequest) -> Images:
        image = np.full((64, 64, 3), 180, np.uint8)
        if request.regions:
            image[:12, :12] = 90
        return image

    good, bad = measure_changes(obey, requests), measure_changes(ignore_the_place, requests)
    assert good.center_in_box.value == good.peak_in_box.value == good.followed.value == good.share_in_box == 1.0
    assert good.strength == 90
    assert bad.center_in_box.value < 0.2
    assert bad.peak_in_box.value < 0.2
    assert bad.followed.value < 0.2


def test_that_a_moved_region_lies_on_the_other_side_of_the_middle(requests: list[MapRequest]) -> None:
    for request in requests:
        x, y = request.regions[0].box.center
        assert move_region(request).regions[0].box.center == (64 - x, 64 - y)
