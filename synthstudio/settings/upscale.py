"""Settings of the upscale job: a set of images made larger, as a set of its own."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from synthstudio.settings.base import JobSettings
from synthstudio.settings.compose import ImageFormat


class UpscaleSettings(JobSettings):
    """Write the images of a set again, larger, with their boxes scaled and where they come from."""

    kind: Literal["upscale"] = "upscale"

    source_set: str = Field("", max_length=64, title="Set", json_schema_extra={"tier": "basic"})
    """Name of the set whose images are enlarged."""

    set_name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=64,
            pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
            title="Name of the new set",
            json_schema_extra={"tier": "basic"},
        ),
    ] = "upscaled"
    """Name of the new set and of its folder: letters, digits, dot, dash and underscore."""

    run: str = Field("", title="Upscaler", json_schema_extra={"tier": "basic"})
    """Id of the training of the upscaler; empty: the local model below, or else the newest training."""

    model: str = Field("", title="Local model", json_schema_extra={"tier": "basic"})
    """In place of a training: name of a local upscaler, or a path to its folder or .safetensors file."""

    images: Literal["all", "accepted", "not-rejected"] = Field(
        "all", title="Images", json_schema_extra={"tier": "basic"}
    )
    """"all" images of the set, only those that its reviewers have "accepted", or all but those that were rejected."""

    prompt: str = Field("", max_length=1000, title="Prompt", json_schema_extra={"tier": "advanced"})
    """What the diffusion upscaler is told that it sees; empty: the prompt that the image was made with, where it has
    one."""

    steps: int = Field(30, ge=1, le=1000, title="Steps", json_schema_extra={"tier": "basic", "unit": "steps"})
    """Denoising steps of the diffusion upscaler."""

    guidance: float = Field(1.0, ge=1.0, le=30.0, title="Guidance", json_schema_extra={"tier": "advanced"})
    """How much the prompt counts; above 1 the diffusion upscaler computes everything twice."""

    noise_level: int = Field(20, ge=0, le=999, title="Noise level", json_schema_extra={"tier": "advanced"})
    """Noise that the image gets before the diffusion upscaler sees it, as a step of its schedule: more noise lets it
    make up more. Published: 20."""

    tile: int = Field(192, ge=32, le=2048, title="Window", json_schema_extra={"tier": "advanced", "unit": "px"})
    """Larger images are enlarged in overlapping windows of this side: it bounds the memory."""

    format: ImageFormat = Field("png", title="File format", json_schema_extra={"tier": "advanced"})
    """"png" keeps every pixel; "jpeg" and "webp" are smaller and lose some, as camera files do."""

    quality: int = Field(95, ge=1, le=100, title="Quality", json_schema_extra={"tier": "advanced", "unit": "points"})
    """Quality of JPEG and WebP files."""

    @model_validator(mode="after")
    def _makes_another_set(self) -> Self:
        if self.source_set and self.source_set == self.set_name:
            raise ValueError("the new set needs a name of its own")
        if self.run and self.model:
            raise ValueError("name the training of an upscaler or a local model, not both")
        return self
