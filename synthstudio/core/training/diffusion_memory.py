"""What a fine-tuning takes of a device's memory and of the disk, estimated before it starts.

Weights, gradients and optimiser are counted. What is kept of the images was counted once, tensor by tensor, for the
denoiser of Stable Diffusion 1.5 at 512 px without attention matrices, which no current kernel keeps, and is scaled.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from synthstudio.settings.train_diffusion import TrainDiffusionSettings

GB = 1e9
_KEPT, _KEPT_CHECKPOINTED = 1.11 * GB / 2, 0.50 * GB / 2
"""Numbers kept per image of 512 px for the way back; with gradient checkpointing, plus those of the largest block."""
_AUTOCAST_SHARE = 1.6
"""Under autocast norms are kept in fp32, too."""
_LORA_PER_RANK, _TEXT_LORA_PER_RANK = 199_296, 73_728
"""Weights of the additions to Stable Diffusion 1.5, and to its text encoder."""
_OVERHEAD = 0.6 * GB
"""What a GPU's driver and kernels take by themselves."""


@dataclass(frozen=True, slots=True)
class ModelSize:
    """Number of weights of a base model's parts."""

    denoiser: float
    text_encoder: float
    vae: float


STABLE_DIFFUSION_1 = ModelSize(859.5e6, 123.1e6, 83.7e6)
STABLE_DIFFUSION_2 = ModelSize(865.9e6, 340.4e6, 83.7e6)


def size_of(architecture: str) -> ModelSize:
    """Size of a model by the words for its architecture, see `LocalModel`."""
    return STABLE_DIFFUSION_2 if "2." in architecture else STABLE_DIFFUSION_1


@dataclass(frozen=True, slots=True)
class MemoryEstimate:
    """What a training takes.

    Attributes:
        parts: Name and bytes, in the order in which they are told.
        disk_bytes: All checkpoints, the last state twice while it is replaced, and the folder for other programs.
    """

    parts: tuple[tuple[str, float], ...]
    disk_bytes: float

    @property
    def bytes(self) -> float:
        """All of it, at its highest."""
        return sum(each for _, each in self.parts)

    @property
    def words(self) -> str:
        """One line for the user."""
        parts = ", ".join(f"{name} {value / GB:.1f}" for name, value in self.parts if value >= 0.05 * GB)
        return f"About {self.bytes / GB:.1f} GB of memory ({parts}), and {in_bytes(self.disk_bytes)} on the disk."


def in_bytes(count: float) -> str:
    """A number of bytes in words: "3.4 GB", "12 MB"."""
    return f"{count / GB:.1f} GB" if count >= 0.05 * GB else f"{count / 1e6:.0f} MB"


def estimate_memory(
    settings: TrainDiffusionSettings, size: ModelSize = STABLE_DIFFUSION_1, *, has_eight_bit: bool = True
) -> MemoryEstimate:
    """Estimate what a training takes.

    Args:
        settings: Of the training.
        size: Of the base model.
        has_eight_bit: The package of the 8-bit optimiser is installed.
    """
    chosen = settings.optimization
    is_low = chosen.precision != "fp32"
    is_lora = settings.method == "lora"
    with_text = chosen.text_encoder_steps > 0
    trained = _trained(settings, size, with_text=with_text)
    bytes_frozen = 2 if is_low else 4
    if is_lora:
        weights = (size.denoiser + size.text_encoder) * bytes_frozen + trained * 4
    else:
        weights = size.denoiser * 4 + size.text_encoder * (4 if with_text else bytes_frozen)
        weights += trained * 2 if is_low else 0  # copies that autocast makes
    is_eight_bit = chosen.optimizer == "adamw-8bit" and has_eight_bit
    parts = (
        ("weights", weights + size.vae * 4),
        ("gradients", trained * 4),
        ("optimiser", trained * (2 if is_eight_bit else 8)),
        ("average", trained * 4 if chosen.ema else 0),
        ("images", _kept_of_images(settings, size)),
        ("device", _OVERHEAD),
    )
    return MemoryEstimate(parts, _disk(settings, size, trained, is_eight_bit=is_eight_bit))


def suggest_changes(
    settings: TrainDiffusionSettings,
    available: float,
    size: ModelSize = STABLE_DIFFUSION_1,
    *,
    has_eight_bit: bool = True,
) -> tuple[str, ...] | None:
    """What to change, in words, so that a training fits; as little as possible, what costs least first.

    Args:
        settings: Of the training.
        available: Bytes of the device that are free.
        size: Of the base model.
        has_eight_bit: The package of the 8-bit optimiser is installed.

    Returns:
        Nothing where it fits as it is, None where nothing helps.
    """
    words: list[str] = []

    def fits() -> bool:
        return estimate_memory(settings, size, has_eight_bit=has_eight_bit).bytes <= available

    for text, changes in _changes(has_eight_bit=has_eight_bit):
        if fits():
            break
        values = settings.model_dump()
        for path, value in changes.items():
            group, _, name = path.rpartition(".")
            (values[group] if group else values)[name] = value
        changed = TrainDiffusionSettings.model_validate(values)
        if changed != settings:
            settings, words = changed, [*words, text]
    return tuple(words) if fits() else None


def advise(
    settings: TrainDiffusionSettings,
    available: float,
    size: ModelSize = STABLE_DIFFUSION_1,
    *,
    has_eight_bit: bool = True,
) -> str:
    """The same as a sentence; empty where the training fits as it is."""
    changes = suggest_changes(settings, available, size, has_eight_bit=has_eight_bit)
    if changes is None:
        return "No change of settings would fit."
    return f"It would fit with {', '.join(changes)}." if changes else ""


def _changes(*, has_eight_bit: bool) -> list[tuple[str, dict[str, object]]]:
    eight_bit: list[tuple[str, dict[str, object]]]
    eight_bit = [("the 8-bit optimiser", {"optimization.optimizer": "adamw-8bit"})] if has_eight_bit else []
    return [
        ("gradient checkpointing", {"optimization.gradient_checkpointing": True}),
        *eight_bit,
        ("a batch of 1", {"optimization.batch_size": 1}),
        ("no averaging", {"optimization.ema": 0.0}),
        ("bf16 precision", {"optimization.precision": "bf16"}),
        ("LoRA", {"method": "lora"}),
        ("a side of 256 px", {"side": 256}),
    ]


def _trained(settings: TrainDiffusionSettings, size: ModelSize, *, with_text: bool) -> float:
    """Number of weights that are trained."""
    if settings.method == "dreambooth":
        return size.denoiser + size.text_encoder * with_text
    scale = size.denoiser / STABLE_DIFFUSION_1.denoiser
    return settings.lora.rank * (_LORA_PER_RANK + _TEXT_LORA_PER_RANK * with_text) * scale


def _kept_of_images(settings: TrainDiffusionSettings, size: ModelSize) -> float:
    chosen = settings.optimization
    count = chosen.batch_size * (2 if settings.prior.weight else 1)
    kept = _KEPT_CHECKPOINTED if chosen.gradient_checkpointing else _KEPT
    per_number = 4 if chosen.precision == "fp32" else 2 * _AUTOCAST_SHARE
    return kept * per_number * count * (settings.side / 512) ** 2 * size.denoiser / STABLE_DIFFUSION_1.denoiser


def _disk(settings: TrainDiffusionSettings, size: ModelSize, trained: float, *, is_eight_bit: bool) -> float:
    chosen = settings.optimization
    n_checkpoints = math.ceil(chosen.steps / settings.samples.every)
    stored = 2 if settings.samples.stored == "fp16" and settings.method == "dreambooth" else 4
    state = trained * (4 + (2 if is_eight_bit else 8) + (4 if chosen.ema else 0))
    whole = (size.denoiser + size.text_encoder + size.vae) * 4 if settings.samples.pipeline else 0
    return trained * stored * n_checkpoints + 2 * state + whole
