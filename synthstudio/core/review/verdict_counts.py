"""How the images of a set fared with their reviewers, by what they were asked to show."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from synthstudio.core.review.verdicts import Outcome, find_outcomes
from synthstudio.domain.records import Verdict

Grouping = Literal["class", "prompt", "tone", "generator", "reason"]
NOTHING = "none"
"""Stands for an image without labels, prompt, tone or reason."""


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What the manifest says about an image.

    Attributes:
        index: Its number in the set.
        labels: Classes on it.
        tone, prompt: Empty where it has none.
        generator: What made it.
    """

    index: int
    labels: tuple[str, ...]
    tone: str
    prompt: str
    generator: str


@dataclass(frozen=True, slots=True)
class GroupCount:
    """Images of one kind by what their verdicts come to; outcomes that none has are missing."""

    name: str
    counts: Mapping[Outcome, int]

    @property
    def n_images(self) -> int:
        """Of all outcomes."""
        return sum(self.counts.values())


def count_outcomes(facts: Sequence[ImageFacts], verdicts: Sequence[Verdict], *, by: Grouping) -> list[GroupCount]:
    """Count the images of each group.

    An image with several classes counts in each; by reason, images without a verdict are left out, and one that got
    several reasons counts in each.

    Returns:
        The groups by name; by prompt, in the order of the images.
    """
    outcomes = find_outcomes(verdicts)
    reasons: dict[int, set[str]] = defaultdict(set)
    for each in verdicts:
        reasons[each.index].add(each.reason or NOTHING)
    groups: dict[str, Counter[Outcome]] = defaultdict(Counter)
    for image in facts:
        for name in _groups_of(image, by, reasons.get(image.index, set())):
            groups[name][outcomes.get(image.index, Outcome.UNDECIDED)] += 1
    names = list(groups) if by == "prompt" else sorted(groups, key=lambda name: (name == NOTHING, name))
    return [GroupCount(name, dict(groups[name])) for name in names]


def _groups_of(image: ImageFacts, by: Grouping, reasons: Iterable[str]) -> Iterable[str]:
    match by:
        case "class":
            return dict.fromkeys(image.labels) or (NOTHING,)
        case "prompt":
            return (image.prompt or NOTHING,)
        case "tone":
            return (image.tone or NOTHING,)
        case "generator":
            return (image.generator,)
        case "reason":
            return reasons


def find_groupings(facts: Sequence[ImageFacts], verdicts: Sequence[Verdict]) -> tuple[Grouping, ...]:
    """The groupings by which the images of a set differ, or could: classes always."""
    tells: dict[Grouping, bool] = {
        "class": True,
        "prompt": any(image.prompt for image in facts),
        "tone": any(image.tone for image in facts),
        "generator": len({image.generator for image in facts}) > 1,
        "reason": any(each.reason for each in verdicts),
    }
    return tuple(name for name, is_told in tells.items() if is_told)
