"""Weights for classes that are on few images."""

import numpy as np
import pytest

from synthstudio.core.training.class_weights import (
    draw_pass,
    even_probabilities,
    positive_weights,
    sampling_weights,
)


def test_that_images_with_and_without_a_class_count_the_same_in_all() -> None:
    shares = np.array([0.2, 0.5, 0.8])
    weights = positive_weights(shares)
    assert weights == pytest.approx([4.0, 1.0, 0.25])
    assert weights * shares == pytest.approx(1 - shares)


def test_that_a_very_rare_class_is_not_counted_more_than_tenfold_and_an_absent_one_once() -> None:
    assert positive_weights(np.array([0.001, 0.999, 0.0, 1.0])) == pytest.approx([10.0, 0.1, 1.0, 1.0])


def test_that_the_even_answer_of_a_weighted_network_is_that_of_one_half() -> None:
    weights = np.array([1.0, 4.0, 0.25])
    even = even_probabilities(weights)
    # With the weight w the loss is least where the odds are w times the true ones.
    assert even / (1 - even) == pytest.approx(weights)
    assert even[0] == 0.5


def test_that_images_are_shown_the_more_often_the_rarer_their_rarest_class() -> None:
    presence = np.zeros((100, 2), np.bool_)
    presence[:80, 0] = True  # four in five
    presence[:5, 1] = True  # one in twenty, beside the common one
    weights = sampling_weights(presence)
    assert weights[:5] == pytest.approx(10.0), "a class on one image in twenty counts tenfold at most"
    assert weights[5:80] == pytest.approx(1.0)
    assert weights[80:] == pytest.approx(0.8 / 0.2), "images with nothing on them are a kind of their own"


def test_that_images_that_all_show_the_same_are_shown_alike() -> None:
    assert sampling_weights(np.ones((7, 1), np.bool_)) == pytest.approx(np.ones(7))
    assert sampling_weights(np.zeros((3, 2), np.bool_)) == pytest.approx(np.ones(3))
    assert sampling_weights(np.zeros((0, 2), np.bool_)).shape == (0,)


def test_that_a_pass_shows_each_image_as_often_as_it_is_due_in_a_new_order() -> None:
    rng = np.random.default_rng(4)
    assert sorted(draw_pass(np.ones(50), rng=rng).tolist()) == list(range(50))
    assert draw_pass(np.ones(50), rng=rng).tolist() != draw_pass(np.ones(50), rng=rng).tolist()
    weights = np.array([6.0, 1.0, 1.0, 1.0, 1.0])
    counts = np.bincount(draw_pass(weights, rng=rng), minlength=5)
    assert counts[0] == 3  # of five images, 6 parts in 10
    assert counts.sum() == 5
    many = sum(np.bincount(draw_pass(weights, rng=rng), minlength=5) for _ in range(400))
    assert many[1:] == pytest.approx(200, abs=50)
