import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthstudio.core.training.alarms import domain_gap_alarms, presence_alarms
from synthstudio.core.training.crops import (
    MarkedImage,
    crop_origins,
    crop_presence,
    judged_crops,
    overrule,
    pad_to_side,
    plan_crops,
    plan_squares,
)
from synthstudio.core.training.scale import choose_scale
from synthstudio.core.training.splits import carve_validation
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import ClassId, FovId, SampleId
from synthstudio.domain.records import AnnotationState, CropLabel, CropSquare, FieldOfView, Split, Storage


def _fov(number: int, sample: str) -> FieldOfView:
    return FieldOfView(
        id=FovId(number),
        sample_id=SampleId(number),
        sample_name=sample,
        split=Split.TRAIN,
        name=f"{number}.png",
        path="",
        storage=Storage.REFERENCE,
        sha256="",
        width=10,
        height=10,
        um_per_px=None,
        tone=None,
        state=AnnotationState.NONE,
    )


def _marked(extents: list[list[float]], labels: list[int]) -> MarkedImage:
    boxes = np.array(extents, np.float64).reshape(-1, 4)
    return MarkedImage(1, 1, np.zeros((100, 100, 3), np.uint8), boxes, np.array(labels, np.int64), True)


@given(st.integers(1, 3000), st.integers(1, 500))
def test_that_sequential_crops_cover_everything_and_stay_inside(length: int, side: int) -> None:
    origins = crop_origins(length, side)
    assert origins[0] == 0
    assert origins[-1] + side == max(length, side)
    assert all(0 < b - a <= side for a, b in itertools.pairwise(origins))


def test_that_an_object_counts_on_a_crop_only_with_enough_of_it() -> None:
    marked = _marked([[40, 0, 60, 20], [90, 90, 100, 100]], [0, 1])
    places = [(0, 0), (45, 0), (50, 50)]
    found = crop_presence(marked, places, side=50, n_classes=3, min_visible=0.5)
    assert found.tolist() == [[True, False, False], [True, False, False], [False, True, False]]
    strict = crop_presence(marked, places, side=50, n_classes=3, min_visible=0.8)
    assert strict[:, 0].tolist() == [False, False, False]


def test_that_an_object_larger_than_a_crop_counts_where_it_fills_it() -> None:
    marked = _marked([[0, 0, 100, 100]], [0])
    assert crop_presence(marked, plan_crops(100, 100, 50), side=50, n_classes=1, min_visible=0.9).all()


def test_that_an_image_without_objects_has_no_presence() -> None:
    assert not crop_presence(_marked([], []), [(0, 0)], side=50, n_classes=2, min_visible=0.5).any()


def test_that_a_small_image_is_mirrored_up_to_a_crop() -> None:
    image = np.arange(3 * 4 * 3, dtype=np.uint8).reshape(3, 4, 3)
    padded = pad_to_side(image, 10)
    assert padded.shape == (10, 10, 3)
    assert np.array_equal(padded[:3, :4], image)
    assert pad_to_side(padded, 10) is padded


@pytest.mark.parametrize(
    ("sizes", "side", "expected"), [([105, 180, 40], 128, 0.5), ([60, 20], 128, 1.0), ([800, 30], 128, 0.4)]
)
def test_that_the_scale_fits_the_largest_class_and_spares_the_smallest(
    sizes: list[float], side: int, expected: float
) -> None:
    assert choose_scale(sizes, side=side) == expected


def test_that_validation_takes_whole_samples_and_always_the_same() -> None:
    fovs = [_fov(number, f"s{number // 4}") for number in range(40)]
    train, validation = carve_validation(fovs, share=0.2, seed=1)
    assert {fov.sample_name for fov in train}.isdisjoint(fov.sample_name for fov in validation)
    assert len(validation) == 8
    assert carve_validation(list(reversed(fovs)), share=0.2, seed=1)[1] == list(reversed(validation))
    assert carve_validation(fovs, share=0.2, seed=2)[1] != validation


def test_that_one_sample_cannot_be_split() -> None:
    with pytest.raises(UserError, match="1 sample"):
        carve_validation([_fov(1, "a"), _fov(2, "a")], share=0.2, seed=0)


def test_that_two_samples_leave_one_for_training() -> None:
    train, validation = carve_validation([_fov(1, "a"), _fov(2, "b")], share=0.5, seed=0)
    assert len(train) == len(validation) == 1
    assert dataclasses.asdict(train[0]) != dataclasses.asdict(validation[0])


def test_that_a_lost_class_raises_the_domain_alarm() -> None:
    alarms = domain_gap_alarms(["RBC", "Platelets"], predicted=np.array([0.9, 0.0]), annotated=np.array([0.88, 0.19]))
    assert len(alarms) == 1
    assert "Platelets is predicted on 0%" in alarms[0]


def test_that_a_class_that_is_everywhere_raises_the_presence_alarm() -> None:
    assert "RBC" in presence_alarms(["RBC", "WBC"], shares=np.array([0.9, 0.2]))[0]


def test_that_planned_squares_are_the_crops_of_the_training_at_full_resolution() -> None:
    squares = plan_squares(640, 480, side=128, scale=0.5)
    assert squares[0] == CropSquare(0, 0, 256)
    assert squares[-1] == CropSquare(640 - 256, 480 - 256, 256)
    assert len(squares) == len(plan_crops(320, 240, 128))


def test_that_what_a_person_saw_on_a_crop_overrules_the_annotations_for_the_classes_asked() -> None:
    squares = plan_squares(256, 128, side=128, scale=1.0)
    columns = {ClassId(7): 0, ClassId(8): 1}
    label = CropLabel(FovId(1), squares[1], frozenset({ClassId(7), ClassId(9)}), frozenset({ClassId(7)}))
    by_marks = np.array([[True, True], [False, True]])
    overruled = overrule(by_marks, squares, judged_crops([label], columns))
    assert overruled.tolist() == [[True, True], [True, True]]
    none = CropLabel(FovId(1), squares[0], frozenset({ClassId(7), ClassId(8)}), frozenset())
    assert overrule(by_marks, squares, judged_crops([none], columns)).tolist() == [[False, False], [False, True]]
