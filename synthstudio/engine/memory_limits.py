"""Running out of memory, on a GPU or on the host, told from other errors."""

from __future__ import annotations

import os

import torch

from synthstudio.domain.errors import UserError

_HOST_WORDS = ("can't allocate memory", "not enough memory")
"""Of what torch says where the host has none left; it has no class of its own for that."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory is used up."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _HOST_WORDS)


def device_bytes(device: torch.device) -> float | None:
    """Bytes that this process can have: of a GPU what is free or already its own, of the host all that there is.

    None where the system does not tell.
    """
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return float(free + torch.cuda.memory_reserved(device))
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):  # Windows has no such call
        return None


def release_memory(device: torch.device) -> None:
    """Give back what torch keeps of a GPU for later."""
    if device.type == "cuda":
        torch.cuda.empty_cache()


def too_little_memory(device: torch.device, *, hint: str) -> UserError:
    """The error that the user sees; `hint` says what to change."""
    where = "GPU" if device.type == "cuda" else "main"
    return UserError(f"The {where} memory is too small for this training.", hint)
