"""Which labels are probably wrong, from what classifiers that have not seen them say.

As confident learning (Northcutt, Jiang and Chuang 2021) estimates how many labels are wrong from such answers, so does
this, but by their likelihood instead of by counts beyond the average answer of a class. Where classes are easily told
apart that average is nearly 1, and hardly any wrong label reached it: on 75 images of blood cells three of eight were
left out that the answers themselves put first.

A label is the true class with probability 1 - e, else any other. How sure the answers are (a: their softmax is taken of
a times the answers) and e are not chosen but weighed by how likely they make the labels. So where classes overlap no
answer is sure, and nothing is doubted; where many labels are wrong more are doubted.

Whoever takes one class for another does so again: how often one class is called another is estimated from the labels
that are surely wrong, pair by pair, and where that is more than by chance such labels are doubted more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synthstudio.core.evaluation.out_of_fold import IntArray, softmax
from synthstudio.core.stats import FloatArray

SHARPNESS = np.geomspace(2.0, 64.0, 16)
WRONG_SHARES = np.array([0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3])
PRIOR_WRONG, PRIOR_RIGHT = 2.0, 60.0
"""What is known before: as if of 62 labels of another data set 2 had been wrong. It counts where there are few."""

KNOWN_PAIR = 300.0
"""How firmly each pair of classes is held to be confused by chance: as if so many objects had said so."""
SURE = 0.5
"""Labels that are wrong with at least this probability tell which pairs are confused. What is doubted a little tells
nothing: where classes overlap there is much of it, and it would breed more (Chula RBC-12: 236 suspects, not 51)."""


@dataclass(frozen=True, slots=True, eq=False)
class DoubtedLabels:
    """What the answers say of labels.

    Attributes:
        other: `(N,)` the likeliest class besides the given one.
        own: `(N,)` probability of the given class by the answers alone.
        likely: `(N,)` that of the other.
        wrong: `(N,)` probability that the label is wrong.
        share: Of all labels that are wrong, as estimated.
    """

    other: IntArray
    own: FloatArray
    likely: FloatArray
    wrong: FloatArray
    share: float

    @property
    def order(self) -> IntArray:
        """All rows, the most doubted first."""
        return np.argsort(-self.wrong, kind="stable")

    def suspects(self, *, confidence: float) -> IntArray:
        """Rows that are wrong with at least this probability; most doubted first."""
        return self.order[: int((self.wrong >= confidence).sum())]


def doubt_labels(answers: FloatArray, labels: IntArray) -> DoubtedLabels:
    """Hold labels against answers.

    Args:
        answers: `(N, K)`, K > 1, by classifiers that have not learned from the row: estimates of probabilities.
        labels: `(N,)` as given, 0 to K - 1.
    """
    rows, by_chance = np.arange(len(labels)), WRONG_SHARES / (answers.shape[1] - 1)
    said = [softmax(sharpness * answers) for sharpness in SHARPNESS]
    weights = _weights([_joint(each[rows, labels], by_chance)[1] for each in said])
    mixed = np.zeros_like(answers)
    is_wrong = np.zeros(len(labels))
    for each, weight in zip(said, weights, strict=True):
        wrong, both = _joint(each[rows, labels], by_chance)
        mixed += weight.sum() * each
        is_wrong += weight @ (wrong / both)
    others = mixed.copy()
    others[rows, labels] = 0.0
    other = np.where(np.eye(answers.shape[1], dtype=np.bool_)[labels], -1.0, others).argmax(axis=1)
    return DoubtedLabels(
        other=other.astype(np.int64),
        own=mixed[rows, labels],
        likely=others[rows, other],
        wrong=_doubt_by_pairs(is_wrong, others, labels, by_chance=float(weights.sum(axis=0) @ by_chance)),
        share=float(weights.sum(axis=0) @ WRONG_SHARES),
    )


def _doubt_by_pairs(is_wrong: FloatArray, others: FloatArray, labels: IntArray, *, by_chance: float) -> FloatArray:
    """Doubt labels more whose class is often given to objects of the class that they look like.

    Args:
        is_wrong: `(N,)` probability that a label is wrong, all classes being confused alike.
        others: `(N, K)` probability of each class by the answers; 0 for the given one.
        labels: `(N,)` as given.
        by_chance: Probability that an object is called one certain other class.

    Returns:
        `(N,)` probability that a label is wrong; never less than before.
    """
    given = np.eye(others.shape[1])[labels]
    looks = others / np.maximum(others.sum(axis=1, keepdims=True), 1e-300)
    sure = np.where(is_wrong >= SURE, is_wrong, 0.0)
    confused = (looks * sure[:, None]).T @ given  # (K, K) objects of a class that are called another
    n_objects = confused.sum(axis=1) + (1 - sure) @ given
    besides = confused[:, labels].T - looks * sure[:, None]  # what a label itself is doubted says nothing of it
    often = (besides + KNOWN_PAIR * by_chance) / (n_objects + KNOWN_PAIR)
    odds = is_wrong / np.maximum(1 - is_wrong, 1e-300)
    raised = odds * (looks * np.maximum(often / by_chance, 1.0)).sum(axis=1)
    return np.asarray(np.maximum(raised / (1 + raised), is_wrong))


def _joint(own: FloatArray, by_chance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Of labels whose class has these probabilities `(N,)`: `(E, N)` that they are wrong and came about, and that they
    came about at all, for each share of wrong labels."""
    wrong = by_chance[:, None] * (1 - own)
    return wrong, np.maximum(wrong + (1 - WRONG_SHARES)[:, None] * own, 1e-300)


def _weights(likelihoods: Sequence[FloatArray]) -> FloatArray:
    """`(A, E)` how much each sharpness and share counts: by the likelihood `(E, N)` of all labels."""
    prior = PRIOR_WRONG * np.log(WRONG_SHARES) + PRIOR_RIGHT * np.log1p(-WRONG_SHARES)
    fit = np.stack([np.log(each).sum(axis=1) for each in likelihoods]) + prior
    weights = np.exp(fit - fit.max())
    return np.asarray(weights / weights.sum(), np.float64)
