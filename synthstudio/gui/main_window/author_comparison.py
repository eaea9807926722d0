"""Reading what two authors have marked, and comparing it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

from synthstudio.core.evaluation.agreement import Agreement, Disagreement, DoublyMarked, compare_authors
from synthstudio.core.patches.windows import mean_class_sizes, sizes_on_fov
from synthstudio.domain.ids import ClassId, FovId
from synthstudio.domain.records import ObjectClass
from synthstudio.project import Project
from synthstudio.project.adjudication import accepted_marks


def closest_pair(by_fov: Iterable[frozenset[str]]) -> tuple[str, str] | None:
    """Return the two authors who share the most FOVs, in alphabetical order; None where none share any."""
    shared = Counter(pair for authors in by_fov for pair in combinations(sorted(authors), 2))
    return max(sorted(shared), key=shared.__getitem__, default=None)


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two authors agree, and what of it is still to be decided.

    Attributes:
        fovs: Names of the FOVs with a disagreement.
        undecided: Disagreements of which no mark was accepted.
        without_size: Names of classes whose size is unknown: only marks on the very same point are matched.
    """

    agreement: Agreement
    classes: dict[ClassId, ObjectClass]
    fovs: dict[FovId, str]
    undecided: tuple[Disagreement, ...]
    without_size: tuple[str, ...]


def compare(project: Project, first: str, second: str) -> Comparison:
    """Compare two authors on the FOVs where each has a mark at least; sizes are as stated, else those of the boxes."""
    classes = {each.id: each for each in project.classes.list()}
    by_fov = project.annotations.by_fov()
    measured = mean_class_sizes([mark for marks in by_fov.values() for mark in marks])
    pairs: list[DoublyMarked] = []
    names: dict[FovId, str] = {}
    for fov in project.fovs.list():
        marks = by_fov.get(fov.id, [])
        firsts = [mark for mark in marks if mark.author == first]
        seconds = [mark for mark in marks if mark.author == second]
        if firsts and seconds:
            sizes = sizes_on_fov(classes.values(), fov.um_per_px, measured)
            pairs.append(DoublyMarked(fov.id, firsts, seconds, sizes))
            names[fov.id] = fov.name
    agreement = compare_authors(pairs)
    accepted = accepted_marks(project)
    undecided = [each for each in agreement.disagreements if not any(mark.id in accepted for mark in each.marks)]
    used = set(agreement.by_class)
    without = [classes[each].name for each in used if not any(pair.sizes_px[each] for pair in pairs)]
    return Comparison(agreement, classes, names, tuple(undecided), tuple(sorted(without)))
