"""Whether the images of a set can be told from real ones, and by what."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.evaluation.betrayal import STATISTICS, Betrayal, ProbeOutcome, probe_apart
from synthstudio.core.review.findings import Finding, FoundImage, found
from synthstudio.domain.errors import UserError
from synthstudio.engine.beside_real import BesideReal
from synthstudio.engine.context import JobContext
from synthstudio.engine.data.measured_images import ImageFacts
from synthstudio.protocol.results import ProbeFigures, StatisticFigures
from synthstudio.settings.quality import ProbeLimits

MOST_NAMED = 3
"""Statistics that a finding names."""
LEAST_TELLING = 0.65
"""AUC below which a statistic is not worth naming."""
MOST_SHOWN = 6
"""Synthetic images that look most synthetic; half as many real ones stand beside them."""


def find_betrayal(
    beside: BesideReal, limits: ProbeLimits, context: JobContext, *, seed: int
) -> tuple[ProbeFigures, list[Finding]]:
    """Tell the images of a set from real ones.

    Returns:
        What was measured, and a finding where they can be told apart too well.

    Raises:
        UserError: There are too few images, or real ones of one sample only.
    """
    material = beside.material
    context.stage("Telling synthetic images from real ones")
    real, rows = _once([*material.real.images, *material.learned.images])
    features, statistics = (
        np.concatenate([of_real[rows], synthetic])
        for of_real, synthetic in (
            (np.concatenate([material.real.features, material.learned.features]), material.synthetic.features),
            (np.concatenate([beside.real, beside.learned]), beside.synthetic),
        )
    )
    n_synthetic = len(material.synthetic)
    is_synthetic = np.arange(len(statistics)) >= len(real)
    groups = np.array([*(each.sample for each in real), *(-1 - np.arange(n_synthetic))], np.int64)
    outcome = probe_apart(features, statistics, is_synthetic, groups, seed=seed, tick=context.tick)
    if outcome is None:
        raise UserError(
            f"{n_synthetic:,} synthetic and {len(real):,} real images are too few to tell them apart, or are of one"
            " sample."
        )
    figures = _figures(
        outcome, n_synthetic=n_synthetic, n_real=len(real), n_samples=len({each.sample for each in real})
    )
    is_betrayed = (outcome.ci95[0] if outcome.ci95 is not None else outcome.auc) > limits.auc
    if not is_betrayed:
        return figures, []
    shown = _most_synthetic(material.synthetic.images, outcome.scores[is_synthetic], material.name)
    others = _most_real(real, outcome.scores[~is_synthetic])
    finding = found(
        "synthetic-betrayed",
        f"A simple classifier tells images of the set {material.name} from real ones with {_auc_words(figures)}."
        f"{_differences(outcome.statistics)}",
        images=[*shown[:3], *others, *shown[3:]],
        score=round(outcome.auc, 4),
        set_name=material.name,
    )
    return figures, [finding]


def probe_words(figures: ProbeFigures) -> str:
    """What was measured, a sentence."""
    few = "" if figures.is_reliable else " There are too few samples for the interval to be trusted."
    return (
        f"Synthetic against real: {_auc_words(figures)}, {figures.n_synthetic:,} images against {figures.n_real:,} of"
        f" {figures.n_samples:,} samples.{few}"
    )


def _once(images: Sequence[ImageFacts]) -> tuple[list[ImageFacts], NDArray[np.int64]]:
    """Each part of an image once, and the rows where these are: held-out ones may be those that were learned from."""
    first: dict[object, int] = {}
    for row, each in enumerate(images):
        first.setdefault((each.fov_id, each.window), row)
    rows = list(first.values())
    return [images[row] for row in rows], np.array(rows, np.int64)


def _figures(outcome: ProbeOutcome, *, n_synthetic: int, n_real: int, n_samples: int) -> ProbeFigures:
    return ProbeFigures(
        auc=outcome.auc,
        ci95=outcome.ci95,
        is_reliable=outcome.is_reliable,
        n_synthetic=n_synthetic,
        n_real=n_real,
        n_samples=n_samples,
        statistics=tuple(
            StatisticFigures(
                name=each.name, words=STATISTICS[each.name], auc=each.auc, synthetic=each.synthetic, real=each.real
            )
            for each in outcome.statistics
        ),
    )


def _auc_words(figures: ProbeFigures) -> str:
    interval = f" [{figures.ci95[0]:.2f}, {figures.ci95[1]:.2f}]" if figures.ci95 is not None else ""
    return f"an AUC of {figures.auc:.2f}{interval} (0.5 is chance)"


def _differences(statistics: Sequence[Betrayal]) -> str:
    """What betrays them, in words."""
    telling = [each for each in statistics[:MOST_NAMED] if each.auc >= LEAST_TELLING]
    if not telling:
        return " No single statistic tells it."
    named = (
        f"{STATISTICS[each.name]}, {each.synthetic:.3g} against {each.real:.3g} (AUC {each.auc:.2f})"
        for each in telling
    )
    return f" They differ most in: {'; '.join(named)}."


def _most_synthetic(images: Sequence[ImageFacts], scores: NDArray[np.float64], name: str) -> list[FoundImage]:
    rows = np.argsort(-scores, kind="stable")[:MOST_SHOWN].tolist()
    return [FoundImage(fov=images[row].number + 1, name=images[row].file, set=name) for row in rows]


def _most_real(images: Sequence[ImageFacts], scores: NDArray[np.float64]) -> list[FoundImage]:
    """Images of the project that look least synthetic, each once."""
    names: dict[int, str] = {}
    for row in np.argsort(scores, kind="stable").tolist():
        names.setdefault(images[row].fov_id, images[row].fov_name)
        if len(names) == MOST_SHOWN // 2:
            break
    return [FoundImage(fov=fov_id, name=name) for fov_id, name in names.items()]
