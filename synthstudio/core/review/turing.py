"""Result of a Turing test: can readers tell real images from synthetic ones?

A reader who picks an image says that it looks real. TPR is the share of real images picked, FPR that of synthetic ones
(Ghorbani et al. 2019); equal shares mean that he cannot tell. d' and the criterion c part telling from a liking for one
answer (Green and Swets 1966; the log-linear correction of Hautus 1995 keeps them finite).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.review.reading_shares import AnswerTable, Interval, Judgement, PickedShare, repeat_kappa
from synthstudio.core.stats import FloatArray, divide

N_PERMUTATIONS = 9999


@dataclass(frozen=True, slots=True)
class Roc:
    """Operating points from the strictest to the laxest, `(K,)` each, from 0 to 1."""

    fpr: tuple[float, ...]
    tpr: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class TuringReader:
    """One reader.

    Attributes:
        n_right: Real images picked and synthetic ones not.
        n: Images answered.
        d_prime, criterion: None where he has seen images of one kind only.
        auc: Area under his ROC curve; None without confidences.
        p_accuracy: Two-sided binomial test of `n_right` against one half; None without an answer.
        p_same: Fisher's exact test of TPR = FPR, whatever share he picks; None as d'.
        kappa: With himself, over the repeats.
        n_repeats: Images that he has answered twice.
        roc: None without confidences.
    """

    reader: int
    n_right: int
    n: int
    d_prime: float | None
    criterion: float | None
    auc: float | None
    p_accuracy: float | None
    p_same: float | None
    kappa: float | None
    n_repeats: int
    roc: Roc | None


@dataclass(frozen=True, slots=True)
class Figure:
    """Mean over readers with its standard deviation and interval, as in `PickedShare`."""

    mean: float | None = None
    sd: float | None = None
    interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class TuringResult:
    """All readers.

    Attributes:
        tpr, fpr: Shares picked of the real and of the synthetic images.
        by_class: TPR and FPR of each class, by name.
        readers: By number.
        accuracy: Share of right answers.
        d_prime, criterion, auc: Over the readers that have them.
        kappa: Mean of the readers' kappas with themselves.
        p_guessing: Permutation test over images, two-sided: were it all the same whether an image is real, how often
            would TPR and FPR differ as much? None without both kinds of image.
        roc: Of all answers together; None without confidences.
    """

    tpr: PickedShare
    fpr: PickedShare
    by_class: tuple[tuple[str, PickedShare, PickedShare], ...]
    readers: tuple[TuringReader, ...]
    accuracy: Figure
    d_prime: Figure
    criterion: Figure
    auc: Figure
    kappa: Figure
    p_guessing: float | None
    roc: Roc | None


def judge_turing(judgements: Sequence[Judgement], *, seed: int = 0) -> TuringResult:
    """Compute the result; the seed is that of bootstrap and permutations."""
    table = AnswerTable.of(judgements, seed=seed)
    class_of = {each.item: each.class_name for each in judgements}
    classes = np.array([class_of[item] for item in table.items], np.str_)
    names = sorted(set(class_of.values()))
    real = table.is_real
    readers = tuple(_judge_reader(reader, judgements) for reader in table.readers)
    by_class = tuple(
        (name, table.share(real & (classes == name)), table.share(~real & (classes == name))) for name in names
    )
    has_scores = bool(np.isfinite(table.scores).any())
    return TuringResult(
        tpr=table.share(real),
        fpr=table.share(~real),
        by_class=by_class,
        readers=readers,
        accuracy=_figure(table, _accuracies),
        d_prime=_figure(table, lambda table, weights: _detect(table, weights)[0]),
        criterion=_figure(table, lambda table, weights: _detect(table, weights)[1]),
        auc=_figure(table, _aucs) if has_scores else Figure(),
        kappa=_plain_figure([each.kappa for each in readers]),
        p_guessing=_permutation_p(table, classes, seed=seed),
        roc=_roc_of(judgements),
    )


def _judge_reader(reader: int, judgements: Sequence[Judgement]) -> TuringReader:
    own = [each for each in judgements if each.reader == reader]
    table = AnswerTable.of(own)
    n_right = sum(each.is_picked == each.is_real for each in own)
    d_prime, criterion = (_finite(values[0, 0]) for values in _detect(table, np.ones((1, len(table.items)))))
    picked, real = table.picked[0] > 0, table.is_real
    counts = [[int((picked & kind).sum()), int((~picked & kind).sum())] for kind in (real, ~real)]
    return TuringReader(
        reader=reader,
        n_right=n_right,
        n=len(own),
        d_prime=d_prime,
        criterion=criterion,
        auc=_finite(_aucs(table, np.ones((1, len(table.items))))[0, 0]),
        p_accuracy=_binomial_p(n_right, len(own)) if own else None,
        p_same=_fisher_p(counts) if d_prime is not None else None,
        kappa=repeat_kappa(own),
        n_repeats=sum(each.again is not None for each in own),
        roc=_roc_of(own),
    )


def _binomial_p(n_right: int, n: int) -> float:
    """Two-sided exact test of a share against one half. scipy.stats has it, but takes half a second to import."""
    from scipy.special import bdtr  # noqa: PLC0415 - scipy takes 20 MB, which a window without studies can spare

    return min(1.0, 2.0 * float(bdtr(min(n_right, n - n_right), n, 0.5)))


def _fisher_p(counts: list[list[int]]) -> float:
    """Two-sided exact test of a table of two by two: all tables of the same margins that are no more likely."""
    from scipy.special import gammaln  # noqa: PLC0415 - as in `_binomial_p`

    (a, b), (c, d) = counts
    cells = np.arange(max(0, a - d), min(a + b, a + c) + 1)
    logs = -sum(gammaln(cell + 1.0) for cell in (cells, a + b - cells, a + c - cells, d - a + cells))
    chances = np.exp(logs - logs.max())
    return float(chances[chances <= chances[cells == a] * (1 + 1e-7)].sum() / chances.sum())


def _accuracies(table: AnswerTable, weights: FloatArray) -> FloatArray:
    """Share of right answers of each reader, `(B, R)`, for weights of images `(B, I)`."""
    right = np.where(table.is_real, table.picked, table.seen - table.picked)
    return divide(weights @ right.T, weights @ table.seen.T)


def _detect(table: AnswerTable, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """d' and criterion of each reader, `(B, R)` each, NaN where a kind of image is missing."""
    from scipy.special import ndtri  # noqa: PLC0415 - as in `_binomial_p`

    z = []
    for kind in (table.is_real, ~table.is_real):
        n = (weights * kind) @ table.seen.T
        z.append(np.where(n > 0, ndtri(((weights * kind) @ table.picked.T + 0.5) / (n + 1.0)), np.nan))
    return z[0] - z[1], -(z[0] + z[1]) / 2


def _aucs(table: AnswerTable, weights: FloatArray) -> FloatArray:
    """Area under the ROC curve of each reader, `(B, R)`: how often a real image has more confidence than a synthetic
    one, ties by half."""
    areas = np.full((len(weights), len(table.readers)), np.nan)
    for row, scores in enumerate(table.scores):
        known = np.isfinite(scores)
        real, synthetic = known & table.is_real, known & ~table.is_real
        ahead = np.sign(scores[real][:, None] - scores[synthetic][None, :]) / 2 + 0.5
        total = weights[:, real].sum(axis=1) * weights[:, synthetic].sum(axis=1)
        areas[:, row] = divide(np.sum((weights[:, real] @ ahead) * weights[:, synthetic], axis=1), total)
    return areas


def _figure(table: AnswerTable, per_reader: Callable[[AnswerTable, FloatArray], FloatArray]) -> Figure:
    """Mean over readers of a figure that is computed by weights of the images."""
    plain = per_reader(table, np.ones((1, len(table.items))))[0]
    figure = _plain_figure([_finite(value) for value in plain])
    interval = table.interval(lambda weights: per_reader(table, weights))
    return figure if figure.sd is None else replace(figure, interval=interval)


def _plain_figure(values: Sequence[float | None]) -> Figure:
    known = [value for value in values if value is not None]
    if not known:
        return Figure()
    return Figure(float(np.mean(known)), float(np.std(known, ddof=1)) if len(known) > 1 else None)


def _permutation_p(table: AnswerTable, classes: NDArray[np.str_], *, seed: int) -> float | None:
    """Exchange the truth of images within each class; images, not answers, since readers see the same ones."""
    real = table.is_real
    if not real.any() or real.all():
        return None
    rng = np.random.Generator(np.random.Philox(key=seed))
    order = np.argsort(classes, kind="stable")
    numbers = np.unique(classes, return_inverse=True)[1][order]
    # Sorting random numbers within classes shuffles the truth of all classes at once.
    keys = rng.random((N_PERMUTATIONS, len(order))) + numbers
    shuffled = real[order][np.argsort(keys, axis=1)]
    columns = np.zeros((N_PERMUTATIONS + 1, len(order)))
    columns[0] = real
    columns[1:, order] = shuffled
    differences = np.abs(_differences(table, columns))
    # A hair of tolerance: the same difference summed in another order must count as the same.
    return float((differences[1:] >= differences[0] - 1e-12).sum() + 1) / (N_PERMUTATIONS + 1)


def _differences(table: AnswerTable, is_real: FloatArray) -> FloatArray:
    """TPR - FPR, mean over readers, `(P,)`, for each row of truths `(P, I)`."""
    real = divide(is_real @ table.picked.T, is_real @ table.seen.T)
    synthetic = divide((1 - is_real) @ table.picked.T, (1 - is_real) @ table.seen.T)
    return table.mean_over_readers(real - synthetic)


def _roc_of(judgements: Sequence[Judgement]) -> Roc | None:
    known = [(each.score, each.is_real) for each in judgements if each.score is not None]
    n_real = sum(is_real for _, is_real in known)
    if not n_real or n_real == len(known):
        return None
    scores, real = np.array([score for score, _ in known]), np.array([is_real for _, is_real in known])
    thresholds = np.unique(scores)[::-1]
    at_least = scores[None, :] >= thresholds[:, None]
    tpr, fpr = (at_least & real).sum(axis=1) / n_real, (at_least & ~real).sum(axis=1) / (len(known) - n_real)
    return Roc((0.0, *fpr.tolist()), (0.0, *tpr.tolist()))


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
