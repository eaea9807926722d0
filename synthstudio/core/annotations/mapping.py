"""Class names of a data set turned into those of the project, before anything is written."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from synthstudio.domain.plans import ImportPlan, PlannedAnnotation, PlannedFov
from synthstudio.domain.records import AnnotationState

ClassMap = Mapping[str, str]
"""Name in the data set -> name in the project; an empty one leaves the class out. Others keep their names."""


def map_classes(plan: ImportPlan, mapping: ClassMap) -> ImportPlan:
    """Return the plan with renamed, joined and left-out classes.

    The size of joined classes is the mean over their annotations. An image all of whose marks are left out counts as
    untouched, unless it was annotated exhaustively.
    """
    names = {name: mapping.get(name, name).strip() for name in plan.class_names}
    kept = [new for new in dict.fromkeys(names.values()) if new]
    return replace(
        plan,
        fovs=tuple(_map_fov(fov, names) for fov in plan.fovs),
        class_names=tuple(kept),
        class_sizes_px=_join_sizes(plan, names),
        estimated_sizes=frozenset(names[name] for name in plan.estimated_sizes if names[name]),
        artifacts=frozenset(names[name] for name in plan.artifacts if names.get(name)),
        class_colors={names[name]: plan.class_colors[name] for name in plan.class_colors if names.get(name)},
    )


def count_marks(fovs: Iterable[PlannedFov]) -> dict[str, int]:
    """Return the number of marks of each class."""
    counts: dict[str, int] = defaultdict(int)
    for fov in fovs:
        for mark in fov.annotations:
            counts[mark.class_name] += 1
    return dict(counts)


def _map_fov(fov: PlannedFov, names: ClassMap) -> PlannedFov:
    marks = tuple(_rename(mark, names[mark.class_name]) for mark in fov.annotations if names[mark.class_name])
    labels: dict[str, bool] = {}
    for name, is_present in fov.labels:
        if new := names[name]:
            labels[new] = labels.get(new, False) or is_present
    is_emptied = bool(fov.annotations) and not marks and fov.state is AnnotationState.PARTIAL
    state = AnnotationState.NONE if is_emptied else fov.state
    return replace(fov, annotations=marks, labels=tuple(labels.items()), state=state)


def _rename(mark: PlannedAnnotation, name: str) -> PlannedAnnotation:
    return mark if mark.class_name == name else replace(mark, class_name=name)


def _join_sizes(plan: ImportPlan, names: ClassMap) -> dict[str, float]:
    counts = count_marks(plan.fovs)
    sums: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for name, size in plan.class_sizes_px.items():
        if names.get(name):
            sums[names[name]].append((size, max(counts.get(name, 0), 1)))
    return {
        name: parts[0][0] if len(parts) == 1 else sum(size * n for size, n in parts) / sum(n for _, n in parts)
        for name, parts in sums.items()
    }
