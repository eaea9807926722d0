"""Settings of the train-patch-diffusion job: a pixel-space diffusion model of small crops, trained from scratch."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from synthstudio.settings.base import JobSettings, SettingsGroup
from synthstudio.settings.region_crops import WindowSettings

PatchSide = Literal["32", "64", "128"]
Prediction = Literal["v", "epsilon"]
NoiseSchedule = Literal["cosine", "linear"]
PatchSampler = Literal["dpm-solver++", "ddim"]


class PatchCropSettings(WindowSettings):
    """How crops are cut around the objects."""

    side: PatchSide = Field("32", title="Side", json_schema_extra={"tier": "basic", "unit": "px"})
    """Side of the crops, and of the images that are made. Twice the side takes about four times as long."""

    least_share: float = Field(
        0.5,
        gt=0.0,
        le=1.0,
        title="Least share of an object",
        json_schema_extra={"tier": "basic", "unit": "of the side"},
    )
    """The window around an object, or a group of them, is drawn so large that their longer side takes at least this
    share of it."""

    most_share: float = Field(
        0.9, gt=0.0, le=1.0, title="Most", json_schema_extra={"tier": "basic", "unit": "of the side"}
    )
    """The same, at most. The window lies at random, with its objects inside."""

    group_distance: float = Field(
        0.0, ge=0.0, le=10.0, title="Neighbours within", json_schema_extra={"tier": "advanced", "unit": "object sides"}
    )
    """Objects whose gap is at most this many times the longer side of the nearer one are cut as one group: with 0 those
    that touch."""

    crops_per_fov: int = Field(
        16, ge=1, le=1000, title="Crops per image", json_schema_extra={"tier": "basic", "unit": "windows"}
    )
    """Windows that are drawn around the objects of each image."""


class DenoiserSettings(SettingsGroup):
    """The network that takes noise away."""

    base_channels: int = Field(
        32, ge=8, le=256, multiple_of=8, title="Base channels", json_schema_extra={"tier": "basic", "unit": "channels"}
    )
    """Width of the level of full size; deeper ones have two, three and at most four times as many."""

    layers: int = Field(1, ge=1, le=4, title="Layers", json_schema_extra={"tier": "basic", "unit": "per level"})
    """Residual blocks of each level on the way down; one more on the way up."""

    attention: bool = Field(True, title="Self-attention", json_schema_extra={"tier": "advanced"})
    """At the deepest level, of 8 px: what is far apart in the image can then agree."""

    dropout: float = Field(0.0, ge=0.0, le=0.9, title="Dropout", json_schema_extra={"tier": "advanced"})
    """Share of features that a block leaves out while it learns; for few images .1 to .3."""


class NoisingSettings(SettingsGroup):
    """What the network learns to undo."""

    prediction: Prediction = Field("v", title="Prediction", json_schema_extra={"tier": "advanced"})
    """What the network answers: "epsilon" is the noise (Ho et al. 2020), "v" a mixture of noise and image that is
    learned as well where there is almost nothing but noise (Salimans & Ho 2022)."""

    schedule: NoiseSchedule = Field("cosine", title="Noise schedule", json_schema_extra={"tier": "advanced"})
    """How the noise grows over 1000 times: "cosine" (Nichol & Dhariwal 2021) suits small images, "linear" is that of
    Ho et al. 2020."""

    without_request: float = Field(
        0.1, ge=0.0, le=0.9, title="Learned without request", json_schema_extra={"tier": "advanced", "unit": "share"}
    )
    """Share of the crops that are learned without their map, class and tone: it is what guidance steers away from.
    With 0 there can be no guidance."""


class PatchOptimizationSettings(SettingsGroup):
    """How the network is trained."""

    steps: int = Field(4000, ge=1, le=10_000_000, title="Steps", json_schema_extra={"tier": "basic"})
    """Steps of the optimiser."""

    batch_size: int = Field(32, ge=1, le=4096, title="Batch", json_schema_extra={"tier": "basic", "unit": "crops"})
    """Crops per step."""

    learning_rate: float = Field(
        1e-3, gt=0.0, le=1.0, title="Learning rate", json_schema_extra={"tier": "basic", "unit": "per step"}
    )
    """Highest learning rate of AdamW; wider networks want less, 1e-4 to 3e-4."""

    warmup_steps: int = Field(
        100, ge=0, le=1_000_000, title="Warm-up", json_schema_extra={"tier": "advanced", "unit": "steps"}
    )
    """Over so many steps the rate rises to its height."""

    decay_from: float = Field(
        0.5, ge=0.0, le=1.0, title="Rate falls from", json_schema_extra={"tier": "advanced", "unit": "of the steps"}
    )
    """From here on the rate falls linearly to 0; 1 keeps it."""

    ema: float = Field(0.999, ge=0.0, lt=1.0, title="Averaging of weights", json_schema_extra={"tier": "advanced"})
    """The stored network is a moving average with this memory per step; 0 stores the last weights as they are."""

    precision: Literal["fp32", "bf16"] = Field("fp32", title="Precision", json_schema_extra={"tier": "advanced"})
    """"bf16" is faster on recent GPUs and on processors with AMX; the loss stays in fp32."""

    balance: Literal["none", "sampling"] = Field("sampling", title="Rare classes", json_schema_extra={"tier": "basic"})
    """"sampling" shows crops the more often the rarer the rarest class on them, up to tenfold."""

    flips: bool = Field(True, title="Mirror images", json_schema_extra={"tier": "basic"})
    """Crop and map are mirrored left to right at random."""

    turns: bool = Field(False, title="Turn images", json_schema_extra={"tier": "basic"})
    """Crop and map are turned by quarters at random: for images without an up and down, as of cells."""

    sample_every: int = Field(
        500, ge=1, le=1_000_000, title="Samples every", json_schema_extra={"tier": "basic", "unit": "steps"}
    )
    """Steps between two pictures of the same held-out maps; a checkpoint is written with each."""


class PatchSamplingSettings(SettingsGroup):
    """How images are made of noise."""

    sampler: PatchSampler = Field("dpm-solver++", title="Sampler", json_schema_extra={"tier": "advanced"})
    """"dpm-solver++" is of second order (Lu et al. 2022), good from 15 steps on; "ddim" (Song et al. 2021) from 50
    on. Neither draws anything but the first noise."""

    sampler_steps: int = Field(
        20, ge=1, le=1000, title="Sampling steps", json_schema_extra={"tier": "basic", "unit": "steps"}
    )
    """Of each image; it takes as many times as long."""

    guidance: float = Field(1.5, ge=1.0, le=20.0, title="Guidance", json_schema_extra={"tier": "basic"})
    """Classifier-free guidance (Ho & Salimans 2021): how much the request is exaggerated. 1 is none, and takes half as
    long; higher values are clearer and less varied."""


class TrainPatchDiffusionSettings(JobSettings):
    """Train a diffusion model from scratch that makes patches and crops from semantic maps."""

    kind: Literal["train-patch-diffusion"] = "train-patch-diffusion"

    classes: tuple[str, ...] = Field((), title="Classes", json_schema_extra={"tier": "basic"})
    """Names of the classes that are learned; all that are not artifacts where none is named."""

    crops: PatchCropSettings = Field(default_factory=PatchCropSettings, title="Crops")
    """How crops are cut around the objects."""

    network: DenoiserSettings = Field(default_factory=DenoiserSettings, title="Network")
    """The network that takes noise away."""

    noise: NoisingSettings = Field(default_factory=NoisingSettings, title="Noise")
    """What the network learns to undo."""

    optimization: PatchOptimizationSettings = Field(default_factory=PatchOptimizationSettings, title="Training")
    """How the network is trained."""

    sampling: PatchSamplingSettings = Field(default_factory=PatchSamplingSettings, title="Sampling")
    """How samples are made while it learns, and images afterwards."""

    validation_share: float = Field(
        0.2, gt=0.0, le=0.5, title="Set aside for validation", json_schema_extra={"tier": "advanced", "unit": "share"}
    )
    """Where no sample is in the val split, this share of the training images, by whole samples, is set aside."""
