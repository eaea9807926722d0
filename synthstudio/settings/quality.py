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
    "label-suspect",
    "label-missing",
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
    "synthetic-betrayed",
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
        4.5, ge=2, le=100, title="Blur", json_schema_extra={"tier": "advanced", "unit": "deviations"}
    )
    """So many robust standard deviations of sharpness below the other images make an image blurred. The least sharp
    images of four real data sets lie at 3, such as were blurred by 4 px at 5 to 20."""


class LabelLimits(SettingsGroup):
    """From where on the class of an annotation is doubted."""

    confidence: float = Field(
        0.3, ge=0.05, le=1, title="Confidence", json_schema_extra={"tier": "advanced", "unit": "probability"}
    )
    """A class is doubted where it is wrong with at least this probability: by what a classifier says that has learned
    from other samples, by how sure it is of sound labels, and by how many are wrong in all, which is estimated."""

    least_objects: int = Field(
        10, ge=5, le=10_000, title="Objects at least", json_schema_extra={"tier": "advanced", "unit": "objects"}
    )
    """A class with fewer objects, or with objects of a single sample, is neither doubted nor proposed."""


class MissingLimits(SettingsGroup):
    """From where on something that a model has found counts as an object that nobody has marked."""

    surer_than: float = Field(
        0.5, ge=0, le=1, title="As sure as of", json_schema_extra={"tier": "advanced", "unit": "share"}
    )
    """The model must be at least as sure of it as it is of this share of the marked objects of the class: 0.5 asks for
    the score that half of them reach."""

    overlap: float = Field(0.3, gt=0, le=0.5, title="Overlap", json_schema_extra={"tier": "advanced", "unit": "IoU"})
    """A mark of any class that overlaps it by this, or covers twice as large a share of either, is its mark."""


class ProbeLimits(SettingsGroup):
    """From where on the images of a set are betrayed."""

    auc: float = Field(0.75, ge=0.5, le=1, title="Told apart", json_schema_extra={"tier": "advanced", "unit": "AUC"})
    """Synthetic images count as betrayed where a simple classifier tells them from real ones better than this: the
    area under its ROC curve, 0.5 being chance, with the whole of its interval above."""


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
        500, ge=12, le=100_000, title="Held against real", json_schema_extra={"tier": "advanced", "unit": "images"}
    )
    """So many images of a set, drawn at random, are held against real ones, to find copies and to see whether they can
    be told apart; that set has to be named."""

    boxes: BoxLimits = Field(default_factory=BoxLimits, title="Annotations")
    """Of the checks of annotations."""

    images: ImageLimits = Field(default_factory=ImageLimits, title="Images")
    """Of the checks of images."""

    labels: LabelLimits = Field(default_factory=LabelLimits, title="Classes of objects")
    """Of the search for annotations whose class is probably wrong."""

    missing: MissingLimits = Field(default_factory=MissingLimits, title="Objects without a mark")
    """Of the search for objects that a detector, or suggestions, have found on images annotated in full."""

    probe: ProbeLimits = Field(default_factory=ProbeLimits, title="Real against synthetic")
    """Of the probe that tells synthetic images from real ones; a set has to be named."""

    @field_validator("skip")
    @classmethod
    def _skips_known_checks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := sorted(set(value) - set(CHECK_NAMES)):
            raise ValueError(f"there is no check {', '.join(unknown)}; there are {', '.join(CHECK_NAMES)}")
        return value
