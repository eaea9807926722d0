"""Settings of the train-classifier job."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from synthstudio.settings.base import JobSettings, SettingsGroup
from synthstudio.settings.compose import CompositionSettings, MaskShape, PatchSettings

NetworkName = Literal["small-cam", "vgg16-branches"]
Pooling = Literal["lse", "gap", "max"]


class NetworkSettings(SettingsGroup):
    """What is trained."""

    name: NetworkName = Field("small-cam", title="Network", json_schema_extra={"tier": "basic"})
    """"small-cam": six convolutions that learn in minutes without a GPU. "vgg16-branches": the paper's VGG16 with class
    maps at several depths; wants a GPU, and better with pretrained weights."""

    pooling: Pooling = Field("lse", title="Pooling", json_schema_extra={"tier": "basic"})
    """How a class map becomes one answer. "lse" (log-sum-exp) suits small objects: on blood cells the F1 of platelets
    rose from .38 to .77 against "gap", the global average of the paper. "max" looks at the hottest place only."""

    sharpness: float = Field(
        5.0, gt=0.0, le=50.0, title="Sharpness of the pooling", json_schema_extra={"tier": "advanced"}
    )
    """r of log-sum-exp pooling: towards 0 it becomes the average, large values the maximum."""

    stride: Literal["auto", "4", "8", "16"] = Field(
        "auto", title="Cell of the class map", json_schema_extra={"tier": "advanced", "unit": "px"}
    )
    """Pixels of the working scale per cell of the map. "auto" takes 4 where a class is smaller than 16 px, else 8;
    16 ruins the centres."""

    weights: str = Field("", title="Pretrained weights", json_schema_extra={"tier": "advanced"})
    """Path of a local .safetensors file with torchvision's VGG16 weights; empty starts from random numbers."""


class StepSettings(SettingsGroup):
    """How the steps of a training are taken."""

    steps: int = Field(350, ge=1, le=1_000_000, title="Steps", json_schema_extra={"tier": "basic"})
    """Optimiser steps."""

    batch_size: int = Field(32, ge=1, le=1024, title="Batch", json_schema_extra={"tier": "basic", "unit": "images"})
    """Images per step."""

    optimizer: Literal["adamw", "sgd"] = Field("adamw", title="Optimiser", json_schema_extra={"tier": "advanced"})
    """"adamw" adapts its rate to each weight; "sgd" is stochastic gradient descent with Nesterov momentum .9."""

    learning_rate: float = Field(
        2e-3, gt=0.0, le=1.0, title="Learning rate", json_schema_extra={"tier": "basic", "unit": "per step"}
    )
    """Highest learning rate, reached after the warm-up; VGG16 wants about a twentieth of the default."""

    weight_decay: float = Field(0.01, ge=0.0, le=1.0, title="Weight decay", json_schema_extra={"tier": "advanced"})
    """Pull of the weights towards 0."""

    warmup_steps: int = Field(
        30, ge=0, le=100_000, title="Warm-up", json_schema_extra={"tier": "advanced", "unit": "steps"}
    )
    """Steps in which the learning rate rises from 0."""

    schedule: Literal["cosine", "constant"] = Field("cosine", title="Schedule", json_schema_extra={"tier": "advanced"})
    """"cosine" lowers the learning rate to 0 towards the last step; "constant" keeps it."""

    ema: float = Field(0.98, ge=0.0, lt=1.0, title="Averaging of weights", json_schema_extra={"tier": "advanced"})
    """The stored network is a moving average with this memory per step; 0 stores the last weights as they are."""

    precision: Literal["fp32", "bf16"] = Field("fp32", title="Precision", json_schema_extra={"tier": "advanced"})
    """"bf16" halves the memory and is faster on recent GPUs and some processors; small nets gain little."""

    workers: int = Field(
        1, ge=0, le=64, title="Loader processes", json_schema_extra={"tier": "advanced", "unit": "processes"}
    )
    """Processes that make training images meanwhile; 0 makes them in between. The images are the same."""


class OptimizationSettings(StepSettings):
    """How it is trained."""

    evaluate_every: int = Field(
        50, ge=1, le=100_000, title="Validate every", json_schema_extra={"tier": "advanced", "unit": "steps"}
    )
    """Steps between two looks at the validation images; a checkpoint is written at each."""

    patience: int = Field(
        0, ge=0, le=1000, title="Patience", json_schema_extra={"tier": "basic", "unit": "validations"}
    )
    """Stop after this many validations without a better score; 0 trains all steps."""


class TrainingPatchSettings(PatchSettings):
    """How patches are cut around the annotations."""

    auto_scale: bool = Field(True, title="Choose the working scale", json_schema_extra={"tier": "basic"})
    """Choose the scale such that the largest class fills three quarters of the image, and the smallest keeps at least
    12 px; images are never enlarged. The working scale above then has no effect."""


class TrainingCompositionSettings(CompositionSettings):
    """How patches become an image; the same side is used for crops of real images."""

    canvas_px: int = Field(128, ge=32, le=8192, title="Canvas", json_schema_extra={"tier": "basic", "unit": "px"})
    """Side of the training images and of the crops of real images, at the working scale. Paper: 384."""

    n_objects_min: int = Field(0, ge=0, le=2000, title="Fewest objects", json_schema_extra={"tier": "basic"})
    """Least number of objects on an image, artifacts included; the number is drawn with equal probability."""

    n_objects_max: int = Field(12, ge=1, le=2000, title="Most objects", json_schema_extra={"tier": "basic"})
    """Greatest number of objects on an image, artifacts included. Those that find no place are left out."""

    mask: MaskShape = Field("rounded", title="Patch shape", json_schema_extra={"tier": "basic"})
    """Outline of what is pasted: the whole "square" (paper), a square with "rounded" corners, or the "ellipse" in it.
    On blood cells "rounded" taught the maps to point better than "ellipse" (pointing of red cells .81 against .74, two
    seeds and more), at about the same F1 (.86 against .87)."""

    min_visible: float = Field(
        0.5, ge=0.0, le=1.0, title="Least visible part", json_schema_extra={"tier": "advanced", "unit": "share"}
    )
    """A class counts as present when at least this share of one of its objects can be seen; the same rule labels
    composites and crops of real images."""

    @model_validator(mode="after")
    def _is_a_square(self) -> Self:
        if self.size[0] != self.size[1]:
            raise ValueError("training images are squares: leave the canvas height at 0")
        return self


class TrainClassifierSettings(JobSettings):
    """Train a weakly supervised classifier whose class activation maps point at the objects."""

    kind: Literal["train-classifier"] = "train-classifier"

    source: Annotated[
        Literal["synthetic", "real-crops"], Field(title="Trained on", json_schema_extra={"tier": "basic"})
    ] = "synthetic"
    """"synthetic": composites made on the fly from the clicked patches. "real-crops": sequential crops of the FOVs,
    each labelled present or absent per class from the annotations, or by the person who has labelled this very crop."""

    network: NetworkSettings = Field(default_factory=NetworkSettings, title="Network")
    """What is trained."""

    optimization: OptimizationSettings = Field(default_factory=OptimizationSettings, title="Training")
    """How it is trained."""

    validation_share: float = Field(
        0.2, gt=0.0, le=0.5, title="Set aside for validation", json_schema_extra={"tier": "advanced", "unit": "share"}
    )
    """Where no sample is in the val split, this share of the training images, by whole samples, is set aside."""

    patches: TrainingPatchSettings = Field(default_factory=TrainingPatchSettings, title="Patches")
    """How patches are cut around the annotations."""

    composition: TrainingCompositionSettings = Field(default_factory=TrainingCompositionSettings, title="Composition")
    """How patches become an image."""
