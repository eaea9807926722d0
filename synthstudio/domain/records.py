"""What a project is made of, as frozen records.

Coordinates are float pixels of the full-resolution image, origin at the top left corner of the top left pixel,
x to the right, y down. Boxes are `x0, y0, x1, y1`, end exclusive.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from synthstudio.domain.ids import AnnotationId, ClassId, FovId, RunId, SampleId, SetName

PAGE_MARK = " [page "
"""Between the name of a stack and the number of its page in the name of an FOV: `stack.tif [page 3]`."""


class Split(StrEnum):
    """Which part of the data a sample belongs to."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"


class AnnotationState(StrEnum):
    """How far the annotation of an FOV has come; reviewed is exhaustive and checked by a second look."""

    NONE = "none"
    PARTIAL = "partial"
    EXHAUSTIVE = "exhaustive"
    REVIEWED = "reviewed"

    @property
    def is_complete(self) -> bool:
        """Whether every object is marked, so that what is unmarked is background."""
        return self in (AnnotationState.EXHAUSTIVE, AnnotationState.REVIEWED)


class Role(StrEnum):
    """What a class is for: an artifact is pasted into composites, but never labelled."""

    OBJECT = "object"
    ARTIFACT = "artifact"


class AnnotationSource(StrEnum):
    """Where an annotation comes from."""

    MANUAL = "manual"
    IMPORTED = "imported"
    SIMULATED = "simulated"
    SUGGESTED = "suggested"


class Storage(StrEnum):
    """Whether the image file was copied into the project or stays where it is."""

    COPY = "copy"
    REFERENCE = "reference"


class RunStatus(StrEnum):
    """State of one execution of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"


class VerdictKind(StrEnum):
    """A reviewer's decision about one synthetic image."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNSURE = "unsure"


ReviewRule = Literal["accepted", "not-rejected"]
"""Which images of a set may be used: those that were accepted, or all that nobody has rejected."""


class Generator(StrEnum):
    """How a synthetic image came about."""

    COMPOSITED = "composited"
    GAN = "gan"
    DIFFUSION = "diffusion"


@dataclass(frozen=True, slots=True)
class Box:
    """Axis-parallel rectangle in px, end exclusive."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width(self) -> float:
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        return self.y1 - self.y0

    @property
    def center(self) -> tuple[float, float]:
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    def moved(self, dx: float, dy: float) -> Box:
        """Return the box shifted by (dx, dy) px."""
        return Box(self.x0 + dx, self.y0 + dy, self.x1 + dx, self.y1 + dy)


@dataclass(frozen=True, slots=True)
class Sample:
    """A specimen or patient: the unit of splitting."""

    id: SampleId
    name: str
    split: Split | None


@dataclass(frozen=True, slots=True)
class ObjectClass:
    """A kind of object.

    Attributes:
        color: `#RRGGBB`.
        key: Keyboard digit "1" to "9" that selects the class, or "" for none.
        size_um: Mean side in micrometres, used where an FOV is calibrated.
        size_px: Mean side in full-resolution px, used where an FOV has no calibration.
        goal: Wanted number of annotations in the project, or None.
    """

    id: ClassId
    name: str
    color: str
    key: str
    role: Role
    size_um: float | None
    size_px: float | None
    goal: int | None = None

    def size_in(self, um_per_px: float | None) -> float | None:
        """Mean side in px of an FOV with this calibration, or None where the class has no usable size."""
        if self.size_um is not None and um_per_px:
            return self.size_um / um_per_px
        return self.size_px


def content_key(sha256: str, page: int | None) -> str:
    """What tells the pixels of a file, or of one page of it (from 0), from those of all others."""
    return sha256 if page is None else f"{sha256}-{page + 1}"


@dataclass(frozen=True, slots=True)
class FieldOfView:
    """One image as imported. `path` is absolute; `split` is that of its sample; `added_at` is ISO 8601 in UTC.

    Attributes:
        sha256: Of the file, which several pages of a stack share.
        page: Which image of a stack it is, from 0; None where its file holds one image.
    """

    id: FovId
    sample_id: SampleId
    sample_name: str
    split: Split | None
    name: str
    path: str
    storage: Storage
    sha256: str
    width: int
    height: int
    um_per_px: float | None
    tone: int | None
    state: AnnotationState
    note: str = ""
    is_flagged: bool = False
    added_at: str = ""
    page: int | None = None

    @property
    def content_key(self) -> str:
        """What tells its pixels from those of all others; fit for a file name."""
        return content_key(self.sha256, self.page)

    @property
    def stem(self) -> str:
        """The name without the suffix of the file; a page of a stack keeps its number."""
        file, mark, number = self.name.rpartition(PAGE_MARK) if self.page is not None else (self.name, "", "")
        return f"{file.rpartition('.')[0] or file}{mark}{number}"


@dataclass(frozen=True, slots=True)
class Annotation:
    """An expert's mark on an FOV: a centre, or a box around the object.

    `x, y` is the centre in px; for a box it is the middle of the box. A centre has no box; its extent is the
    class's mean size, unless `size_px` says otherwise for this one object.
    """

    id: AnnotationId
    fov_id: FovId
    class_id: ClassId
    x: float
    y: float
    box: Box | None = None
    size_px: float | None = None
    author: str = ""
    source: AnnotationSource = AnnotationSource.MANUAL
    note: str = ""
    is_flagged: bool = False

    @property
    def is_box(self) -> bool:
        return self.box is not None

    def moved(self, dx: float, dy: float) -> Annotation:
        """Return the annotation shifted by (dx, dy) px."""
        box = self.box.moved(dx, dy) if self.box else None
        return dataclasses.replace(self, x=self.x + dx, y=self.y + dy, box=box)

    def with_box(self, box: Box) -> Annotation:
        """Return the annotation with this box and the box's middle as its centre."""
        x, y = box.center
        return dataclasses.replace(self, x=x, y=y, box=box)

    def extent(self, class_size_px: float) -> Box:
        """The box, or for a centre the square of its own or the class's size around it."""
        if self.box is not None:
            return self.box
        half = (self.size_px or class_size_px) / 2
        return Box(self.x - half, self.y - half, self.x + half, self.y + half)


@dataclass(frozen=True, slots=True, order=True)
class CropSquare:
    """A square crop of an FOV: its top left corner and side in full-resolution px."""

    x: int
    y: int
    side: int


@dataclass(frozen=True, slots=True)
class CropLabel:
    """What a person saw on a crop: every class that was asked for, and those of them that are there."""

    fov_id: FovId
    square: CropSquare
    asked: frozenset[ClassId]
    present: frozenset[ClassId]
    author: str = ""


@dataclass(frozen=True, slots=True)
class SyntheticSet:
    """A folder of made images with one manifest line per image."""

    name: SetName
    generator: Generator
    run_id: RunId | None
    n_images: int
    manifest_sha256: str
    settings_json: str
    project_state: str
    created_at: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """A reviewer's decision about image `index` of a set.

    Attributes:
        seconds: How long the image was looked at before; 0 where that was not measured.
        is_final: It settles what reviewers disagree about; an image has one such verdict at most.
    """

    set_name: SetName
    index: int
    kind: VerdictKind
    reason: str
    reviewer: str
    created_at: str
    seconds: float = 0.0
    is_final: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a job, from its request to its end.

    Attributes:
        settings_json: The resolved settings, seed included.
        summary_json: The job's result record, once it has finished.
        message: Why it failed, in the user's words; empty otherwise.
        experiment: Name of the experiment that it is a part of; empty for a run of its own.
    """

    id: RunId
    kind: str
    status: RunStatus
    title: str
    settings_json: str
    summary_json: str
    message: str
    hint: str
    created_at: str
    finished_at: str
    experiment: str = ""


@dataclass(frozen=True, slots=True)
class Experiment:
    """A plan of many runs that are compared.

    Attributes:
        settings_json: The plan.
        project_state: Hash of the data that its runs learn from and are scored on.
    """

    name: str
    settings_json: str
    project_state: str
    created_at: str


@dataclass(frozen=True, slots=True)
class Metric:
    """One logged value of a run."""

    run_id: RunId
    step: int
    name: str
    value: float


@dataclass(frozen=True, slots=True)
class Changes:
    """What a mutation touched: which kinds of record, and which FOVs where that is known.

    Attributes:
        kinds: Names of the record kinds: "samples", "fovs", "classes", "annotations", "crop_labels",
            "suggestions", "patch_verdicts", "sets", "runs", "experiments", "verdicts", "studies", "guides", "models",
            "tags", "views".
        fov_ids: FOVs whose annotations changed; empty means any.
    """

    kinds: frozenset[str]
    fov_ids: frozenset[FovId] = frozenset()

    def __or__(self, other: Changes) -> Changes:
        return Changes(self.kinds | other.kinds, self.fov_ids | other.fov_ids)


def changes(*kinds: str, fov_ids: frozenset[FovId] = frozenset()) -> Changes:
    """Shorthand for a `Changes` record."""
    return Changes(frozenset(kinds), fov_ids)
