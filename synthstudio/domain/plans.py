"""What an import is about to do, before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from synthstudio.domain.records import AnnotationState, Box, Split


@dataclass(frozen=True, slots=True)
class PlannedAnnotation:
    """One mark to be added; `x, y` is the centre in px (for a box its middle); note and flag are a person's remarks."""

    class_name: str
    x: float
    y: float
    box: Box | None = None
    size_px: float | None = None
    note: str = ""
    is_flagged: bool = False


@dataclass(frozen=True, slots=True)
class PlannedFov:
    """One image to be added, already opened once: its size and hash are known.

    Attributes:
        path: Absolute path of the image file.
        name: Name shown to the user; unique within its sample.
        sample: Name of the specimen or patient.
        labels: Image labels: class name -> present or absent.
        page: Which image of a stack it is, from 0; None where the file holds one image.
        caption: What describes it as a guide image, empty where nobody has; None where it is to be none.
    """

    path: Path
    name: str
    sample: str
    split: Split | None
    sha256: str
    width: int
    height: int
    um_per_px: float | None = None
    state: AnnotationState = AnnotationState.NONE
    annotations: tuple[PlannedAnnotation, ...] = ()
    labels: tuple[tuple[str, bool], ...] = ()
    page: int | None = None
    caption: str | None = None

    @property
    def content(self) -> tuple[str, int | None]:
        """What tells its pixels from those of all other images."""
        return self.sha256, self.page


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a file that is read: which file, which line (1-based, where there are lines), what."""

    file: str
    message: str
    line: int | None = None

    def __str__(self) -> str:
        place = f"{self.file}, line {self.line}" if self.line else self.file
        return f"{place}: {self.message}"


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """The good part of what was read, and the problems with the rest.

    Attributes:
        class_names: Classes in the order in which they should be created.
        class_sizes_px: Mean side of each class, measured (from boxes) or estimated (from the image around centres).
        estimated_sizes: Names of the classes whose size is only an estimate.
        artifacts: Names of the classes that are artifacts.
        class_colors: Colour `#RRGGBB` of the classes that the data set gives one.
    """

    fovs: tuple[PlannedFov, ...]
    class_names: tuple[str, ...]
    class_sizes_px: dict[str, float] = field(default_factory=dict)
    estimated_sizes: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()
    artifacts: frozenset[str] = frozenset()
    class_colors: dict[str, str] = field(default_factory=dict)
