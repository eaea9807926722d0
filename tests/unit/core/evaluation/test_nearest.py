import numpy as np
import pytest

from synthstudio.core.evaluation.descriptor import describe_images
from synthstudio.core.evaluation.nearest import (
    LEAST_CORRELATION,
    Neighbours,
    find_neighbours,
    image_digest,
    near_limits,
    small_pictures,
)
from synthstudio.core.fields.simulator import simulate_study
from synthstudio.core.imaging import ImageArray


@pytest.fixture(scope="module")
def images() -> list[ImageArray]:
    """Crops of 12 simulated fields, 4 of each."""
    return [
        np.ascontiguousarray(fov.image[y : y + 96, x : x + 96])
        for fov in simulate_study(12, 1, seed=5, width=320, height=240)
        for x, y in ((0, 0), (100, 0), (0, 100), (200, 120))
    ]


def _find(images: list[ImageArray], among: list[ImageArray]) -> Neighbours:
    return find_neighbours(
        describe_images(images),
        small_pictures(images),
        among_features=describe_images(among),
        among_pictures=small_pictures(among),
    )


def test_that_a_copy_is_found_with_its_original_and_called_too_near(images: list[ImageArray]) -> None:
    learned, held_out, others = images[:24], images[24:36], images[36:]
    noise = np.random.default_rng(1).normal(0, 2, learned[7].shape)
    copy = np.clip(learned[7] + noise, 0, 255).astype(np.uint8)
    found = _find([*others, copy], learned)
    too_near = near_limits(_find(held_out, learned)).are_too_near(found)
    assert found.by_correlation[-1] == 7
    assert found.correlation[-1] > 0.95
    assert too_near[-1]
    assert not too_near[:-1].any()


@pytest.mark.parametrize("turn", range(8))
def test_that_a_turned_or_mirrored_copy_is_found_by_its_picture(images: list[ImageArray], turn: int) -> None:
    learned = images[:24]
    mirrored = learned[5][:, ::-1] if turn >= 4 else learned[5]
    found = _find([np.ascontiguousarray(np.rot90(mirrored, turn % 4))], learned)
    assert found.by_correlation[0] == 5
    assert found.correlation[0] > 0.999


def test_that_the_nearest_by_features_is_at_the_least_euclidean_distance(images: list[ImageArray]) -> None:
    learned, others = describe_images(images[:24]), describe_images(images[24:])
    found = _find(images[24:], images[:24])
    distances = np.linalg.norm(others[:, None] - learned[None], axis=2)
    assert np.allclose(found.distance, distances.min(axis=1))
    assert np.array_equal(found.by_distance, distances.argmin(axis=1))


def test_that_limits_follow_from_how_near_held_out_images_come() -> None:
    held_out = Neighbours(np.linspace(0.2, 2.2, 101), np.zeros(101, int), np.linspace(0, 1, 101), np.zeros(101, int))
    limits = near_limits(held_out)
    assert limits.distance == pytest.approx(0.22)
    assert limits.correlation == pytest.approx(0.99)


def test_that_images_a_little_nearer_than_a_few_held_out_ones_are_no_copies() -> None:
    held_out = Neighbours(np.array([1.0, 1.1, 1.2]), np.zeros(3, int), np.zeros(3), np.zeros(3, int))
    assert near_limits(held_out).distance == pytest.approx(0.55)


def test_that_without_held_out_images_only_a_high_correlation_is_too_near() -> None:
    nobody = Neighbours(np.empty(0), np.empty(0, int), np.empty(0), np.empty(0, int))
    limits = near_limits(nobody)
    found = Neighbours(np.array([0.1, 0.1]), np.zeros(2, int), np.array([0.9, 0.99]), np.zeros(2, int))
    assert limits.correlation == LEAST_CORRELATION
    assert limits.are_too_near(found).tolist() == [False, True]


def test_that_plain_images_of_one_colour_are_no_copies_of_each_other() -> None:
    plain = [np.full((40, 40, 3), value, np.uint8) for value in (90, 200)]
    pictures = small_pictures(plain)
    assert np.isfinite(pictures).all()
    assert float((pictures @ pictures.T).max()) == 0.0


def test_that_exact_repeats_have_one_digest_and_other_images_others(images: list[ImageArray]) -> None:
    again = [*images[:3], images[1].copy(), images[2][:, ::-1], images[0]]
    digests = [image_digest(each) for each in again]
    assert digests[3] == digests[1]
    assert digests[5] == digests[0]
    assert len(set(digests)) == 4


def test_that_images_of_the_same_bytes_and_another_shape_are_no_repeats() -> None:
    flat = np.zeros((4, 8, 3), np.uint8)
    assert image_digest(flat) != image_digest(flat.reshape(8, 4, 3))
