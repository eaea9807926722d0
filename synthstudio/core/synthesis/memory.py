"""A cache with a bound in bytes. What it gives back never depends on what it holds: entries are made from their key."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class ByteCache(Generic[Key, Value]):
    """The oldest entries leave when the bound is passed.

    The oldest, not the least recently used: patches are drawn evenly, which makes both the same, and keeping a record
    of each use costs a tenth of the time of an image.

    Attributes:
        find: Returns the entry of a key, or None.
        n_bytes: Size of what is kept.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._entries: dict[Key, Value] = {}
        self._ages: deque[tuple[Key, int]] = deque()  # keys and sizes, the oldest first
        self.find = self._entries.get
        self.n_bytes = 0

    def add(self, key: Key, value: Value, n_bytes: int) -> None:
        """Keep a new entry of this size; the last one added always stays."""
        self._entries[key] = value
        self._ages.append((key, n_bytes))
        self.n_bytes += n_bytes
        while self.n_bytes > self._limit_bytes and len(self._ages) > 1:
            oldest, freed = self._ages.popleft()
            del self._entries[oldest]
            self.n_bytes -= freed
