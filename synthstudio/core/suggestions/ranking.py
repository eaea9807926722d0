"""Which FOV to annotate next: the one where a click is worth most, with random ones mixed in.

A model that is only asked about what it doubts looks worse than it is, and one that is only shown what it knows looks
better. So a share of the FOVs is set aside by lot, and these come up at random, however they rank: what is measured on
them alone is an honest estimate.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.evaluation.similar import novelty
from synthstudio.core.stats import FloatArray
from synthstudio.core.suggestions.criteria import (
    Candidate,
    Criterion,
    FovWorth,
    class_rarity,
    measure_fov,
    measure_unevenness,
    standings,
)
from synthstudio.domain.ids import ClassId, FovId
from synthstudio.domain.progress import Tick, no_tick

EVEN_WEIGHTS: Mapping[Criterion, float] = MappingProxyType(dict.fromkeys(Criterion, 1.0))
RANDOM_SHARE = 0.2
STANDS_OUT = 0.7
"""A criterion is a reason for an FOV that stands above this share of the others."""
MOST_REASONS = 3
UNEVEN = 0.3
"""Rarity is a reason where the commonest class is worth so much less than the rarest: has twice as many annotations."""


@dataclass(frozen=True, slots=True)
class RankingRules:
    """How FOVs are chosen.

    Attributes:
        weights: Of the criteria; one that is missing counts nothing.
        random_share: Of the FOVs, and of the picks, 0 to 1: those are picked by lot.
        n_done: FOVs that are annotated already, so that a list that is made anew goes on where it was.
    """

    weights: Mapping[Criterion, float] = field(default_factory=lambda: EVEN_WEIGHTS)
    random_share: float = RANDOM_SHARE
    n_done: int = 0

    def is_random_turn(self, place: int) -> bool:
        """Whether the pick at a place of the list, from 0, is one by lot."""
        turn = self.n_done + place
        return math.floor((turn + 1) * self.random_share) > math.floor(turn * self.random_share)


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """What images look like, in any space in which near means alike.

    Attributes:
        candidates: `(N, D)` float32, one row for each candidate; NaN where one has none.
        annotated: `(M, D)` float32 of the FOVs that are annotated.
    """

    candidates: NDArray[np.float32]
    annotated: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Pick:
    """One FOV to annotate.

    Attributes:
        is_random: It came up by lot.
        worth: Weighted mean of its standings, 0 to 1.
        standings: Share of the candidates that it stands above, by criterion; those that say nothing are absent.
        facts: What was read from the suggestions on it.
        reasons: In words, the strongest first.
    """

    fov_id: FovId
    is_random: bool
    worth: float
    standings: Mapping[Criterion, float]
    facts: FovWorth
    reasons: tuple[str, ...]


def rank_fovs(
    candidates: Sequence[Candidate],
    *,
    count: int,
    rules: RankingRules,
    n_annotated: Mapping[ClassId, int],
    class_names: Mapping[ClassId, str],
    features: Features | None = None,
    tick: Tick = no_tick,
) -> list[Pick]:
    """Choose FOVs, the one that is worth most first.

    After each one the novelty is taken anew, as if it were annotated already: no list is ten times one picture.

    Args:
        candidates: FOVs that are not annotated yet.
        count: How many; fewer where there are not so many.
        rules: How.
        n_annotated: Annotations of each class that suggestions are of.
        class_names: For the words.
        features: For the novelty; without them it says nothing.
        tick: Is told about the candidates.
    """
    rarity = class_rarity(n_annotated)
    facts = []
    for number, candidate in enumerate(candidates):
        tick(number, len(candidates))
        facts.append(measure_fov(candidate, rarity))
    # Places would make as much of classes that are almost even as of rare ones.
    uneven = measure_unevenness(rarity)
    weights = {each: weight * (uneven if each is Criterion.RARITY else 1.0) for each, weight in rules.weights.items()}
    scores = _Scores(facts, features, weights)
    n_known = len(features.annotated) if features is not None else 0
    words = _Words(class_names, n_annotated if uneven > UNEVEN else {}, n_known)
    picks: list[Pick] = []
    for row, is_random in _turns(candidates, scores, rules):
        if len(picks) >= count:
            break
        standing = scores.of(row)
        reasons = words.tell(candidates[row], facts[row], standing, is_random=is_random)
        worth = scores.worth(row)
        picks.append(Pick(candidates[row].fov_id, is_random, worth, standing, facts[row], reasons))
        scores.take(row)
    return picks


def _turns(candidates: Sequence[Candidate], scores: _Scores, rules: RankingRules) -> Iterator[tuple[int, bool]]:
    """Rows of candidates in the order in which they are picked, and whether by lot."""
    places = np.array([each.random_place for each in candidates], np.float64)
    by_lot = [int(row) for row in np.argsort(places, kind="stable") if places[row] < rules.random_share]
    ranked = set(range(len(candidates))) - set(by_lot)
    for place in range(len(candidates)):
        if by_lot and (rules.is_random_turn(place) or not ranked):
            yield by_lot.pop(0), True
        else:
            row = scores.best(ranked)
            ranked.discard(row)
            yield row, False


class _Scores:
    """Standings of all candidates by each criterion; those by novelty change with each pick."""

    def __init__(
        self, facts: Sequence[FovWorth], features: Features | None, weights: Mapping[Criterion, float]
    ) -> None:
        self._n = len(facts)
        self._weights = weights
        self._features = features
        self._values: dict[Criterion, FloatArray] = {
            Criterion.DOUBT: _numbers([each.doubt for each in facts]),
            Criterion.DISAGREEMENT: _numbers([each.disagreement for each in facts]),
            Criterion.RARITY: _numbers([each.rarity for each in facts]),
        }
        if features is not None:
            self._values[Criterion.NOVELTY] = (
                novelty(features.candidates, features.annotated, neighbours=1)
                if len(features.annotated)
                else np.full(len(features.candidates), np.inf)
            )
        self._standings = {each: standings(values) for each, values in self._values.items()}
        self._worth = np.zeros(0)
        self._weigh()

    def _weigh(self) -> None:
        total, weight = np.zeros(self._n), 0.0
        for each, standing in self._standings.items():
            # What tells no candidate from another has no say, be it missing or the same everywhere.
            if len(standing) and np.ptp(standing) > 0:
                total += self._weights.get(each, 0.0) * standing
                weight += self._weights.get(each, 0.0)
        self._worth = total / weight if weight > 0 else np.full(len(total), 0.5)

    def best(self, rows: set[int]) -> int:
        """The row among these that is worth most, the first of equals."""
        chosen = np.array(sorted(rows), np.int64)
        return int(chosen[np.argmax(self._worth[chosen])])

    def worth(self, row: int) -> float:
        return float(self._worth[row])

    def of(self, row: int) -> dict[Criterion, float]:
        """Where a row stands, by each criterion that says something about it."""
        known = {each for each, values in self._values.items() if not np.isnan(values[row])}
        return {each: float(self._standings[each][row]) for each in Criterion if each in known}

    def take(self, row: int) -> None:
        """Count a row as annotated: what looks like it is new no longer."""
        if self._features is None or np.isnan(self._features.candidates[row]).any():
            return
        picture = self._features.candidates[row : row + 1]
        distance = novelty(self._features.candidates, picture, neighbours=1)
        self._values[Criterion.NOVELTY] = np.minimum(self._values[Criterion.NOVELTY], distance)
        self._standings[Criterion.NOVELTY] = standings(self._values[Criterion.NOVELTY])
        self._weigh()


def _numbers(values: Sequence[float | None]) -> FloatArray:
    return np.array([np.nan if value is None else value for value in values], np.float64)


@dataclass(frozen=True, slots=True)
class _Words:
    """Says why an FOV was chosen."""

    class_names: Mapping[ClassId, str]
    n_annotated: Mapping[ClassId, int]  # empty where the classes are about even
    n_known: int

    def tell(
        self, candidate: Candidate, facts: FovWorth, standing: Mapping[Criterion, float], *, is_random: bool
    ) -> tuple[str, ...]:
        if is_random:
            return ("picked by lot, so that the estimate stays honest",)
        strongest = sorted(standing, key=lambda each: -standing[each])
        told = [self._reason(each, facts, standing[each]) for each in strongest if standing[each] >= STANDS_OUT]
        reasons = tuple(text for text in told if text)[:MOST_REASONS]
        if candidate.proposals is None and not reasons:
            return ("not searched yet: no run has suggested anything here",)
        return reasons or ("nothing stands out: it is next in line",)

    def _reason(self, criterion: Criterion, facts: FovWorth, standing: float) -> str:
        match criterion:
            case Criterion.DOUBT if facts.n_doubtful:
                return f"{facts.n_doubtful} {_marks(facts.n_doubtful)} near the threshold"
            case Criterion.DISAGREEMENT if facts.n_differing:
                return f"{facts.n_differing} of {facts.n_places} places differ between the two models"
            case Criterion.RARITY if facts.rare_class is not None and facts.rare_class[0] in self.n_annotated:
                class_id, n = facts.rare_class
                known = self.n_annotated[class_id]
                return f"about {max(1, round(n))} {self.class_names[class_id]}; of this class {known:,} are annotated"
            case Criterion.NOVELTY if self.n_known:
                return f"unlike the annotated fields, more so than {min(99, round(100 * standing))} % of the others"
            case _:
                return ""


def _marks(n: int) -> str:
    return "suggestion" if n == 1 else "suggestions"
