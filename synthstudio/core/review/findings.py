"""What a check of a data set has found: where, why it matters, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict

from synthstudio.domain.ids import AnnotationId
from synthstudio.domain.records import FieldOfView
from synthstudio.settings.quality import CheckName, Severity

MOST_IMAGES = 20
"""More images than this are counted in a finding, but not named."""


@dataclass(frozen=True, slots=True)
class Check:
    """One question that is asked of a data set.

    Attributes:
        title: What its findings have in common, in a few words.
        remedy: What to do about a finding.
    """

    title: str
    severity: Severity
    remedy: str


CHECKS: Mapping[CheckName, Check] = MappingProxyType(
    {
        "missing-file": Check(
            "Image file is missing", "error", "Bring the file back, relink the image, or remove it from the project."
        ),
        "unreadable-file": Check(
            "Image file cannot be read", "error", "Restore the file from a backup, or remove the image."
        ),
        "wrong-dimensions": Check(
            "Image has another size than recorded",
            "error",
            "Put the original file back, or remove the image and import it again: its marks do not fit.",
        ),
        "changed-file": Check(
            "Image file has changed",
            "error",
            "Put the original file back, or import the changed one as an image of its own.",
        ),
        "degenerate-box": Check("Box without area", "error", "Draw the box again, or delete it."),
        "outside-image": Check(
            "Mark beyond the edge of its image", "error", "Move the mark onto the image, or delete it."
        ),
        "tiny-box": Check("Tiny box", "warning", "Look at the object: draw its box, or delete the slip of the hand."),
        "huge-box": Check("Box around the whole image", "warning", "Draw the box around the object itself."),
        "duplicate-annotation": Check("Object marked twice", "warning", "Delete all marks of the object but one."),
        "implausible-size": Check(
            "Size is implausible for the class", "warning", "Look at the object: correct its class or its box."
        ),
        "near-duplicate": Check(
            "Same picture more than once",
            "warning",
            "Keep one of them; those that belong together must be of one sample.",
        ),
        "split-leak": Check(
            "Same picture in two splits",
            "error",
            "Give these images one sample, so that they stand in one split, or remove all but one.",
        ),
        "empty-class": Check("Class without annotations", "warning", "Annotate some objects, or remove the class."),
        "class-missing-in-split": Check(
            "Class is missing in a split", "warning", "Divide the samples anew, or annotate more of this split."
        ),
        "unmarked-image": Check(
            "Done, but without any object", "note", "Look whether the image is empty indeed, or was marked by mistake."
        ),
        "exposure": Check(
            "Exposure unlike the other images", "warning", "Look at the image; remove it if it is a bad take."
        ),
        "blur": Check(
            "Less sharp than the other images", "warning", "Look at the image; remove it if it is out of focus."
        ),
        "set-from-test": Check(
            "Synthetic images made from test images",
            "error",
            "Write the set again from training images alone; do not report scores of what was trained on it.",
        ),
        "set-from-val": Check(
            "Synthetic images made from validation images", "warning", "Write the set again from training images alone."
        ),
        "set-source-gone": Check(
            "Synthetic images made from images that are gone",
            "note",
            "Nobody can tell any more which split these images belonged to; write the set again to be certain.",
        ),
        "too-near-to-real": Check(
            "Synthetic image is nearly a real one",
            "warning",
            "Compare the two; a generator that copies has learned too little, or for too long, from too few images.",
        ),
    }
)


class FoundImage(BaseModel):
    """An image that a finding speaks of.

    Attributes:
        fov: Its id; of an image of a set, that within the set.
        set: Name of the synthetic set that it is of; empty for a field of view.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fov: int
    name: str
    sample: str = ""
    split: str = ""
    set: str = ""

    @classmethod
    def of(cls, fov: FieldOfView, *, set_name: str = "") -> FoundImage:
        """The image of an FOV, or of an image of a set that is read as one."""
        split = fov.split.value if fov.split and not set_name else ""
        sample = "" if set_name else fov.sample_name
        return cls(fov=fov.id, name=fov.name, sample=sample, split=split, set=set_name)


class Finding(BaseModel):
    """Something that is wrong, or worth a look.

    Attributes:
        images: Those that it concerns, the first 20 of them.
        n_images: How many there are.
        annotations: Ids of the marks that it concerns.
        class_name: Class that it concerns; empty for none.
        set_name: Synthetic set that it concerns; empty for none.
        reason: What was found, a sentence.
        remedy: What to do, a sentence.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    check: CheckName
    severity: Severity
    images: tuple[FoundImage, ...] = ()
    n_images: int = 0
    annotations: tuple[int, ...] = ()
    class_name: str = ""
    set_name: str = ""
    reason: str
    remedy: str


def found(
    check: CheckName,
    reason: str,
    *,
    images: Sequence[FoundImage] = (),
    annotations: Sequence[AnnotationId] = (),
    class_name: str = "",
    set_name: str = "",
    severity: Severity | None = None,
) -> Finding:
    """Make a finding of a check, with its usual severity where none is given."""
    kind = CHECKS[check]
    return Finding(
        check=check,
        severity=severity or kind.severity,
        images=tuple(images[:MOST_IMAGES]),
        n_images=len(images),
        annotations=tuple(annotations),
        class_name=class_name,
        set_name=set_name,
        reason=reason,
        remedy=kind.remedy,
    )
