"""Readers of known probability, for tests of reading studies."""

from __future__ import annotations

import numpy as np

from synthstudio.core.review.reading_shares import Judgement


def read_turing(
    *, n_readers: int, n_real: int, n_synthetic: int, tpr: float, fpr: float, seed: int, has_scores: bool = False
) -> list[Judgement]:
    """Every reader sees every image and picks with these probabilities; one image in eight comes again.

    Scores are normal, spread by 0.1, around 0.6 for real images and 0.5 for synthetic ones.
    """
    rng = np.random.default_rng(seed)
    judgements = []
    for reader in range(n_readers):
        for number in range(n_real + n_synthetic):
            is_real = number < n_real
            probability = tpr if is_real else fpr
            judgements.append(
                Judgement(
                    reader=reader,
                    item=f"{number:04d}",
                    is_real=is_real,
                    class_name="ab"[number % 2],
                    is_picked=bool(rng.random() < probability),
                    score=float(rng.normal(0.6 if is_real else 0.5, 0.1)) if has_scores else None,
                    again=bool(rng.random() < probability) if number % 8 == 0 else None,
                )
            )
    return judgements


def read_relevance(*, n_readers: int, real: float, synthetic: float, false: float, seed: int) -> list[Judgement]:
    """Sixteen pages about four conditions: 8 real, 8 synthetic, 8 other images each, half of those synthetic."""
    rng = np.random.default_rng(seed)
    judgements = []
    for reader in range(n_readers):
        for page in range(16):
            condition = f"c{page % 4}"
            for number in range(24):
                is_real = number % 2 == 0
                shows = number < 16
                probability = false if not shows else real if is_real else synthetic
                judgements.append(
                    Judgement(
                        reader=reader,
                        item=f"{page}-{number}",
                        is_real=is_real,
                        class_name=condition if shows else "other",
                        is_picked=bool(rng.random() < probability),
                        condition=condition,
                    )
                )
    return judgements
