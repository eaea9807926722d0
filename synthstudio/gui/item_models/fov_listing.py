"""Which FOVs the list shows, and in which order: pure functions over the project's records."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from synthstudio.domain.ids import ClassId, FovId
from synthstudio.domain.records import AnnotationState, FieldOfView, Split

ClassCounts = Mapping[FovId, Mapping[ClassId, int]]
"""Number of annotations of each FOV and class."""

_NO_COUNTS: Mapping[ClassId, int] = {}
_DIGITS = re.compile(r"(\d+)")
_STATE_RANK = {state: rank for rank, state in enumerate(AnnotationState)}


class FovOrder(StrEnum):
    """What the list is sorted by."""

    DATE = "date"
    NAME = "name"
    SAMPLE = "sample"
    COUNT = "count"
    STATE = "state"


@dataclass(frozen=True, slots=True)
class FovFilter:
    """What an FOV must be to be shown; each part that is empty or False asks for nothing.

    Attributes:
        text: Every word stands in its name, sample, split, state or note.
        states, splits: It is in one of them; a split of None is no split.
        class_ids: It has an annotation of one of these classes.
        is_flagged: It is flagged.
        is_unannotated: It has no annotation.
    """

    text: str = ""
    states: frozenset[AnnotationState] = frozenset()
    splits: frozenset[Split | None] = frozenset()
    class_ids: frozenset[ClassId] = frozenset()
    is_flagged: bool = False
    is_unannotated: bool = False

    @property
    def has_choices(self) -> bool:
        """Whether it asks for anything besides the text."""
        return bool(self.states or self.splits or self.class_ids or self.is_flagged or self.is_unannotated)

    def accepts(self, fov: FieldOfView, counts: Mapping[ClassId, int]) -> bool:
        """Whether an FOV with these numbers of annotations is shown."""
        return (
            (not self.states or fov.state in self.states)
            and (not self.splits or fov.split in self.splits)
            and (not self.class_ids or any(counts.get(class_id) for class_id in self.class_ids))
            and (not self.is_flagged or fov.is_flagged)
            and (not self.is_unannotated or not any(counts.values()))
            and (not self.text or _has_words(fov, self.text.casefold().split()))
        )


@dataclass(frozen=True, slots=True)
class FovArrangement:
    """How the list is sorted.

    Attributes:
        is_reversed: The last comes first; samples keep their order.
        by_sample: The FOVs of a sample stand together, under its name.
    """

    order: FovOrder = FovOrder.DATE
    is_reversed: bool = False
    by_sample: bool = False


@dataclass(frozen=True, slots=True)
class ArrangedFovs:
    """The FOVs to show, and the heading over the first of each sample where they are grouped."""

    fovs: tuple[FieldOfView, ...]
    headings: Mapping[FovId, str] = field(default_factory=dict)


def arrange(
    fovs: Sequence[FieldOfView],
    counts: ClassCounts,
    *,
    wanted: FovFilter,
    arrangement: FovArrangement,
    kept: FovId | None = None,
) -> ArrangedFovs:
    """Filter and sort.

    Args:
        fovs: In the order in which they were added.
        kept: Shown whatever the filter says, so that an FOV does not vanish under the hand that works on it.
    """
    shown = [fov for fov in fovs if fov.id == kept or wanted.accepts(fov, counts.get(fov.id, _NO_COUNTS))]
    if arrangement.order is not FovOrder.DATE:  # which is the order they come in
        shown.sort(key=_key(arrangement.order, counts))
    if arrangement.is_reversed:
        shown.reverse()
    if not arrangement.by_sample:
        return ArrangedFovs(tuple(shown))
    shown.sort(key=lambda fov: natural(fov.sample_name))
    return ArrangedFovs(tuple(shown), _headings(shown))


def _key(order: FovOrder, counts: ClassCounts) -> Callable[[FieldOfView], tuple[object, ...]]:
    match order:
        case FovOrder.NAME:
            return lambda fov: (natural(fov.name), natural(fov.sample_name))
        case FovOrder.SAMPLE:
            return lambda fov: (natural(fov.sample_name), natural(fov.name))
        case FovOrder.COUNT:
            return lambda fov: (sum(counts.get(fov.id, _NO_COUNTS).values()), natural(fov.name))
        case FovOrder.STATE:
            return lambda fov: (_STATE_RANK[fov.state], natural(fov.name))
        case FovOrder.DATE:
            return lambda fov: (fov.id,)


@lru_cache(maxsize=1 << 16)  # the list is sorted anew after each annotation
def natural(text: str) -> tuple[tuple[bool, int, str], ...]:
    """Sorting key in which "a2" comes before "a10"."""
    parts = _DIGITS.split(text.casefold())
    return tuple((part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts if part)


def _headings(fovs: Sequence[FieldOfView]) -> dict[FovId, str]:
    sizes: dict[str, int] = {}
    firsts: dict[str, FovId] = {}
    for fov in fovs:
        sizes[fov.sample_name] = sizes.get(fov.sample_name, 0) + 1
        firsts.setdefault(fov.sample_name, fov.id)
    return {fov_id: f"{name} · {sizes[name]:,}" for name, fov_id in firsts.items()}


def _has_words(fov: FieldOfView, words: Sequence[str]) -> bool:
    flag = "flagged" if fov.is_flagged else ""
    text = f"{fov.sample_name} {fov.name} {fov.split or 'unassigned'} {fov.state} {flag} {fov.note}".casefold()
    return all(word in text for word in words)
