"""Which device computes."""

from __future__ import annotations

import torch

from synthstudio.domain.errors import UserError


def choose_device(name: str) -> torch.device:
    """Turn "auto" or a device string into a device that exists.

    Raises:
        UserError: There is no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        available = ["auto", "cpu", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
        raise UserError(
            f"The device {name} cannot be used ({error}).", f"Available here: {', '.join(available)}."
        ) from error
    return device


def device_words(device: torch.device) -> str:
    """What computes, in words for tables: "CPU, 2 threads", "NVIDIA H200"."""
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    n_threads = torch.get_num_threads()
    return f"{device.type.upper()}, {n_threads} thread{'s' if n_threads != 1 else ''}"
