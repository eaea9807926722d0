"""The simulated photographs of skin: what their ground truth says is what they show."""

from __future__ import annotations

from collections import Counter
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from synthstudio.core.fields.skin_simulator import (
    MISSING,
    N_TONES,
    SKIN_CONDITIONS,
    SimulatedPhoto,
    simulate_photo,
    simulate_skin_study,
)
from synthstudio.core.fields.skin_simulator_surface import draw_skin_color
from synthstudio.core.fields.skin_tone import estimate_skin_tone
from synthstudio.domain.errors import Cancelled

SMALL = (240, 180)


@cache
def photos() -> tuple[SimulatedPhoto, ...]:
    """Two dozens of patients with one small photograph each."""
    return tuple(simulate_photo(seed=11, sample_index=n, photo_index=0, size_px=SMALL) for n in range(24))


@cache
def of_condition(name: str) -> tuple[SimulatedPhoto, ...]:
    return tuple(
        simulate_photo(seed=12, sample_index=n, photo_index=0, tone=1 + n % N_TONES, condition=name, size_px=(320, 240))
        for n in range(6)
    )


def test_that_the_same_arguments_give_the_same_photograph_whatever_was_drawn_before() -> None:
    first = simulate_photo(seed=5, sample_index=1, photo_index=2, size_px=SMALL)
    simulate_photo(seed=6, sample_index=0, photo_index=0, size_px=SMALL)
    again = simulate_photo(seed=5, sample_index=1, photo_index=2, size_px=SMALL)
    assert np.array_equal(first.image, again.image)
    assert first.regions == again.regions


@pytest.mark.parametrize("other", [(4, 0, 0), (3, 1, 0), (3, 0, 1)])
def test_that_seed_patient_and_photograph_each_change_the_picture(other: tuple[int, int, int]) -> None:
    base = simulate_photo(seed=3, sample_index=0, photo_index=0, size_px=SMALL)
    seed, sample_index, photo_index = other
    changed = simulate_photo(seed=seed, sample_index=sample_index, photo_index=photo_index, size_px=SMALL)
    assert base.image.shape != changed.image.shape or not np.array_equal(base.image, changed.image)


def test_that_a_study_is_its_photographs_one_by_one_and_a_patient_keeps_the_tone() -> None:
    study = list(simulate_skin_study(2, 2, seed=9))
    assert [(p.sample, p.name) for p in study] == [
        ("patient-01", "patient-01-photo-1"),
        ("patient-01", "patient-01-photo-2"),
        ("patient-02", "patient-02-photo-1"),
        ("patient-02", "patient-02-photo-2"),
    ]
    alone = simulate_photo(seed=9, sample_index=1, photo_index=0)
    assert np.array_equal(study[2].image, alone.image)
    assert [p.tone for p in study[:2]] == [study[0].tone] * 2


def test_that_a_study_can_be_stopped() -> None:
    def stop(done: int, total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        next(simulate_skin_study(1, 1, seed=0, tick=stop))


def test_that_each_box_is_tight_around_the_outline_that_was_drawn() -> None:
    for photo in photos():
        assert photo.regions
        for number, region in enumerate(photo.regions, start=1):
            rows, columns = np.nonzero(photo.outlines == number)
            box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
            assert box == (region.box.x0, region.box.y0, region.box.x1, region.box.y1)
        assert photo.outlines.max() == len(photo.regions)


def test_that_boxes_lie_inside_the_picture_and_apart_from_each_other() -> None:
    for photo in photos():
        height, width = photo.outlines.shape
        covered = np.zeros((height, width), np.uint8)
        for region in photo.regions:
            box = region.box
            assert 0 <= box.x0 < box.x1 <= width
            assert 0 <= box.y0 < box.y1 <= height
            covered[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)] += 1
        assert covered.max() <= 1


def difference_from_skin(photo: SimulatedPhoto, inside: NDArray[np.bool_]) -> float:
    """Distance in grey levels of a region's pixels from the middle colour of the bare skin around it."""
    rows, columns = np.nonzero(inside)
    around = np.zeros(inside.shape, np.bool_)
    around[max(0, rows.min() - 8) : rows.max() + 9, max(0, columns.min() - 8) : columns.max() + 9] = True
    skin = np.median(photo.image[around & (photo.outlines == 0)], axis=0)
    return float(np.linalg.norm(photo.image[inside] - skin, axis=1).mean())


@pytest.mark.parametrize("name", [each.name for each in SKIN_CONDITIONS])
def test_that_every_condition_is_seen_inside_its_outline_on_every_tone(name: str) -> None:
    for photo in of_condition(name):
        assert {region.condition for region in photo.regions} == {name}
        noise = np.median(np.abs(np.diff(photo.image.astype(np.float64), axis=1)))
        assert difference_from_skin(photo, photo.outlines == 1) > 12 + noise, photo.tone


def test_that_mean_colour_alone_does_not_tell_all_conditions_but_colour_and_surface_do() -> None:
    """A mean colour relative to the skin confuses classes; with its spread and its middle they come apart."""
    rows: list[list[float]] = []
    names: list[str] = []
    for condition in SKIN_CONDITIONS:
        for n in range(10):
            photo = simulate_photo(
                seed=21, sample_index=n, photo_index=1, tone=1 + n % 6, condition=condition.name, size_px=(240, 180)
            )
            inside, box = photo.outlines == 1, photo.regions[0].box
            log = np.log(photo.image.astype(np.float64) + 1)
            relative = log[inside] - np.median(log[photo.outlines == 0], axis=0)
            middle = log[
                int(box.center[1]) - 3 : int(box.center[1]) + 4, int(box.center[0]) - 3 : int(box.center[0]) + 4
            ]
            inner = middle.mean(axis=(0, 1)) - log[inside].mean(axis=0)
            grain = np.abs(np.diff(photo.image[..., 1].astype(np.float64), axis=1))[inside[:, 1:]].mean() / 20
            rows.append([*relative.mean(axis=0), *relative.std(axis=0), *inner, grain])
            names.append(condition.name)
    features, labels = np.array(rows), np.array(names)
    by_mean, by_more = leave_one_out(features[:, :3], labels), leave_one_out(features, labels)
    assert by_mean < 0.7
    assert by_more > by_mean + 0.08


def leave_one_out(features: NDArray[np.float64], labels: NDArray[np.str_]) -> float:
    """Accuracy of the nearest neighbour."""
    scaled = (features - features.mean(axis=0)) / features.std(axis=0)
    gaps = np.linalg.norm(scaled[:, None] - scaled[None], axis=2)
    np.fill_diagonal(gaps, np.inf)
    return float((labels[gaps.argmin(axis=1)] == labels).mean())


@pytest.mark.parametrize("tone", range(1, N_TONES + 1))
def test_that_the_pixels_suggest_the_tone_of_most_photographs_and_never_one_far_off(tone: int) -> None:
    found = []
    for n in range(6):
        photo = simulate_photo(seed=31, sample_index=n, photo_index=0, tone=tone, size_px=(320, 240))
        suggested = estimate_skin_tone(photo.image, [region.box for region in photo.regions])
        assert suggested is not None
        found.append(suggested.tone)
    assert sum(each == tone for each in found) >= 4
    assert max(abs(each - tone) for each in found) <= 1


def test_that_skin_of_a_tone_is_darker_than_that_of_the_tone_before() -> None:
    rng = np.random.default_rng(0)
    means = [np.mean([sum(draw_skin_color(rng, tone)) for _ in range(30)]) for tone in range(1, N_TONES + 1)]
    assert means == sorted(means, reverse=True)


def test_that_the_classes_have_a_long_tail_with_one_pair_missing_and_no_tone_lost() -> None:
    seen: Counter[str] = Counter()
    pairs: Counter[tuple[str, int]] = Counter()
    for sample in range(24):
        for number in range(4):
            photo = simulate_photo(seed=4, sample_index=sample, photo_index=number, size_px=(128, 96))
            names = {region.condition for region in photo.regions}
            seen.update(names)
            pairs.update((name, photo.tone) for name in names)
    assert set(seen) == {each.name for each in SKIN_CONDITIONS}
    assert 3 <= seen[MISSING[0]] <= 6
    assert seen["red scaly plate"] > 4 * seen[MISSING[0]]
    assert pairs[MISSING] == 0
    assert {tone for _, tone in pairs} == set(range(1, N_TONES + 1))


def test_that_the_missing_pair_is_drawn_when_asked_for() -> None:
    name, tone = MISSING
    photo = simulate_photo(seed=1, sample_index=0, photo_index=0, tone=tone, condition=name, size_px=SMALL)
    assert (photo.regions[0].condition, photo.tone) == MISSING


def test_that_photographs_differ_in_size_and_number_of_regions() -> None:
    study = list(simulate_skin_study(4, 1, seed=7))
    assert len({photo.image.shape for photo in study}) >= 2
    assert len({len(photo.regions) for photo in [*study, *photos()]}) >= 3
    assert all(photo.image.dtype == np.uint8 for photo in study)


@pytest.mark.parametrize(
    "wrong",
    [{"seed": -1}, {"tone": 7}, {"tone": 0}, {"condition": "acne"}, {"size_px": (40, 400)}, {"sample_index": -1}],
)
def test_that_what_cannot_be_drawn_is_refused(wrong: dict[str, object]) -> None:
    arguments: dict[str, object] = {"seed": 0, "sample_index": 0, "photo_index": 0} | wrong
    with pytest.raises(ValueError, match=r"."):
        simulate_photo(**arguments)  # type: ignore[arg-type]
