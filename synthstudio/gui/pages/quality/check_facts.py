"""What is known of a project's checks, and how the tables say it. No widgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synthstudio.client.evaluations import result_of
from synthstudio.core.review.findings import CHECKS, Finding
from synthstudio.core.review.gallery_filter import GalleryView
from synthstudio.domain.ids import AnnotationId, FovId
from synthstudio.domain.records import Box, FieldOfView, Run
from synthstudio.gui.canvas.crop_tiles import CropItem
from synthstudio.gui.pages.quality.gallery_tiles import UNKNOWN_COLOR
from synthstudio.gui.widgets.job_state import NO_JOB, JobState, newest_state
from synthstudio.gui.widgets.sortable_table import TableCell, TableColumn, TableRow
from synthstudio.project import Project
from synthstudio.project.set_images import list_set_images
from synthstudio.protocol.results import QualityResult
from synthstudio.settings.quality import CHECK_NAMES, CheckName, Severity

QUALITY_KIND = "quality"
ALL = "all"
RANKS: Mapping[Severity, int] = {"error": 2, "warning": 1, "note": 0}
CHECK_COLUMNS = (
    TableColumn("Check", is_number=False, is_filling=True),
    TableColumn("Found"),
)
FINDING_COLUMNS = (
    TableColumn("Severity", is_number=False),
    TableColumn("Where", is_number=False),
    TableColumn("Class", is_number=False),
    TableColumn("What was found", is_number=False, is_filling=True),
)
SURROUNDINGS = 1.0
"""So much of its size is shown on each side of a mark."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One finished check of the project, or of a set."""

    run: Run
    result: QualityResult

    @property
    def line(self) -> str:
        """What stands for it in a list."""
        what = f"Set {self.result.set}" if self.result.set else "Project"
        moment = self.run.created_at[:16].replace("T", " ")
        return f"{what}, {moment}: {_counted(sum(self.result.n_by_severity.values()), 'finding')}"


@dataclass(frozen=True, slots=True)
class QualityFacts:
    """All of a project.

    Attributes:
        checks: Newest first.
        state: What the newest run does, or how it ended; nothing where it is among the checks.
        sets: Names of the sets that can be checked.
    """

    checks: tuple[Checked, ...] = ()
    state: JobState = NO_JOB
    sets: tuple[str, ...] = ()


def read_quality(project: Project) -> QualityFacts:
    """Read all checks; not on the GUI thread."""
    runs = project.runs.list(kind=QUALITY_KIND)
    found = [(run, result_of(run)) for run in reversed(runs)]
    return QualityFacts(
        checks=tuple(Checked(run, result) for run, result in found if isinstance(result, QualityResult)),
        state=newest_state(runs, noun="check", doing="Checking…"),
        sets=tuple(each.name for each in reversed(project.sets.list())),
    )


def check_rows(result: QualityResult) -> list[TableRow]:
    """A row for each check that was made, those that found something first, after one for all."""
    n_all = sum(result.n_by_severity.values())
    made = [name for name in CHECK_NAMES if name in result.n_by_check]
    made.sort(key=lambda name: (not result.n_by_check[name], -RANKS[CHECKS[name].severity]))
    rows = [_check_row(name, result.n_by_check[name]) for name in made]
    return [TableRow(ALL, (TableCell("All findings", ""), TableCell(f"{n_all:,}", n_all))), *rows]


def _check_row(name: CheckName, n_found: int) -> TableRow:
    kind = CHECKS[name]
    cells = (
        TableCell(kind.title, kind.title, f"{kind.title}: mostly {_article(kind.severity)}. {kind.remedy}"),
        TableCell(f"{n_found:,}" if n_found else "–", n_found),
    )
    return TableRow(name, cells)


def finding_row(place: int, finding: Finding) -> TableRow:
    """The row of a finding; its key is its place in the result."""
    names = [f"{each.set}: {each.name}" if each.set else each.name for each in finding.images]
    where = names[0] if names else finding.set_name
    if finding.n_images > 1:
        where = f"{where} and {finding.n_images - 1:,} more"
    cells = (
        TableCell(finding.severity, RANKS[finding.severity]),
        TableCell(where, where, "\n".join(names)),
        TableCell(finding.class_name, finding.class_name),
        TableCell(finding.reason, finding.reason, finding.reason),
    )
    return TableRow(str(place), cells)


@dataclass(frozen=True, slots=True)
class FoundPictures:
    """The images of a finding, to be looked at.

    Attributes:
        items: What is shown of each; ids of set images are below 0, as they are no fields of the project.
        fovs: Where their pixels are, by these ids.
        sets: Names of the sets that images below 0 are of.
        marks: Annotation that an item frames, by the place of the item; absent where the whole image is meant.
    """

    items: tuple[CropItem, ...] = ()
    fovs: Mapping[FovId, FieldOfView] | None = None
    sets: Mapping[FovId, str] | None = None
    marks: Mapping[int, AnnotationId] | None = None


def find_pictures(project: Project, finding: Finding) -> FoundPictures:
    """Find what a finding speaks of; what has gone since is left out. Not on the GUI thread."""
    # By set and id: each set counts its images and marks from 1, as the project does.
    known = {("", int(fov.id)): fov for fov in project.fovs.list()}
    classes = project.classes.list()
    colors, by_name = {each.id: each.color for each in classes}, {each.name: each.color for each in classes}
    own_fovs = [FovId(each.fov) for each in finding.images if not each.set]
    marks = {("", int(mark.id)): mark for fov_id in own_fovs for mark in project.annotations.list(fov_id)}
    for name in {each.set for each in finding.images if each.set}:
        listed, regions = list_set_images(project, name)
        known |= {(name, int(fov.id)): fov for fov in listed}
        marks |= {(name, int(mark.id)): mark for own in regions.values() for mark in own}
    fovs: dict[FovId, FieldOfView] = {}
    sets: dict[FovId, str] = {}
    items: list[CropItem] = []
    framed: dict[int, AnnotationId] = {}
    for place, each in enumerate(finding.images):
        fov = known.get((each.set, each.fov))
        if fov is None:
            continue
        key = FovId(-1 - place if each.set else each.fov)
        fovs[key] = fov
        if each.set:
            sets[key] = each.set
        own = [marks[each.set, number] for number in finding.annotations if (each.set, number) in marks]
        shown = [mark for mark in own if mark.fov_id == each.fov]
        for mark in shown:
            framed[len(items)] = mark.id
            number = f" · {len(framed)} of {len(finding.annotations)}" if len(finding.annotations) > 1 else ""
            caption = f"{Path(fov.name).stem}{number}"
            outline = mark.extent(2.0)
            items.append(_outlined_item(key, fov, outline, caption=caption, color=colors[mark.class_id]))
        free = [spot.box for spot in finding.places if spot.annotation is None]
        for outline in free:
            color = by_name.get(finding.class_name, UNKNOWN_COLOR)
            items.append(_outlined_item(key, fov, outline, caption=Path(fov.name).stem, color=color))
        if not shown and not free:
            words = f"{Path(fov.name).stem}{f' · {each.split}' if each.split else ''}"
            items.append(CropItem(key, Box(0, 0, fov.width, fov.height), words, False, tip=fov.name))
    return FoundPictures(tuple(items), fovs, sets, framed)


def _outlined_item(key: FovId, fov: FieldOfView, outline: Box, *, caption: str, color: str) -> CropItem:
    half = max(16.0, (0.5 + SURROUNDINGS) * max(outline.width, outline.height))
    x, y = outline.center
    part = Box(x - half, y - half, x + half, y + half)
    return CropItem(key, part, caption, False, tip=fov.name, outline=outline, color=color)


def findings_of(result: QualityResult, check: str) -> list[tuple[int, Finding]]:
    """The findings of a check, or all of them, with their places in the result."""
    return [(place, each) for place, each in enumerate(result.findings) if check in (ALL, each.check)]


def ids_of(result: QualityResult, check: str) -> tuple[GalleryView, NDArray[np.int64]]:
    """What the findings of a check are about, each once: objects where marks are named, else images."""
    found = [each for each in result.findings if each.check == check]
    marks = [number for each in found for number in each.annotations]
    of = [each.fov for finding in found for each in finding.images if each.fov and each.set == result.set]
    return ("objects" if marks else "images"), np.array(list(dict.fromkeys(marks or of)), np.int64)


def words_of(result: QualityResult, check: str, n_shown: int) -> str:
    """How many there are, and how many of them are shown."""
    n_all = sum(result.n_by_severity.values()) if check == ALL else result.n_by_check.get(check, 0)
    if n_all == n_shown:
        return ""
    return f"{n_shown:,} of {n_all:,} findings are shown; all are in {result.file} in the folder of the run."


def sound_words(result: QualityResult) -> str:
    """What came out, in a sentence."""
    counts = [_counted(result.n_by_severity[name], name) for name in _by_rank() if result.n_by_severity.get(name)]
    seen = f"{result.n_images:,} images and {result.n_annotations:,} annotations in {result.seconds:.0f} s"
    found = ", ".join(counts) or "nothing found"
    notes = "".join(f" {note}" for note in result.notes)
    return f"{'Sound' if result.is_sound else 'Not sound'} (fails on {result.fail_on}): {found}. {seen}.{notes}"


def _article(severity: Severity) -> str:
    return f"{'an' if severity == 'error' else 'a'} {severity}"


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def _by_rank() -> Sequence[Severity]:
    return sorted(RANKS, key=lambda name: -RANKS[name])
