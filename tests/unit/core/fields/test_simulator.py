from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from synthstudio.core.fields.simulator import SIMULATED_CLASSES, SimulatedFov, simulate_fov, simulate_study
from synthstudio.domain.errors import Cancelled
from synthstudio.domain.records import Box, Role


@cache
def study() -> tuple[SimulatedFov, ...]:
    return tuple(simulate_study(8, 2, seed=3))


def is_uncut(box: Box, fov: SimulatedFov) -> bool:
    height, width = fov.image.shape[:2]
    return box.x0 > 0 and box.y0 > 0 and box.x1 < width and box.y1 < height


def class_counts(fov: SimulatedFov) -> dict[str, int]:
    return {c.name: sum(o.class_name == c.name for o in fov.objects) for c in SIMULATED_CLASSES}


def test_that_the_same_arguments_give_the_same_fov_whatever_was_drawn_before() -> None:
    first = simulate_fov(seed=5, sample_index=1, fov_index=2)
    simulate_fov(seed=6, sample_index=0, fov_index=0)
    again = simulate_fov(seed=5, sample_index=1, fov_index=2)
    assert np.array_equal(first.image, again.image)
    assert first.objects == again.objects


def test_that_a_study_is_its_fovs_one_by_one_sample_after_sample() -> None:
    fovs = list(simulate_study(2, 2, seed=9, width=160, height=128))
    assert [(f.sample, f.name) for f in fovs] == [
        ("sample-01", "sample-01-fov-01"),
        ("sample-01", "sample-01-fov-02"),
        ("sample-02", "sample-02-fov-01"),
        ("sample-02", "sample-02-fov-02"),
    ]
    alone = simulate_fov(seed=9, sample_index=1, fov_index=0, width=160, height=128)
    assert np.array_equal(fovs[2].image, alone.image)
    assert fovs[2].objects == alone.objects


@pytest.mark.parametrize("other", [(4, 0, 0), (3, 1, 0), (3, 0, 1)])
def test_that_seed_sample_and_fov_each_change_the_image(other: tuple[int, int, int]) -> None:
    base = simulate_fov(seed=3, sample_index=0, fov_index=0, width=128, height=128)
    seed, sample_index, fov_index = other
    changed = simulate_fov(seed=seed, sample_index=sample_index, fov_index=fov_index, width=128, height=128)
    assert not np.array_equal(base.image, changed.image)


def test_that_an_image_is_rgb_bytes_of_the_asked_size_and_is_calibrated() -> None:
    fov = simulate_fov(seed=0, sample_index=0, fov_index=0, width=200, height=150)
    assert fov.image.shape == (150, 200, 3)
    assert fov.image.dtype == np.uint8
    assert fov.um_per_px == 0.25


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**64 - 1),
    sample_index=st.integers(0, 2**31),
    width=st.integers(64, 300),
    height=st.integers(64, 300),
    density=st.floats(0, 4),
)
def test_that_boxes_lie_inside_the_image_and_centres_in_the_middle_of_their_boxes(
    seed: int, sample_index: int, width: int, height: int, density: float
) -> None:
    fov = simulate_fov(seed=seed, sample_index=sample_index, fov_index=0, width=width, height=height, density=density)
    for item in fov.objects:
        assert 0 <= item.box.x0 < item.box.x1 <= width
        assert 0 <= item.box.y0 < item.box.y1 <= height
        assert (item.x, item.y) == item.box.center


def covered_by_objects(fov: SimulatedFov, *, margin_px: int, but: int | None = None) -> NDArray[np.bool_]:
    covered = np.zeros(fov.image.shape[:2], dtype=bool)
    for index, item in enumerate(fov.objects):
        if index != but:
            y0, x0 = max(0, int(item.box.y0) - margin_px), max(0, int(item.box.x0) - margin_px)
            covered[y0 : int(item.box.y1) + margin_px, x0 : int(item.box.x1) + margin_px] = True
    return covered


def test_that_what_is_in_a_box_stands_out_from_empty_places_of_the_same_size() -> None:
    for fov in study()[::2]:
        light = fov.image.mean(axis=2)
        # Fringes and smudges reach beyond the outline, so empty places keep their distance.
        covered = covered_by_objects(fov, margin_px=12)
        ratios: list[float] = []
        for item in fov.objects:
            if item.class_name == "artifact":
                continue
            height, width = int(item.box.height), int(item.box.width)
            empty_contrasts = [
                np.std(light[y : y + height, x : x + width])
                for y in range(0, light.shape[0] - height, 37)
                for x in range(0, light.shape[1] - width, 41)
                if not covered[y : y + height, x : x + width].any()
            ]
            inside = light[int(item.box.y0) : int(item.box.y1), int(item.box.x0) : int(item.box.x1)]
            if empty_contrasts:
                ratios.append(float(np.std(inside) / np.median(empty_contrasts)))
        assert np.median(ratios) > 4
        assert np.quantile(ratios, 0.1) > 2


def test_that_a_box_is_tight_on_each_of_its_sides() -> None:
    """Just inside every edge lies something of the object, a little outside lies background."""
    inner: list[float] = []
    outer: list[float] = []
    for fov in study():
        light = fov.image.mean(axis=2)
        for index, item in enumerate(fov.objects):
            x0, y0, x1, y1 = (int(v) for v in (item.box.x0, item.box.y0, item.box.x1, item.box.y1))
            reach = (slice(y0 - 12, y1 + 12), slice(x0 - 12, x1 + 12))
            others = covered_by_objects(fov, margin_px=12, but=index)
            near_border = min(x0, y0, light.shape[1] - x1, light.shape[0] - y1) < 12
            if near_border or item.class_name == "artifact" or others[reach].any():
                continue
            for turn in range(4):
                patch = np.rot90(light[reach], turn)
                background = np.median(patch[:4])
                inner.append(float(np.abs(patch[12:15, 12:-12] - background).max()))
                outer.append(float(np.abs(patch[4:7, 12:-12] - background).max()))
    assert len(inner) > 100
    assert np.quantile(inner, 0.05) > 2 * np.quantile(outer, 0.9)
    assert np.median(inner) > 8 * np.median(outer)


def test_that_every_class_occurs_and_crowds_several_of_a_kind_into_an_fov() -> None:
    counts = [class_counts(fov) for fov in study()]
    for simulated in SIMULATED_CLASSES:
        assert sum(c[simulated.name] for c in counts) >= 8, simulated.name
    assert max(c["bacteria"] for c in counts) >= 8


def test_that_no_class_is_in_every_fov_so_that_presence_can_be_learned() -> None:
    for simulated in SIMULATED_CLASSES:
        if simulated.role is Role.OBJECT:
            assert any(
                class_counts(simulate_fov(seed=3, sample_index=s, fov_index=0, width=256, height=256))[simulated.name]
                == 0
                for s in range(8)
            ), simulated.name


def test_that_the_stated_size_is_the_mean_side_of_the_boxes() -> None:
    rng = np.random.default_rng(1)
    for simulated in SIMULATED_CLASSES:
        sides: list[float] = []
        for _ in range(120):
            body = simulated.draw(rng, 0.0).body >= 0.5
            rows, columns = np.flatnonzero(body.any(axis=1)), np.flatnonzero(body.any(axis=0))
            sides.append((np.ptp(rows) + np.ptp(columns) + 2) / 2)
        tolerance = 0.5 if simulated.role is Role.ARTIFACT else 0.15
        assert np.mean(sides) == pytest.approx(simulated.size_px, rel=tolerance), simulated.name


def test_that_boxes_in_the_images_have_their_class_s_size() -> None:
    for simulated in SIMULATED_CLASSES:
        if simulated.role is Role.OBJECT:
            boxes = [o.box for f in study() for o in f.objects if o.class_name == simulated.name and is_uncut(o.box, f)]
            mean_side = np.mean([(b.width + b.height) / 2 for b in boxes])
            assert mean_side == pytest.approx(simulated.size_px, rel=0.25), simulated.name


def test_that_some_objects_are_cut_by_the_border() -> None:
    assert sum(not is_uncut(o.box, f) for f in study() for o in f.objects) >= 5


def test_that_samples_differ_in_colour_more_than_fovs_of_one_sample() -> None:
    # The median pixel is background; its colour balance is the sample's.
    medians = np.asarray([np.median(f.image.reshape(-1, 3), axis=0) for f in study()])
    balance = np.log(medians[:, [0, 2]] / medians[:, [1]]).reshape(8, 2, 2)  # (sample, FOV, red and blue over green)
    within = np.abs(balance[:, 0] - balance[:, 1]).mean()
    between = balance.mean(axis=1).std(axis=0).mean()
    assert between > 3 * within


def test_that_the_light_is_uneven_yet_never_black_or_burnt_out() -> None:
    for fov in study():
        light = fov.image.mean(axis=2)
        corners = np.median([np.median(light[y, x]) for y in _ENDS for x in _ENDS])
        assert corners < np.median(light)
        assert 90 < np.median(light) < 240


_ENDS = (slice(0, 40), slice(-40, None))


def test_that_density_zero_is_an_empty_field_and_more_density_means_more_objects() -> None:
    counts = [
        sum(len(simulate_fov(seed=1, sample_index=s, fov_index=0, density=d).objects) for s in range(3))
        for d in (0.0, 0.5, 2.0)
    ]
    assert counts[0] == 0
    assert counts[1] * 2 < counts[2]


def test_that_a_cancelled_study_stops_before_the_next_fov() -> None:
    def cancel_after_one(done: int, total: int) -> None:
        assert total == 3
        if done == 1:
            raise Cancelled

    fovs = simulate_study(3, 1, seed=0, width=64, height=64, tick=cancel_after_one)
    next(fovs)
    with pytest.raises(Cancelled):
        next(fovs)


@pytest.mark.parametrize(
    "bad", [{"width": 63}, {"height": 0}, {"density": -1.0}, {"sample_index": -1}, {"fov_index": -1}, {"seed": -1}]
)
def test_that_impossible_arguments_are_refused(bad: dict[str, float]) -> None:
    arguments = {"seed": 0, "sample_index": 0, "fov_index": 0} | bad
    with pytest.raises(ValueError, match="Cannot simulate"):
        simulate_fov(**arguments)  # type: ignore[arg-type]
