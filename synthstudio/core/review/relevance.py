"""Result of a relevance study: do synthetic images show the condition that they were made for?

Per condition: the share of its real images that readers picked (recall for real), of its synthetic images (recall for
synthetic), and of the images of other conditions on the same pages (false choices), after Ghorbani et al. 2019.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synthstudio.core.review.reading_shares import AnswerTable, Judgement, PickedShare, repeat_kappa


@dataclass(frozen=True, slots=True)
class ConditionRecall:
    """Of one condition, or of all.

    Attributes:
        condition: Its name; "" for all conditions together.
        real, synthetic: Share picked of the images that show it.
        false_real, false_synthetic: Share picked of the images that show another one.
    """

    condition: str
    real: PickedShare
    synthetic: PickedShare
    false_real: PickedShare
    false_synthetic: PickedShare


@dataclass(frozen=True, slots=True)
class RelevanceResult:
    """All readers.

    Attributes:
        overall: All conditions together.
        by_condition: By name.
        kappas: Of each reader with himself over repeated pages, by number; None where he has none.
    """

    overall: ConditionRecall
    by_condition: tuple[ConditionRecall, ...]
    kappas: tuple[tuple[int, float | None], ...]


def judge_relevance(judgements: Sequence[Judgement], *, seed: int = 0) -> RelevanceResult:
    """Compute the result; the seed is that of the bootstrap."""
    table = AnswerTable.of(judgements, seed=seed)
    about = {each.item: each for each in judgements}
    conditions = np.array([about[item].condition for item in table.items], np.str_)
    shows = np.array([about[item].shows_condition for item in table.items], np.bool_)
    real = table.is_real

    def recall(name: str) -> ConditionRecall:
        asked = conditions == name if name else np.ones(len(table.items), np.bool_)
        return ConditionRecall(
            name,
            real=table.share(asked & shows & real),
            synthetic=table.share(asked & shows & ~real),
            false_real=table.share(asked & ~shows & real),
            false_synthetic=table.share(asked & ~shows & ~real),
        )

    kappas = tuple(
        (reader, repeat_kappa([each for each in judgements if each.reader == reader])) for reader in table.readers
    )
    return RelevanceResult(recall(""), tuple(recall(str(name)) for name in np.unique(conditions)), kappas)
