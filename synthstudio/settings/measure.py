"""Settings of the measure job: how near synthetic images come to real ones."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from synthstudio.domain.records import Split
from synthstudio.settings.base import JobSettings


class MeasureSettings(JobSettings):
    """Measure a synthetic set, or what a generator makes of held-out maps, against held-out real images."""

    kind: Literal["measure"] = "measure"

    set_name: str = Field("", title="Set", json_schema_extra={"tier": "basic"})
    """Name of the set to measure; empty measures a generator that is asked by maps."""

    run: str = Field("", title="Training", json_schema_extra={"tier": "basic"})
    """Id of the training of a GAN, or of a diffusion model from scratch: its images are made from the maps of held-out
    crops. Empty, where no set is named either, means the newest GAN that has finished."""

    split: Split = Field(Split.TEST, title="Real images", json_schema_extra={"tier": "basic"})
    """Which real images stand on the other side. Only those of the test split were never seen by a training; "val" is
    for choosing between trainings."""

    n_images: int = Field(
        1000, ge=12, le=100_000, title="Images at most", json_schema_extra={"tier": "basic", "unit": "images"}
    )
    """More synthetic, or real, images than this are not looked at. Each draw compares about half of the real ones."""

    draws: int = Field(50, ge=2, le=1000, title="Draws", json_schema_extra={"tier": "basic", "unit": "draws"})
    """How often images are drawn; the interval is the mean -+ 1.96 standard deviations of the draws. Paper: 50."""

    features: str = Field("", title="Feature file", json_schema_extra={"tier": "advanced"})
    """Name of a local model, or path of a .safetensors file, with the weights of a network that describes the images,
    named as torchvision or timm names them, such as inception_v3 or resnet50. Empty takes the built-in descriptor,
    whose figures are not comparable with published FIDs. Nothing is downloaded."""

    @model_validator(mode="after")
    def _measures_one_thing(self) -> Self:
        if self.set_name and self.run:
            raise ValueError("name a set or a run to measure, not both")
        return self
