"""A large image is painted from tiles: the very pixels of the file, in bounded memory, refined while one looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from synthstudio.core.imaging import Levels, apply_levels, open_image_source, read_preview
from synthstudio.domain.errors import UserError
from synthstudio.gui.canvas.fov_view import FovView
from synthstudio.gui.canvas.large_images import GrowingOverview, LargeImage, open_for_view
from synthstudio.gui.canvas.pictures import to_picture
from synthstudio.gui.canvas.tile_loader import TileCache, TileKey, TileLoader
from synthstudio.gui.canvas.tiles import TiledPyramid

TIMEOUT_MS = 10_000


@pytest.fixture
def loader(qtbot: QtBot) -> Iterator[TileLoader]:
    made = TileLoader(cache_bytes=8 << 20)
    yield made
    made.stop()


@pytest.fixture
def flat_file(tmp_path: Path) -> tuple[Path, NDArray[np.uint8]]:
    """A flat tiled TIFF whose pixels tell their own place."""
    rows, columns = np.mgrid[0:2100, 0:3000]
    image = np.stack([columns % 251, rows % 241, (columns // 251 + rows // 241) * 9 % 256], axis=2).astype(np.uint8)
    tifffile.imwrite(tmp_path / "flat.tif", image, photometric="rgb", tile=(256, 256), compression="zlib")
    return tmp_path / "flat.tif", image


@pytest.fixture
def show(qtbot: QtBot, loader: TileLoader) -> Callable[[Path], tuple[FovView, TiledPyramid, list[Exception]]]:
    def shown(path: Path) -> tuple[FovView, TiledPyramid, list[Exception]]:
        source, errors = open_image_source(path), list[Exception]()
        pyramid = TiledPyramid(source, read_preview(source), loader=loader, failed=errors.append)
        view = FovView()
        qtbot.addWidget(view)
        view.resize(800, 600)
        view.set_scale_bar_visible(False)
        view.set_image(pyramid)
        view.show()
        return view, pyramid, errors

    return shown


def pixels_of(view: FovView) -> NDArray[np.uint8]:
    picture = view.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), picture.bytesPerLine())
    return rows[:, : 3 * picture.width()].reshape(picture.height(), picture.width(), 3).copy()


def test_that_at_one_to_one_the_pixels_of_the_file_are_seen(
    qtbot: QtBot,
    loader: TileLoader,
    flat_file: tuple[Path, NDArray[np.uint8]],
    show: Callable[[Path], tuple[FovView, TiledPyramid, list[Exception]]],
) -> None:
    path, image = flat_file
    view, pyramid, _ = show(path)
    view.one_to_one()
    view.center_on(1500, 1000)
    view.grab()
    qtbot.waitUntil(lambda: loader.is_idle, timeout=TIMEOUT_MS)
    x, y = (round(value) for value in view.viewport.to_image(0, 0))
    np.testing.assert_array_equal(pixels_of(view)[:400, :600], image[y : y + 400, x : x + 600])
    assert pyramid.color_at(1500.5, 1000.5) == tuple(image[1000, 1500])
    assert pyramid.color_at(-1, 5) is None


def test_that_enlarged_pixels_stay_crisp_and_in_their_place(
    qtbot: QtBot,
    loader: TileLoader,
    flat_file: tuple[Path, NDArray[np.uint8]],
    show: Callable[[Path], tuple[FovView, TiledPyramid, list[Exception]]],
) -> None:
    path, image = flat_file
    view, _, _ = show(path)
    view.zoom_by(8 / view.view_state.scale)
    view.center_on(1024, 1024)  # a corner of four tiles
    view.grab()
    qtbot.waitUntil(lambda: loader.is_idle, timeout=TIMEOUT_MS)
    seen = pixels_of(view)
    for x, y in ((1020, 1020), (1023, 1024), (1024, 1023), (1030, 1028)):
        at = view.image_to_widget(x + 0.5, y + 0.5).toPoint()
        np.testing.assert_array_equal(seen[at.y(), at.x()], image[y, x])


def test_that_a_part_of_the_file_that_is_lost_is_told_once(
    qtbot: QtBot,
    loader: TileLoader,
    flat_file: tuple[Path, NDArray[np.uint8]],
    show: Callable[[Path], tuple[FovView, TiledPyramid, list[Exception]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("synthstudio.core.imaging.tiff_source.SEGMENT_CACHE_BYTES", 1)
    path, _ = flat_file
    view, _, errors = show(path)
    with path.open("r+b") as stream:
        stream.truncate(1000)
    view.one_to_one()
    view.center_on(2800, 2000)
    view.grab()
    qtbot.waitUntil(lambda: loader.is_idle and bool(errors), timeout=TIMEOUT_MS)
    view.grab()
    assert len(errors) == 1
    assert isinstance(errors[0], UserError)


def test_that_tiles_are_kept_within_their_bytes_the_oldest_dropped_first() -> None:
    cache = TileCache(limit_bytes=10 * 64 * 64 * 4)
    for number in range(25):
        cache.add(TileKey(1, 0, number, 0), to_picture(np.zeros((64, 64, 3), np.uint8)))
        cache.find(TileKey(1, 0, 0, 0))
    assert cache.n_bytes <= 10 * 64 * 64 * 4
    assert TileKey(1, 0, 0, 0) in cache
    assert TileKey(1, 0, 24, 0) in cache
    assert TileKey(1, 0, 5, 0) not in cache
    cache.forget(1)
    assert cache.n_bytes == 0


def test_that_a_walk_over_a_large_image_stays_within_the_cache(
    qtbot: QtBot,
    loader: TileLoader,
    flat_file: tuple[Path, NDArray[np.uint8]],
    show: Callable[[Path], tuple[FovView, TiledPyramid, list[Exception]]],
) -> None:
    view, _, _ = show(flat_file[0])
    view.one_to_one()
    for x in range(200, 2900, 300):
        view.center_on(x, x * 0.7)
        view.grab()
        qtbot.waitUntil(lambda: loader.is_idle, timeout=TIMEOUT_MS)
        assert loader.cache.n_bytes <= 8 << 20


def test_that_zoom_levels_are_made_once_kept_and_shown(
    tmp_path: Path, flat_file: tuple[Path, NDArray[np.uint8]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthstudio.core.imaging.headers.LARGE_PIXELS", 1_000_000)
    monkeypatch.setattr("synthstudio.core.imaging.preview.MAX_READ_PX", 1024)
    path, image = flat_file
    opened = open_for_view(path, tmp_path / "zoom")
    assert isinstance(opened, LargeImage)
    assert opened.needs_levels
    growing = GrowingOverview(opened)
    finished = growing.build(tmp_path / "zoom", lambda _done, _total: None)
    assert [round(level.factor) for level in finished.source.levels] == [1, 4]
    whole = np.abs(growing.picture()[100:104, 100:104].astype(int) - image[200:208:2, 200:208:2])
    assert whole.max() < 40
    again = open_for_view(path, tmp_path / "zoom")
    assert isinstance(again, LargeImage)
    assert not again.needs_levels
    box = (100, 90, 300, 250)
    made = again.source.read_region(1, box).astype(int)
    wanted = image[360:1000, 400:1200].reshape(160, 4, 200, 4, 3).mean(axis=(1, 3))
    assert np.abs(made - wanted).mean() < 6  # JPEG, for the eye alone


def test_that_a_cancelled_or_failed_making_leaves_nothing_behind(
    tmp_path: Path, flat_file: tuple[Path, NDArray[np.uint8]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthstudio.core.imaging.headers.LARGE_PIXELS", 1_000_000)
    monkeypatch.setattr("synthstudio.core.imaging.preview.MAX_READ_PX", 1024)
    opened = open_for_view(flat_file[0], tmp_path / "zoom")
    assert isinstance(opened, LargeImage)

    def stop(done: int, total: int) -> None:
        raise UserError("The disk is full.", "")

    with pytest.raises(UserError):
        GrowingOverview(opened).build(tmp_path / "zoom", stop)
    assert list((tmp_path / "zoom").iterdir()) == []


def test_that_levels_of_a_large_sixteen_bit_image_use_its_full_depth(
    qtbot: QtBot,
    loader: TileLoader,
    tmp_path: Path,
    show: Callable[[Path], tuple[FovView, TiledPyramid, list[Exception]]],
) -> None:
    samples = np.random.default_rng(2).integers(20000, 20400, (2100, 3000)).astype(np.uint16)
    samples[0, 0] = 60000
    tifffile.imwrite(tmp_path / "deep.tif", samples, photometric="minisblack", tile=(256, 256))
    view, pyramid, _ = show(tmp_path / "deep.tif")
    view.one_to_one()
    view.center_on(1500, 1000)
    levels = Levels(black=20000 / 65535, white=20400 / 65535)
    pyramid.set_levels(levels)
    for _ in range(2):  # the 8-bit pixels first, then the samples themselves
        view.grab()
        qtbot.waitUntil(lambda: loader.is_idle, timeout=TIMEOUT_MS)
    x, y = (round(value) for value in view.viewport.to_image(0, 0))
    seen = pixels_of(view)[:400, :600]
    expected = apply_levels(samples[y : y + 400, x : x + 600], levels, full_scale=65535)
    np.testing.assert_array_equal(seen, expected)
    assert len(np.unique(seen)) > 200
