"""The verdicts about a set as its reviewer sees them: which images to show, and what each came to. Knows no widget."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.review.verdicts import Outcome, find_outcome
from synthstudio.domain.records import Verdict, VerdictKind

OUTCOMES = tuple(Outcome)
CODES = {kind: OUTCOMES.index(Outcome(kind.value)) for kind in VerdictKind}


class Shown(StrEnum):
    """Which images of a set are shown."""

    ALL = "all"
    UNDECIDED = "undecided"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNSURE = "unsure"
    DISAGREED = "disagreed"


class VerdictDesk:
    """What one reviewer has said, and what all of them come to.

    Readings are independent: marks and filters speak of the reviewer's own verdicts, and of those of others only where
    a final verdict has been given, or where their disagreement is asked for.

    Args:
        reviewer: Who judges.
        indices: Numbers of the images of the set.
        verdicts: All about it.
    """

    def __init__(self, reviewer: str, indices: range, verdicts: Iterable[Verdict]) -> None:
        self.reviewer = reviewer
        self.indices = indices
        self._given: dict[int, dict[tuple[str, bool], Verdict]] = defaultdict(dict)
        self._own: NDArray[np.int8] = np.zeros(len(indices), np.int8)
        self._outcomes: NDArray[np.int8] = np.zeros(len(indices), np.int8)
        for each in verdicts:
            self._given[each.index][each.reviewer, each.is_final] = each
        for index in self._given:
            self._refresh(index)

    def _refresh(self, index: int) -> None:
        if index not in self.indices:
            return
        given, place = self._given[index], index - self.indices.start
        if len(given) == 1 and (self.reviewer, False) in given:  # what nearly all are, ten thousand at a time
            self._own[place] = self._outcomes[place] = CODES[given[self.reviewer, False].kind]
        else:
            final = [each for (_, is_final), each in given.items() if is_final]
            own = given.get((self.reviewer, False))
            seen = final or ([own] if own is not None else [])
            self._own[place] = OUTCOMES.index(find_outcome(seen))
            self._outcomes[place] = OUTCOMES.index(find_outcome(list(given.values())))

    def replace(self, new: Sequence[Verdict], gone: Sequence[Verdict]) -> None:
        """Take over what was written, as `Verdicts.replace` of the project does."""
        for each in gone:
            self._given[each.index].pop((each.reviewer, each.is_final), None)
        for each in new:
            if each.is_final:
                former = [key for key in self._given[each.index] if key[1]]
                for key in former:
                    del self._given[each.index][key]
            self._given[each.index][each.reviewer, each.is_final] = each
        for index in {each.index for each in (*new, *gone)}:
            self._refresh(index)

    def select(self, shown: Shown) -> list[int]:
        """Numbers of the images of a filter."""
        if shown is Shown.ALL:
            return list(self.indices)
        codes = self._outcomes if shown is Shown.DISAGREED else self._own
        places = np.flatnonzero(codes == OUTCOMES.index(Outcome(shown.value)))
        found: list[int] = (places + self.indices.start).tolist()
        return found

    def count(self, shown: Shown) -> int:
        """How many images a filter has."""
        if shown is Shown.ALL:
            return len(self.indices)
        codes = self._outcomes if shown is Shown.DISAGREED else self._own
        return int(np.count_nonzero(codes == OUTCOMES.index(Outcome(shown.value))))

    def mark_of(self, index: int) -> Outcome:
        """What is shown on an image: the final verdict, else the reviewer's own."""
        return OUTCOMES[int(self._own[index - self.indices.start])]

    def is_disagreed(self, index: int) -> bool:
        """Whether the verdicts about an image contradict one another, and nobody has settled it."""
        return OUTCOMES[int(self._outcomes[index - self.indices.start])] is Outcome.DISAGREED

    def find(self, index: int, *, is_final: bool) -> Verdict | None:
        """The reviewer's own verdict about an image, or the final one."""
        given = self._given.get(index, {})
        if is_final:
            return next((each for (_, final), each in given.items() if final), None)
        return given.get((self.reviewer, False))

    def verdicts_of(self, index: int) -> tuple[Verdict, ...]:
        """All about an image."""
        return tuple(self._given.get(index, {}).values())

    @property
    def all_verdicts(self) -> list[Verdict]:
        """All about the set."""
        return [each for given in self._given.values() for each in given.values()]

    def next_undecided(self, index: int) -> int | None:
        """The next image after this one that the reviewer has not judged, from the beginning where none follows."""
        undecided = np.flatnonzero(self._own == OUTCOMES.index(Outcome.UNDECIDED))
        if not len(undecided):
            return None
        place = int(np.searchsorted(undecided, index - self.indices.start, side="right"))
        return int(undecided[place % len(undecided)]) + self.indices.start
