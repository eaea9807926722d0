"""Features of pictures by what the pictures are: an unchanged one is never described twice."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.evaluation.array_files import AnyArray, read_arrays, write_arrays
from synthstudio.core.evaluation.descriptor import DESCRIPTOR_NAME
from synthstudio.core.evaluation.similar import FeatureRows
from synthstudio.domain.errors import UserError
from synthstudio.domain.os_errors import translate_os_error
from synthstudio.domain.records import CropSquare

KEY_BYTES = 16
Key = bytes
"""A picture's content and window, as `KEY_BYTES` bytes in hexadecimal."""


def picture_key(content_key: str, window: CropSquare | None) -> Key:
    """The key of an image, told by its content, or of a square of it."""
    text = content_key if window is None else f"{content_key}@{window.x},{window.y},{window.side}"
    return hashlib.blake2b(text.encode(), digest_size=KEY_BYTES).hexdigest().encode()


def store_name(sha256: str) -> str:
    """Name of the file of a store; the built-in descriptor has no hash."""
    return f"{sha256[:16] or DESCRIPTOR_NAME.replace(' ', '-')}.npz"


class FeatureStore:
    """Features that one descriptor, or network, has made.

    Args:
        name: Of what made them.
        keys: Of the pictures.
        vectors: `(N, D)`.
    """

    def __init__(self, name: str, keys: Sequence[Key] = (), vectors: FeatureRows | None = None) -> None:
        self.name = name
        self._rows: dict[Key, int] = {key: row for row, key in enumerate(keys)}
        self._parts: list[FeatureRows] = [vectors] if vectors is not None and len(keys) else []

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, key: Key) -> bool:
        return key in self._rows

    @property
    def keys(self) -> tuple[Key, ...]:
        """Of the pictures, in the order of their rows."""
        return tuple(self._rows)

    def put(self, keys: Sequence[Key], vectors: FeatureRows) -> None:
        """Keep features `(M, D)` of pictures that are not there yet."""
        first = len(self._rows)
        self._rows.update((key, first + row) for row, key in enumerate(keys))
        assert len(self._rows) == first + len(keys), "a picture is described once"
        self._parts.append(np.asarray(vectors, np.float32))

    def vectors(self) -> FeatureRows:
        """All, `(N, D)`; `(0, 0)` where there are none."""
        if len(self._parts) > 1:
            self._parts = [np.concatenate(self._parts)]
        return self._parts[0] if self._parts else np.zeros((0, 0), np.float32)

    def rows(self, keys: Sequence[Key]) -> NDArray[np.int64]:
        """`(M,)` the row of each picture in `vectors`, -1 where it is not described."""
        return np.fromiter((self._rows.get(key, -1) for key in keys), np.int64, len(keys))

    def only(self, keys: Sequence[Key]) -> FeatureStore:
        """A store of those of some pictures that are described."""
        unique = [key for key in dict.fromkeys(keys) if key in self._rows]
        return FeatureStore(self.name, unique, self.vectors()[self.rows(unique)] if unique else None)

    def write(self, folder: Path, sha256: str) -> None:
        """Write the store into a folder, which is made. Raises UserError where that fails."""
        arrays = {
            "name": np.array([self.name], np.str_),
            "keys": np.array(list(self._rows), f"S{2 * KEY_BYTES}"),
            "vectors": self.vectors(),
        }
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise translate_os_error(error, folder) from error
        write_arrays(folder / store_name(sha256), arrays, is_compressed=False)

    @classmethod
    def read(cls, folder: Path, sha256: str, name: str) -> FeatureStore:
        """Read the store of what has this hash; an empty one where there is none, or it is damaged."""
        try:
            return read_arrays(folder / store_name(sha256), _from_arrays)
        except UserError:  # it only saves time
            return cls(name)


def _from_arrays(arrays: Mapping[str, AnyArray]) -> FeatureStore:
    """The other way. Raises KeyError or ValueError where something is amiss."""
    keys, vectors = arrays["keys"], np.asarray(arrays["vectors"], np.float32)
    if vectors.ndim != 2 or keys.shape != vectors.shape[:1]:
        raise ValueError("keys and vectors differ in number")
    return FeatureStore(str(arrays["name"][0]), keys.tolist(), vectors)
