"""Sizes of classes around clicks."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from synthstudio.core.annotations.sizes import estimate_center_sizes, find_foreground
from synthstudio.core.imaging import write_png
from synthstudio.domain.plans import PlannedAnnotation, PlannedFov


def write_fov(
    path: Path, discs: list[tuple[int, int, int, str]], *, background: int = 220, ink: int = 120
) -> PlannedFov:
    """Draw discs (x, y, radius, class) and click each of them."""
    image = np.full((240, 320, 3), background, np.uint8)
    for x, y, radius, _ in discs:
        cv2.circle(image, (x, y), radius, (ink, ink // 2, ink), -1)
    write_png(path, image)
    marks = tuple(PlannedAnnotation(name, x + 1.5, y - 1.0) for x, y, _, name in discs)
    return PlannedFov(path, path.name, "s", None, "0" * 64, 320, 240, annotations=marks)


def grid(radius: int, name: str, y: int) -> list[tuple[int, int, int, str]]:
    return [(x, y, radius, name) for x in range(30, 300, 45)]


@pytest.mark.parametrize(("background", "ink"), [(220, 120), (5, 200)])
def test_that_sizes_are_those_of_the_drawn_discs(tmp_path: Path, background: int, ink: int) -> None:
    discs = [*grid(15, "large", 40), *grid(7, "small", 120)]
    sizes = estimate_center_sizes([write_fov(tmp_path / "a.png", discs, background=background, ink=ink)])
    assert sizes["large"] == pytest.approx(31, abs=2.5)
    assert sizes["small"] == pytest.approx(15, abs=2.5)


def test_that_clumps_and_objects_at_the_edge_do_not_count(tmp_path: Path) -> None:
    discs = [*grid(12, "cell", 40), *[(x, 150, 12, "cell") for x in range(30, 300, 20)], (0, 220, 12, "cell")]
    sizes = estimate_center_sizes([write_fov(tmp_path / "a.png", discs)])
    assert sizes["cell"] == pytest.approx(25, abs=2.5)


def test_that_a_rare_class_gets_the_size_of_the_others(tmp_path: Path) -> None:
    discs = [*grid(12, "cell", 40), (60, 150, 20, "rare")]
    sizes = estimate_center_sizes([write_fov(tmp_path / "a.png", discs)])
    assert sizes["rare"] == sizes["cell"]


def test_that_distances_serve_where_nothing_stands_out(tmp_path: Path) -> None:
    sizes = estimate_center_sizes([write_fov(tmp_path / "a.png", grid(12, "cell", 40), ink=220, background=220)])
    assert 20 <= sizes["cell"] <= 45


def test_that_a_single_click_on_nothing_gives_no_size(tmp_path: Path) -> None:
    fov = write_fov(tmp_path / "a.png", [(60, 60, 0, "cell")])
    assert estimate_center_sizes([fov]) == {}


def test_that_no_clicks_give_no_sizes() -> None:
    assert estimate_center_sizes([]) == {}


def test_that_pale_centres_of_cells_are_foreground() -> None:
    image = np.full((60, 60, 3), 220, np.uint8)
    cv2.circle(image, (30, 30), 20, (150, 90, 110), 6)
    assert find_foreground(image)[30, 30]
    assert not find_foreground(image)[2, 2]
