"""Class names of a data set become those of the project."""

from pathlib import Path

import pytest

from synthstudio.core.annotations.mapping import map_classes
from synthstudio.domain.plans import ImportPlan, PlannedAnnotation, PlannedFov
from synthstudio.domain.records import AnnotationState


def build_plan(*names: str, state: AnnotationState = AnnotationState.PARTIAL) -> ImportPlan:
    marks = tuple(PlannedAnnotation(name, 1.0, 2.0) for name in names)
    labels = (("a", False), ("b", True))
    fov = PlannedFov(Path("x.png"), "x.png", "x", None, "00", 9, 9, None, state, marks, labels)
    return ImportPlan(
        (fov,), ("a", "b", "c"), {"a": 10.0, "b": 20.0}, frozenset({"a"}), (), frozenset({"c"}), {"a": "#111111"}
    )


def test_that_classes_are_renamed_joined_and_left_out() -> None:
    plan = map_classes(build_plan("a", "b", "b", "b", "c"), {"a": "cell", "b": "cell", "c": ""})
    (fov,) = plan.fovs
    assert [mark.class_name for mark in fov.annotations] == ["cell"] * 4
    assert plan.class_names == ("cell",)
    assert plan.class_sizes_px == {"cell": pytest.approx(17.5)}
    assert plan.estimated_sizes == {"cell"}
    assert plan.class_colors == {"cell": "#111111"}
    assert plan.artifacts == frozenset()
    assert fov.labels == (("cell", True),)


def test_that_two_names_can_be_exchanged() -> None:
    plan = map_classes(build_plan("a", "b"), {"a": "b", "b": "a"})
    assert [mark.class_name for mark in plan.fovs[0].annotations] == ["b", "a"]
    assert plan.class_sizes_px == {"b": 10.0, "a": 20.0}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (AnnotationState.PARTIAL, AnnotationState.NONE),
        (AnnotationState.EXHAUSTIVE, AnnotationState.EXHAUSTIVE),
    ],
)
def test_that_an_image_without_a_mark_left_counts_as_untouched(before: AnnotationState, after: AnnotationState) -> None:
    plan = map_classes(build_plan("a", state=before), {"a": " "})
    assert plan.fovs[0].state is after


def test_that_no_mapping_changes_nothing() -> None:
    assert map_classes(build_plan("a", "b"), {}) == build_plan("a", "b")
