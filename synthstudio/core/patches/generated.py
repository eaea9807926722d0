"""Patches that are cut from generated images, beside those around clicks: where they come from, and their ids.

Such an image is no field of the project, so it has an id below 0, as its objects have. The id follows from what the
image is: it stays the same whichever other sets there are, and with it what somebody has said about the patch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from synthstudio.domain.ids import AnnotationId, ClassId, FovId
from synthstudio.domain.records import Annotation, FieldOfView

_ID_BYTES = 7  # fits into the 64 bits of a database's integer and of an array, with its sign


@dataclass(frozen=True, slots=True)
class GeneratedPlace:
    """Image `index` of a set."""

    set_name: str
    index: int


@dataclass(frozen=True, slots=True)
class GeneratedSource:
    """A set that patches were cut from.

    Attributes:
        source_fovs: What its images go back to.
        review: What its reviewers have left out, in words; empty for nothing.
        uncut: Classes that its images show, but of which no patch could be cut.
    """

    name: str
    manifest_sha256: str
    source_fovs: tuple[int, ...]
    review: str = ""
    uncut: tuple[ClassId, ...] = ()


@dataclass(frozen=True, slots=True)
class GeneratedImages:
    """Generated images that patches are cut from, as FOVs with annotations.

    Attributes:
        fovs: At the size at which their objects are as large as the project's own.
        annotations: Their regions.
        places: Which image each is, by its id.
        sets: The sets that they are from.
    """

    fovs: tuple[FieldOfView, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    places: Mapping[FovId, GeneratedPlace] = field(default_factory=dict)
    sets: tuple[GeneratedSource, ...] = ()


def is_generated(fov_id: FovId) -> bool:
    """Whether an id is that of a generated image, not of a field of the project."""
    return fov_id < 0


def generated_fov_id(place: GeneratedPlace, sha256: str) -> FovId:
    """Id of an image with this hash."""
    return FovId(_negative(f"{place.set_name}\n{place.index}\n{sha256}"))


def generated_annotation_id(fov_id: FovId, number: int) -> AnnotationId:
    """Id of the object with this number on a generated image."""
    return AnnotationId(_negative(f"{fov_id}\n{number}"))


def _negative(text: str) -> int:
    return -1 - int.from_bytes(hashlib.sha256(text.encode()).digest()[:_ID_BYTES])
