"""Which square of an image a guide image shows."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from synthstudio.core.synthesis.guide_crops import box_around, guide_window
from synthstudio.domain.ids import FovId, SampleId
from synthstudio.domain.records import AnnotationState, Box, CropSquare, FieldOfView, Storage


def photograph(width: int, height: int) -> FieldOfView:
    return FieldOfView(
        id=FovId(1),
        sample_id=SampleId(1),
        sample_name="s",
        split=None,
        name="a.png",
        path=str(Path("/nowhere/a.png")),
        storage=Storage.REFERENCE,
        sha256="",
        width=width,
        height=height,
        um_per_px=None,
        tone=None,
        state=AnnotationState.NONE,
    )


def test_that_a_whole_image_shows_the_square_in_its_middle() -> None:
    assert guide_window(photograph(160, 120), None) == CropSquare(20, 0, 120)
    assert guide_window(photograph(120, 160), None) == CropSquare(0, 20, 120)


def test_that_a_box_shows_the_square_of_its_longer_side_moved_into_the_image() -> None:
    assert guide_window(photograph(160, 120), Box(100, 50, 140, 86)) == CropSquare(100, 48, 40)
    assert guide_window(photograph(160, 120), Box(130, 0, 160, 10)) == CropSquare(130, 0, 30)


def test_that_a_square_around_a_region_has_its_margin_on_each_side() -> None:
    assert box_around(photograph(160, 120), Box(60, 50, 80, 60), margin=0.25) == Box(55, 40, 85, 70)


@given(
    width=st.integers(1, 400),
    height=st.integers(1, 400),
    corners=st.tuples(*[st.floats(0, 1) for _ in range(4)]),
    margin=st.floats(0, 3),
)
def test_that_every_window_lies_in_its_image(
    width: int, height: int, corners: tuple[float, float, float, float], margin: float
) -> None:
    fov = photograph(width, height)
    (x0, x1), (y0, y1) = sorted(corners[:2]), sorted(corners[2:])
    region = Box(x0 * width, y0 * height, x1 * width + 0.01, y1 * height + 0.01)
    boxed = box_around(fov, region, margin=margin)
    for window in (guide_window(fov, region), guide_window(fov, None), guide_window(fov, boxed)):
        assert window.side >= 1
        assert 0 <= window.x <= window.x + window.side <= width
        assert 0 <= window.y <= window.y + window.side <= height
    assert guide_window(fov, boxed) == CropSquare(int(boxed.x0), int(boxed.y0), int(boxed.width))
