"""Settings of the train-detector job."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from synthstudio.domain.records import ReviewRule
from synthstudio.settings.base import JobSettings, SettingsGroup
from synthstudio.settings.train_classifier import (
    OptimizationSettings,
    TrainingCompositionSettings,
    TrainingPatchSettings,
    check_set_name,
)

DetectorName = Literal["small-yolo", "yolo-v2", "fcos-small", "fcos-resnet50"]


class DetectorNetworkSettings(SettingsGroup):
    """What is trained."""

    name: DetectorName = Field("small-yolo", title="Network", json_schema_extra={"tier": "basic"})
    """"small-yolo": nine convolutions with cells of 8 px that learn in minutes without a GPU. "yolo-v2": the paper's,
    Darknet-19 with its passthrough and cells of 32 px; wants a GPU. Both have the head of YOLOv2. "fcos-small" and
    "fcos-resnet50": FCOS, which needs no anchors, with a feature pyramid; the small one for a processor, the one with
    ResNet-50 as published, for a GPU."""

    n_anchors: int = Field(5, ge=1, le=16, title="Anchors", json_schema_extra={"tier": "advanced"})
    """Box shapes that the network starts from, found among the boxes of the training by k-means (YOLOv2: 5). FCOS has
    none."""

    overlap: float = Field(
        0.45, ge=0.1, le=0.9, title="Suppression", json_schema_extra={"tier": "advanced", "unit": "IoU"}
    )
    """Of detections of one class that overlap by more than this, the best one is kept."""

    weights: str = Field("", title="Pretrained weights", json_schema_extra={"tier": "advanced"})
    """Name of a local model, or path of a .safetensors file: a checkpoint of another run with the same network, or
    torchvision's FCOS or ResNet-50 weights for "fcos-resnet50". What fits is taken over; empty starts from random
    numbers."""


class DetectorOptimizationSettings(OptimizationSettings):
    """How it is trained."""

    steps: int = Field(1000, ge=1, le=1_000_000, title="Steps", json_schema_extra={"tier": "basic"})
    """Optimiser steps."""

    batch_size: int = Field(12, ge=1, le=1024, title="Batch", json_schema_extra={"tier": "basic", "unit": "images"})
    """Images per step."""

    evaluate_every: int = Field(
        100, ge=1, le=100_000, title="Validate every", json_schema_extra={"tier": "advanced", "unit": "steps"}
    )
    """Steps between two looks at the validation images; a checkpoint is written at each."""


class DetectorCompositionSettings(TrainingCompositionSettings):
    """How patches become an image; the same side is used for crops of real images."""

    canvas_px: int = Field(160, ge=32, le=8192, title="Canvas", json_schema_extra={"tier": "basic", "unit": "px"})
    """Side of the training images at the working scale, which follows from it. Paper: 416. On blood cells 160 found
    platelets better than 128 (F1 .76 against .63 from real boxes), and white cells better than 192 (.93, .85)."""

    n_objects_max: int = Field(12, ge=1, le=2000, title="Most objects", json_schema_extra={"tier": "basic"})
    """Greatest number of objects on an image, artifacts included. Those that find no place are left out."""


class TrainDetectorSettings(JobSettings):
    """Train a detector that draws boxes around the objects."""

    kind: Literal["train-detector"] = "train-detector"

    source: Annotated[
        Literal["synthetic", "real-boxes", "mix", "stored-set"],
        Field(title="Trained on", json_schema_extra={"tier": "basic"}),
    ] = "synthetic"
    """"synthetic": composites made on the fly from the clicked patches. "real-boxes": crops of exhaustively annotated
    training images. "mix": both, see below. "stored-set": crops of the images of a set that its reviewers accept.
    Images of the test split are locked: nothing of them is ever trained on."""

    real_share: float = Field(
        0.1, gt=0.0, lt=1.0, title="Share of real images", json_schema_extra={"tier": "basic", "unit": "share"}
    )
    """How many of the training images are real ones in a mix. Paper: a tenth."""

    real_limit: float = Field(
        1.0, gt=0.0, le=1.0, title="Share of real data used", json_schema_extra={"tier": "advanced", "unit": "share"}
    )
    """Real images that the training may learn from: this share of those of the train split, drawn by whole samples
    with the seed. Patches are cut from all of them. Below 1 it tells how little real data would do."""

    set_name: str = Field(
        "", max_length=64, validate_default=True, title="Stored set", json_schema_extra={"tier": "basic"}
    )
    """Name of the set for "stored-set". In a mix its images stand in for composites made on the fly; empty: on the
    fly."""

    review: Annotated[ReviewRule, Field(title="Images of the stored set", json_schema_extra={"tier": "advanced"})] = (
        "accepted"
    )
    """"accepted": where somebody has judged the set, only images that its reviewers have accepted are trained on; a set
    that nobody has judged is used as a whole, and a warning says so. "not-rejected": all but those that were rejected
    or that reviewers disagree about."""

    network: DetectorNetworkSettings = Field(default_factory=DetectorNetworkSettings, title="Network")
    """What is trained."""

    optimization: DetectorOptimizationSettings = Field(default_factory=DetectorOptimizationSettings, title="Training")
    """How it is trained."""

    validation_share: float = Field(
        0.2, gt=0.0, le=0.5, title="Set aside for validation", json_schema_extra={"tier": "advanced", "unit": "share"}
    )
    """Where no sample is in the val split, this share of the training images, by whole samples, is set aside."""

    patches: TrainingPatchSettings = Field(default_factory=TrainingPatchSettings, title="Patches")
    """How patches are cut around the annotations."""

    composition: DetectorCompositionSettings = Field(default_factory=DetectorCompositionSettings, title="Composition")
    """How patches become an image."""

    @field_validator("set_name")
    @classmethod
    def _names_its_set(cls, name: str, info: ValidationInfo) -> str:
        return check_set_name(name, source=str(info.data.get("source")))
