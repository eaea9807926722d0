"""What the verdicts about an image come to, and which images of a set may be used."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from synthstudio.domain.records import ReviewRule, Verdict, VerdictKind


class Outcome(StrEnum):
    """What all verdicts about an image come to."""

    UNDECIDED = "undecided"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNSURE = "unsure"
    DISAGREED = "disagreed"


def find_outcome(verdicts: Collection[Verdict]) -> Outcome:
    """What the verdicts about one image come to.

    A final one decides. Without it, one that accepts beside one that rejects is a disagreement; one that is unsure
    keeps an image from being accepted, but does not undo that another has rejected it.
    """
    final = next((each for each in verdicts if each.is_final), None)
    if final is not None:
        return Outcome(final.kind)
    kinds = {each.kind for each in verdicts}
    if {VerdictKind.ACCEPTED, VerdictKind.REJECTED} <= kinds:
        return Outcome.DISAGREED
    for kind in (VerdictKind.REJECTED, VerdictKind.UNSURE, VerdictKind.ACCEPTED):
        if kind in kinds:
            return Outcome(kind)
    return Outcome.UNDECIDED


def find_outcomes(verdicts: Iterable[Verdict]) -> dict[int, Outcome]:
    """The outcome of each image that has a verdict, by its number in the set."""
    by_image: dict[int, list[Verdict]] = defaultdict(list)
    for each in verdicts:
        by_image[each.index].append(each)
    return {index: find_outcome(given) for index, given in by_image.items()}


@dataclass(frozen=True, slots=True)
class UsableImages:
    """Which images of a set may be used.

    Attributes:
        indices: Their numbers in the set.
        left_out: How many others there are, by what their verdicts come to.
        is_judged: Whether the set has any verdict.
    """

    indices: frozenset[int]
    left_out: Mapping[Outcome, int]
    is_judged: bool

    def describe(self, set_name: str) -> str:
        """Say in words what was left out, or that nobody has looked; empty where all images were accepted."""
        if not self.is_judged:
            return f"Nobody has judged the set {set_name}: all its images are used, as they are."
        if not self.left_out:
            return ""
        parts = [f"{n_images:,} {outcome}" for outcome, n_images in self.left_out.items()]
        return f"{sum(self.left_out.values()):,} images of the set {set_name} were left out: {', '.join(parts)}."


def choose_usable(indices: Collection[int], verdicts: Collection[Verdict], rule: ReviewRule) -> UsableImages:
    """Choose the images of a set that may be used.

    Args:
        indices: Numbers of all its images.
        verdicts: All about the set.
        rule: "accepted" holds where the set has any verdict; one that nobody has judged yet is used as a whole.
    """
    outcomes = find_outcomes(verdicts)
    is_accepted_only = rule == "accepted" and bool(outcomes)
    wanted = {Outcome.ACCEPTED} if is_accepted_only else {Outcome.ACCEPTED, Outcome.UNSURE, Outcome.UNDECIDED}
    kept = frozenset(index for index in indices if outcomes.get(index, Outcome.UNDECIDED) in wanted)
    counts = Counter(outcomes.get(index, Outcome.UNDECIDED) for index in indices if index not in kept)
    left_out = {outcome: counts[outcome] for outcome in Outcome if counts[outcome]}
    return UsableImages(kept, left_out, bool(outcomes))
