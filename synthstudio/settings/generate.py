"""Settings of the generate job: a set of images that a trained GAN or diffusion model makes on request."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from synthstudio.domain.prompts import PromptMode, SchedulerName
from synthstudio.settings.base import JobSettings, SettingsGroup
from synthstudio.settings.compose import ImageFormat
from synthstudio.settings.schema import setting_specs

Distribution = Literal["balanced", "as-in-data", "top-up"]
SamplingPrecision = Literal["auto", "fp32", "bf16", "fp16"]


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


class PromptSettings(SettingsGroup):
    """What the images of a diffusion model that reads words are asked to show, and how."""

    prompts: tuple[str, ...] = Field((), title="Prompts", json_schema_extra={"tier": "basic", "entries": "lines"})
    """What the images show, one prompt a line. Name the identifier and the class as the captions of the guide images
    do, for example "a photo of sks mpox lesion, early stage, on the hand"."""

    variants: int = Field(30, ge=1, le=100_000, title="Variants", json_schema_extra={"tier": "basic"})
    """Images of each prompt, which differ in their noise; the paper made 30 to 50."""

    negative: str = Field("", title="Negative prompt", json_schema_extra={"tier": "basic"})
    """What no image may show, in words. It needs a guidance above 1."""

    steps: int = Field(30, ge=1, le=1000, title="Steps", json_schema_extra={"tier": "basic", "unit": "steps"})
    """Denoising steps of each image: more take longer, and beyond 50 hardly change it."""

    guidance: float = Field(7.5, ge=1.0, le=30.0, title="Guidance", json_schema_extra={"tier": "basic"})
    """How strictly the words are followed: low is varied, high is literal and harsh. 1 halves the time, as the model
    is asked without the negative prompt only."""

    scheduler: SchedulerName = Field("dpm-solver++", title="Scheduler", json_schema_extra={"tier": "advanced"})
    """How noise is taken away. "dpm-solver++" needs 20 to 30 steps; "ddim", "pndm" (Stable Diffusion's own) and
    "euler" about 50."""

    side_px: int = Field(
        0, ge=0, le=2048, title="Side", json_schema_extra={"tier": "basic", "unit": "px", "zero": "as trained"}
    )
    """Side of the images; 0 for that which the model was trained at, which is the one it is good at."""

    class_name: str = Field("", title="Class", json_schema_extra={"tier": "basic"})
    """Class that the images are labelled with; that of the training where none is named. A model that was not trained
    in this project needs it."""

    mode: PromptMode = Field("text", title="Starting from", json_schema_extra={"tier": "basic"})
    """"text": noise alone. "image": a real picture, changed as far as the strength allows. "inpaint": a box of a real
    picture is painted anew, such as a lesion into normal tissue, and the box is the label."""

    places: tuple[str, ...] = Field((), title="Places", json_schema_extra={"tier": "basic", "entries": "lines"})
    """Real pictures to start from, one a line: the name of a field of view, and for a part of it a box in px, such as
    "hand.png @ 120, 80, 260, 210". For "inpaint" the box is what is painted. The variants of a prompt take turns."""

    surroundings: float = Field(
        2.0, ge=1.0, le=8.0, title="Surroundings", json_schema_extra={"tier": "advanced", "unit": "x the box"}
    )
    """Side of the square that is cut out around a box to be painted, as a multiple of the longer side of the box."""

    strength: float = Field(0.75, gt=0.0, le=1.0, title="Strength", json_schema_extra={"tier": "basic"})
    """How much of a real picture may change: near 0 nothing, 1 all of it."""

    @field_validator("prompts", "places")
    @classmethod
    def _lines_say_something(cls, lines: tuple[str, ...]) -> tuple[str, ...]:
        if not all(line.strip() for line in lines):
            raise ValueError("a line is empty")
        return lines

    @model_validator(mode="after")
    def _mode_has_places(self) -> Self:
        if self.mode == "text" and self.places:
            raise ValueError('places are for the modes "image" and "inpaint"')
        if self.mode != "text" and not self.places:
            raise ValueError(f'the mode "{self.mode}" needs at least one place: the name of a field of view')
        return self


class GenerateSettings(JobSettings):
    """Write a set of generated images with labels, boxes and the request behind each.

    A GAN, and a diffusion model that was trained from scratch, are asked by semantic maps; a Stable Diffusion by
    prompts."""

    kind: Literal["generate"] = "generate"

    generator: Literal["gan", "diffusion"] = Field("gan", title="Generator", json_schema_extra={"tier": "advanced"})
    """What makes the images: a trained semantic-map GAN, or a diffusion model."""

    run: str = Field("", title="Training", json_schema_extra={"tier": "basic"})
    """Id of the training of the GAN or diffusion model; the newest finished one where none is named."""

    model: str = Field("", title="Local model", json_schema_extra={"tier": "basic"})
    """Name of a local Stable Diffusion, or a folder or file with one, to ask as it is, without any training."""

    checkpoint: int = Field(
        0, ge=0, le=100_000_000, title="Checkpoint", json_schema_extra={"tier": "basic", "unit": "steps"}
    )
    """Step of the training whose stored checkpoint makes the images; 0 for the last. For trainings on guide images."""

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
    """Number of images to write, of all conditions and tones together. For prompts it is prompts times variants."""

    first_index: int = Field(0, ge=0, le=10_000_000, title="First image", json_schema_extra={"tier": "advanced"})
    """Number of the first image. Image 500 is the same in every set of these settings and seed: two machines can write
    0 to 499 and 500 to 999 as two sets."""

    format: ImageFormat = Field("png", title="File format", json_schema_extra={"tier": "advanced"})
    """"png" keeps every pixel; "jpeg" and "webp" are smaller and lose some, as camera files do."""

    quality: int = Field(95, ge=1, le=100, title="Quality", json_schema_extra={"tier": "advanced", "unit": "points"})
    """Quality of JPEG and WebP files."""

    maps: bool = Field(True, title="Semantic maps", json_schema_extra={"tier": "advanced"})
    """Write the semantic map of each image that was asked for by one beside it, as PNG."""

    threads: int = Field(0, ge=0, le=256, title="Threads", json_schema_extra={"tier": "advanced", "unit": "threads"})
    """Threads that make an image; 0 for all of the processor. The bytes are the same for a GAN; those of a diffusion
    model depend on their number, which the set records."""

    batch: int = Field(0, ge=0, le=64, title="Images at once", json_schema_extra={"tier": "advanced"})
    """Images of prompts that are made at once on a GPU; 0 for as many as its memory seems to allow, and fewer where it
    does not. The processor makes one after another."""

    precision: SamplingPrecision = Field("auto", title="Precision", json_schema_extra={"tier": "advanced"})
    """Arithmetic of a diffusion model that reads words: "auto" is fp16 on a GPU and fp32 on the processor, where bf16
    is faster on new ones."""

    requests: RequestSettings = Field(default_factory=RequestSettings, title="Requests")
    """What the images are asked to show, by maps."""

    prompts: PromptSettings = Field(default_factory=PromptSettings, title="Prompts")
    """What the images are asked to show, by words."""

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if self.model and self.run:
            raise ValueError("a training and a local model cannot both make the images")
        if self.model and self.generator == "gan":
            raise ValueError('a local model is of the generator "diffusion"')
        return self


def _names(prefix: str, *others: str) -> frozenset[str]:
    return frozenset(spec.name for spec in setting_specs(GenerateSettings) if spec.path[0] == prefix) | {*others}


MAP_SETTINGS = _names("requests", "count", "maps")
"""Settings, by their names, that only generators that are asked by maps heed."""
PROMPT_SETTINGS = _names("prompts", "model", "checkpoint", "batch", "precision")
"""The same of those that are asked by prompts."""
