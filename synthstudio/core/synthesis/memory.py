"""A cache with a bound in bytes. What it gives back never depends on what it holds: entries are made from their key."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class ByteCache(Generic[Key, Value]):
    """Least recently used entries leave when the bound is passed."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._entries: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self.n_bytes = 0

    def find(self, key: Key) -> Value | None:
        """The entry, or None."""
        found = self._entries.get(key)
        if found is None:
            return None
        self._entries.move_to_end(key)
        return found[0]

    def add(self, key: Key, value: Value, n_bytes: int) -> None:
        """Keep an entry of this size; the last one added always stays."""
        self._entries[key] = (value, n_bytes)
        self.n_bytes += n_bytes
        while self.n_bytes > self._limit_bytes and len(self._entries) > 1:
            _, (_, freed) = self._entries.popitem(last=False)
            self.n_bytes -= freed
