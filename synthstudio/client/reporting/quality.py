"""A report of one check of a data set: what was looked for, what was found, with pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from synthstudio import __version__
from synthstudio.client.data_charts import read_charts
from synthstudio.client.evaluations import result_of
from synthstudio.client.reporting.data_charts import chart_sections
from synthstudio.client.reporting.provenance import data_section
from synthstudio.core.export.report.document import (
    Block,
    Cell,
    Document,
    Listing,
    Paragraph,
    Picture,
    Pictures,
    Section,
    Table,
)
from synthstudio.core.export.report.pictures import crop_picture
from synthstudio.core.review.findings import CHECKS, Finding, FoundPlace
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import Box, FieldOfView
from synthstudio.project import Project
from synthstudio.project.set_images import list_set_images
from synthstudio.protocol.results import ProbeFigures, QualityResult
from synthstudio.settings.quality import CHECK_NAMES, CheckName

MOST_ROWS, MOST_PICTURES = 50, 6
"""Of one check."""
MARGIN = 1.0
"""Around a mark, on each side, as a share of its size."""
CLICK_PX = 32.0
"""Side of what is outlined around a bare click."""
ShownImages = Mapping[tuple[str, int], FieldOfView]
"""Images by the name of their set, empty for the project, and their id."""


def build_quality_report(project: Project, run_id: RunId, *, tick: Tick = no_tick) -> Document:
    """Gather the report of a finished check; takes a second or more, so not for the thread of a window.

    Args:
        project: That was checked; only read.
        run_id: Of the check.
        tick: Called between the checks.

    Raises:
        NotFound: There is no such run.
        UserError: It is no finished check.
    """
    run = project.runs.get(run_id)
    result = result_of(run)
    if not isinstance(result, QualityResult):
        raise UserError(f"The run {run_id} is no finished check of the data.", "Name one, or check the data first.")
    sections = [_summary_section(result), data_section(project), *_chart_sections(project, result.set)]
    if result.probe is not None:
        sections.append(_probe_section(result.probe))
    shown = _shown_images(project, result.set)
    for done, name in enumerate(CHECK_NAMES):
        tick(done, len(CHECK_NAMES))
        found = [each for each in result.findings if each.check == name]
        if found:
            sections.append(_check_section(name, found, n_all=result.n_by_check.get(name, 0), shown=shown))
    moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
    what = f"set {result.set}" if result.set else "the project"
    return Document(
        title=f"{project.name}: quality of {what}",
        subtitle=f"Checked on {run.created_at[:16].replace('T', ' ')} UTC. SynthStudio {__version__}, {moment} UTC.",
        sections=tuple(sections),
    )


def _summary_section(result: QualityResult) -> Section:
    rows: list[list[Cell]] = [
        [CHECKS[name].title, CHECKS[name].severity, result.n_by_check[name]]
        for name in CHECK_NAMES
        if name in result.n_by_check
    ]
    counts = ", ".join(f"{n:,} of severity {severity}" for severity, n in result.n_by_severity.items()) or "none"
    verdict = "sound" if result.is_sound else "not sound"
    text = (
        f"The data are {verdict} (fails on {result.fail_on}). Findings: {counts}. Looked at: {result.n_images:,}"
        f" images, {result.n_annotations:,} annotations, {len(result.sets):,} synthetic sets."
    )
    notes = [Listing(result.notes)] if result.notes else []
    return Section("Result", (Paragraph(text), Table.of(("Check", "Usually", "Found"), rows), *notes))


def _probe_section(probe: ProbeFigures) -> Section:
    """What tells synthetic images from real ones."""
    rows: list[list[Cell]] = [
        [each.words, f"{each.synthetic:.3g}", f"{each.real:.3g}", f"{each.auc:.2f}"] for each in probe.statistics
    ]
    interval = f" (95 % interval {probe.ci95[0]:.2f} to {probe.ci95[1]:.2f})" if probe.ci95 is not None else ""
    text = (
        f"A simple classifier tells {probe.n_synthetic:,} synthetic images from {probe.n_real:,} real ones of"
        f" {probe.n_samples:,} samples with an AUC of {probe.auc:.2f}{interval}; 0.5 is chance. Real images are judged"
        " by classifiers that have not seen their sample. A training may learn such differences instead of objects."
    )
    few = () if probe.is_reliable else (Paragraph("There are too few samples for the interval to be trusted."),)
    table = Table.of(("Statistic alone", "Synthetic, median", "Real, median", "AUC"), rows)
    return Section("Synthetic against real", (Paragraph(text), *few, table))


def _shown_images(project: Project, set_name: str) -> ShownImages:
    """Images of the project, and of the set that was checked, as far as they can be listed."""
    shown = {("", int(fov.id)): fov for fov in project.fovs.list()}
    if set_name:
        with suppress(UserError):  # the findings say so
            shown |= {(set_name, int(fov.id)): fov for fov in list_set_images(project, set_name)[0]}
    return shown


def _chart_sections(project: Project, set_name: str) -> list[Section]:
    try:
        return chart_sections(read_charts(project, set_name))
    except UserError as error:  # the set is damaged, which the findings say, too
        return [Section("Objects", (Paragraph(str(error)),))]


def _check_section(name: CheckName, found: Sequence[Finding], *, n_all: int, shown: ShownImages) -> Section:
    rows: list[list[Cell]] = [
        [each.severity, ", ".join(image.name for image in each.images[:3]), each.class_name, each.reason]
        for each in found[:MOST_ROWS]
    ]
    how_many = f"{len(rows):,} of {n_all:,}. " if n_all > len(rows) else ""
    blocks: list[Block] = [
        Table.of(("Severity", "Images", "Class", "What was found"), rows, how_many + CHECKS[name].remedy)
    ]
    per_finding = max(2, MOST_PICTURES // len(found))
    pictures = [each for finding in found for each in _pictures(finding, shown, n_most=per_finding)]
    if pictures:
        blocks.append(Pictures(tuple(pictures[:MOST_PICTURES])))
    return Section(CHECKS[name].title, tuple(blocks))


def _pictures(finding: Finding, shown: ShownImages, *, n_most: int) -> list[Picture]:
    """What a finding is about, as far as it can be read."""
    pictures = []
    for number, image in enumerate(finding.images[:n_most]):
        fov = shown.get((image.set, image.fov))
        if fov is None:
            continue
        boxes = [_box_of(each) for each in finding.places] if number == 0 else []
        words = f"{image.set}: {fov.name}" if image.set else fov.name
        try:
            pictures.append(crop_picture(fov, _part(fov, boxes), words, outlined=boxes))
        except UserError:
            continue  # the finding itself may be that it cannot be read
    return pictures


def _box_of(place: FoundPlace) -> Box:
    """The box of a mark, or a square around a click."""
    if place.w is not None and place.h is not None:
        return Box(place.x, place.y, place.x + place.w, place.y + place.h)
    half = CLICK_PX / 2
    return Box(place.x - half, place.y - half, place.x + half, place.y + half)


def _part(fov: FieldOfView, boxes: Sequence[Box]) -> tuple[int, int, int, int]:
    """x, y, width, height around these boxes on a field, or all of the field where there are none."""
    if not boxes:
        return 0, 0, fov.width, fov.height
    x0, y0 = min(each.x0 for each in boxes), min(each.y0 for each in boxes)
    x1, y1 = max(each.x1 for each in boxes), max(each.y1 for each in boxes)
    margin = max(16.0, MARGIN * max(x1 - x0, y1 - y0))
    return (
        round(x0 - margin),
        round(y0 - margin),
        round(x1 - x0 + 2 * margin),
        round(y1 - y0 + 2 * margin),
    )
