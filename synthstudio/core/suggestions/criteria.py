"""What a click on an FOV is worth, by four criteria that are read from suggestions and features.

- Doubt: suggestions whose score lies near the threshold, where a model learns most (uncertainty sampling, Lewis and
  Gale 1994).
- Disagreement: places that one of two runs finds and the other does not, or takes for another class (query by
  committee, Seung et al. 1992).
- Rarity: suggestions of classes of which few are annotated.
- Novelty: distance from all that is annotated, in the space of features (core-set, Sener and Savarese 2018).

The first three are counted for each object that has to be clicked, so that a crowded field is not worth more for
being crowded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import numpy as np

from synthstudio.core.evaluation.agreement import Mark, match_marks
from synthstudio.core.stats import FloatArray
from synthstudio.domain.ids import ClassId, FovId

DEFAULT_THRESHOLD = 0.5
DOUBTFUL = (0.25, 0.75)
"""Probabilities between which a suggestion is called doubtful in words; what counts is a smooth measure."""
RARE = 0.5
"""A class is called rare in words from this worth of an object on: less than four times as many as of the rarest."""


class Criterion(StrEnum):
    """Why an FOV may be worth annotating."""

    DOUBT = "doubt"
    DISAGREEMENT = "disagreement"
    RARITY = "rarity"
    NOVELTY = "novelty"


class ScoredMark(Mark, Protocol):
    """A suggestion: a mark with a score from 0 to 1."""

    @property
    def score(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Proposals:
    """What one run suggests on one FOV: everything above a low score.

    Attributes:
        marks: Its suggestions.
        thresholds: Score of each class from which on one is shown; `DEFAULT_THRESHOLD` where none is given.
    """

    marks: Sequence[ScoredMark]
    thresholds: Mapping[ClassId, float] = field(default_factory=dict)

    def shown(self) -> list[ScoredMark]:
        """The suggestions at or above their thresholds."""
        return [mark for mark in self.marks if mark.score >= self.thresholds.get(mark.class_id, DEFAULT_THRESHOLD)]

    def probabilities(self) -> FloatArray:
        """How likely each is right, `(N,)`, 0 to 1: a line from 0 through one half at the threshold to 1."""
        scores = np.array([mark.score for mark in self.marks], np.float64)
        limits = np.array([self.thresholds.get(mark.class_id, DEFAULT_THRESHOLD) for mark in self.marks], np.float64)
        limits = np.clip(limits, 1e-3, 1.0 - 1e-3)
        low, high = 0.5 * scores / limits, 0.5 + 0.5 * (scores - limits) / (1.0 - limits)
        return np.clip(np.where(scores <= limits, low, high), 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An FOV that could be annotated next.

    Attributes:
        proposals: Of the run that suggests; None where it has not searched this FOV.
        others: Of a second run, to tell where the two differ; None where there is none.
        sizes_px: Mean side of each class on this FOV.
        random_place: From 0 up to 1, drawn once for this FOV (`domain.guard.draw_random_place`).
    """

    fov_id: FovId
    proposals: Proposals | None = None
    others: Proposals | None = None
    sizes_px: Mapping[ClassId, float] = field(default_factory=dict)
    random_place: float = 1.0


@dataclass(frozen=True, slots=True)
class FovWorth:
    """What was read from the suggestions on one FOV; None where there is nothing to read it from.

    Attributes:
        doubt, disagreement, rarity: For each object to be clicked.
        n_doubtful: Suggestions whose probability is within `DOUBTFUL`.
        n_shown: Suggestions above the threshold.
        n_differing, n_places: Places at which two runs differ, of all places at which one of them finds something.
        rare_class: The rare class that most of the rarity comes from, and about how many of it there are.
    """

    doubt: float | None = None
    disagreement: float | None = None
    rarity: float | None = None
    n_doubtful: int = 0
    n_shown: int = 0
    n_differing: int = 0
    n_places: int = 0
    rare_class: tuple[ClassId, float] | None = None


def class_rarity(n_annotated: Mapping[ClassId, int]) -> dict[ClassId, float]:
    """Return what one object of each class is worth, 1 for the class of which fewest are annotated, else less."""
    least = min(n_annotated.values(), default=0) + 1
    return {class_id: float(np.sqrt(least / (n + 1))) for class_id, n in n_annotated.items()}


def measure_unevenness(rarity: Mapping[ClassId, float]) -> float:
    """How uneven classes are, 0 to 1: the rarity says as much. 0 where there are as many of each, or just one class."""
    return max(rarity.values(), default=0.0) - min(rarity.values(), default=0.0)


def measure_doubt(probabilities: FloatArray) -> FloatArray:
    """Doubt about each suggestion `(N,)`: 1 at one half, 0 where it is certainly right or wrong."""
    return np.asarray(4.0 * probabilities * (1.0 - probabilities))


def measure_fov(candidate: Candidate, rarity: Mapping[ClassId, float]) -> FovWorth:
    """Read from the suggestions on an FOV what a click there is worth.

    Args:
        candidate: The FOV.
        rarity: What one object of each class is worth (`class_rarity`); a class that is absent is worth nothing.
    """
    given = candidate.proposals
    if given is None:
        return FovWorth()
    likely = given.probabilities()
    expected = float(likely.sum()) + 1.0  # the field itself has to be looked at
    by_class: dict[ClassId, float] = {}
    for mark, chance in zip(given.marks, likely, strict=True):
        by_class[mark.class_id] = by_class.get(mark.class_id, 0.0) + float(chance)
    shares = {each: n * rarity.get(each, 0.0) for each, n in by_class.items()}
    rarest = max(
        (each for each in shares if rarity.get(each, 0.0) >= RARE), key=lambda each: shares[each], default=None
    )
    differing, n_places = find_differences(candidate)
    return FovWorth(
        doubt=float(measure_doubt(likely).sum()) / expected,
        disagreement=len(differing) / (n_places + 1) if candidate.others is not None else None,
        # The look at the field counts as an object of the commonest class: crowds of that are worth no more than it.
        rarity=(sum(shares.values()) + min(rarity.values(), default=0.0)) / expected,
        n_doubtful=int(((likely > DOUBTFUL[0]) & (likely < DOUBTFUL[1])).sum()),
        n_shown=len(given.shown()),
        n_differing=len(differing),
        n_places=n_places,
        rare_class=(rarest, by_class[rarest]) if rarest is not None else None,
    )


def find_differences(candidate: Candidate) -> tuple[list[ScoredMark], int]:
    """Find what one run shows on an FOV and the other does not, or takes for another class.

    Returns:
        The marks at which they differ, one for each place, and the number of places at which one of them shows
        something. Nothing where there is only one run.
    """
    if candidate.proposals is None or candidate.others is None:
        return [], 0
    first, second = candidate.proposals.shown(), candidate.others.shown()
    pairs = match_marks(first, second, candidate.sizes_px)
    in_first, in_second = {i for i, _ in pairs}, {j for _, j in pairs}
    differing = [first[i] for i, j in pairs if first[i].class_id != second[j].class_id]
    differing += [mark for i, mark in enumerate(first) if i not in in_first]
    differing += [mark for j, mark in enumerate(second) if j not in in_second]
    return differing, len(first) + len(second) - len(pairs)


def standings(values: FloatArray) -> FloatArray:
    """Where each value stands among all of them, 0 to 1; equal values share their place, NaN stands in the middle.

    Criteria have no common unit. Their places have, and no weight has to be found for each data set.

    Args:
        values: `(N,)`, NaN where a criterion says nothing.
    """
    known = np.isfinite(values)
    ranked = np.full(len(values), 0.5)
    ordered = np.sort(values[known])
    if len(ordered):
        below = np.searchsorted(ordered, values[known], side="left")
        upto = np.searchsorted(ordered, values[known], side="right")
        ranked[known] = (below + upto) / (2.0 * len(ordered))
    return ranked
