"""Differentiable augmentation: the same for a map and both of its images, drawn from seed and step alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from synthstudio.engine.gan_augmentation import NUMBERS, PairAugmentation, draw_augmentation, parse_augmentation

SIDE = 32


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def some_images(*, seed: int = 0, n: int = 3) -> torch.Tensor:
    return torch.rand((n, 3, SIDE, SIDE), generator=torch.Generator().manual_seed(seed)) * 2.0 - 1.0


def fixed(*parts: str, n: int = 3, **places: float) -> PairAugmentation:
    """An augmentation with these numbers and the middle of the range for all others."""
    names = ("brightness", "saturation", "contrast", "shift_x", "shift_y", "hole_x", "hole_y")
    row = [places.get(name, 0.5) for name in names]
    return PairAugmentation(frozenset(parts), np.array([row] * n))


def test_that_nothing_is_drawn_where_nothing_is_switched_on() -> None:
    assert draw_augmentation("none", 4, seed=0, step=0) is None
    assert parse_augmentation("none") == frozenset()
    assert parse_augmentation("translation,cutout") == {"translation", "cutout"}


def test_that_the_middle_of_every_range_changes_nothing_but_the_hole() -> None:
    maps, images = some_images(), some_images(seed=1)
    same_maps, same_images = fixed("color", "translation")(maps, images)
    assert torch.equal(same_maps, maps)
    assert torch.allclose(same_images, images, atol=1e-5)
    holed_maps, holed = fixed("cutout")(maps, images)
    assert (holed[:, :, 8:24, 8:24] == 0).all()
    assert (holed_maps[:, :, 8:24, 8:24] == 0).all()
    assert int((holed != 0).sum()) == 3 * 3 * (SIDE**2 - 16**2)


def test_that_colour_changes_the_image_and_never_the_map() -> None:
    maps, images = some_images(), some_images(seed=1)
    brighter_maps, brighter = fixed("color", brightness=0.9)(maps, images)
    assert torch.equal(brighter_maps, maps)
    assert torch.allclose(brighter, images + 0.4, atol=1e-5)
    _, grey = fixed("color", saturation=0.0)(maps, images)
    assert torch.allclose(grey, images.mean(dim=1, keepdim=True).expand_as(images), atol=1e-5)
    _, flat = fixed("color", contrast=0.0)(maps, images)
    middle = images.mean(dim=(1, 2, 3), keepdim=True)
    assert torch.allclose(flat - middle, (images - middle) / 2, atol=1e-5)


def test_that_a_map_moves_with_its_image_and_nothing_moves_in() -> None:
    maps, images = some_images(), some_images(seed=1)
    moved_maps, moved = fixed("translation", shift_x=0.999, shift_y=0.0)(maps, images)
    for before, after in ((maps, moved_maps), (images, moved)):
        assert torch.equal(after[:, :, 4:, :-4], before[:, :, :-4, 4:])
        assert (after[:, :, :4] == 0).all()
        assert (after[:, :, :, -4:] == 0).all()


def test_that_a_hole_at_the_edge_ends_with_the_image() -> None:
    _, holed = fixed("cutout", hole_x=0.0, hole_y=0.999)(some_images(), some_images(seed=1))
    empty = (holed == 0).all(dim=1)[0]
    assert int(empty.sum()) == 8 * 9
    assert bool(empty[-9:, :8].all())


@pytest.mark.parametrize("setting", ["color", "translation", "cutout", "color,translation,cutout"])
def test_that_real_and_made_images_are_changed_alike_and_gradients_pass(setting: str) -> None:
    look = draw_augmentation(setting, 3, seed=4, step=7)
    assert look is not None
    maps, images = some_images(), some_images(seed=1)
    made = images.clone().requires_grad_()
    _, real_seen = look(maps, images)
    seen_maps, made_seen = look(maps, made)
    assert torch.equal(real_seen, made_seen.detach())
    assert seen_maps.shape == made_seen.shape == images.shape
    made_seen.square().sum().backward()
    assert made.grad is not None
    assert (made.grad != 0).float().mean() > 0.5


def test_that_what_is_done_depends_on_seed_and_step_alone() -> None:
    def drawn(setting: str = "cutout", *, seed: int = 1, step: int = 5) -> PairAugmentation:
        look = draw_augmentation(setting, 6, seed=seed, step=step)
        assert look is not None
        return look

    assert np.array_equal(drawn().numbers, drawn().numbers)
    assert drawn().numbers.shape == (6, NUMBERS)
    # Another switch draws the same, so that an ablation changes one thing.
    assert np.array_equal(drawn("color,translation,cutout").numbers, drawn().numbers)
    assert not np.array_equal(drawn(step=6).numbers, drawn().numbers)
    assert not np.array_equal(drawn(seed=2).numbers, drawn().numbers)
    assert len(np.unique(drawn().numbers)) == 6 * NUMBERS


def test_that_shifts_and_holes_reach_everywhere_that_they_may() -> None:
    maps = torch.ones((400, 3, SIDE, SIDE))
    look = draw_augmentation("translation", 400, seed=0, step=0)
    assert look is not None
    moved, _ = look(maps, maps)
    rows = {int(each[0].any(dim=1).float().argmax()) for each in moved}
    assert rows == {0, 1, 2, 3, 4}
    look = draw_augmentation("cutout", 400, seed=0, step=0)
    assert look is not None
    _, holed = look(maps, maps)
    assert bool((holed == 0).any(dim=0).all())
    assert 0.1 < float((holed == 0).float().mean()) < 0.25
