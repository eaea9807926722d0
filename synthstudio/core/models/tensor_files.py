"""The names, types and shapes of the tensors in a .safetensors file, read from its header alone.

Format: 8 bytes little-endian length of the header, the header as JSON (name -> dtype, shape, data_offsets), the data.
See github.com/huggingface/safetensors, "Format".
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from synthstudio.core.imaging import translate_os_error
from synthstudio.domain.errors import UserError

PICKLES = (".bin", ".ckpt", ".pt", ".pth", ".pkl", ".th")
"""Ends of files that run code when they are read."""
SUFFIX = ".safetensors"
METADATA = "__metadata__"
MAX_HEADER_BYTES = 100_000_000
"""The limit of the format itself."""

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TensorFile:
    """What the header says.

    Attributes:
        shapes: By name.
        types: dtype by name, as the format writes it: "F32", "F16", "BF16".
        metadata: Texts that the writer added.
    """

    shapes: Mapping[str, Shape]
    types: Mapping[str, str]
    metadata: Mapping[str, str]

    def has(self, name: str) -> bool:
        """Whether there is a tensor of this name."""
        return name in self.shapes

    def shape(self, name: str) -> Shape:
        """Shape of a tensor; empty where there is none of this name."""
        return self.shapes.get(name, ())

    def n_weights(self, prefix: str = "") -> int:
        """Numbers in all tensors whose name begins so."""
        return sum(math.prod(shape) for name, shape in self.shapes.items() if name.startswith(prefix))


def read_tensor_file(path: Path) -> TensorFile:
    """Read the header of a .safetensors file.

    Raises:
        UserError: It is a pickle, missing, damaged, cut short, or no .safetensors file.
    """
    refuse_pickle(path)
    try:
        n_file = path.stat().st_size
        with path.open("rb") as stream:
            n_header = int.from_bytes(stream.read(8), "little")
            if not 2 <= n_header <= min(MAX_HEADER_BYTES, n_file - 8):
                raise _damaged(path)
            header = json.loads(stream.read(n_header))
    except OSError as error:
        raise translate_os_error(error, path) from error
    except (ValueError, RecursionError) as error:
        raise _damaged(path) from error
    return _parsed(header, path, n_data=n_file - 8 - n_header)


def refuse_pickle(path: Path) -> None:
    """Raise UserError, with the way to convert it, where a file is a pickle by its name or its first bytes."""
    is_pickle = path.suffix.lower() in PICKLES
    if not is_pickle and path.is_file():
        with path.open("rb") as stream:
            start = stream.read(4)
        # A zip archive (torch.save since 1.6) or a bare pickle of protocol 2 and later.
        is_pickle = start == b"PK\x03\x04" or (start[:1] == b"\x80" and start[1:2] in b"\x02\x03\x04\x05")
    if is_pickle:
        raise UserError(
            f"{path.name} is a pickle, which can run any code when it is read, so it is never opened here.",
            "Convert it on a machine you trust: torch.load(path, weights_only=True), then"
            " safetensors.torch.save_file(tensors, path); or ask for the .safetensors file where it came from.",
        )


def _parsed(header: object, path: Path, *, n_data: int) -> TensorFile:
    if not isinstance(header, dict):
        raise _damaged(path)
    shapes: dict[str, Shape] = {}
    types: dict[str, str] = {}
    metadata = header.pop(METADATA, {})
    if not isinstance(metadata, dict):
        raise _damaged(path)
    last = 0
    for name, entry in header.items():
        match entry:
            case {"dtype": str() as dtype, "shape": [*shape], "data_offsets": [int() as begin, int() as end]}:
                if not 0 <= begin <= end or not all(isinstance(each, int) and each >= 0 for each in shape):
                    raise _damaged(path)
                last = max(last, end)
                shapes[name], types[name] = tuple(shape), dtype
            case _:
                raise _damaged(path)
    if last > n_data:
        raise UserError(
            f"{path} is cut short: {last - n_data} bytes are missing at its end.",
            "Copy it again from where it came from.",
        )
    return TensorFile(shapes, types, {str(key): str(value) for key, value in metadata.items()})


def _damaged(path: Path) -> UserError:
    return UserError(
        f"{path} is damaged, or is no .safetensors file.", "Copy it again from where it came from, or choose another."
    )
