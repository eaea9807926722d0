"""What a simple classifier says of each row that it has not learned from: those of its own group are always left out.

Multinomial logistic regression on standardised features. It is convex, so that the same rows give the same answers, and
with few objects it stays unsure where a network would not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.stats import FloatArray
from synthstudio.core.synthesis.streams import FOLD_CHOICE, open_stream
from synthstudio.domain.progress import Tick, no_tick

N_FOLDS = 10
"""With a dozen samples that differ, five folds leave so many out that twice as many sound labels are doubted."""
MOST_LEARNED = 20_000
"""Rows that one fold learns from: more change nothing that is seen."""
MOST_ITERATIONS = 200
STRENGTH = 0.01
"""What scikit-learn calls C. Measured on cells and simulated objects: 0.003 knows less, 0.1 learns wrong labels too."""
_FLAT = 1e-6

IntArray = NDArray[np.int64]


class Fitted(Protocol):
    """A classifier that has learned."""

    def probabilities(self, features: NDArray[np.floating]) -> FloatArray:
        """Those of each class, or estimates of them, `(N, K)`, of features `(N, D)`."""


class Fit(Protocol):
    """Lets a classifier learn from features `(N, D)` and labels `(N,)`, 0 to `n_classes` - 1."""

    def __call__(self, features: NDArray[np.floating], labels: IntArray, *, n_classes: int) -> Fitted: ...


@dataclass(frozen=True, slots=True, eq=False)
class LinearClassifier:
    """A fitted classifier.

    Attributes:
        mean, scale: `(D,)` of the features that it learned from.
        weights: `(D + 1, K)`; the last row is added to the scores.
    """

    mean: FloatArray
    scale: FloatArray
    weights: FloatArray

    def probabilities(self, features: NDArray[np.floating]) -> FloatArray:
        """Probability of each class, `(N, K)`, of features `(N, D)`."""
        rows = (features - self.mean) / self.scale
        return softmax(rows @ self.weights[:-1] + self.weights[-1])


def fit_classifier(features: NDArray[np.floating], labels: IntArray, *, n_classes: int) -> LinearClassifier:
    """Fit multinomial logistic regression with a penalty on the squared weights, by L-BFGS.

    Args:
        features: `(N, D)`.
        labels: `(N,)`, 0 to `n_classes` - 1.
        n_classes: K. A class without rows is possible, and gets small probabilities.
    """
    from scipy.optimize import minimize  # noqa: PLC0415 - takes long to load, and only checks need it

    rows, mean, scale = standardise(features)
    n, n_features = rows.shape
    wanted = np.eye(n_classes)[labels]

    def loss(flat: FloatArray) -> tuple[float, FloatArray]:
        weights = flat.reshape(n_features + 1, n_classes)
        said = softmax(rows @ weights[:-1] + weights[-1])
        likelihood = np.log(np.maximum(said[np.arange(n), labels], 1e-300)).sum()
        error = STRENGTH * (said - wanted)
        gradient = np.vstack([rows.T @ error + weights[:-1], error.sum(axis=0)])
        return 0.5 * float((weights[:-1] ** 2).sum()) - STRENGTH * float(likelihood), gradient.ravel()

    start = np.zeros((n_features + 1) * n_classes)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": MOST_ITERATIONS})
    return LinearClassifier(mean, scale, np.asarray(found.x, np.float64).reshape(n_features + 1, n_classes))


def standardise(features: NDArray[np.floating]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Features `(N, D)` with mean 0 and deviation 1, and the mean and scale `(D,)`; what never differs becomes 0."""
    rows = np.asarray(features, np.float64)
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    scale = np.where(spread > _FLAT, spread, 1.0)
    return (rows - mean) / scale, mean, scale


def softmax(scores: FloatArray) -> FloatArray:
    """Of each row of scores, `(N, K)`: positive, and 1 in all."""
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), np.float64)


def divide_folds(groups: Sequence[int], labels: IntArray, *, n_folds: int = N_FOLDS, seed: int = 0) -> IntArray:
    """Divide rows into folds of about as many rows of each class, no group being in two of them.

    The largest groups are dealt first, each into the fold that lacks its classes most.

    Args:
        groups: `(N,)` of the rows, any numbers: their samples.
        labels: `(N,)` from 0.
        n_folds: At most so many; with fewer groups there are as many as these.
        seed: Decides between groups that are alike.

    Returns:
        `(N,)` the fold of each row, from 0; all 0 where there is a single group.
    """
    known, numbers = np.unique(np.asarray(groups, np.int64), return_inverse=True)
    n_folds = max(1, min(n_folds, len(known)))
    counts = np.zeros((len(known), int(labels.max(initial=0)) + 1))
    np.add.at(counts, (numbers, labels), 1.0)
    # A rare class weighs as much as a frequent one, and all rows together as much as a class.
    weights = np.hstack([counts / np.maximum(counts.sum(axis=0), 1.0), counts.sum(axis=1, keepdims=True) / len(groups)])
    salted = [hashlib.sha256(f"{seed}/{each}".encode()).digest() for each in known]
    order = sorted(range(len(known)), key=lambda row: (-float(weights[row].sum()), salted[row]))
    filled = np.zeros((n_folds, weights.shape[1]))
    fold_of = np.zeros(len(known), np.int64)
    for done, row in enumerate(order):
        cost = ((filled + weights[row]) ** 2 - filled**2).sum(axis=1)
        is_empty = ~filled.any(axis=1)
        if len(order) - done <= is_empty.sum():  # each fold gets a group
            cost = np.where(is_empty, cost, np.inf)
        fold_of[row] = int(np.argmin(cost))
        filled[fold_of[row]] += weights[row]
    return fold_of[numbers]


def predict_out_of_fold(
    features: NDArray[np.floating],
    labels: IntArray,
    folds: IntArray,
    *,
    n_classes: int,
    fit: Fit = fit_classifier,
    is_learned: NDArray[np.bool_] | None = None,
    most: int = MOST_LEARNED,
    seed: int = 0,
    tick: Tick = no_tick,
) -> FloatArray:
    """Probabilities of each row by a classifier of the other folds.

    Args:
        features: `(N, D)`.
        labels: `(N,)`, 0 to `n_classes` - 1.
        folds: `(N,)`, at least two.
        n_classes: K.
        fit: Lets a classifier learn.
        is_learned: `(N,)` rows that may be learned from; None for all.
        most: Rows that it learns from.
        seed: Of the choice, where there are more.
        tick: Counts the folds.

    Returns:
        `(N, K)`.
    """
    found = np.zeros((len(labels), n_classes))
    n_folds = int(folds.max(initial=0)) + 1
    for fold in range(n_folds):
        tick(fold, n_folds)
        learned = np.flatnonzero(folds != fold if is_learned is None else (folds != fold) & is_learned)
        if len(learned) > most:
            learned = np.sort(open_stream(seed, FOLD_CHOICE, fold).permutation(learned)[:most])
        held_out = np.flatnonzero(folds == fold)
        fitted = fit(features[learned], labels[learned], n_classes=n_classes)
        found[held_out] = fitted.probabilities(features[held_out])
    tick(n_folds, n_folds)
    return found
