"""Shares of images that readers picked, with intervals that respect both readers and images.

Ten readers who see the same 160 images do not give 1600 independent answers: an image that fools one fools others.
So readers and images are drawn with replacement, both at once (a crossed bootstrap), and a share of a single reader has
its Wilson interval.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.stats import FloatArray, divide, draw_group_weights, percentile_interval, wilson_interval

Interval = tuple[float, float]
MIN_READERS_FOR_INTERVAL = 2


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a reader said of an image when he first saw it.

    Attributes:
        reader: Number of the reader.
        item: What tells the image from the others; in a relevance study, the image on its page.
        is_real: The truth.
        class_name: The class that the image stands for.
        is_picked: He picked it: as real (Turing test), or as showing the condition (relevance study).
        score: How sure he was that it is real, 0 to 1; None where nobody asked.
        again: What he said when it came a second time, unannounced; None where it did not.
        condition: Relevance study: what was asked for.
    """

    reader: int
    item: str
    is_real: bool
    class_name: str
    is_picked: bool
    score: float | None = None
    again: bool | None = None
    condition: str = ""

    @property
    def shows_condition(self) -> bool:
        return self.class_name == self.condition


@dataclass(frozen=True, slots=True)
class ReaderShare:
    """Of one reader: picked among seen. The interval is Wilson's; share and interval are None without any image."""

    reader: int
    n_picked: int
    n: int

    @property
    def share(self) -> float | None:
        return self.n_picked / self.n if self.n else None

    @property
    def interval(self) -> Interval | None:
        return wilson_interval(self.n_picked, self.n)


@dataclass(frozen=True, slots=True)
class PickedShare:
    """Of all readers.

    Attributes:
        by_reader: Those who saw such images, by number.
        n_images: Different images.
        mean: Of the readers' shares; None where nobody saw such an image.
        sd: Standard deviation of the readers' shares (n - 1); None with fewer than two readers.
        interval: 95 %, readers and images drawn together; None with fewer than two readers.
    """

    by_reader: tuple[ReaderShare, ...] = ()
    n_images: int = 0
    mean: float | None = None
    sd: float | None = None
    interval: Interval | None = None


@dataclass(frozen=True, slots=True, eq=False)
class AnswerTable:
    """Answers of R readers about I images.

    Attributes:
        readers, items: What rows and columns are.
        picked: `(R, I)` float64, 1 where picked; 0 where not, or not seen.
        seen: `(R, I)` float64, 1 where answered.
        scores: `(R, I)` float64, NaN where there is none.
        is_real: `(I,)` bool.
        reader_draws: `(B, R)` float64, how often each reader was drawn.
        item_draws: `(B, I)` float64, how often each image was drawn, real and synthetic ones apart.
    """

    readers: tuple[int, ...]
    items: tuple[str, ...]
    picked: FloatArray
    seen: FloatArray
    scores: FloatArray
    is_real: NDArray[np.bool_]
    reader_draws: FloatArray
    item_draws: FloatArray

    @classmethod
    def of(cls, judgements: Sequence[Judgement], *, seed: int = 0) -> AnswerTable:
        """Lay out judgements, at most one by a reader about an image; the seed is that of the bootstrap."""
        readers = tuple(sorted({each.reader for each in judgements}))
        items = tuple(sorted({each.item for each in judgements}))
        row = {reader: place for place, reader in enumerate(readers)}
        column = {item: place for place, item in enumerate(items)}
        shape = len(readers), len(items)
        picked, seen, scores = np.zeros(shape), np.zeros(shape), np.full(shape, np.nan)
        is_real = np.zeros(len(items), np.bool_)
        for each in judgements:
            at = row[each.reader], column[each.item]
            picked[at], seen[at] = each.is_picked, 1.0
            scores[at] = np.nan if each.score is None else each.score
            is_real[at[1]] = each.is_real
        draws = draw_group_weights(max(1, len(readers)), seed=seed)[:, : len(readers)]
        return cls(readers, items, picked, seen, scores, is_real, draws, _draw_items(is_real, seed))

    def mean_over_readers(self, values: FloatArray, *, draws: bool = False) -> FloatArray:
        """Mean over readers of `(..., R)`, NaN left out; weighted by the draws of readers `(B, R)` if asked for."""
        known = np.isfinite(values)
        weights = (self.reader_draws if draws else np.ones(len(self.readers))) * known
        return divide(np.sum(np.where(known, values, 0.0) * weights, axis=-1), np.sum(weights, axis=-1))

    def interval(self, drawn: Callable[[FloatArray], FloatArray]) -> Interval | None:
        """Interval of the mean over readers of a figure.

        Args:
            drawn: Gives the figure of each reader, `(B, R)`, for weights of the images `(B, I)`.
        """
        if len(self.readers) < MIN_READERS_FOR_INTERVAL:
            return None
        return percentile_interval(self.mean_over_readers(drawn(self.item_draws), draws=True))

    def shares(self, columns: NDArray[np.bool_]) -> FloatArray:
        """Share that each reader picked of these images, `(R,)`."""
        return divide((self.picked * columns).sum(axis=1), (self.seen * columns).sum(axis=1))

    def share(self, columns: NDArray[np.bool_]) -> PickedShare:
        """Share picked of the images that `columns`, `(I,)` bool, names."""
        n_picked = (self.picked * columns).sum(axis=1).astype(int)
        n = (self.seen * columns).sum(axis=1).astype(int)
        by_reader = tuple(
            ReaderShare(reader, int(k), int(m)) for reader, k, m in zip(self.readers, n_picked, n, strict=True) if m
        )
        if not by_reader:
            return PickedShare()
        known = np.array([each.n_picked / each.n for each in by_reader])
        interval = self.interval(
            lambda weights: divide((weights * columns) @ self.picked.T, (weights * columns) @ self.seen.T)
        )
        n_images = int((self.seen[:, columns].sum(axis=0) > 0).sum())
        sd = float(known.std(ddof=1)) if len(known) > 1 else None
        return PickedShare(by_reader, n_images, float(known.mean()), sd, interval if len(by_reader) > 1 else None)


def _draw_items(is_real: NDArray[np.bool_], seed: int) -> FloatArray:
    """Draw real and synthetic images apart: their numbers were chosen by the study, not by chance."""
    parts = {kind: draw_group_weights(max(1, int(n)), seed=seed + 1 + kind) for kind, n in enumerate(_counts(is_real))}
    draws = np.zeros((len(parts[0]), len(is_real)))
    for kind, n in enumerate(_counts(is_real)):
        draws[:, is_real == bool(kind)] = parts[kind][:, :n]
    return draws


def _counts(is_real: NDArray[np.bool_]) -> tuple[int, int]:
    return int((~is_real).sum()), int(is_real.sum())


def repeat_kappa(judgements: Sequence[Judgement]) -> float | None:
    """Cohen's kappa of a reader with himself, over what came twice; None without any, or with one answer only."""
    pairs = [(each.is_picked, each.again) for each in judgements if each.again is not None]
    if not pairs:
        return None
    first, second = np.array(pairs, np.float64).T
    by_chance = first.mean() * second.mean() + (1 - first.mean()) * (1 - second.mean())
    if by_chance >= 1.0:
        return None
    return float(((first == second).mean() - by_chance) / (1 - by_chance))
