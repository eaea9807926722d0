"""Settings of the train-classifier job."""

from __future__ import annotations

import difflib
import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from synthstudio.domain.records import ReviewRule
from synthstudio.settings.base import JobSettings, SettingsGroup
from synthstudio.settings.compose import CompositionSettings, MaskShape, PatchSettings

TIMM_PREFIX = "timm:"
NETWORK_NAMES = ("small-cam", "vgg16-branches", "mobilenet-v3", "vit-b16")
_TIMM_NAME = re.compile(r"timm:[a-z0-9_]+")


def _known_network(name: str) -> str:
    if name not in NETWORK_NAMES and not _TIMM_NAME.fullmatch(name):
        near = difflib.get_close_matches(name, NETWORK_NAMES, n=1, cutoff=0.5)
        raise ValueError(
            f"there is no network {name!r}; known: {', '.join(NETWORK_NAMES)}, or timm:NAME for a backbone of timm"
            + (f" (did you mean {near[0]}?)" if near else "")
        )
    return name


NetworkName = Annotated[str, AfterValidator(_known_network)]
"""One of `NETWORK_NAMES`, or "timm:NAME"; whether timm knows the name is found out where the network is built."""

Pooling = Literal["lse", "gap", "max"]
Task = Literal["multi-label", "single-label"]
TrainingSource = Literal["synthetic", "real-crops", "mix", "stored-set"]
View = Literal["crops", "whole-images"]
RealPart = Literal["all", "negatives"]


class NetworkSettings(SettingsGroup):
    """What is trained."""

    name: NetworkName = Field(
        "small-cam",
        title="Network",
        json_schema_extra={"tier": "basic", "suggestions": [*NETWORK_NAMES, "timm:resnet50", "timm:convnext_tiny"]},
    )
    """"small-cam": six convolutions that learn in minutes without a GPU. "vgg16-branches": VGG16 with class maps at
    several depths, "mobilenet-v3": MobileNetV3-Large, "vit-b16": the vision transformer ViT-B/16: those of the papers,
    which want a GPU and are better with pretrained weights. "timm:NAME": any convolutional backbone of the timm
    library, for example timm:resnet50."""

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
    16 ruins the centres. vit-b16 has cells of 16 px of its own; with smaller ones its patches overlap."""

    attention_dropout: float = Field(
        0.0, ge=0.0, le=0.9, title="Dropout of attention", json_schema_extra={"tier": "advanced", "unit": "share"}
    )
    """Share of the attention that is dropped at random in each training step; of vit-b16 only."""

    weights: str = Field("", title="Pretrained weights", json_schema_extra={"tier": "advanced"})
    """Name of a local model, or path of a .safetensors file, with weights of this very network, named as torchvision or
    timm names them; empty starts from random numbers. Nothing is downloaded."""


class StepSettings(SettingsGroup):
    """How the steps of a training are taken."""

    steps: int = Field(700, ge=1, le=1_000_000, title="Steps", json_schema_extra={"tier": "basic"})
    """Optimiser steps."""

    batch_size: int = Field(32, ge=1, le=1024, title="Batch", json_schema_extra={"tier": "basic", "unit": "images"})
    """Images per step."""

    optimizer: Literal["adamw", "adam", "sgd", "rmsprop"] = Field(
        "adamw", title="Optimiser", json_schema_extra={"tier": "advanced"}
    )
    """"adamw", "adam" and "rmsprop" adapt their rate to each weight; "sgd" is stochastic gradient descent with Nesterov
    momentum .9. All but adamw add the pull towards 0 to the gradient."""

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

    precision: Literal["fp32", "bf16", "fp16"] = Field(
        "fp32", title="Precision", json_schema_extra={"tier": "advanced"}
    )
    """"bf16" halves the memory and is faster on recent GPUs and some processors; small nets gain little. "fp16" is for
    GPUs that do not know bf16; the loss is scaled so that small gradients are not lost."""

    accumulate: int = Field(
        1, ge=1, le=256, validate_default=True, title="Parts of a batch", json_schema_extra={"tier": "advanced"}
    )
    """A batch goes through the network in this many parts, with as much less memory, and changes the weights once. Only
    batch normalisations notice: they see a part at a time."""

    clip: float = Field(0.0, ge=0.0, le=1000.0, title="Limit of the gradient", json_schema_extra={"tier": "advanced"})
    """Gradients whose norm over all weights is larger are shortened to it; 0 leaves them. 1 to 10 calms a training
    whose loss leaps."""

    workers: int = Field(
        1, ge=0, le=64, title="Loader processes", json_schema_extra={"tier": "advanced", "unit": "processes"}
    )
    """Processes that make training images meanwhile; 0 makes them in between. The images are the same."""

    @field_validator("accumulate")
    @classmethod
    def _divides_the_batch(cls, parts: int, info: ValidationInfo) -> int:
        batch_size = info.data.get("batch_size")
        if batch_size is not None and batch_size % parts:
            raise ValueError(f"a batch of {batch_size} images cannot be divided into {parts} parts")
        return parts


class LossSettings(SettingsGroup):
    """What is minimised."""

    task: Task = Field("multi-label", title="Labels of an image", json_schema_extra={"tier": "advanced"})
    """"multi-label": each class is there or not, and an image may show several, or none (cross entropy of each class's
    own answer). "single-label": an image shows one class, as a photograph of a condition does (cross entropy of the
    softmax); images that show none or several are left out of the training, the validation and the evaluation, and
    counted. The answer is the strongest class: no thresholds are chosen."""

    balance: Literal["none", "weights", "sampling"] = Field(
        "none", title="Rare classes", json_schema_extra={"tier": "advanced"}
    )
    """For classes that are on few images. "weights" lets the images with a class count as much, in all, as those
    without it, up to tenfold. "sampling" shows crops, real ones and those of a stored set, the more often the rarer
    the rarest class on them, up to tenfold; how often a class is on composites is a setting of their composition.
    Thresholds are chosen on validation either way."""


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


def check_set_name(name: str, *, source: str) -> str:
    """Return the name of a set. Raises ValueError where the source of a training is a set and there is no name."""
    if source == "stored-set" and not name:
        raise ValueError("a training on a stored set needs the set's name")
    return name


class TrainClassifierSettings(JobSettings):
    """Train a weakly supervised classifier whose class activation maps point at the objects."""

    kind: Literal["train-classifier"] = "train-classifier"

    source: Annotated[TrainingSource, Field(title="Trained on", json_schema_extra={"tier": "basic"})] = "synthetic"
    """"synthetic": composites made on the fly from the clicked patches. "real-crops": sequential crops of the FOVs,
    each labelled present or absent per class from the annotations, or by the person who has labelled this very crop.
    "mix": both. "stored-set": the images of a set that its reviewers accept. Images of the test split are locked:
    nothing of them is ever trained on, and a set that was made from some of them is refused."""

    real_share: float = Field(
        0.1, gt=0.0, lt=1.0, title="Share of real crops", json_schema_extra={"tier": "basic", "unit": "share"}
    )
    """How many of the images of a step are real crops in a mix; the others are synthetic. Paper: a tenth."""

    view: Annotated[View, Field(title="What the network sees", json_schema_extra={"tier": "basic"})] = "crops"
    """"crops": sequential crops of the images, for objects that are small on them. "whole-images": each image as a
    whole, its longer side brought to the canvas and the rest mirrored, for photographs that show one thing. Then labels
    of whole images count before the annotations, and an image without any object is a negative. The source is
    "real-crops", "stored-set" or a "mix" of the two; composites are not made of whole images."""

    real_part: Annotated[RealPart, Field(title="Real images used", json_schema_extra={"tier": "advanced"})] = "all"
    """"negatives": of the real training images only those that are known to show no class of the stored set (without
    one: no class at all): labelled absent, or annotated exhaustively without such an object. With a mix that is the
    design in which all positives are synthetic."""

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

    batch_norm: Literal["training", "adapted"] = Field(
        "training", title="Statistics of normalisations", json_schema_extra={"tier": "advanced"}
    )
    """"adapted" measures the running statistics of batch normalisations anew on real training crops, whose labels are
    not looked at, after the training and before the thresholds are chosen (AdaBN, Li et al. 2016). It is meant for
    networks trained on composites. On blood cells it did harm, so compare before you keep it."""

    network: NetworkSettings = Field(default_factory=NetworkSettings, title="Network")
    """What is trained."""

    optimization: OptimizationSettings = Field(default_factory=OptimizationSettings, title="Training")
    """How it is trained."""

    loss: LossSettings = Field(default_factory=LossSettings, title="Loss")
    """What is minimised."""

    validation_share: float = Field(
        0.2, gt=0.0, le=0.5, title="Set aside for validation", json_schema_extra={"tier": "advanced", "unit": "share"}
    )
    """Where no sample is in the val split, this share of the training images, by whole samples, is set aside."""

    patches: TrainingPatchSettings = Field(default_factory=TrainingPatchSettings, title="Patches")
    """How patches are cut around the annotations."""

    composition: TrainingCompositionSettings = Field(default_factory=TrainingCompositionSettings, title="Composition")
    """How patches become an image."""

    @field_validator("set_name")
    @classmethod
    def _names_its_set(cls, name: str, info: ValidationInfo) -> str:
        return check_set_name(name, source=str(info.data.get("source")))
