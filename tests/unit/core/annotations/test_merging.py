"""Which marks an FOV does not have yet."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from synthstudio.core.annotations.merging import Extent, build_extent, find_new, find_twins
from synthstudio.domain.plans import PlannedAnnotation, PlannedFov
from synthstudio.domain.records import Box

WIDTH, HEIGHT = 200, 100
coordinates = st.tuples(st.integers(0, WIDTH - 1), st.integers(0, HEIGHT - 1))
marks = st.lists(
    st.builds(
        lambda name, place, size: PlannedAnnotation(name, *place, size_px=size),
        st.sampled_from("ab"),
        coordinates,
        st.none() | st.floats(2, 30),
    ),
    max_size=20,
)


def extents(planned: list[PlannedAnnotation], size_px: float | None = 10.0) -> list[Extent]:
    return [build_extent(mark, size_px, width=WIDTH, height=HEIGHT) for mark in planned]


@given(marks)
def test_that_the_same_marks_in_any_order_are_all_known(planned: list[PlannedAnnotation]) -> None:
    assert find_new(extents(planned), extents(planned[::-1])) == []


@given(marks, marks)
def test_that_a_second_merge_finds_nothing_new(first: list[PlannedAnnotation], second: list[PlannedAnnotation]) -> None:
    new = find_new(extents(second), extents(first))
    assert find_new(extents(second), extents(first + [second[index] for index in new])) == []


@given(marks)
def test_that_centres_are_known_again_as_the_boxes_of_their_size(planned: list[PlannedAnnotation]) -> None:
    as_boxes = [PlannedAnnotation(each.class_name, *each.box.center, each.box) for each in extents(planned)]
    assert find_new(extents(as_boxes), extents(planned)) == []


def test_that_marks_apart_of_another_class_or_size_are_new() -> None:
    there = extents([PlannedAnnotation("a", 50, 50), PlannedAnnotation("a", 80, 50, Box(70, 40, 90, 60))])
    planned = extents(
        [
            PlannedAnnotation("a", 50.6, 50),
            PlannedAnnotation("b", 50, 50),
            PlannedAnnotation("a", 80, 50, Box(60, 30, 100, 70)),
            PlannedAnnotation("a", 80, 50, Box(70.4, 40, 90.4, 60)),
        ]
    )
    assert find_new(planned, there) == [0, 1, 2]


def test_that_a_centre_without_any_size_is_known_by_its_place() -> None:
    there = extents([PlannedAnnotation("a", 50, 50)], size_px=None)
    assert find_new(extents([PlannedAnnotation("a", 50.2, 50)], size_px=None), there) == []


def test_that_an_image_that_a_data_set_has_twice_is_named() -> None:
    def planned(name: str, sha256: str, *, page: int | None = None, n_marks: int = 1) -> PlannedFov:
        marks = tuple(PlannedAnnotation("a", 5, 5) for _ in range(n_marks))
        return PlannedFov(Path(name), name, name, None, sha256, 9, 9, annotations=marks, page=page)

    fovs = [planned("x.png", "1"), planned("y.png", "2"), planned("z.png", "1"), planned("empty.png", "1", n_marks=0)]
    pages = [planned("s.tif", "3", page=0), planned("s.tif", "3", page=1)]
    assert [each.file for each in find_twins([*fovs, *pages])] == ["z.png"]
