"""The built-in descriptor ranks what is clearly worse as worse."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from synthstudio.core.evaluation.descriptor import describe_images, to_square
from synthstudio.core.evaluation.frechet import frechet_distance
from synthstudio.core.evaluation.kernel_distance import kernel_distance
from synthstudio.core.evaluation.quick_score import ScoredAgainst, quick_score
from synthstudio.core.fields.simulator import simulate_study
from synthstudio.core.imaging import ImageArray
from tests.support.blood import load_blood, read_fov
from tests.support.shared_data import shared_data

Images = list[ImageArray]
SIDE = 96


def _cut(image: ImageArray, x: float, y: float) -> ImageArray:
    height, width = image.shape[:2]
    left, top = (int(np.clip(at - SIDE / 2, 0, most - SIDE)) for at, most in ((x, width), (y, height)))
    return image[top : top + SIDE, left : left + SIDE].copy()


@pytest.fixture(scope="module")
def simulated() -> dict[str, Images]:
    found: dict[str, Images] = {}
    for fov in simulate_study(14, 1, seed=3):
        for each in fov.objects:
            found.setdefault(each.class_name, []).append(_cut(fov.image, each.x, each.y))
    return found


def _blood() -> Images:
    fovs, annotations = load_blood(shared_data("bccd"), limit=20)
    images = {fov.id: read_fov(fov) for fov in fovs}
    rng = np.random.default_rng(1)
    chosen = rng.permutation(len(annotations))[:90]
    return [_cut(images[annotations[at].fov_id], annotations[at].x, annotations[at].y) for at in chosen]


def _noise(image: ImageArray, amount: float) -> ImageArray:
    added = np.random.default_rng(5).normal(0, amount, image.shape)
    return np.clip(image + added, 0, 255).astype(np.uint8)


def _blur(image: ImageArray, amount: float) -> ImageArray:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), amount), np.uint8)


def _shift(image: ImageArray, amount: float) -> ImageArray:
    return np.clip(image + np.array([amount, 0.0, -amount]), 0, 255).astype(np.uint8)


DEGRADATIONS: dict[str, tuple[Callable[[ImageArray, float], ImageArray], tuple[float, ...]]] = {
    "noise": (_noise, (2, 6, 16)),
    "blur": (_blur, (0.8, 1.5, 4)),
    "shift of colour": (_shift, (6, 12, 24)),
}


@pytest.mark.parametrize("source", ["simulated", "blood"])
@pytest.mark.parametrize("name", list(DEGRADATIONS))
def test_that_more_of_a_degradation_is_always_further_from_the_real_images(
    simulated: dict[str, Images], source: str, name: str
) -> None:
    images = _blood() if source == "blood" else [*simulated["rbc"], *simulated["yeast"], *simulated["wbc"]][:120]
    real, others = images[::2], images[1::2]
    degrade, amounts = DEGRADATIONS[name]
    against = ScoredAgainst(real)
    scores = [against.score(others), *(against.score([degrade(each, amount) for each in others]) for amount in amounts)]
    for figures in ([each.fid for each in scores], [each.kid for each in scores]):
        assert figures == sorted(figures)
        assert figures[-1] > figures[0]


def test_that_images_of_fewer_classes_are_further_from_the_real_ones(simulated: dict[str, Images]) -> None:
    names, n = ("rbc", "yeast", "wbc"), 20
    real = describe_images([each for name in names for each in simulated[name][:n]])
    others = {name: describe_images(simulated[name][n : 2 * n]) for name in names}

    def mean_distance(n_classes: int) -> tuple[float, float]:
        kept = {1: [(name,) for name in names], 2: [("rbc", "yeast"), ("rbc", "wbc"), ("yeast", "wbc")], 3: [names]}
        features = [np.concatenate([others[name] for name in each]) for each in kept[n_classes]]
        equal = [each[np.random.default_rng(0).permutation(len(each))[:n]] for each in features]
        return (
            float(np.mean([frechet_distance(real, each) for each in equal])),
            float(np.mean([kernel_distance(real, each) for each in equal])),
        )

    all_three, two, one = (mean_distance(count) for count in (3, 2, 1))
    assert all_three[0] < two[0] < one[0]
    assert all_three[1] < two[1] < one[1]


def test_that_the_size_of_the_file_hardly_moves_an_image(simulated: dict[str, Images]) -> None:
    images = simulated["rbc"][:40]
    large = [np.asarray(cv2.resize(each, (384, 384), interpolation=cv2.INTER_LINEAR), np.uint8) for each in images]
    near = np.linalg.norm(describe_images(images) - describe_images(large), axis=1)
    apart = np.linalg.norm(describe_images(images[1:]) - describe_images(images[:-1]), axis=1)
    assert np.median(near) < 0.25 * np.median(apart)


def test_that_shrinking_averages_instead_of_skipping_pixels() -> None:
    stripes = np.zeros((256, 256, 3), np.uint8)
    stripes[:, ::2] = 255
    assert np.ptp(to_square(stripes, 64).astype(int)) <= 1


def test_that_a_score_needs_a_few_images() -> None:
    flat = [np.full((32, 32, 3), 9, np.uint8)] * 3
    with pytest.raises(ValueError, match="at least 4"):
        quick_score(flat, flat)


def test_that_plain_and_black_images_have_finite_descriptions() -> None:
    images = [np.full((16, 40, 3), value, np.uint8) for value in (0, 255, 128)]
    assert np.isfinite(describe_images(images)).all()
