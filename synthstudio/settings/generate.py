"""Settings of the generate job: a set of images that a trained GAN makes on request."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from synthstudio.settings.base import JobSettings, SettingsGroup
from synthstudio.settings.compose import ImageFormat

Distribution = Literal["balanced", "as-in-data", "top-up"]


class RequestSettings(SettingsGroup):
    """What the images are asked to show: each image one condition, in one tone, in one or several places."""

    classes: tuple[str, ...] = Field((), title="Conditions", json_schema_extra={"tier": "basic"})
    """Names of the conditions to make; all that the GAN knows where none is named."""

    tones: tuple[str, ...] = Field((), title="Tones", json_schema_extra={"tier": "basic"})
    """Names of the levels of the tone scale; where none is named, those that training images have. A GAN extrapolates
    to a level that it has never seen: look at a sweep first."""

    distribution: Distribution = Field("balanced", title="Conditions and tones", json_schema_extra={"tier": "basic"})
    """"balanced": each condition in each tone equally often. "as-in-data": as often as training images show it.
    "top-up": what training images lack, so that images and set together have each condition in each tone as equally
    often as this many images allow."""

    sizes: Literal["as-in-data", "uniform"] = Field("as-in-data", title="Sizes", json_schema_extra={"tier": "basic"})
    """"as-in-data": a region is as wide and high, within its image, as one that the condition has on the training
    crops. "uniform": its longer side is drawn between the bounds below, its shape from the data."""

    least_share: float = Field(
        0.2, gt=0.0, le=1.0, title="Least size", json_schema_extra={"tier": "basic", "unit": "of the side"}
    )
    """Longer side of the smallest region of uniform sizes."""

    most_share: float = Field(
        0.7, gt=0.0, le=1.0, title="Greatest size", json_schema_extra={"tier": "basic", "unit": "of the side"}
    )
    """Longer side of the largest region of uniform sizes."""

    regions: Literal["one", "as-in-data"] = Field("one", title="Regions", json_schema_extra={"tier": "basic"})
    """"one" region an image, or as many as the training crops have. Those that find no free place are left out."""

    @model_validator(mode="after")
    def _shares_are_a_range(self) -> Self:
        if self.least_share > self.most_share:
            raise ValueError(f"least size ({self.least_share}) must not be more than greatest size ({self.most_share})")
        return self


class GenerateSettings(JobSettings):
    """Write a set of generated images with labels, boxes, semantic maps and the request behind each."""

    kind: Literal["generate"] = "generate"

    generator: Literal["gan"] = Field("gan", title="Generator", json_schema_extra={"tier": "advanced"})
    """What makes the images: a trained semantic-map GAN."""

    run: str = Field("", title="GAN", json_schema_extra={"tier": "basic"})
    """Id of the training of the GAN."""

    set_name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=64,
            pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
            title="Name of the set",
            json_schema_extra={"tier": "basic"},
        ),
    ] = "generated"
    """Name of the set and of its folder: letters, digits, dot, dash and underscore."""

    count: int = Field(500, ge=1, le=1_000_000, title="Images", json_schema_extra={"tier": "basic"})
    """Number of images to write, of all conditions and tones together."""

    first_index: int = Field(0, ge=0, le=10_000_000, title="First image", json_schema_extra={"tier": "advanced"})
    """Number of the first image. Image 500 is the same in every set of these settings and seed: two machines can write
    0 to 499 and 500 to 999 as two sets."""

    format: ImageFormat = Field("png", title="File format", json_schema_extra={"tier": "advanced"})
    """"png" keeps every pixel; "jpeg" and "webp" are smaller and lose some, as camera files do."""

    quality: int = Field(95, ge=1, le=100, title="Quality", json_schema_extra={"tier": "advanced", "unit": "points"})
    """Quality of JPEG and WebP files."""

    maps: bool = Field(True, title="Semantic maps", json_schema_extra={"tier": "advanced"})
    """Write the semantic map of each image beside it, as PNG."""

    threads: int = Field(0, ge=0, le=256, title="Threads", json_schema_extra={"tier": "advanced", "unit": "threads"})
    """Threads that make an image; 0 for all of the processor. The bytes are the same."""

    requests: RequestSettings = Field(default_factory=RequestSettings, title="Requests")
    """What the images are asked to show."""
