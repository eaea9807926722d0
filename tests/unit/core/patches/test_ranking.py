"""What is likely to be wrong comes first."""

import dataclasses

import cv2
import numpy as np
import pytest

from synthstudio.core.patches.bank import PatchBank
from synthstudio.core.patches.ranking import PatchOrder, rank_patches
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
