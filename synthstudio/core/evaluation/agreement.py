"""How far two people agree who have marked the same FOVs.

Marks are matched one to one whatever their classes: of those whose centres lie within half of the larger class's size
as many as possible, then those of one class, then the nearest. A pair of one class is an agreement; precision, recall
and F1 take the first author as the one who is right. Cohen's kappa (1960) compares the classes of the matched pairs
with what chance would give.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from synthstudio.domain.ids import ClassId, FovId
from synthstudio.domain.records import Annotation

OTHER_CLASS_COST = 1.0
"""A pair of two classes costs as much as one of one class at the end of its reach more."""


class Mark(Protocol):
    """What has a class and a centre in px: an annotation, or a suggestion of one."""

    @property
    def class_id(self) -> ClassId: ...
    @property
    def x(self) -> float: ...
    @property
    def y(self) -> float: ...


class DisagreementKind(StrEnum):
    """What two authors differ in."""

    ONLY_FIRST = "only first"
    ONLY_SECOND = "only second"
    CLASS = "class"


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One object about which two authors differ; a mark is None where that author has none."""

    fov_id: FovId
    first: Annotation | None
    second: Annotation | None

    @property
    def kind(self) -> DisagreementKind:
        if self.second is None:
            return DisagreementKind.ONLY_FIRST
        return DisagreementKind.ONLY_SECOND if self.first is None else DisagreementKind.CLASS

    @property
    def marks(self) -> tuple[Annotation, ...]:
        """The marks that there are, the first author's first."""
        return tuple(mark for mark in (self.first, self.second) if mark is not None)


@dataclass(frozen=True, slots=True)
class ClassAgreement:
    """Of one class: pairs that both gave it, and all marks of each author."""

    n_both: int
    n_first: int
    n_second: int

    @property
    def precision(self) -> float | None:
        """Share of the second author's marks that the first one has, too."""
        return self.n_both / self.n_second if self.n_second else None

    @property
    def recall(self) -> float | None:
        """Share of the first author's marks that the second one has, too."""
        return self.n_both / self.n_first if self.n_first else None

    @property
    def f1(self) -> float | None:
        total = self.n_first + self.n_second
        return 2 * self.n_both / total if total else None


@dataclass(frozen=True, slots=True)
class Agreement:
    """What two authors have in common on the FOVs that both have marked.

    Attributes:
        by_class: Each class that one of them has used.
        n_matched: Pairs, of one class or of two.
        kappa: Cohen's kappa over the pairs; None where there is no pair, or only one class.
        disagreements: By FOV; in each of them classes first, then the marks of one author alone.
    """

    n_fovs: int
    by_class: Mapping[ClassId, ClassAgreement] = field(default_factory=dict)
    n_matched: int = 0
    kappa: float | None = None
    disagreements: tuple[Disagreement, ...] = ()

    @property
    def overall(self) -> ClassAgreement:
        """All classes together."""
        parts = self.by_class.values()
        return ClassAgreement(
            sum(part.n_both for part in parts),
            sum(part.n_first for part in parts),
            sum(part.n_second for part in parts),
        )


@dataclass(frozen=True, slots=True)
class DoublyMarked:
    """An FOV that two authors have marked, with the mean size in px of each class on it."""

    fov_id: FovId
    first: Sequence[Annotation]
    second: Sequence[Annotation]
    sizes_px: Mapping[ClassId, float]


def compare_authors(fovs: Iterable[DoublyMarked]) -> Agreement:
    """Match the marks of two authors and count where they agree."""
    n_fovs, pairs = 0, list[tuple[Annotation, Annotation]]()
    both, firsts, seconds = Counter[ClassId](), Counter[ClassId](), Counter[ClassId]()
    disagreements: list[Disagreement] = []
    for fov in fovs:
        n_fovs += 1
        matched = match_marks(fov.first, fov.second, fov.sizes_px)
        found = [(fov.first[i], fov.second[j]) for i, j in matched]
        pairs += found
        firsts.update(mark.class_id for mark in fov.first)
        seconds.update(mark.class_id for mark in fov.second)
        both.update(first.class_id for first, second in found if first.class_id == second.class_id)
        disagreements += [Disagreement(fov.fov_id, a, b) for a, b in found if a.class_id != b.class_id]
        paired_first, paired_second = {i for i, _ in matched}, {j for _, j in matched}
        disagreements += [
            Disagreement(fov.fov_id, mark, None) for i, mark in enumerate(fov.first) if i not in paired_first
        ]
        disagreements += [
            Disagreement(fov.fov_id, None, mark) for j, mark in enumerate(fov.second) if j not in paired_second
        ]
    by_class = {each: ClassAgreement(both[each], firsts[each], seconds[each]) for each in sorted(firsts | seconds)}
    kappa = cohen_kappa([(a.class_id, b.class_id) for a, b in pairs])
    return Agreement(n_fovs, by_class, len(pairs), kappa, tuple(disagreements))


def match_marks(
    first: Sequence[Mark], second: Sequence[Mark], sizes_px: Mapping[ClassId, float]
) -> list[tuple[int, int]]:
    """Match marks one to one by the Hungarian method, in each group of marks that are within reach of one another.

    Args:
        sizes_px: Mean side of each class; a class without one reaches nowhere.

    Returns:
        Pairs of places in `first` and `second`, by the place in `first`.
    """
    rows, columns, costs = _candidates(first, second, sizes_px)
    if not rows.size:
        return []
    from scipy.sparse import coo_array  # noqa: PLC0415 - scipy takes long to load, and the window starts without it
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415 - as above

    n_nodes = len(first) + len(second)
    graph = coo_array((np.ones(rows.size), (rows, columns + len(first))), shape=(n_nodes, n_nodes))
    _, group_of = connected_components(graph, directed=False)
    groups = group_of[rows]
    pairs: list[tuple[int, int]] = []
    order = np.argsort(groups, kind="stable")
    for chosen in np.split(order, np.flatnonzero(np.diff(groups[order])) + 1):
        pairs += _match_group(rows[chosen], columns[chosen], costs[chosen])
    return sorted(pairs)


def _candidates(
    first: Sequence[Mark], second: Sequence[Mark], sizes_px: Mapping[ClassId, float]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Pairs within reach: places in `first`, in `second`, and what each pair costs, 0 to 2."""
    nothing = np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float64)
    if not first or not second:
        return nothing
    from scipy.spatial import cKDTree  # noqa: PLC0415 - as above

    at_first = np.array([(mark.x, mark.y) for mark in first])
    at_second = np.array([(mark.x, mark.y) for mark in second])
    reach_first = np.array([sizes_px.get(mark.class_id, 0.0) / 2 for mark in first])
    reach_second = np.array([sizes_px.get(mark.class_id, 0.0) / 2 for mark in second])
    farthest = float(max(reach_first.max(), reach_second.max()))
    near = cKDTree(at_first).sparse_distance_matrix(cKDTree(at_second), farthest, output_type="ndarray")
    rows, columns, distance = near["i"].astype(np.int64), near["j"].astype(np.int64), near["v"]
    reach = np.maximum(reach_first[rows], reach_second[columns])
    within = distance <= reach
    rows, columns, distance, reach = rows[within], columns[within], distance[within], reach[within]
    differs = np.array([first[i].class_id != second[j].class_id for i, j in zip(rows, columns, strict=True)], bool)
    relative = np.divide(distance, reach, out=np.zeros_like(distance), where=reach > 0)
    return rows, columns, relative + OTHER_CLASS_COST * differs


def _match_group(
    rows: NDArray[np.int64], columns: NDArray[np.int64], costs: NDArray[np.float64]
) -> list[tuple[int, int]]:
    if rows.size == 1:
        return [(int(rows[0]), int(columns[0]))]
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - as above

    own_rows, row_places = np.unique(rows, return_inverse=True)
    own_columns, column_places = np.unique(columns, return_inverse=True)
    # A pair is worth more than all costs together, so that the number of pairs is maximised first.
    reward = (1.0 + OTHER_CLASS_COST) * min(own_rows.size, own_columns.size) + 1.0
    matrix = np.zeros((own_rows.size, own_columns.size))
    matrix[row_places, column_places] = costs - reward
    chosen_rows, chosen_columns = linear_sum_assignment(matrix)
    return [
        (int(own_rows[i]), int(own_columns[j]))
        for i, j in zip(chosen_rows, chosen_columns, strict=True)
        if matrix[i, j] < 0
    ]


def cohen_kappa(pairs: Sequence[tuple[ClassId, ClassId]]) -> float | None:
    """Cohen's kappa of two judgements about each object; None without any, or where chance alone agrees in all."""
    n = len(pairs)
    if not n:
        return None
    observed = sum(first == second for first, second in pairs) / n
    firsts, seconds = Counter(first for first, _ in pairs), Counter(second for _, second in pairs)
    by_chance = sum(firsts[each] * seconds[each] for each in firsts) / n**2
    return None if by_chance >= 1.0 else (observed - by_chance) / (1.0 - by_chance)
