"""What is likely to be wrong comes first."""

import dataclasses

import cv2
import numpy as np
import pytest

from synthstudio.core.patches.bank import PatchBank
from synthstudio.core.patches.ranking import PatchOrder, rank_patches
from synthstudio.core.patches.table import tabulate
from synthstudio.domain.errors import Cancelled
from synthstudio.domain.ids import AnnotationId, ClassId
from synthstudio.domain.records import Annotation
from tests.support.cells import make_bank, make_cells


@pytest.fixture
def bank() -> PatchBank:
    made = make_bank()
    return dataclasses.replace(made, pixels=made.pixels.copy())


def large_ones(bank: PatchBank) -> list[int]:
    return [number for number, patch in enumerate(bank.patches) if patch.class_id == 2]


def test_that_a_blurred_patch_comes_first_even_where_its_contrast_is_high(bank: PatchBank) -> None:
    numbers = large_ones(bank)
    crop = bank.crop(numbers[4])
    crop[...] = cv2.GaussianBlur(crop.copy(), (0, 0), 4)
    assert rank_patches(bank, numbers, PatchOrder.BLURRED)[0] == numbers[4]


def test_that_a_faint_patch_comes_first(bank: PatchBank) -> None:
    numbers = large_ones(bank)
    crop = bank.crop(numbers[2])
    crop[...] = np.rint(208 + (crop.astype(np.float32) - 208) * 0.2)
    assert rank_patches(bank, numbers, PatchOrder.FAINT)[0] == numbers[2]


def test_that_a_patch_with_something_on_its_rim_comes_first(bank: PatchBank) -> None:
    numbers = large_ones(bank)
    patch, crop = bank.patches[numbers[5]], bank.crop(numbers[5])
    crop[:, round(patch.center[0] + patch.width / 2) - 3 :] = 60
    assert rank_patches(bank, numbers, PatchOrder.CROWDED)[0] == numbers[5]


def test_that_a_patch_at_the_edge_of_its_image_comes_first() -> None:
    cells = make_cells()
    at_edge = Annotation(AnnotationId(1000), cells.fovs[0].id, ClassId(2), 10.0, 120.0)
    bank = make_bank(dataclasses.replace(cells, annotations=[*cells.annotations, at_edge]))
    first = rank_patches(bank, large_ones(bank), PatchOrder.EDGE)[0]
    assert bank.patches[first].annotation_id == 1000


@pytest.mark.parametrize("order", list(PatchOrder))
def test_that_every_order_holds_every_patch_once(bank: PatchBank, order: PatchOrder) -> None:
    numbers = list(range(len(bank.patches)))
    assert sorted(rank_patches(bank, numbers, order)) == numbers


def test_that_one_fault_of_any_kind_is_enough_for_doubt(bank: PatchBank) -> None:
    numbers = large_ones(bank)
    blurred, faint = bank.crop(numbers[4]), bank.crop(numbers[7])
    blurred[...] = cv2.GaussianBlur(blurred.copy(), (0, 0), 4)
    faint[...] = np.rint(208 + (faint.astype(np.float32) - 208) * 0.2)
    assert set(rank_patches(bank, numbers, PatchOrder.DOUBTFUL)[:3]) >= {numbers[4], numbers[7]}


def test_that_sizes_are_ordered_both_ways(bank: PatchBank) -> None:
    numbers = list(range(len(bank.patches)))
    small = [bank.patches[number].width for number in rank_patches(bank, numbers, PatchOrder.SMALL)]
    assert small == sorted(small)
    large = [bank.patches[number].width for number in rank_patches(bank, numbers, PatchOrder.LARGE)]
    assert large == small[::-1]


def test_that_ranking_stops_when_it_is_cancelled(bank: PatchBank) -> None:
    def stop(_done: int, _total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        rank_patches(bank, large_ones(bank), PatchOrder.BLURRED, tick=stop)


def test_that_the_table_finds_patches_by_class_field_and_verdict(bank: PatchBank) -> None:
    table = tabulate(bank)
    first = bank.patches[large_ones(bank)[0]]
    is_rejected = table.rejected_rows({first.annotation_id})
    assert table.select(ClassId(2), is_rejected=is_rejected).tolist() == large_ones(bank)
    assert table.select(ClassId(2), shown="rejected", is_rejected=is_rejected).tolist() == large_ones(bank)[:1]
    assert table.select(ClassId(2), shown="used", is_rejected=is_rejected).tolist() == large_ones(bank)[1:]
    here = table.select(ClassId(2), fov_ids={first.fov_id}, is_rejected=is_rejected)
    assert {bank.patches[number].fov_id for number in here} == {first.fov_id}
