"""Named arrays in one file, without pickles: nothing in it can execute code."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.imaging import read_bytes, write_bytes_atomically
from synthstudio.domain.errors import UserError

FORMAT = 1
Record = TypeVar("Record")
AnyArray = NDArray[np.generic]


def check_shapes(record: object, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raise ValueError where an array of a record has not the shape that it ought to have."""
    for name, shape in shapes.items():
        found = getattr(record, name).shape
        if found != shape:
            raise ValueError(f"{name} has shape {found}, expected {shape}")


def write_arrays(path: Path, arrays: Mapping[str, AnyArray], *, is_compressed: bool = True) -> None:
    """Write arrays whole or not at all; features do not get smaller. Raises UserError where that fails."""
    stream = io.BytesIO()
    save = np.savez_compressed if is_compressed else np.savez
    save(stream, allow_pickle=False, format=np.int64(FORMAT), **arrays)
    write_bytes_atomically(path, stream.getvalue())


def read_arrays(path: Path, build: Callable[[Mapping[str, AnyArray]], Record]) -> Record:
    """Read a record from the arrays of a file.

    Args:
        path: The file.
        build: Makes the record; a KeyError, ValueError or TypeError of it means that the file is damaged.

    Raises:
        UserError: The file is missing, damaged or of another version.
    """
    data = read_bytes(path)
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        if int(arrays["format"]) == FORMAT:
            return build(arrays)
    except (KeyError, ValueError, TypeError, AttributeError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise UserError(f"The file {path} is damaged.", "Evaluate the run again.") from error
    raise UserError(f"{path} is from another version of SynthStudio.", "Evaluate the run again.")
