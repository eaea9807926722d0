"""Noise and its taking away: times, targets and samplers against what can be computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from typing_extensions import override

from synthstudio.core.synthesis.semantic_maps import MapCoding
from synthstudio.domain.maps import MapRegion, MapRequest
from synthstudio.domain.records import Box
from synthstudio.engine.networks.patch_denoiser import (
    LEAST_DEVIATION,
    MapLayers,
    MapReader,
    PatchDenoiser,
    build_patch_denoiser,
)
from synthstudio.engine.patch_noise import N_TIMES, Noising, build_noise_schedule, sample_patches
from synthstudio.settings.train_patch_diffusion import DenoiserSettings, NoisingSettings, PatchSamplingSettings

CPU = torch.device("cpu")
SIDE, N = 32, 2
CODING = MapCoding(("a", "b"), 3, True)


class Knowing(PatchDenoiser):
    """Knows the image behind the noise: one with the request, another without."""

    def __init__(self, told: Tensor, untold: Tensor, noise: NoisingSettings) -> None:
        super().__init__(side=SIDE, n_classes=2, n_tones=3, settings=DenoiserSettings(base_channels=8))
        self.set_range(mean=np.array([0.2, 0.1, 0.0]), deviation=0.3)
        self._known, self._schedule = (told, untold), build_noise_schedule(noise, CPU)
        self.n_seen = 0

    @override
    def forward(self, noisy: Tensor, times: Tensor, layers: MapLayers, is_told: Tensor) -> Tensor:
        self.n_seen += len(noisy)
        told, untold = (self.standardised(each) for each in self._known)
        clean = torch.where(is_told[:, None, None, None], told, untold)
        return self._schedule.answer(noisy, clean, times)


def draw_pixels(seed: int, *, most: float = 0.9) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).uniform(-most, most, (1, 3, SIDE, SIDE)).astype(np.float32))


def layers(n: int = N) -> MapLayers:
    maps = np.stack([CODING.draw(MapRequest(SIDE, 2, (MapRegion("b", Box(4, 4, 20, 16)),)))] * n)
    return MapReader(CODING)(torch.from_numpy(maps))


def sampled(network: Knowing, noise: NoisingSettings, sampling: PatchSamplingSettings) -> Tensor:
    drawn = torch.from_numpy(np.random.default_rng(1).standard_normal((N, 3, SIDE, SIDE), dtype=np.float32))
    return sample_patches(network, layers(), drawn, noising=noise, sampling=sampling)


@pytest.mark.parametrize("sampler", ["dpm-solver++", "ddim"])
@pytest.mark.parametrize("prediction", ["v", "epsilon"])
@pytest.mark.parametrize("schedule", ["cosine", "linear"])
def test_that_a_network_that_knows_the_image_gives_it_back(sampler: str, prediction: str, schedule: str) -> None:
    noise = NoisingSettings.model_validate({"prediction": prediction, "schedule": schedule})
    sampling = PatchSamplingSettings.model_validate({"sampler": sampler, "sampler_steps": 8, "guidance": 1.0})
    known = draw_pixels(3)
    made = sampled(Knowing(known, -known, noise), noise, sampling)
    assert made.shape == (N, 3, SIDE, SIDE)
    assert (made - known).abs().max() < 0.03


def test_that_guidance_leads_away_from_the_image_without_request_and_not_out_of_the_range() -> None:
    noise, sampling = NoisingSettings(), PatchSamplingSettings(sampler_steps=8, guidance=2.0)
    told, untold = draw_pixels(3, most=0.4), draw_pixels(4, most=0.1)
    network = Knowing(told, untold, noise)
    made = sampled(network, noise, sampling)
    assert network.n_seen == 2 * N * 8
    assert (made - (untold + 2.0 * (told - untold))).abs().max() < 0.03
    far = sampled(Knowing(draw_pixels(3), -draw_pixels(3), noise), noise, sampling)
    assert far.abs().max() <= 1.0
    assert far.abs().max() > 0.99


def test_that_without_learning_without_request_there_is_no_guidance() -> None:
    noise = NoisingSettings(without_request=0.0)
    network = Knowing(draw_pixels(3), draw_pixels(4), noise)
    sampled(network, noise, PatchSamplingSettings(sampler_steps=4, guidance=3.0))
    assert network.n_seen == N * 4


def test_that_an_answer_and_the_image_that_it_stands_for_are_one_another_s_inverse() -> None:
    for prediction in ("v", "epsilon"):
        schedule = build_noise_schedule(NoisingSettings.model_validate({"prediction": prediction}), CPU)
        clean, noise = draw_pixels(1), draw_pixels(2)
        for time in (0, 400, 900):
            times = torch.tensor([time])
            noisy = schedule.noised(clean, noise, times)
            target = schedule.target(clean, noise, times)
            assert torch.allclose(schedule.clean(noisy, target, times), clean, atol=2e-3)
            assert torch.allclose(schedule.answer(noisy, clean, times), target, atol=2e-3)


def test_that_what_is_drawn_for_a_step_depends_on_seed_and_step_alone_and_its_times_are_spread() -> None:
    noising = Noising(NoisingSettings(without_request=0.25), seed=5, device=CPU)
    noise, times, is_told = noising.draw((8, 3, 4, 4), step=7)
    again = Noising(NoisingSettings(without_request=0.25), seed=5, device=CPU).draw((8, 3, 4, 4), step=7)
    assert all(torch.equal(one, other) for one, other in zip((noise, times, is_told), again, strict=True))
    assert not torch.equal(noise, noising.draw((8, 3, 4, 4), step=8)[0])
    assert sorted((times // (N_TIMES // 8)).tolist()) == list(range(8))
    told = torch.cat([noising.draw((64, 1), step=step)[2] for step in range(20)]).float().mean()
    assert float(told) == pytest.approx(0.75, abs=0.04)


def test_that_the_loss_is_the_mean_squared_difference_to_the_target() -> None:
    noise = NoisingSettings()
    network, noising = Knowing(draw_pixels(3), draw_pixels(3), noise), Noising(noise, seed=0, device=CPU)
    drawn = noising.draw((N, 3, SIDE, SIDE), step=0)
    with torch.no_grad():
        assert float(noising.loss(network, draw_pixels(3).expand(N, -1, -1, -1), layers(), drawn)) < 1e-6
    fresh = build_patch_denoiser(DenoiserSettings(base_channels=8), side=SIDE, n_classes=2, n_tones=3, seed=0)
    pixels = draw_pixels(3).expand(N, -1, -1, -1)
    target = build_noise_schedule(noise, CPU).target(pixels, drawn[0], drawn[1])
    # A new network answers 0 but for the bias of its last layer.
    with torch.no_grad():
        loss = float(noising.loss(fresh, pixels, layers(), drawn))
    assert loss == pytest.approx(float(target.square().mean()), rel=0.1)


def test_that_maps_are_read_as_masks_of_their_classes_and_levels_of_their_tone() -> None:
    requests = [
        MapRequest(SIDE, 3, (MapRegion("a", Box(2, 3, 10, 12)), MapRegion("b", Box(8, 8, 20, 20)))),
        MapRequest(SIDE, 0),
    ]
    read = MapReader(CODING)(torch.from_numpy(np.stack([CODING.draw(each) for each in requests])))
    assert read.tones.tolist() == [3, 0]
    assert read.masks.shape == (2, 2, SIDE, SIDE)
    assert read.masks[0, 1, 8:20, 8:20].min() == 1
    assert read.masks[0, 0].sum() == 8 * 9 - 2 * 4  # what the later box covers is its own
    assert read.masks[1].sum() == 0


def test_that_a_request_that_is_not_told_changes_nothing() -> None:
    network = build_patch_denoiser(DenoiserSettings(base_channels=8), side=SIDE, n_classes=2, n_tones=3, seed=0).eval()
    torch.nn.init.normal_(network.unet.conv_out.weight)
    noisy, times = draw_pixels(1).expand(N, -1, -1, -1), torch.tensor([300] * N)
    other = MapLayers(torch.zeros(N, 2, SIDE, SIDE), torch.tensor([1] * N))
    with torch.no_grad():
        for is_told, differs in ((False, False), (True, True)):
            said = [network(noisy, times, each, torch.tensor([is_told] * N)) for each in (layers(), other)]
            assert torch.allclose(*said) is not differs


def test_that_every_side_has_a_network_and_all_but_empty_crops_are_not_enhanced() -> None:
    for side in (32, 64, 128):
        network = build_patch_denoiser(DenoiserSettings(base_channels=8), side=side, n_classes=1, n_tones=0, seed=0)
        shown = MapLayers(torch.zeros(1, 1, side, side), torch.zeros(1, dtype=torch.int64))
        with torch.no_grad():
            answer = network(torch.zeros(1, 3, side, side), torch.tensor([5]), shown, torch.tensor([True]))
        assert answer.shape == (1, 3, side, side)
    network.set_range(mean=np.zeros(3), deviation=1e-6)
    assert float(network.deviation) == pytest.approx(LEAST_DEVIATION)
