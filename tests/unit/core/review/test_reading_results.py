"""Statistics of reading studies: against readers of known probability and against other libraries."""

from __future__ import annotations

import dataclasses
import random

import numpy as np
import pytest
from scipy.stats import binomtest, fisher_exact
from sklearn.metrics import cohen_kappa_score, roc_auc_score, roc_curve
from statsmodels.stats.proportion import proportion_confint

from synthstudio.core.review.reading_shares import Judgement, repeat_kappa
from synthstudio.core.review.relevance import judge_relevance
from synthstudio.core.review.turing import judge_turing
from tests.support.simulated_readers import read_relevance, read_turing

PUBLISHED = read_turing(n_readers=10, n_real=80, n_synthetic=80, tpr=0.52, fpr=0.30, seed=4)


def _inside(interval: tuple[float, float] | None, value: float) -> bool:
    return interval is not None and interval[0] <= value <= interval[1]


def test_that_rates_of_readers_of_known_probability_come_back() -> None:
    result = judge_turing(PUBLISHED)
    assert result.tpr.mean == pytest.approx(0.52, abs=0.04)
    assert result.fpr.mean == pytest.approx(0.30, abs=0.04)
    assert _inside(result.tpr.interval, 0.52)
    assert _inside(result.fpr.interval, 0.30)
    assert result.d_prime.mean == pytest.approx(0.575, abs=0.15)
    assert result.criterion.mean == pytest.approx(0.237, abs=0.1)
    assert result.p_guessing is not None
    assert result.p_guessing < 0.001
    assert [name for name, _, _ in result.by_class] == ["a", "b"]
    assert all(tpr.n_images == fpr.n_images == 40 for _, tpr, fpr in result.by_class)


def test_that_mean_and_spread_are_those_of_the_readers_shares() -> None:
    result = judge_turing(PUBLISHED)
    shares = [
        np.mean([each.is_picked for each in PUBLISHED if each.reader == reader and each.is_real])
        for reader in range(10)
    ]
    assert result.tpr.mean == pytest.approx(np.mean(shares))
    assert result.tpr.sd == pytest.approx(np.std(shares, ddof=1))
    assert [each.share for each in result.tpr.by_reader] == pytest.approx(shares)


def test_that_intervals_and_tests_of_a_reader_equal_those_of_statsmodels_and_scipy() -> None:
    result = judge_turing(PUBLISHED)
    for reader, real, synthetic in zip(result.readers, result.tpr.by_reader, result.fpr.by_reader, strict=True):
        for share in (real, synthetic):
            assert share.interval == pytest.approx(proportion_confint(share.n_picked, share.n, method="wilson"))
        table = [[real.n_picked, real.n - real.n_picked], [synthetic.n_picked, synthetic.n - synthetic.n_picked]]
        assert reader.p_same == pytest.approx(fisher_exact(table)[1])
        assert reader.p_accuracy == pytest.approx(binomtest(reader.n_right, reader.n).pvalue)


def test_that_kappa_over_repeats_equals_that_of_scikit_learn() -> None:
    own = [each for each in PUBLISHED if each.reader == 3]
    twice = [each for each in own if each.again is not None]
    expected = cohen_kappa_score([each.is_picked for each in twice], [each.again for each in twice])
    assert repeat_kappa(own) == pytest.approx(expected)
    assert judge_turing(PUBLISHED).readers[3].n_repeats == len(twice) == 20
    assert repeat_kappa([each for each in own if each.again is None]) is None


def test_that_auc_and_roc_of_confidences_equal_those_of_scikit_learn() -> None:
    judged = read_turing(n_readers=4, n_real=30, n_synthetic=30, tpr=0.6, fpr=0.4, seed=1, has_scores=True)
    rounded = [dataclasses.replace(each, score=round(each.score or 0.0, 1)) for each in judged]  # ties
    result = judge_turing(rounded)
    for reader in result.readers:
        own = [each for each in rounded if each.reader == reader.reader]
        assert reader.auc == pytest.approx(roc_auc_score([e.is_real for e in own], [e.score for e in own]))
    fpr, tpr, _ = roc_curve([e.is_real for e in rounded], [e.score for e in rounded], drop_intermediate=False)
    assert result.roc is not None
    assert result.roc.fpr == pytest.approx(tuple(fpr))
    assert result.roc.tpr == pytest.approx(tuple(tpr))
    assert _inside(result.auc.interval, 0.76)  # of two normal distributions one standard deviation apart


def test_that_guessing_readers_are_not_found_out_whatever_share_they_pick() -> None:
    chances = [
        judge_turing(read_turing(n_readers=3, n_real=20, n_synthetic=20, tpr=0.8, fpr=0.8, seed=seed)).p_guessing
        for seed in range(12)
    ]
    assert sum(chance is not None and chance < 0.05 for chance in chances) <= 2


def test_that_images_that_fool_everybody_widen_the_interval() -> None:
    """Answers that all readers share are worth those of one reader, though there are as many."""
    one = read_turing(n_readers=1, n_real=40, n_synthetic=40, tpr=0.5, fpr=0.5, seed=2)
    shared = [dataclasses.replace(each, reader=reader) for each in one for reader in range(10)]
    free = read_turing(n_readers=10, n_real=40, n_synthetic=40, tpr=0.5, fpr=0.5, seed=2)
    (low, high), (free_low, free_high) = (judge_turing(each).tpr.interval or (0.0, 0.0) for each in (shared, free))
    assert high - low > 1.4 * (free_high - free_low)
    wilson = proportion_confint(sum(e.is_picked for e in one if e.is_real), 40, method="wilson")
    assert high - low == pytest.approx(wilson[1] - wilson[0], rel=0.15)


def test_that_the_order_of_answers_changes_nothing() -> None:
    mixed = list(PUBLISHED)
    random.Random(0).shuffle(mixed)
    assert judge_turing(mixed) == judge_turing(PUBLISHED)


@pytest.mark.parametrize(
    "judgements",
    [
        [],
        [Judgement(0, "a", True, "x", is_picked=True)],
        [Judgement(0, "a", True, "x", is_picked=True, score=1.0), Judgement(1, "b", False, "y", is_picked=True)],
    ],
)
def test_that_what_cannot_be_known_is_none(judgements: list[Judgement]) -> None:
    result = judge_turing(judgements)
    assert result.tpr.sd is None
    assert result.tpr.interval is None
    assert result.d_prime.mean is None
    assert result.auc.mean is None
    if not judgements:
        assert result.tpr.mean is None
        assert judge_relevance(judgements).overall.real.mean is None


def test_that_recalls_of_readers_of_known_probability_come_back() -> None:
    result = judge_relevance(read_relevance(n_readers=10, real=0.61, synthetic=0.45, false=0.1, seed=0))
    for found, expected in (
        (result.overall.real, 0.61),
        (result.overall.synthetic, 0.45),
        (result.overall.false_real, 0.1),
        (result.overall.false_synthetic, 0.1),
    ):
        assert found.mean == pytest.approx(expected, abs=0.035)
        assert _inside(found.interval, expected)
        assert found.n_images == 16 * (8 if expected > 0.1 else 4)
    assert [each.condition for each in result.by_condition] == ["c0", "c1", "c2", "c3"]
    assert all(each.real.mean == pytest.approx(0.61, abs=0.1) for each in result.by_condition)
