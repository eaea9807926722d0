"""The record behind the map editor: boxes lie between pixels, on the map, whatever is done with them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from synthstudio.core.synthesis.semantic_maps import MapCoding
from synthstudio.domain.ids import AnnotationId, ClassId
from synthstudio.domain.maps import MapRegion, MapRequest
from synthstudio.domain.records import Box
from synthstudio.gui.pages.generate.gan.map_state import MapState

SIDE = 48
MOLE, PLATE = ClassId(1), ClassId(2)
NAMES = {MOLE: "mole", PLATE: "plate"}
IDS = {name: class_id for class_id, name in NAMES.items()}
places = st.floats(-20, SIDE + 20, allow_nan=False)
boxes = st.tuples(places, places, places, places).map(
    lambda each: Box(min(each[0], each[2]), min(each[1], each[3]), max(each[0], each[2]), max(each[1], each[3]))
)
changes = st.one_of(
    st.tuples(st.just("move"), places, places),
    st.tuples(st.just("stretch"), st.integers(-60, 60), st.integers(-60, 60)),
    st.tuples(st.just("grow"), st.floats(0.2, 3), st.just(0)),
)


def is_sound(state: MapState) -> bool:
    edges = [edge for each in state.ids for edge in vars_of(state.box_of(each))]
    is_whole = all(edge == int(edge) and 0 <= edge <= SIDE for edge in edges)
    return is_whole and all(min(state.box_of(each).width, state.box_of(each).height) >= 1 for each in state.ids)


def vars_of(box: Box) -> tuple[float, float, float, float]:
    return box.x0, box.y0, box.x1, box.y1


@given(st.lists(boxes, min_size=1, max_size=4), st.lists(changes, max_size=5))
def test_that_every_change_leaves_whole_boxes_on_the_map(
    drawn: list[Box], done: list[tuple[str, float, float]]
) -> None:
    state = MapState(SIDE)
    for box in drawn:
        state = state.with_box(MOLE, box)
    for what, first, second in done:
        if what == "move":
            state = state.moved(state.ids, first, second)
        elif what == "stretch":
            state = state.stretched(state.ids[:1], wider=int(first), taller=int(second))
        else:
            state = state.grown(state.ids, first)
    assert is_sound(state)
    assert len(state.boxes) == len(drawn)
    MapCoding(("mole", "plate"), 0, has_unknown=True).draw(state.request(NAMES))


def test_that_boxes_move_together_and_stop_at_the_edge_as_one() -> None:
    state = MapState(SIDE).with_box(MOLE, Box(2, 2, 10, 10)).with_box(PLATE, Box(20, 20, 40, 30))
    moved = state.moved(state.ids, 30, -30)
    assert [moved.box_of(each) for each in moved.ids] == [Box(10, 0, 18, 8), Box(28, 18, 48, 28)]


def test_that_a_request_comes_back_as_the_state_that_it_was_made_from() -> None:
    request = MapRequest(SIDE, 3, (MapRegion("plate", Box(1, 2, 30, 40)), MapRegion("mole", Box(5, 5, 9, 9))))
    state = MapState.of(request, IDS, seed=8)
    assert state.request(NAMES) == request
    assert state.seed == 8
    assert state.with_tone(4).request(NAMES).tone == 4


def test_that_boxes_change_their_condition_and_go() -> None:
    state = MapState(SIDE).with_middle_box(MOLE).with_middle_box(MOLE)
    changed = state.of_class(state.ids[1:], PLATE)
    assert [each.class_id for each in changed.boxes] == [MOLE, PLATE]
    left = changed.without(changed.ids[:1])
    assert [each.class_id for each in left.boxes] == [PLATE]
    assert left.with_middle_box(MOLE).ids == (AnnotationId(2), AnnotationId(3))


def test_that_growing_is_seen_on_the_smallest_box_and_shrinking_never_loses_one() -> None:
    state = MapState(SIDE).with_box(MOLE, Box(10, 10, 11, 11))
    grown = state.grown(state.ids, 1.05)
    assert grown.box_of(grown.ids[0]) == Box(9, 9, 12, 12)
    assert state.grown(state.ids, 0.5) == state
