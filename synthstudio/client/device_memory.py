"""How much memory the device has that trainings run on, without loading what trains."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from dataclasses import dataclass

TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class DeviceMemory:
    """The device in words, and its memory in bytes."""

    name: str
    n_bytes: float


@functools.cache
def find_device_memory() -> DeviceMemory | None:
    """Ask the driver of the GPU, else the system; None where neither tells. Takes up to a second the first time."""
    return _gpu_memory() or _system_memory()


def _gpu_memory() -> DeviceMemory | None:
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    command = [program, "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
        return DeviceMemory("The GPU", float(answer.stdout.splitlines()[0]) * 2**20)
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None


def _system_memory() -> DeviceMemory | None:
    try:
        return DeviceMemory("This computer", float(os.sysconf("SC_PHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, OSError, ValueError):  # not on this system
        return None
