"""The decoded images of the fields: kept as long as there is room, the neighbours of what is shown read ahead."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QObject
from PySide6.QtGui import QImage

from synthstudio.core.imaging import LARGE_PIXELS
from synthstudio.domain.ids import FovId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import FieldOfView
from synthstudio.gui import errors
from synthstudio.gui.background import Background, Task
from synthstudio.gui.canvas.large_images import GrowingOverview, LargeImage, open_for_view
from synthstudio.gui.canvas.pyramid import ImagePyramid, WholePyramid
from synthstudio.gui.canvas.tile_loader import TileLoader
from synthstudio.gui.canvas.tiles import TiledPyramid
from synthstudio.gui.item_models.thumbnails import read_thumbnail
from synthstudio.project import Project

CACHE_BYTES = 192 << 20
"""Decoded images kept: two or three fields of 4072 x 3072 px, or hundreds of small ones."""

THUMBNAIL_FOLDER = ".thumbnails"

ImageDone = Callable[[ImagePyramid], None]
Failed = Callable[[Exception], None]


class Shown(Protocol):
    """What decides which images are kept and read ahead."""

    background: Background
    tile_loader: TileLoader
    zoom_levels: Path
    fov_order: tuple[FovId, ...]
    current_fov_id: FovId | None

    def require_project(self) -> Project:
        """Return the open project. Raises UserError where there is none."""


class FovImages(QObject):
    """Decodes and keeps them.

    Args:
        shown: What is open and looked at; it owns this.
    """

    def __init__(self, shown: Shown, parent: QObject) -> None:
        super().__init__(parent)
        self._shown = shown
        self._images: OrderedDict[FovId, ImagePyramid] = OrderedDict()
        self._without_levels: dict[FovId, LargeImage] = {}
        self._preparing: set[FovId] = set()
        self._generation = 0

    def __contains__(self, fov_id: FovId) -> bool:
        return fov_id in self._images

    def load(self, fov_id: FovId, done: ImageDone, owner: QObject, *, failed: Failed | None) -> Task | None:
        """Give the decoded image of an FOV to `done`: at once where it is cached, else from a thread.

        The next and the previous FOV of the list are decoded ahead afterwards.
        """
        known = self._images.get(fov_id)
        if known is not None:
            self._images.move_to_end(fov_id)
            done(known)
            self._prepare_levels(fov_id)
            self._preload_neighbours(fov_id)
            return None

        def on_done(pyramid: ImagePyramid) -> None:
            done(pyramid)
            self._prepare_levels(fov_id)
            if fov_id == self._shown.current_fov_id:
                self._preload_neighbours(fov_id)

        return self._decode(fov_id, on_done, owner, failed=failed, priority=1)

    def load_thumbnail(self, fov: FieldOfView, done: Callable[[QImage | None], None], owner: QObject) -> None:
        """Give the thumbnail of an FOV to `done`, from a thread; None where its image cannot be read."""
        project = self._shown.require_project()
        cached = project.folder / THUMBNAIL_FOLDER / f"{fov.content_key}.jpg"
        can_write = not project.is_read_only

        def work(_: Tick) -> QImage:
            return read_thumbnail(Path(fov.path), cached if can_write or cached.is_file() else None, page=fov.page)

        self._shown.background.run(
            work, done=done, failed=lambda _error: done(None), owner=owner, priority=-2, reads_images=True
        )

    def forget(self, fov_id: FovId) -> None:
        """Decode the image of an FOV anew next time: its file has changed place or content."""
        self._without_levels.pop(fov_id, None)
        forgotten = self._images.pop(fov_id, None)
        if isinstance(forgotten, TiledPyramid):
            forgotten.forget_tiles()

    def forget_all_but(self, kept: frozenset[FovId]) -> None:
        """Drop all other images: their fields are gone."""
        for gone in [fov_id for fov_id in self._images if fov_id not in kept]:
            self.forget(gone)

    def forget_project(self) -> None:
        """Drop all images, and those that are being read: another project has other fields under these ids."""
        self._generation += 1
        self.forget_all_but(frozenset())

    def _decode(self, fov_id: FovId, done: ImageDone, owner: QObject, *, failed: Failed | None, priority: int) -> Task:
        fov = self._shown.require_project().fovs.get(fov_id)
        generation = self._generation

        def work(_: Tick) -> WholePyramid | LargeImage:
            return open_for_view(Path(fov.path), self._shown.zoom_levels, page=fov.page)

        def keep(opened: WholePyramid | LargeImage) -> None:
            if generation == self._generation:
                pyramid = self._adopt(fov_id, opened)
                self._keep(fov_id, pyramid)
                done(pyramid)

        return self._shown.background.run(
            work, done=keep, failed=failed, owner=owner, priority=priority, reads_images=True
        )

    def _adopt(self, fov_id: FovId, opened: WholePyramid | LargeImage) -> ImagePyramid:
        if isinstance(opened, WholePyramid):
            return opened
        if opened.needs_levels:
            self._without_levels[fov_id] = opened
        return TiledPyramid(
            opened.source, opened.overview, loader=self._shown.tile_loader, failed=partial(errors.report, parent=None)
        )

    def _prepare_levels(self, fov_id: FovId) -> None:
        """Make the zoom levels of a large image that is looked at, once; its picture grows meanwhile."""
        opened, pyramid = self._without_levels.pop(fov_id, None), self._images.get(fov_id)
        if opened is None or not isinstance(pyramid, TiledPyramid) or fov_id in self._preparing:
            return
        self._preparing.add(fov_id)
        growing = GrowingOverview(opened)

        def work(tick: Tick) -> LargeImage:
            return growing.build(self._shown.zoom_levels, tick)

        def adopt(finished: LargeImage) -> None:
            pyramid.set_source(finished.source)
            pyramid.set_overview(finished.overview)

        title = f"Preparing to zoom {opened.source.path.name}"
        task = self._shown.background.run(work, done=adopt, owner=self, title=title, priority=-1, reads_images=True)
        task.ended.connect(lambda: self._preparing.discard(fov_id))
        task.progressed.connect(lambda _done, _total: pyramid.set_overview(growing.picture()))

    def _keep(self, fov_id: FovId, pyramid: ImagePyramid) -> None:
        self._images[fov_id] = pyramid
        self._images.move_to_end(fov_id)
        total = sum(each.n_bytes for each in self._images.values())
        for oldest in [each for each in self._images if each not in (fov_id, self._shown.current_fov_id)]:
            if total <= CACHE_BYTES:
                return
            dropped = self._images.pop(oldest)
            total -= dropped.n_bytes
            if isinstance(dropped, TiledPyramid):
                dropped.forget_tiles()

    def _preload_neighbours(self, fov_id: FovId) -> None:
        order = self._shown.fov_order
        if fov_id not in order:
            return
        place = order.index(fov_id)
        for neighbour in (place + 1, place - 1):
            if 0 <= neighbour < len(order) and order[neighbour] not in self._images:
                self._preload(order[neighbour])

    def _preload(self, fov_id: FovId) -> None:
        fov = self._shown.require_project().fovs.get(fov_id)
        if fov.width * fov.height <= LARGE_PIXELS:  # a large one opens at once, or would take gigabytes
            # A neighbour that cannot be read is reported when it is opened, not before.
            self._decode(fov_id, _ignore_image, self, failed=_ignore_error, priority=0)


def _ignore_image(_: ImagePyramid) -> None:
    """The cache has it."""


def _ignore_error(_: Exception) -> None:
    """It is told when the user opens that FOV."""
