"""Weights and training states as safetensors files: nothing in them can execute code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from synthstudio.core.imaging import translate_os_error, writing_atomically
from synthstudio.domain.errors import UserError

FORMAT = "synthstudio-1"
JsonValue = str | int | float | bool | None | list["JsonValue"] | dict[str, "JsonValue"]
Tensors = dict[str, torch.Tensor]
_DTYPE_NAMES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a file holds: named tensors, and facts that are no tensors."""

    tensors: Tensors
    facts: dict[str, JsonValue]

    def part(self, name: str) -> Tensors:
        """Tensors below `name/`, without that prefix."""
        prefix = f"{name}/"
        return {key.removeprefix(prefix): value for key, value in self.tensors.items() if key.startswith(prefix)}


def save_checkpoint(path: Path, parts: Mapping[str, Mapping[str, torch.Tensor]], facts: dict[str, JsonValue]) -> None:
    """Write tensors and facts whole or not at all.

    Args:
        path: File to write; an earlier one is replaced.
        parts: Part name -> tensor name -> tensor, for example "network" -> its state.
        facts: Anything JSON can say.

    Raises:
        UserError: The file cannot be written.
    """
    tensors = {f"{part}/{name}": tensor for part, state in parts.items() for name, tensor in state.items()}
    metadata = {"format": FORMAT, "facts": json.dumps(facts), "torch": torch.__version__}
    try:
        # Without its parents: a project that was deleted meanwhile must not come back as a ruin.
        path.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise translate_os_error(error, path.parent) from error
    digest = hashlib.sha256(_header_text(_header(tensors, metadata)))
    for block in _blocks(tensors):
        digest.update(block)
    write_weights(path, tensors, metadata | {"sha256": digest.hexdigest()})


def write_weights(path: Path, tensors: Tensors, metadata: Mapping[str, str]) -> None:
    """Write tensors as a safetensors file, whole or not at all; the same tensors give the same bytes.

    Not by the library: it wants all of it in memory once more, and a disk that is full is no OSError there.

    Args:
        path: File to write, in a folder that exists; an earlier one is replaced.
        tensors: On any device.
        metadata: Words for the header.

    Raises:
        UserError: The file cannot be written.
    """
    text = _header_text(_header(tensors, metadata))
    text += b" " * (-len(text) % 8)  # tensors begin at a multiple of 8, as the library writes them
    with writing_atomically(path) as stream:
        stream.write(len(text).to_bytes(8, "little") + text)
        for block in _blocks(tensors):
            stream.write(block)


def _in_order(tensors: Tensors) -> list[tuple[str, torch.Tensor]]:
    """Wide numbers first, so that every tensor begins at a multiple of the size of its numbers."""
    return sorted(tensors.items(), key=lambda each: (-each[1].element_size(), each[0]))


def _header(tensors: Tensors, metadata: Mapping[str, str]) -> dict[str, JsonValue]:
    header: dict[str, JsonValue] = {"__metadata__": dict(metadata)}
    start = 0
    for name, tensor in _in_order(tensors):
        end = start + tensor.numel() * tensor.element_size()
        header[name] = {
            "dtype": _DTYPE_NAMES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [start, end],
        }
        start = end
    return header


def _blocks(tensors: Tensors) -> Iterator[memoryview]:
    """The bytes of the tensors, one after the other."""
    for _, tensor in _in_order(tensors):
        if tensor.numel():
            flat = tensor.detach().cpu().contiguous().reshape(-1)
            yield flat.view(torch.uint8).numpy().data


def _is_intact(path: Path) -> bool:
    """Whether a file that was read as safetensors is, byte by byte, the one that was written."""
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        expected = header["__metadata__"].pop("sha256", None)
        digest = hashlib.sha256(_header_text(header))
        while block := file.read(1 << 20):
            digest.update(block)
    return expected in (None, digest.hexdigest())


def _header_text(header: dict[str, JsonValue]) -> bytes:
    return json.dumps(header, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint onto the CPU.

    Raises:
        UserError: The file is missing, damaged or of another kind.
    """
    tensors, metadata = _read(path)
    if metadata.get("format") != FORMAT:
        raise UserError(f"{path} is not a checkpoint of SynthStudio.", "Choose a file from a run's checkpoints folder.")
    try:
        if not _is_intact(path):
            raise _damaged(path, "it is not what was written")
        return Checkpoint(tensors, json.loads(metadata["facts"]))
    except (KeyError, ValueError, OSError) as error:
        raise _damaged(path, str(error)) from error


def _damaged(path: Path, reason: str) -> UserError:
    return UserError(
        f"{path} is damaged or is no safetensors file ({reason}).", "Use an earlier checkpoint, or train again."
    )


def load_weights(path: Path) -> Tensors:
    """Read the tensors of any safetensors file. Raises UserError where it is missing or damaged."""
    return _read(path)[0]


def _read(path: Path) -> tuple[Tensors, dict[str, str]]:
    if not path.is_file():
        raise UserError(f"There is no file {path}.", "Train first, or choose another file.")
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            metadata = file.metadata() or {}
            return {key: file.get_tensor(key) for key in file.keys()}, metadata  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError) as error:
        raise _damaged(path, str(error)) from error


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> Tensors:
    """The optimiser's state as named tensors: `<index of the parameter>/<name>`."""
    tensors: Tensors = {}
    for index, state in optimizer.state_dict()["state"].items():
        # The 8-bit optimiser wraps a part of its state once more; it takes it back without.
        wrapped = [each for each in state.values() if isinstance(each, dict)]
        for name, value in [*state.items(), *(item for each in wrapped for item in each.items())]:
            if value is not None and not isinstance(value, dict):
                tensors[f"{index}/{name}"] = torch.as_tensor(value)
    return tensors


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Tensors) -> None:
    """Put back what `optimizer_tensors` gave; the settings of the parameter groups stay those of `optimizer`."""
    state: dict[int, dict[str, torch.Tensor | int]] = {}
    for key, tensor in tensors.items():
        index, name = key.split("/", 1)
        is_count = tensor.ndim == 0 and not tensor.is_floating_point()  # the 8-bit optimiser counts in plain numbers
        state.setdefault(int(index), {})[name] = int(tensor) if is_count else tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    for parameter, restored in optimizer.state.items():
        for name, value in restored.items():
            # In the memory layout of the weights, as it was before: fused steps go through both in parallel.
            if not isinstance(value, torch.Tensor):
                continue
            if value.shape == parameter.shape:
                restored[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)
            elif value.ndim:
                restored[name] = value.to(parameter.device)


def restore_network(network: nn.Module, tensors: Tensors, *, source: str) -> None:
    """Put weights into a network of the same shape. Raises UserError, naming `source`, where they do not fit."""
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1].strip()
        raise UserError(
            f"The weights in {source} do not fit the network: {reason.rstrip('.')}.",
            "Choose weights of the same network, or train again.",
        ) from error
