"""What a check of a data set has found: where, why it matters, and what to do about it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict

from synthstudio.domain.records import Annotation, Box, FieldOfView
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
        "label-suspect": Check(
            "Object looks like another class",
            "warning",
            "Look at the object: change its class, or leave it if it is right.",
        ),
        "label-missing": Check(
            "Object without a mark",
            "warning",
            "Look at the place: mark the object, or leave it if there is none.",
        ),
        "synthetic-betrayed": Check(
            "Images can be told from real ones",
            "note",
            "Look at the statistics that differ most: a training may learn them instead of the objects.",
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


class FoundPlace(BaseModel):
    """Where a mark lies on its image, in px from the top left.

    Attributes:
        annotation: Id of the mark; None for an object that nobody has marked.
        x, y: Left and top of its box; of a click, the click.
        w, h: Sides of its box; None for a click.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    annotation: int | None
    x: float
    y: float
    w: float | None = None
    h: float | None = None

    @classmethod
    def of(cls, mark: Annotation) -> FoundPlace:
        """The place of an annotation; what is no finite number, as damaged files have it, becomes 0."""
        if mark.box is None:
            return cls(annotation=mark.id, x=_told(mark.x), y=_told(mark.y))
        return cls.of_box(mark.box, annotation=mark.id)

    @classmethod
    def of_box(cls, box: Box, *, annotation: int | None = None) -> FoundPlace:
        """The place of a box, of a mark or of an object without one."""
        x, y, w, h = map(_told, (box.x0, box.y0, box.width, box.height))
        return cls(annotation=annotation, x=x, y=y, w=w, h=h)

    @property
    def box(self) -> Box:
        """Its box; of a click an empty one."""
        return Box(self.x, self.y, self.x + (self.w or 0.0), self.y + (self.h or 0.0))

    @property
    def words(self) -> str:
        """Of a sentence: at 12, 34 (56 x 78 px)."""
        sides = f" ({self.w:g} x {self.h:g} px)" if self.w is not None and self.h is not None else ""
        return f"at {self.x:g}, {self.y:g}{sides}"


def _told(value: float) -> float:
    """A coordinate to a tenth of a px, which JSON can hold."""
    return round(value, 1) if math.isfinite(value) else 0.0


class Finding(BaseModel):
    """Something that is wrong, or worth a look.

    Attributes:
        images: Those that it concerns, the first 20 of them.
        n_images: How many there are.
        annotations: Ids of the marks that it concerns.
        places: Where these marks lie on their image, or where an object is that nobody has marked.
        class_name: Class that it concerns; empty for none.
        other_class: Class that the marks look like, where that is another one.
        score: How strong the suspicion is, 0 to 1, where the check has one.
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
    places: tuple[FoundPlace, ...] = ()
    class_name: str = ""
    other_class: str = ""
    score: float | None = None
    set_name: str = ""
    reason: str
    remedy: str


def found(
    check: CheckName,
    reason: str,
    *,
    images: Sequence[FoundImage] = (),
    marks: Sequence[Annotation] = (),
    places: Sequence[FoundPlace] = (),
    class_name: str = "",
    other_class: str = "",
    score: float | None = None,
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
        annotations=tuple(each.id for each in marks),
        places=(*(FoundPlace.of(each) for each in marks), *places),
        class_name=class_name,
        other_class=other_class,
        score=score,
        set_name=set_name,
        reason=reason,
        remedy=kind.remedy,
    )
