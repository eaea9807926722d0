"""Figures of synthetic images against another program's: torch-fidelity 0.4."""

import numpy as np
import pytest
import torch

from synthstudio.core.evaluation.frechet import frechet_distance
from synthstudio.core.evaluation.kernel_distance import kernel_distance
from synthstudio.core.evaluation.manifold import measure_manifold

metric_fid = pytest.importorskip("torch_fidelity.metric_fid")
metric_kid = pytest.importorskip("torch_fidelity.metric_kid")
metric_prc = pytest.importorskip("torch_fidelity.metric_prc")


@pytest.fixture(params=[(80, 16), (30, 64)], ids=["more images than features", "more features than images"])
def pair(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray]:
    """Features of two sets of equal size that overlap."""
    n, dimensions = request.param
    rng = np.random.default_rng(n)
    mixing = rng.normal(size=(dimensions, dimensions)) / dimensions**0.5
    return rng.normal(size=(n, dimensions)) @ mixing, rng.normal(size=(n, dimensions)) @ mixing * 1.1 + 0.2


def test_that_the_frechet_distance_is_that_of_torch_fidelity(pair: tuple[np.ndarray, np.ndarray]) -> None:
    statistics = [metric_fid.fid_features_to_statistics(torch.from_numpy(each)) for each in pair]
    expected = metric_fid.fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]
    assert frechet_distance(*pair) == pytest.approx(expected, rel=1e-4)


def test_that_the_kernel_distance_is_that_of_torch_fidelity(pair: tuple[np.ndarray, np.ndarray]) -> None:
    n = len(pair[0])
    expected = metric_kid.kid_features_to_metric(
        *(torch.from_numpy(each) for each in pair),
        kid_subsets=1,
        kid_subset_size=n,
        kid_kernel="poly",
        kid_kernel_poly_degree=3,
        kid_kernel_poly_gamma=None,
        kid_kernel_poly_coef0=1,
        verbose=False,
    )
    assert kernel_distance(*pair) == pytest.approx(expected["kernel_inception_distance_mean"], rel=1e-6)


def test_that_precision_and_recall_are_those_of_torch_fidelity(pair: tuple[np.ndarray, np.ndarray]) -> None:
    real, made = (torch.from_numpy(each) for each in pair)
    expected = metric_prc.prc_features_to_metric(made, real, prc_neighborhood=3, prc_batch_size=1000, verbose=False)
    found = measure_manifold(*pair)
    assert (found.precision, found.recall) == pytest.approx((expected["precision"], expected["recall"]))
