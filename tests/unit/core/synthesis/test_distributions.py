"""Real images and composites described the same way."""

from __future__ import annotations

import numpy as np
import pytest

from synthstudio.core.synthesis.composer import Composer
from synthstudio.core.synthesis.distributions import compare, describe_annotations, describe_plans
from synthstudio.domain.errors import Cancelled
from synthstudio.domain.ids import FovId
from synthstudio.domain.records import Annotation
from synthstudio.domain.scale import WorkingScale
from synthstudio.settings.compose import CompositionSettings, ImageAugmentation, PatchAugmentation
from tests.support.cells import Cells, make_bank, make_cells

SETTINGS = CompositionSettings(canvas_px=160, n_objects_min=2, n_objects_max=8, image=ImageAugmentation(flip=False))


@pytest.fixture(scope="module")
def cells() -> Cells:
    return make_cells()


def by_fov(cells: Cells) -> dict[FovId, list[Annotation]]:
    return {fov.id: [mark for mark in cells.annotations if mark.fov_id == fov.id] for fov in cells.fovs}


def test_that_plans_tell_what_the_composites_will_hold(cells: Cells) -> None:
    bank = make_bank(cells)
    found = describe_plans(bank, SETTINGS, seed=4, n_images=30)
    composer = Composer(bank, SETTINGS, seed=4)
    rank = {item.id: number for number, item in enumerate(bank.classes)}
    rows = []
    for index in range(30):
        seen = [item for item in composer.compose(index).objects if item.visible >= SETTINGS.min_visible]
        assert found.counts[index].tolist() == np.bincount([rank[item.class_id] for item in seen], minlength=3).tolist()
        rows += [(rank[item.class_id], item.x / 160, item.y / 160) for item in seen]
    np.testing.assert_allclose(np.column_stack([found.ranks, found.places]), np.array(rows))


def test_that_real_images_are_counted_in_crops_of_the_canvas_size(cells: Cells) -> None:
    found = describe_annotations(cells.fovs, by_fov(cells), cells.classes, scale=WorkingScale(), settings=SETTINGS)
    assert len(found.counts) == 3 * 2  # two squares of 160 px fit into each image of 320 x 240
    assert len(found.ranks) == 27
    assert sorted(set(found.sizes.round(6).tolist())) == [14.0, 40.0, 60.0]
    whole = SETTINGS.model_copy(update={"canvas_px": 320, "canvas_height_px": 240})
    everything = describe_annotations(cells.fovs, by_fov(cells), cells.classes, scale=WorkingScale(), settings=whole)
    assert everything.counts.tolist() == [[3, 3, 3]] * 3
    half = describe_annotations(
        cells.fovs, by_fov(cells), cells.classes, scale=WorkingScale(0.5), settings=CompositionSettings(canvas_px=160)
    )
    assert half.sizes.max() == pytest.approx(30.0)
    assert half.counts.sum() == 27  # the whole image fits


def test_that_the_comparison_follows_the_controls(cells: Cells) -> None:
    bank = make_bank(cells)
    names = [item.name for item in bank.classes]
    real = describe_annotations(cells.fovs, by_fov(cells), cells.classes, scale=WorkingScale(), settings=SETTINGS)
    one = SETTINGS.model_copy(update={"classes": ("round",), "patch": PatchAugmentation(size_jitter=0, scale_jitter=0)})
    classes, presence, numbers, sizes, across, down = compare(
        real, describe_plans(bank, one, seed=1, n_images=60), names
    )
    assert classes.names == ("round", "large", "dirt")
    np.testing.assert_allclose(classes.real, 1 / 3)
    assert classes.made.tolist() == [1.0, 0.0, 0.0]
    assert presence.made.tolist() == [1.0, 0.0, 0.0]
    np.testing.assert_allclose(presence.real, (real.counts > 0).mean(axis=0))
    for each in (numbers, sizes, across, down):
        assert len(each.edges) == len(each.real) + 1 == len(each.made) + 1
        assert each.real.sum() == pytest.approx(1.0)
        assert each.made.sum() == pytest.approx(1.0)
    filled = sizes.edges[:-1][sizes.made > 0]
    assert filled.tolist() == [pytest.approx(40.0, abs=2.5)]


def test_that_a_class_that_is_not_composed_has_no_histogram(cells: Cells) -> None:
    bank = make_bank(cells)
    names = [item.name for item in bank.classes]
    real = describe_annotations(cells.fovs, by_fov(cells), cells.classes, scale=WorkingScale(), settings=SETTINGS)
    one = SETTINGS.model_copy(update={"classes": ("round",)})
    _, _, numbers, sizes, *_ = compare(real, describe_plans(bank, one, seed=1, n_images=20), names, rank=1)
    assert numbers.made[0] == 1.0  # none on any image
    assert np.isnan(sizes.made).all()
    assert sizes.real.sum() == pytest.approx(1.0)


def test_that_many_objects_share_bins_and_planning_can_be_cancelled(cells: Cells) -> None:
    bank = make_bank(cells)
    dense = CompositionSettings(canvas_px=800, n_objects_min=100, n_objects_max=150, max_overlap=1.0)
    made = describe_plans(bank, dense, seed=0, n_images=200, budget_s=0.0)
    assert len(made.counts) == 20
    numbers = compare(made, made, ["a", "b", "c"])[2]
    assert len(numbers.real) <= 26
    assert numbers.real.sum() == pytest.approx(1.0)

    def stop(_done: int, _total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        describe_plans(bank, dense, seed=0, n_images=5, tick=stop)
