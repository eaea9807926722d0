"""Every augmentation is seen at its extremes, whatever fields there are."""

from __future__ import annotations

import numpy as np
import pytest

from synthstudio.core.patches.bank import PatchBank
from synthstudio.core.synthesis.extremes import choose_patch, draw_extremes, extreme_values, is_augmentation
from synthstudio.domain.errors import UserError
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


def composition(**values: object) -> CompositionSettings:
    return CompositionSettings.model_validate(values)


def shown_class(bank: PatchBank, settings: CompositionSettings) -> str:
    class_id = bank.patches[choose_patch(bank, settings)].class_id
    return next(item.name for item in bank.classes if item.id == class_id)


def uneven_bank() -> PatchBank:
    """Nine patches of the class round, six of large, nine of the artifact."""
    bank = make_bank()
    large = [patch.annotation_id for patch in bank.patches if patch.class_id == 2]
    return bank.without(large[:3])


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        (composition(), "round"),
        (composition(classes=("large", "dirt")), "large"),
        (composition(classes=("dirt",)), "dirt"),
        (composition(class_draw="weights", class_weights=("round=0",)), "large"),
        (composition(class_draw="weights", class_weights=("large=5", "dirt=9")), "large"),
        (composition(class_draw="weights", class_weights=("round=0",), classes=("dirt", "round")), "dirt"),
        (composition(class_draw="uniform", class_weights=("round=0",)), "round"),  # weights that are not in use
    ],
    ids=str,
)
def test_that_the_chosen_patch_is_of_the_commonest_object_class_that_is_composed(
    settings: CompositionSettings, name: str
) -> None:
    bank = uneven_bank()
    assert bank.count_by_class() == {1: 9, 2: 6, 3: 9}
    assert shown_class(bank, settings) == name


@pytest.mark.parametrize(
    ("settings", "same_as"),
    [
        (composition(class_draw="weights", class_weights=("round=0",)), composition(classes=("large",))),
        (composition(class_draw="weights", class_weights=("large=2",)), composition(classes=("large",))),
        (composition(class_draw="empirical", classes=("dirt",)), composition(classes=("dirt",))),
        (composition(class_draw="top_up"), composition()),
    ],
    ids=["left out", "weighted", "empirical", "topped up"],
)
def test_that_how_often_classes_are_drawn_chooses_the_patch_and_nothing_else(
    settings: CompositionSettings, same_as: CompositionSettings
) -> None:
    bank = uneven_bank()
    spec = next(each for each in AUGMENTATIONS if each.name == "composition.patch.contrast")
    found, wanted = draw_extremes(bank, settings, spec), draw_extremes(bank, same_as, spec)
    np.testing.assert_array_equal(found.rows, wanted.rows)


def test_that_a_composition_of_no_class_is_refused(bank: PatchBank) -> None:
    weights = ("round=0", "large=0", "dirt=0")
    for settings, words in (
        (composition(class_draw="weights", class_weights=weights), "None of the chosen classes has a patch"),
        (composition(classes=("unheard-of",)), 'There is no class "unheard-of" to paste'),
    ):
        with pytest.raises(UserError, match=words):
            draw_extremes(bank, settings, AUGMENTATIONS[0])


@pytest.mark.parametrize("canvas", ["black", "emptied"])
def test_that_other_canvases_and_foregrounds_do_not_stand_in_the_way(canvas: str) -> None:
    bank = make_bank(settings=PatchSettings(foreground="threshold"))
    settings = CompositionSettings.model_validate({"canvas": canvas})
    extremes = draw_extremes(bank, settings, AUGMENTATIONS[0])
    assert extremes.rows[0][0].shape[0] >= 48
