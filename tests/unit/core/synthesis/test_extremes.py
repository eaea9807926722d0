"""Every augmentation is seen at its extremes, whatever fields there are."""

from __future__ import annotations

import numpy as np
import pytest

from synthstudio.core.patches.bank import PatchBank
from synthstudio.core.synthesis.extremes import choose_patch, draw_extremes, extreme_values, is_augmentation
from synthstudio.settings.compose import ComposeSettings, CompositionSettings, PatchSettings
from synthstudio.settings.schema import SettingSpec, setting_specs
from tests.support.cells import make_bank

AUGMENTATIONS = [spec for spec in setting_specs(ComposeSettings) if is_augmentation(spec)]


@pytest.fixture(scope="module")
def bank() -> PatchBank:
    return make_bank()


def effect(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.mean(np.abs(one.astype(int) - other)))


def test_that_both_groups_are_found_whole() -> None:
    names = {spec.name for spec in AUGMENTATIONS}
    groups = [spec for spec in setting_specs(CompositionSettings) if spec.path[0] in ("patch", "image")]
    assert names == {f"composition.{spec.name}" for spec in groups}
    assert not is_augmentation(next(each for each in setting_specs(ComposeSettings) if each.name == "patches.scale"))


@pytest.mark.parametrize("spec", AUGMENTATIONS, ids=lambda spec: spec.name)
def test_that_each_augmentation_does_nothing_at_its_lowest_and_something_at_its_highest(
    bank: PatchBank, spec: SettingSpec
) -> None:
    extremes = draw_extremes(bank, CompositionSettings(), spec)
    assert extremes.values == extreme_values(spec)
    assert 1 <= len(extremes.rows) <= 2
    for row in extremes.rows:
        assert len(row) == len(extremes.values)
        np.testing.assert_array_equal(row[0], extremes.rows[0][0])
        assert row[0].shape == row[-1].shape
    if spec.name not in ("composition.patch.rotation_deg", "composition.patch.elastic"):  # a round disc hides these
        assert effect(extremes.rows[0][0], extremes.rows[0][-1]) > 0.3


def test_that_a_jitter_that_goes_both_ways_is_seen_both_ways(bank: PatchBank) -> None:
    spec = next(each for each in AUGMENTATIONS if each.name == "composition.image.brightness")
    extremes = draw_extremes(bank, CompositionSettings(), spec)
    rest, highest = extremes.rows[0][0].mean(), sorted(row[-1].mean() for row in extremes.rows)
    assert highest[0] < rest < highest[1]


def test_that_the_chosen_patch_is_one_of_the_commonest_object_class(bank: PatchBank) -> None:
    assert bank.patches[choose_patch(bank)].class_id in (1, 2)


@pytest.mark.parametrize("canvas", ["black", "emptied"])
def test_that_other_canvases_and_foregrounds_do_not_stand_in_the_way(canvas: str) -> None:
    bank = make_bank(settings=PatchSettings(foreground="threshold"))
    settings = CompositionSettings.model_validate({"canvas": canvas})
    extremes = draw_extremes(bank, settings, AUGMENTATIONS[0])
    assert extremes.rows[0][0].shape[0] >= 48
