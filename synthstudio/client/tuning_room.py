"""Whether a fine-tuning fits the device and the disk, in words, before it starts."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

from synthstudio.client.device_memory import DeviceMemory
from synthstudio.core.training.diffusion_memory import (
    GB,
    STABLE_DIFFUSION_1,
    ModelSize,
    advise,
    estimate_memory,
    size_of,
)
from synthstudio.domain.errors import UserError
from synthstudio.project import Project
from synthstudio.settings.train_diffusion import TrainDiffusionSettings


def describe_room(project: Project, settings: TrainDiffusionSettings, device: DeviceMemory | None) -> tuple[str, str]:
    """What a training takes, and what speaks against it; the second is empty where it fits.

    Args:
        project: Where it would run.
        settings: Its settings.
        device: What it would run on; None where that is not known.
    """
    size = _size_of(project, settings.model)
    has_eight_bit = importlib.util.find_spec("bitsandbytes") is not None
    estimate = estimate_memory(settings, size, has_eight_bit=has_eight_bit)
    troubles = []
    if device is not None and (advice := advise(settings, device.n_bytes, size, has_eight_bit=has_eight_bit)):
        troubles.append(f"{device.name} has {device.n_bytes / GB:.1f} GB. {advice}")
    free = _free_bytes(project.folder)
    if estimate.disk_bytes > free:
        troubles.append(f"The disk has {free / GB:.1f} GB free.")
    return estimate.words, " ".join(troubles)


def _size_of(project: Project, model: str) -> ModelSize:
    try:
        return size_of(project.models.get(model).architecture)
    except UserError:  # named by a path, or none yet
        return STABLE_DIFFUSION_1


def _free_bytes(folder: Path) -> float:
    return float(shutil.disk_usage(folder).free)
