"""A large image in the workspace: shown at once, its zoom levels made once in the background, its annotations exact."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from synthstudio.core.fields.images import open_image_file
from synthstudio.core.imaging import read_image
from synthstudio.domain.records import Role, Storage
from synthstudio.gui.canvas.pyramid import ImagePyramid
from synthstudio.gui.canvas.tiles import TiledPyramid
from synthstudio.gui.item_models.thumbnails import read_thumbnail
from synthstudio.gui.pages.annotate.page import AnnotatePage
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.project.files import stored_path
from tests.support.windows import TIMEOUT_MS, open_window

SIDE = 3000


@pytest.fixture(autouse=True)
def small_is_large(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Lower the bars, and keep the user's own cache out of it."""
    monkeypatch.setattr("synthstudio.core.imaging.headers.LARGE_PIXELS", 1_000_000)
    monkeypatch.setattr("synthstudio.core.imaging.preview.MAX_READ_PX", 1024)
    monkeypatch.setattr("synthstudio.gui.workspace.zoom_level_folder", lambda: tmp_path / "zoom")
    monkeypatch.setattr("synthstudio.gui.item_models.thumbnails.zoom_level_folder", lambda: tmp_path / "zoom")


@pytest.fixture
def project_folder(tmp_path: Path) -> Path:
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    image = np.stack([columns // 12, rows // 12, np.full_like(rows, 90)], axis=2).astype(np.uint8)
    path = tmp_path / "large.tif"
    tifffile.imwrite(path, image, photometric="rgb", tile=(256, 256), compression="zlib")
    project = Project.create(tmp_path / "study")
    project.classes.add("cell", role=Role.OBJECT, size_px=40.0)
    file = open_image_file(path)
    project.fovs.add(
        sample_id=project.samples.get_or_add("one").id,
        name=path.name,
        stored_path=stored_path(project.folder, path),
        storage=Storage.REFERENCE,
        sha256=file.sha256,
        width=file.width,
        height=file.height,
    )
    project.close()
    return tmp_path / "study"


@pytest.fixture
def workspace(qtbot: QtBot, tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(preferences_file=tmp_path / "preferences.toml")
    yield made
    made.shut_down()


def open_first(qtbot: QtBot, workspace: Workspace, folder: Path) -> TiledPyramid:
    workspace.open_project(folder)
    images: list[ImagePyramid] = []
    workspace.load_fov_image(workspace.fov_order[0], images.append, workspace)
    qtbot.waitUntil(lambda: bool(images), timeout=TIMEOUT_MS)
    assert isinstance(images[0], TiledPyramid)
    return images[0]


def test_that_zoom_levels_are_made_in_the_background_once(
    qtbot: QtBot, workspace: Workspace, project_folder: Path, tmp_path: Path
) -> None:
    pyramid = open_first(qtbot, workspace, project_folder)
    assert (pyramid.width, pyramid.height) == (SIDE, SIDE)
    qtbot.waitUntil(lambda: len(pyramid.source.levels) > 1, timeout=TIMEOUT_MS)
    made = list((tmp_path / "zoom").iterdir())
    assert len(made) == 1
    workspace.forget_image(workspace.fov_order[0])
    images: list[ImagePyramid] = []
    workspace.load_fov_image(workspace.fov_order[0], images.append, workspace)
    qtbot.waitUntil(lambda: bool(images), timeout=TIMEOUT_MS)
    again = images[0]
    assert isinstance(again, TiledPyramid)
    assert len(again.source.levels) > 1
    assert workspace.background.titled_tasks == []


def test_that_closing_the_project_while_levels_are_made_leaves_nothing(
    qtbot: QtBot, workspace: Workspace, project_folder: Path, tmp_path: Path
) -> None:
    open_first(qtbot, workspace, project_folder)
    workspace.close_project()
    assert list((tmp_path / "zoom").glob(".*")) == []
    assert workspace.tile_loader.cache.n_bytes == 0


def test_that_a_click_on_a_large_image_lands_on_its_full_resolution_pixel(
    qtbot: QtBot, project_folder: Path, tmp_path: Path
) -> None:
    with open_window(qtbot, tmp_path / "private", project_folder) as window:
        page = window.findChild(AnnotatePage)
        assert isinstance(page, AnnotatePage)
        page.view.set_tool("center")
        for scale in (1.0, 8.0, 0.3):
            page.view.zoom_by(scale / page.view.view_state.scale)
            page.view.center_on(2000, 1700)
            at = page.view.image_to_widget(2005.5, 1690.5).toPoint()
            before = set(page.editor.annotations)
            qtbot.mouseClick(page.view, Qt.MouseButton.LeftButton, pos=QPoint(at))
            (added,) = set(page.editor.annotations) - before
            mark = page.editor.annotations[added]
            assert abs(mark.x - 2005.5) <= 1 / scale
            assert abs(mark.y - 1690.5) <= 1 / scale
            page.workspace.undo_stack.undo()


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_that_an_image_that_is_decoded_whole_is_unpacked_once_and_then_read_in_parts(
    qtbot: QtBot,
    workspace: Workspace,
    project_folder: Path,
    *,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    suffix: str,
) -> None:
    path = tmp_path / f"large{suffix}"
    pixels = tifffile.imread(tmp_path / "large.tif")
    cv2.imwrite(str(path), pixels[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])
    shown = read_image(path)
    project = Project.open(project_folder)
    (fov,) = project.fovs.list()
    project.fovs.relink(fov.id, stored_path=str(path))
    project.close()
    pyramid = open_first(qtbot, workspace, project_folder)
    assert pyramid.n_bytes > shown.nbytes  # it is held until the copy is written
    qtbot.waitUntil(lambda: len(pyramid.source.levels) > 1, timeout=TIMEOUT_MS)
    assert pyramid.n_bytes < shown.nbytes
    assert pyramid.source.path == path
    box = (700, 1500, 1900, 2990)
    np.testing.assert_array_equal(pyramid.source.read_region(0, box), shown[1500:2990, 700:1900])
    workspace.forget_image(workspace.fov_order[0])
    for module in ("canvas.large_images", "item_models.thumbnails"):
        monkeypatch.setattr(f"synthstudio.gui.{module}.read_image", lambda *_, **__: pytest.fail("decoded again"))
    images: list[ImagePyramid] = []
    workspace.load_fov_image(workspace.fov_order[0], images.append, workspace)
    qtbot.waitUntil(lambda: bool(images), timeout=TIMEOUT_MS)
    thumbnail = read_thumbnail(path, None)
    again = images[0]
    assert isinstance(again, TiledPyramid)
    np.testing.assert_array_equal(again.source.read_region(0, box), shown[1500:2990, 700:1900])
    assert thumbnail.pixelColor(250, 10).red() > 200


def test_that_its_thumbnail_shows_the_whole_of_it(qtbot: QtBot, project_folder: Path, tmp_path: Path) -> None:
    picture = read_thumbnail(project_folder.parent / "large.tif", None)
    assert max(picture.width(), picture.height()) == 256
    right = picture.pixelColor(250, 10)
    assert right.red() > 200
    assert right.green() < 60
