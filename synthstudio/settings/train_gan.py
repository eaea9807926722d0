"""Settings of the train-gan job: a semantic-map GAN after DermGAN (Ghorbani et al. 2019)."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from synthstudio.settings.base import JobSettings, SettingsGroup
from synthstudio.settings.region_crops import WindowSettings

Side = Literal["64", "128", "256", "512"]
Upsampling = Literal["resize", "transposed"]
AdversarialForm = Literal["min-max", "least-squares", "hinge"]


class RegionCropSettings(WindowSettings):
    """How crops are cut around the regions of interest."""

    side: Side = Field("128", title="Side", json_schema_extra={"tier": "basic", "unit": "px"})
    """Side of the crops, and of the images that the GAN makes. Paper: 256."""


class GanNetworkSettings(SettingsGroup):
    """Generator and discriminator."""

    base_channels: int = Field(
        32, ge=8, le=128, title="Base channels", json_schema_extra={"tier": "basic", "unit": "channels"}
    )
    """Width of the first layer of both networks; deeper ones have up to eight times as many. Published: 64; half of
    it learns faster, and often better below some 1500 images."""

    upsampling: Upsampling = Field("resize", title="Upsampling", json_schema_extra={"tier": "advanced"})
    """"resize": nearest-neighbour resize and a convolution, as published. "transposed": transposed convolutions, which
    leave a checkerboard: the ablation."""

    noise: int = Field(0, ge=0, le=256, title="Noise", json_schema_extra={"tier": "basic", "unit": "numbers"})
    """Random numbers that enter with the map, so that another seed gives another image of the same request. 0 as
    published: the map alone decides."""

    discriminator_layers: int = Field(
        3, ge=1, le=5, title="Layers of the discriminator", json_schema_extra={"tier": "advanced", "unit": "layers"}
    )
    """Convolutions of stride 2; with 3 it judges patches of 70 px (pix2pix)."""

    spectral_norm: bool = Field(False, title="Spectral norm", json_schema_extra={"tier": "advanced"})
    """Of the discriminator's weights (Miyato et al. 2018): a steadier training, with rates 1e-4 and 4e-4."""


class GanLossSettings(SettingsGroup):
    """The four terms of the loss and their weights; 0 leaves a term out."""

    image: float = Field(100.0, ge=0.0, le=10_000.0, title="Image", json_schema_extra={"tier": "basic"})
    """Mean absolute difference over the image. pix2pix: 100."""

    region: float = Field(100.0, ge=0.0, le=10_000.0, title="Regions", json_schema_extra={"tier": "basic"})
    """Mean absolute difference inside the regions of the condition, by their own area."""

    adversarial: float = Field(1.0, ge=0.0, le=10_000.0, title="Adversarial", json_schema_extra={"tier": "basic"})
    """What the discriminator says."""

    features: float = Field(10.0, ge=0.0, le=10_000.0, title="Feature matching", json_schema_extra={"tier": "basic"})
    """Mean squared difference of the discriminator's activations at its second-to-last convolution. pix2pixHD: 10."""

    form: AdversarialForm = Field("min-max", title="Form", json_schema_extra={"tier": "advanced"})
    """"min-max": logistic, in its non-saturating form. "least-squares" (pix2pixHD) and "hinge" (SPADE) as published
    there."""

    variety: float = Field(
        8.0, ge=0.0, le=64.0, title="Variety of noise", json_schema_extra={"tier": "advanced", "unit": "grey levels"}
    )
    """Only for networks with noise: two images of one map are pushed apart until they differ by this much on average
    (Yang et al. 2019), against the other terms, so that they come to differ by about half of it. It takes half as much
    time again. With 0 the noise is as good as ignored."""

    @model_validator(mode="after")
    def _something_is_learned(self) -> Self:
        if not max(self.image, self.region, self.adversarial, self.features):
            raise ValueError("all four weights are 0, so that there is nothing to learn: give one of them a weight")
        return self


class GanOptimizationSettings(SettingsGroup):
    """How both networks are trained."""

    steps: int = Field(3000, ge=1, le=10_000_000, title="Steps", json_schema_extra={"tier": "basic"})
    """Steps of the generator; the discriminator takes one with each."""

    batch_size: int = Field(4, ge=1, le=256, title="Batch", json_schema_extra={"tier": "basic", "unit": "crops"})
    """Crops per step. Published pix2pix: 1."""

    generator_rate: float = Field(
        2e-4, gt=0.0, le=1.0, title="Rate of the generator", json_schema_extra={"tier": "basic", "unit": "per step"}
    )
    """Learning rate of Adam."""

    discriminator_rate: float = Field(
        2e-4, gt=0.0, le=1.0, title="Rate of the discriminator", json_schema_extra={"tier": "basic", "unit": "per step"}
    )
    """Learning rate of Adam; with spectral norm four times that of the generator."""

    beta1: float = Field(0.5, ge=0.0, lt=1.0, title="First beta", json_schema_extra={"tier": "advanced"})
    """Of Adam: pix2pix .5; with spectral norm 0."""

    beta2: float = Field(0.999, ge=0.0, lt=1.0, title="Second beta", json_schema_extra={"tier": "advanced"})
    """Of Adam: pix2pix .999; with spectral norm .9."""

    decay_from: float = Field(
        0.5, ge=0.0, le=1.0, title="Rates fall from", json_schema_extra={"tier": "advanced", "unit": "of the steps"}
    )
    """From here on both rates fall linearly to 0, as in pix2pix; 1 keeps them."""

    ema: float = Field(0.995, ge=0.0, lt=1.0, title="Averaging of weights", json_schema_extra={"tier": "advanced"})
    """The stored generator is a moving average with this memory per step; 0 stores the last weights as they are."""

    keep: Literal["last", "best"] = Field("last", title="Kept generator", json_schema_extra={"tier": "advanced"})
    """Which one makes images afterwards. "last": that of the last step, as published. "best": that of the samples with
    the best score, see the result: the kernel distance (KID) to held-out crops by the built-in features, or where there
    are fewer than 4 of them, the mean absolute difference."""

    precision: Literal["fp32", "bf16"] = Field("fp32", title="Precision", json_schema_extra={"tier": "advanced"})
    """"bf16" is faster on recent GPUs and on processors with AMX; the losses stay in fp32."""

    balance: Literal["none", "sampling"] = Field("none", title="Rare conditions", json_schema_extra={"tier": "basic"})
    """"sampling" shows crops the more often the rarer the rarest condition on them, up to tenfold; the few images of a
    rare one are then sooner learned by heart."""

    flips: bool = Field(True, title="Mirror images", json_schema_extra={"tier": "basic"})
    """Crop and map are mirrored left to right at random."""

    augmentation: Literal[
        "none", "color", "translation", "cutout", "translation,cutout", "color,translation,cutout"
    ] = Field("none", title="Differentiable augmentation", json_schema_extra={"tier": "advanced"})
    """DiffAugment (Zhao et al. 2020) of what the discriminator sees, image and map alike, for few images. Colour
    changes the image alone, so that a tone stays the tone of its map only roughly: leave it out where tone matters."""

    sample_every: int = Field(
        200, ge=1, le=1_000_000, title="Samples every", json_schema_extra={"tier": "basic", "unit": "steps"}
    )
    """Steps between two pictures of the same held-out maps; a checkpoint is written with each."""


class TrainGanSettings(JobSettings):
    """Train a GAN that makes images from semantic maps."""

    kind: Literal["train-gan"] = "train-gan"

    classes: tuple[str, ...] = Field((), title="Conditions", json_schema_extra={"tier": "basic"})
    """Names of the classes whose boxes are the conditions; all that are not artifacts where none is named."""

    crops: RegionCropSettings = Field(default_factory=RegionCropSettings, title="Crops")
    """How crops are cut around the regions of interest."""

    network: GanNetworkSettings = Field(default_factory=GanNetworkSettings, title="Networks")
    """Generator and discriminator."""

    losses: GanLossSettings = Field(default_factory=GanLossSettings, title="Losses")
    """The four terms and their weights."""

    optimization: GanOptimizationSettings = Field(default_factory=GanOptimizationSettings, title="Training")
    """How both networks are trained."""

    validation_share: float = Field(
        0.2, gt=0.0, le=0.5, title="Set aside for validation", json_schema_extra={"tier": "advanced", "unit": "share"}
    )
    """Where no sample is in the val split, this share of the training images, by whole samples, is set aside."""
