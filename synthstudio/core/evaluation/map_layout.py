"""Two dimensions for features: like pictures near one another. Imports scikit-learn: for the engine alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.manifold import TSNE

from synthstudio.core.evaluation.feature_map import LayoutMethod, Positions
from synthstudio.core.evaluation.frechet import FeatureArray
from synthstudio.core.evaluation.similar import FeatureRows
from synthstudio.core.synthesis.streams import MAP_LANDMARKS, open_stream

MOST_LANDMARKS = 3000
"""So many points are laid out together; the others lie among the landmarks that they are most like."""
_COMPONENTS = 50
"""Principal components that t-SNE looks at, as its authors advise."""
_NEAR = 5
_BLOCK = 4096
_LEAST_FOR_TSNE = 8


def lay_out(vectors: FeatureRows, *, method: LayoutMethod, perplexity: float, seed: int) -> Positions:
    """Place pictures on a plane, `(N, 2)`, within -1 to 1.

    t-SNE (van der Maaten 2014) keeps neighbours, and neither distances between groups nor their sizes; the two
    principal components keep distances as far as two dimensions can, and hide what differs otherwise.

    Args:
        vectors: `(N, D)`.
        method: "t-sne" or "pca".
        perplexity: About how many neighbours count; a third of the pictures at most.
        seed: Of the choice of the landmarks where there are more than `MOST_LANDMARKS`.
    """
    components = principal_components(vectors, min(_COMPONENTS, *vectors.shape))
    if method == "pca" or len(vectors) < _LEAST_FOR_TSNE:
        flat = np.zeros((len(vectors), 2))
        flat[:, : components.shape[1]] = components[:, :2]
        return _within_one(flat)
    landmarks = _landmarks(len(vectors), seed)
    laid = TSNE(
        perplexity=min(perplexity, (len(landmarks) - 1) / 3), init="pca", random_state=seed, n_jobs=1
    ).fit_transform(components[landmarks])
    if len(landmarks) == len(vectors):
        return _within_one(laid)
    flat = _among(components, components[landmarks], np.asarray(laid, np.float64))
    flat[landmarks] = laid
    return _within_one(flat)


def principal_components(vectors: FeatureRows, count: int) -> FeatureArray:
    """The first principal components of `(N, D)`, `(N, count)`; the largest weight of each is positive."""
    centred = np.asarray(vectors, np.float64) - np.mean(vectors, axis=0, dtype=np.float64)
    _, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, ::-1][:, :count]
    largest = axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])]
    found: FeatureArray = centred @ (axes * np.sign(largest))
    return found


def _landmarks(n: int, seed: int) -> NDArray[np.int64]:
    if n <= MOST_LANDMARKS:
        return np.arange(n)
    return np.sort(open_stream(seed, MAP_LANDMARKS, 0).permutation(n)[:MOST_LANDMARKS])


def _among(points: FeatureArray, landmarks: FeatureArray, laid: FeatureArray) -> FeatureArray:
    """Where points lie between the landmarks nearest to them, nearer ones counting more."""
    squares = np.einsum("nd,nd->n", landmarks, landmarks)
    found = np.zeros((len(points), 2))
    for start in range(0, len(points), _BLOCK):
        part = points[start : start + _BLOCK]
        away = np.maximum(np.einsum("nd,nd->n", part, part)[:, None] + squares - 2 * (part @ landmarks.T), 1e-12)
        near = np.argpartition(away, _NEAR - 1, axis=1)[:, :_NEAR]
        weights = 1.0 / np.take_along_axis(away, near, axis=1)
        weights /= weights.sum(axis=1, keepdims=True)
        found[start : start + _BLOCK] = np.einsum("nk,nkd->nd", weights, laid[near])
    return found


def _within_one(flat: FeatureArray) -> Positions:
    middle = (flat.min(axis=0) + flat.max(axis=0)) / 2
    reach = float(np.abs(flat - middle).max())
    return np.asarray((flat - middle) / max(reach, 1e-12), np.float32)
