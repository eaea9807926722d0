"""Settings of the quality job: is this data set sound?"""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field, field_validator

from synthstudio.settings.base import JobSettings, SettingsGroup

Severity = Literal["note", "warning", "error"]
"""A note is worth knowing; a warning is probably a mistake; an error breaks or falsifies a training or its scores."""

CheckName = Literal[
    "missing-file",
    "unreadable-file",
    "wrong-dimensions",
    "changed-file",
    "degenerate-box",
    "outside-image",
    "tiny-box",
    "huge-box",
    "duplicate-annotation",
    "implausible-size",
    "near-duplicate",
    "split-leak",
    "empty-class",
    "class-missing-in-split",
    "unmarked-image",
    "exposure",
    "blur",
    "set-from-test",
    "set-from-val",
    "set-source-gone",
    "too-near-to-real",
]
"""All checks, in the order in which their findings are told."""

CHECK_NAMES: tuple[CheckName, ...] = get_args(CheckName)


class BoxLimits(SettingsGroup):
    """From where on an annotation is conspicuous."""

    tiny_px: float = Field(3.0, ge=0, le=1000, title="Tiny", json_schema_extra={"tier": "advanced", "unit": "px"})
    """A box with a side shorter than this is too small to be an object."""

    huge_share: float = Field(0.95, gt=0, le=1, title="Huge", json_schema_extra={"tier": "advanced", "unit": "share"})
    """A box that covers at least this share of its image is too large to be an object on it."""

    outside_px: float = Field(
        1.0, ge=0, le=1000, title="Beyond the edge", json_schema_extra={"tier": "advanced", "unit": "px"}
    )
    """A box may reach so far beyond the edge of its image: tools round, and count from 0 or from 1."""

    duplicate_iou: float = Field(
        0.8, ge=0.5, le=1, title="Same object", json_schema_extra={"tier": "advanced", "unit": "IoU"}
    )
    """Two boxes that overlap by at least this are two marks of one object."""

    size_deviations: float = Field(
        6.0, ge=2, le=100, title="Implausible size", json_schema_extra={"tier": "advanced", "unit": "deviations"}
    )
    """So many robust standard deviations of the logarithm of the size, among the objects of its class, make an object
    implausible."""


class ImageLimits(SettingsGroup):
    """From where on an image is conspicuous."""

    hash_distance: int = Field(
        4, ge=0, le=16, title="Hash distance", json_schema_extra={"tier": "advanced", "unit": "bits"}
    )
    """Images whose 64-bit hashes differ by at most so many bits are compared by their pixels. The hash alone proves
    nothing: most such pairs are different images."""

    correlation: float = Field(
        0.9, ge=0.5, le=1, title="Correlation", json_schema_extra={"tier": "advanced", "unit": "correlation"}
    )
    """Images whose detail correlates by more than this are the same picture: stored again, brightened, resized, turned
    or mirrored."""

    exposure_deviations: float = Field(
        6.0, ge=2, le=100, title="Exposure", json_schema_extra={"tier": "advanced", "unit": "deviations"}
    )
    """So many robust standard deviations of brightness from the other images make an exposure an outlier."""

    blur_deviations: float = Field(
        6.0, ge=2, le=100, title="Blur", json_schema_extra={"tier": "advanced", "unit": "deviations"}
    )
    """So many robust standard deviations of sharpness below the other images make an image blurred."""


class QualitySettings(JobSettings):
    """Look for what is wrong with images, annotations, splits and synthetic sets before anything is trained on them."""

    kind: Literal["quality"] = "quality"

    set_name: str = Field("", title="Set", json_schema_extra={"tier": "basic"})
    """Name of a synthetic set to check; empty checks the project's images, and of each set what it was made from."""

    fail_on: Severity = Field("error", title="Fails on", json_schema_extra={"tier": "basic"})
    """The data count as sound while nothing of this severity, or above, is found: a terminal command then ends with
    exit status 0, else with 1. "error" is for what breaks or falsifies a training or its scores, "warning" also for
    what is probably a mistake, "note" for everything."""

    skip: tuple[str, ...] = Field((), title="Left out", json_schema_extra={"tier": "advanced"})
    """Names of checks that are left out, such as blur or near-duplicate."""

    n_images: int = Field(
        500, ge=12, le=100_000, title="Copies among", json_schema_extra={"tier": "advanced", "unit": "images"}
    )
    """So many images of a set, drawn at random, are held against real ones to find copies; that set has to be named."""

    boxes: BoxLimits = Field(default_factory=BoxLimits, title="Annotations")
    """Of the checks of annotations."""

    images: ImageLimits = Field(default_factory=ImageLimits, title="Images")
    """Of the checks of images."""

    @field_validator("skip")
    @classmethod
    def _skips_known_checks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := sorted(set(value) - set(CHECK_NAMES)):
            raise ValueError(f"there is no check {', '.join(unknown)}; there are {', '.join(CHECK_NAMES)}")
        return value
