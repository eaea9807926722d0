"""Tiles of large images: read in threads, kept within a bound of bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import shiboken6
from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QImage

from synthstudio.core.imaging import Levels
from synthstudio.gui.threads import Threads

CACHE_BYTES = 128 << 20
"""Tiles kept, of all large images together: three screens of 1600 x 1000 px at the least favourable zoom."""
N_THREADS = 2
STOP_S = 2.0
"""How long the end waits for a tile: a drive may never answer."""


@dataclass(frozen=True, slots=True)
class TileKey:
    """Place of a tile: which image, how often halved, column and row; and the levels of a 16-bit one that has them."""

    image: int
    level: int
    column: int
    row: int
    look: Levels | None = None


class TileCache:
    """Pictures of tiles, the least recently used dropped first once they exceed their bytes."""

    def __init__(self, limit_bytes: int = CACHE_BYTES) -> None:
        self._limit = limit_bytes
        self._tiles: OrderedDict[TileKey, QImage] = OrderedDict()
        self.n_bytes = 0

    def __contains__(self, key: TileKey) -> bool:
        return key in self._tiles

    def find(self, key: TileKey) -> QImage | None:
        """Return a tile, which counts as used now."""
        found = self._tiles.get(key)
        if found is not None:
            self._tiles.move_to_end(key)
        return found

    def add(self, key: TileKey, tile: QImage) -> None:
        """Keep a tile."""
        former = self._tiles.pop(key, None)
        self.n_bytes += tile.sizeInBytes() - (former.sizeInBytes() if former is not None else 0)
        self._tiles[key] = tile
        while self.n_bytes > self._limit and len(self._tiles) > 1:
            _, oldest = self._tiles.popitem(last=False)
            self.n_bytes -= oldest.sizeInBytes()

    def forget(self, image: int) -> None:
        """Drop all tiles of an image."""
        for key in [key for key in self._tiles if key.image == image]:
            self.n_bytes -= self._tiles.pop(key).sizeInBytes()


ReadTile = Callable[[TileKey], QImage]


class TileLoader(QObject):
    """Reads tiles in threads, the ones asked for last first; what is out of sight again is never read.

    Belongs to the workspace, which stops it.
    """

    _delivered = Signal(object)

    def __init__(self, parent: QObject | None = None, *, cache_bytes: int = CACHE_BYTES) -> None:
        super().__init__(parent)
        self.cache = TileCache(cache_bytes)
        self._threads = Threads(N_THREADS)
        self._lock = threading.Lock()
        self._wanted: list[tuple[TileKey, ReadTile, TilesArrived]] = []
        self._in_flight: set[TileKey] = set()
        self._n_workers = 0
        self._is_stopped = False
        self._delivered.connect(self._on_delivered, Qt.ConnectionType.QueuedConnection)

    def request(self, keys: Sequence[TileKey], read: ReadTile, arrived: TilesArrived) -> None:
        """Ask for tiles in this order, in place of what was asked for before.

        `arrived` is called in the GUI thread for each, with the error instead of the picture where it failed.
        """
        with self._lock:
            if self._is_stopped:
                return
            self._wanted = [(key, read, arrived) for key in keys if key not in self._in_flight]
            n_new = min(len(self._wanted), N_THREADS - self._n_workers)
            self._n_workers += max(n_new, 0)
        for _ in range(n_new):
            self._threads.start(self._read_tiles)

    @property
    def is_idle(self) -> bool:
        with self._lock:
            return not self._wanted and not self._in_flight and self._n_workers == 0

    def stop(self) -> None:
        """Read nothing more, and wait for the threads; one that hangs is left behind."""
        with self._lock:
            self._is_stopped = True
            self._wanted = []
        self._threads.wait(STOP_S)

    def _read_tiles(self) -> None:
        """Read one tile after the other until none is wanted; runs in a thread."""
        while (job := self.take()) is not None:
            key, read, arrived = job
            try:
                self.deliver(key, arrived, read(key))
            except Exception as error:  # noqa: BLE001 - the thread's door: the image tells it to the user
                self.deliver(key, arrived, error)

    def take(self) -> tuple[TileKey, ReadTile, TilesArrived] | None:
        """Give a worker its next tile; None ends it."""
        with self._lock:
            if not self._wanted:
                self._n_workers -= 1
                return None
            job = self._wanted.pop(0)
            self._in_flight.add(job[0])
            return job

    def deliver(self, key: TileKey, arrived: TilesArrived, found: QImage | Exception) -> None:
        """Hand over what a worker has read; called from its thread."""
        if shiboken6.isValid(self):
            self._delivered.emit((key, arrived, found))

    @Slot(object)
    def _on_delivered(self, news: tuple[TileKey, TilesArrived, QImage | Exception]) -> None:
        key, arrived, found = news
        with self._lock:
            self._in_flight.discard(key)
        if isinstance(found, QImage):
            self.cache.add(key, found)
        arrived(key, found)


TilesArrived = Callable[[TileKey, QImage | Exception], None]
