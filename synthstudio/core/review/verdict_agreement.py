"""How far reviewers agree beyond chance: Cohen's kappa of two, Fleiss' kappa of several."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from synthstudio.domain.records import Verdict, VerdictKind

KINDS = tuple(VerdictKind)


def cohen_kappa(table: NDArray[np.int64]) -> float | None:
    """Cohen's kappa (1960) of two reviewers.

    Args:
        table: `(K, K)` counts of images: what the first said by row, the second by column.

    Returns:
        1 for full agreement, 0 for that of chance; None where chance alone would make them agree always.
    """
    n_images = int(table.sum())
    if not n_images:
        return None
    observed = float(np.trace(table)) / n_images
    expected = float(table.sum(axis=1) @ table.sum(axis=0)) / n_images**2
    return _beyond_chance(observed, expected)


def fleiss_kappa(counts: NDArray[np.int64]) -> float | None:
    """Fleiss' kappa (1971) of any number of reviewers.

    Args:
        counts: `(N, K)` how many reviewers gave each kind of verdict; every row has the same sum, 2 or more.

    Returns:
        As `cohen_kappa`.
    """
    if not len(counts):
        return None
    n_reviewers = int(counts[0].sum())
    agreeing = (counts * (counts - 1)).sum(axis=1) / (n_reviewers * (n_reviewers - 1))
    shares = counts.sum(axis=0) / counts.sum()
    return _beyond_chance(float(agreeing.mean()), float((shares**2).sum()))


def _beyond_chance(observed: float, expected: float) -> float | None:
    if expected > 1.0 - 1e-12:
        return None
    return (observed - expected) / (1.0 - expected)


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """Two reviewers on the images that both have judged.

    Attributes:
        n_same: On how many their verdicts are the same.
        kappa: Cohen's; None where it is not defined.
    """

    first: str
    second: str
    n_images: int
    n_same: int
    kappa: float | None


@dataclass(frozen=True, slots=True)
class ReviewAgreement:
    """All reviewers of a set.

    Attributes:
        pairs: Of reviewers who share an image at least.
        n_images: Images that all of them have judged.
        kappa: Fleiss' on those; None with fewer than two reviewers, or where it is not defined.
    """

    reviewers: tuple[str, ...]
    pairs: tuple[PairAgreement, ...]
    n_images: int
    kappa: float | None


def measure_agreement(verdicts: Iterable[Verdict]) -> ReviewAgreement:
    """Compare the reviewers of one set; final verdicts are no readings and do not count."""
    given: dict[str, dict[int, int]] = defaultdict(dict)
    for each in verdicts:
        if not each.is_final:
            given[each.reviewer][each.index] = KINDS.index(each.kind)
    reviewers = tuple(sorted(given))
    pairs = [_compare(first, second, given) for first, second in combinations(reviewers, 2)]
    shared = sorted(set.intersection(*(set(each) for each in given.values()))) if len(given) > 1 else []
    counts = np.zeros((len(shared), len(KINDS)), np.int64)
    for reviewer in reviewers:
        for row, index in enumerate(shared):
            counts[row, given[reviewer][index]] += 1
    return ReviewAgreement(reviewers, tuple(each for each in pairs if each.n_images), len(shared), fleiss_kappa(counts))


def _compare(first: str, second: str, given: dict[str, dict[int, int]]) -> PairAgreement:
    table = np.zeros((len(KINDS), len(KINDS)), np.int64)
    for index in given[first].keys() & given[second].keys():
        table[given[first][index], given[second][index]] += 1
    return PairAgreement(first, second, int(table.sum()), int(np.trace(table)), cohen_kappa(table))


def agreement_words(agreement: ReviewAgreement) -> tuple[str, ...]:
    """How each two reviewers agree, then all of them, a sentence each; nothing where there are no two."""
    lines = [_pair_words(each) for each in agreement.pairs]
    if len(agreement.reviewers) > 2 and agreement.n_images:
        lines.append(f"All {len(agreement.reviewers)} on {agreement.n_images:,}: Fleiss' κ {_kappa(agreement.kappa)}")
    return tuple(lines)


def _pair_words(pair: PairAgreement) -> str:
    share = f"{pair.n_same / pair.n_images:.0%} of {pair.n_images:,} alike"
    return f"{pair.first} and {pair.second}: {share}, Cohen's κ {_kappa(pair.kappa)}"


def _kappa(value: float | None) -> str:
    return f"{value:.2f}" if value is not None else "not defined (one verdict alone)"
