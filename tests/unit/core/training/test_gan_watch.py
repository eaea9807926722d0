"""A GAN that has come off balance is told once, in words; one that learns is left alone."""

from __future__ import annotations

import pytest

from synthstudio.core.training.gan_watch import STRETCH_STEPS, GanSigns, GanWatch

EVERY = 50
N_LOOKS = STRETCH_STEPS // EVERY
BALANCED = GanSigns(real=0.7, synthetic=0.65, adversarial=1.1)


def told(watch: GanWatch, signs: GanSigns, *, times: int = N_LOOKS) -> list[str]:
    return [text for _ in range(times) if (text := watch.look(signs))]


def test_that_a_balanced_training_is_left_alone() -> None:
    assert told(GanWatch(every=EVERY), BALANCED, times=10 * N_LOOKS) == []


def test_that_a_discriminator_that_has_won_is_told_once_after_a_long_stretch() -> None:
    watch = GanWatch(every=EVERY)
    won = GanSigns(real=1.0, synthetic=0.995, adversarial=4.0)
    assert told(watch, won, times=N_LOOKS - 1) == []
    (text,) = told(watch, won, times=3 * N_LOOKS)
    assert "almost without fault" in text
    assert "differentiable augmentation" in text


def test_that_one_good_moment_of_the_generator_begins_the_stretch_anew() -> None:
    watch = GanWatch(every=EVERY)
    won = GanSigns(real=1.0, synthetic=1.0, adversarial=4.0)
    for _ in range(5):
        assert told(watch, won, times=N_LOOKS - 1) == []
        assert told(watch, BALANCED, times=1) == []


def test_that_a_loss_that_grows_without_bound_is_told() -> None:
    watch = GanWatch(every=EVERY)
    texts = [text for look in range(100) if (text := watch.look(GanSigns(0.9, 0.9, adversarial=1.0 + 0.5 * look)))]
    assert len(texts) == 1
    assert "keeps growing" in texts[0]


@pytest.mark.parametrize("every", [1, 7, 10_000])
def test_that_any_interval_of_looks_will_do(every: int) -> None:
    watch = GanWatch(every=every)
    won = GanSigns(real=1.0, synthetic=1.0, adversarial=4.0)
    assert len(told(watch, won, times=STRETCH_STEPS)) == 1


def test_that_nothing_is_said_a_second_time_after_a_resume() -> None:
    watch = GanWatch(every=EVERY)
    watch.has_told = True
    assert told(watch, GanSigns(1.0, 1.0, 30.0), times=2 * N_LOOKS) == []
