"""Settings of the train-upscaler job: a network that makes images larger and puts in the detail that they lack."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from synthstudio.settings.base import JobSettings, SettingsGroup
from synthstudio.settings.train_classifier import OptimizationSettings

UpscalerMethod = Literal["compact", "diffusion"]
Factor = Literal["2", "3", "4"]
DIFFUSION_FACTOR = 4


class PairSettings(SettingsGroup):
    """How pairs of a small and a large patch are made from the images."""

    small_side: int = Field(
        32, ge=8, le=256, title="Side of the small patch", json_schema_extra={"tier": "basic", "unit": "px"}
    )
    """The large one has as many times this side as images are enlarged."""

    per_image: int = Field(
        24, ge=1, le=10_000, title="Patches per image", json_schema_extra={"tier": "basic", "unit": "patches"}
    )
    """Places of each image that patches are cut from, drawn at random. Patches are mirrored and turned by quarters."""

    blur: float = Field(
        0.0, ge=0.0, le=8.0, title="Blur, at most", json_schema_extra={"tier": "advanced", "unit": "px"}
    )
    """Standard deviation of a blur before the patch is made small, drawn between 0 and this: for images that are not as
    sharp as their pixels."""

    noise: float = Field(
        0.0, ge=0.0, le=64.0, title="Noise, at most", json_schema_extra={"tier": "advanced", "unit": "grey levels"}
    )
    """Standard deviation of noise on the small patch, drawn between 0 and this; the network learns to remove it."""

    jpeg: int = Field(
        100, ge=10, le=100, title="JPEG quality, at least", json_schema_extra={"tier": "advanced", "unit": "points"}
    )
    """Below 100 the small patch goes through JPEG of a quality between this and 100."""


class CompactNetworkSettings(SettingsGroup):
    """The compact network: convolutions at the small size, then a sub-pixel shuffle."""

    channels: int = Field(32, ge=32, le=128, title="Channels", json_schema_extra={"tier": "basic", "unit": "channels"})
    """Width of its layers. The field's general network has 64; a network from a file keeps its own."""

    layers: int = Field(6, ge=1, le=64, title="Layers", json_schema_extra={"tier": "basic", "unit": "convolutions"})
    """Convolutions between the first and the last. The field's networks have 16 or 32."""


class UpscalerDiffusionSettings(SettingsGroup):
    """Fine-tuning of the diffusion upscaler."""

    noise_level: int = Field(
        350, ge=0, le=999, title="Noise on the small image, at most", json_schema_extra={"tier": "advanced"}
    )
    """Step of the noise schedule, drawn between 0 and this, whose noise the small patch gets; the network is told. As
    published: 350."""

    caption_dropout: float = Field(
        0.1, ge=0.0, le=1.0, title="Left out words", json_schema_extra={"tier": "advanced", "unit": "share"}
    )
    """How often a patch is learned without the words for what is seen, so that guidance works afterwards."""

    checkpointing: bool = Field(True, title="Gradient checkpointing", json_schema_extra={"tier": "advanced"})
    """Compute part of the network twice instead of keeping it: much less memory for a third more time."""

    sample_steps: int = Field(
        20, ge=1, le=1000, title="Steps of a sample", json_schema_extra={"tier": "advanced", "unit": "steps"}
    )
    """Denoising steps of the held-out samples."""


class UpscalerOptimizationSettings(OptimizationSettings):
    """How it is trained."""

    steps: int = Field(2000, ge=1, le=1_000_000, title="Steps", json_schema_extra={"tier": "basic"})
    """Optimiser steps."""

    batch_size: int = Field(16, ge=1, le=1024, title="Batch", json_schema_extra={"tier": "basic", "unit": "patches"})
    """Pairs per step."""

    optimizer: Literal["adamw", "adam", "sgd", "rmsprop"] = Field(
        "adam", title="Optimiser", json_schema_extra={"tier": "advanced"}
    )
    """"adam" as published for such networks; "adamw" decays weights apart from the gradient."""

    learning_rate: float = Field(
        5e-4, gt=0.0, le=1.0, title="Learning rate", json_schema_extra={"tier": "basic", "unit": "per step"}
    )
    """Highest learning rate, reached after the warm-up. A compact network from a file wants 1e-4, the diffusion
    upscaler 1e-5."""

    warmup_steps: int = Field(
        50, ge=0, le=100_000, title="Warm-up", json_schema_extra={"tier": "advanced", "unit": "steps"}
    )
    """Steps in which the learning rate rises from 0."""

    weight_decay: float = Field(0.0, ge=0.0, le=1.0, title="Weight decay", json_schema_extra={"tier": "advanced"})
    """Pull of the weights towards 0."""

    ema: float = Field(0.99, ge=0.0, lt=1.0, title="Averaging of weights", json_schema_extra={"tier": "advanced"})
    """The stored network is a moving average with this memory per step; 0 stores the last weights as they are."""

    evaluate_every: int = Field(
        250, ge=1, le=100_000, title="Validate every", json_schema_extra={"tier": "advanced", "unit": "steps"}
    )
    """Steps between two looks at the held-out patches; a checkpoint is written at each."""

    workers: int = Field(
        0, ge=0, le=64, title="Loader processes", json_schema_extra={"tier": "advanced", "unit": "processes"}
    )
    """Processes that make pairs meanwhile; 0 makes them in between, which takes little. The pairs are the same."""


class TrainUpscalerSettings(JobSettings):
    """Train a network that enlarges images, on pairs made from guide images or training images."""

    kind: Literal["train-upscaler"] = "train-upscaler"

    method: UpscalerMethod = Field("compact", title="Method", json_schema_extra={"tier": "basic"})
    """"compact": a small convolutional network that learns in minutes on a processor and keeps to what it sees.
    "diffusion": fine-tunes a local x4 diffusion upscaler, which makes up detail; wants a GPU."""

    model: str = Field("", title="Begins from", json_schema_extra={"tier": "basic"})
    """Name of a local model, or a path: the folder of an x4 diffusion upscaler, or the .safetensors file of a compact
    network, which may stay empty for random numbers."""

    guides: str = Field("", title="Guide set", json_schema_extra={"tier": "basic"})
    """Name of the guide set to learn from; empty: the images of the train split."""

    factor: Factor = Field("4", title="Enlargement", json_schema_extra={"tier": "basic", "unit": "times"})
    """How many times larger images become, in width and in height. The diffusion upscaler knows 4 alone."""

    pairs: PairSettings = Field(default_factory=PairSettings, title="Pairs")
    """How pairs of a small and a large patch are made from the images."""

    network: CompactNetworkSettings = Field(default_factory=CompactNetworkSettings, title="Compact network")
    """The compact network: convolutions at the small size, then a sub-pixel shuffle."""

    diffusion: UpscalerDiffusionSettings = Field(default_factory=UpscalerDiffusionSettings, title="Diffusion")
    """Fine-tuning of the diffusion upscaler."""

    optimization: UpscalerOptimizationSettings = Field(default_factory=UpscalerOptimizationSettings, title="Training")
    """How it is trained."""

    validation_share: float = Field(
        0.2, gt=0.0, le=0.5, title="Set aside for validation", json_schema_extra={"tier": "advanced", "unit": "share"}
    )
    """Where no image is in the val split, this share of the images, by whole samples, is set aside."""

    @property
    def times(self) -> int:
        """The enlargement as a number."""
        return DIFFUSION_FACTOR if self.method == "diffusion" else int(self.factor)

    @property
    def large_side(self) -> int:
        """Side of the large patches in px."""
        return self.pairs.small_side * self.times
