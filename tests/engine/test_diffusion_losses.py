"""Noise, targets, weights and the prior term of fine-tuning, against values computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from synthstudio.core.synthesis.streams import GUIDE_ORDER
from synthstudio.domain.errors import UserError
from synthstudio.engine.diffusion_draws import draw_step, in_turns
from synthstudio.engine.diffusion_losses import NoiseSchedule, fine_tuning_loss, image_losses
from synthstudio.engine.diffusion_models import JsonValue
from synthstudio.engine.diffusion_tuning import rate_at
from synthstudio.settings.train_diffusion import DiffusionOptimizationSettings

CPU = torch.device("cpu")
CONFIG: dict[str, JsonValue] = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
}
ALPHAS = np.cumprod(1.0 - np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2)
TIMES = torch.tensor([0, 300, 999])


def schedule(prediction: str) -> NoiseSchedule:
    return NoiseSchedule(CONFIG, prediction=prediction, device=CPU)


def test_that_noise_is_added_by_the_schedule_of_the_base_model() -> None:
    latents, noise = torch.full((3, 4, 2, 2), 2.0), torch.full((3, 4, 2, 2), -1.0)
    alphas = ALPHAS[TIMES.numpy()]
    expected = 2.0 * np.sqrt(alphas) - np.sqrt(1.0 - alphas)
    noisy = schedule("epsilon").noised(latents, noise, TIMES)
    assert np.allclose(noisy[:, 0, 0, 0].numpy(), expected, atol=1e-5)


def test_that_the_denoiser_is_asked_for_the_noise_or_for_v() -> None:
    latents, noise = torch.full((3, 4, 2, 2), 2.0), torch.full((3, 4, 2, 2), -1.0)
    assert torch.equal(schedule("epsilon").target(latents, noise, TIMES), noise)
    alphas = ALPHAS[TIMES.numpy()]
    expected = -np.sqrt(alphas) - 2.0 * np.sqrt(1.0 - alphas)
    target = schedule("v_prediction").target(latents, noise, TIMES)
    assert np.allclose(target[:, 0, 0, 0].numpy(), expected, atol=1e-5)
    with pytest.raises(UserError, match="predicts sample"):
        schedule("sample")


def test_that_min_snr_weighs_each_time_as_published() -> None:
    snr = ALPHAS[TIMES.numpy()] / (1.0 - ALPHAS[TIMES.numpy()])
    capped = np.minimum(snr, 5.0)
    assert np.allclose(schedule("epsilon").weights(TIMES, gamma=5.0).numpy(), capped / snr, rtol=1e-3)
    assert np.allclose(schedule("v_prediction").weights(TIMES, gamma=5.0).numpy(), capped / (snr + 1.0), rtol=1e-3)
    assert schedule("epsilon").weights(TIMES, gamma=0.0).tolist() == [1.0, 1.0, 1.0]


def test_that_the_prior_term_is_the_mean_over_prior_images_times_its_weight() -> None:
    answer, target = torch.zeros(4, 1, 2, 2), torch.zeros(4, 1, 2, 2)
    for number, difference in enumerate((1.0, 3.0, 2.0, 4.0)):  # two guide images, then two prior images
        target[number] = difference
    losses = image_losses(answer, target, torch.ones(4))
    assert losses.tolist() == [1.0, 9.0, 4.0, 16.0]
    found = fine_tuning_loss(losses, n_guides=2, n_step=2, prior_weight=0.5)
    assert found.prior is not None
    assert (found.guides.item(), found.prior.item(), found.total.item()) == (5.0, 10.0, 10.0)
    alone = fine_tuning_loss(losses[:2], n_guides=2, n_step=4, prior_weight=0.5)
    assert (alone.guides.item(), alone.prior, alone.total.item()) == (2.5, None, 2.5)


def test_that_rates_warm_up_and_fall_as_the_schedule_says() -> None:
    def rates(**changes: object) -> list[float]:
        settings = DiffusionOptimizationSettings.model_validate(changes)
        return [round(rate_at(step, 8.0, steps=4, settings=settings), 6) for step in range(4)]

    assert rates() == [8.0, 8.0, 8.0, 8.0]
    assert rates(warmup_steps=2) == [4.0, 8.0, 8.0, 8.0]
    assert rates(schedule="linear") == [8.0, 6.0, 4.0, 2.0]
    assert rates(schedule="cosine") == [8.0, 6.828427, 4.0, 1.171573]


def test_that_every_image_has_its_turn_in_every_round() -> None:
    shown = in_turns(3, GUIDE_ORDER, start=0, count=12, n=4).reshape(3, 4)
    assert [sorted(each) for each in shown.tolist()] == [[0, 1, 2, 3]] * 3
    assert len({tuple(each) for each in shown.tolist()}) > 1
    assert in_turns(3, GUIDE_ORDER, start=5, count=3, n=4).tolist() == shown.reshape(-1)[5:8].tolist()


def test_that_a_step_draws_by_seed_and_number_alone() -> None:
    def drawn(**changes: int) -> list[float]:
        wanted = {"seed": 1, "step": 7, **changes}
        guides, prior = draw_step(**wanted, count=2, n_guides=3, n_prior=5, shape=(4, 2, 2), n_times=1000, flips=False)
        assert prior is not None
        assert not guides.mirrored.any()
        return [*guides.noise.ravel().tolist(), *prior.noise.ravel().tolist(), *guides.times.tolist()]

    assert drawn() == drawn()
    assert drawn() != drawn(step=8)
    assert drawn() != drawn(seed=2)
