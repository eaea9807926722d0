"""What is known of the project's measurements, and how the table says it. No widgets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from synthstudio.domain.records import Run
from synthstudio.gui.pages.generate.gan.run_facts import GanFacts, read_gans
from synthstudio.gui.widgets.job_state import NO_JOB, JobState, newest_state
from synthstudio.gui.widgets.sortable_table import TableCell, TableColumn, TableRow
from synthstudio.project import Project
from synthstudio.protocol.results import MeasuredFigure, MeasureResult

MEASURE_KIND = "measure"
FIGURE_TITLES = {
    "fid": "FID",
    "kid": "KID",
    "precision": "Precision",
    "recall": "Recall",
    "density": "Density",
    "coverage": "Coverage",
}
FIGURE_HELP = {
    "fid": "Fréchet distance of features; smaller is better, the floor is that of real against real images.",
    "kid": "Kernel distance of features, without the bias of few images; smaller is better, around 0 is best.",
    "precision": "Share of the synthetic images that lie where real ones do.",
    "recall": "Share of the real images that lie where synthetic ones do.",
    "density": "How closely real images lie around the synthetic ones; about 1 for real against real.",
    "coverage": "Share of the real images that have a synthetic one near.",
}
OVERLAPS = ("precision", "recall", "density", "coverage")
PARTS = {"overall": "All images", "by_condition": "By condition", "by_tone": "By tone"}
COLUMNS = (
    TableColumn("No.", "As in the chart; the oldest measurement is number 1."),
    TableColumn("Measured", is_number=False),
    TableColumn("Against", "Split of the real images on the other side.", is_number=False),
    TableColumn(FIGURE_TITLES["fid"], FIGURE_HELP["fid"]),
    TableColumn("Floor", "FID of real against real images, as many of them."),
    TableColumn(
        "Above", "How far the FID is above its floor, draw by draw: which patients a draw has moves both alike."
    ),
    TableColumn(FIGURE_TITLES["kid"], FIGURE_HELP["kid"]),
    TableColumn("Too near", "Synthetic images nearer to a training image than held-out real ones are."),
    *(TableColumn(FIGURE_TITLES[name], FIGURE_HELP[name]) for name in OVERLAPS),
    TableColumn("Images", "Of either kind in each draw; only figures of equal numbers can be compared."),
    TableColumn("Features", "What describes the images; only figures by the same can be compared.", is_number=False),
    TableColumn("Measured at", is_number=False),
)


@dataclass(frozen=True, slots=True)
class Measurement:
    """One finished measurement.

    Attributes:
        number: Counted from the oldest, from 1.
        name: What was measured, in words.
    """

    run: Run
    number: int
    name: str
    result: MeasureResult


@dataclass(frozen=True, slots=True)
class Measurements:
    """All of a project.

    Attributes:
        finished: Newest first.
        state: What the newest run does, or how it ended; nothing where it is among the finished.
        sets: Names of the sets that can be measured.
    """

    finished: tuple[Measurement, ...] = ()
    state: JobState = NO_JOB
    sets: tuple[str, ...] = ()


def read_measurements(project: Project) -> Measurements:
    """Read all measurements; not on the GUI thread."""
    runs = project.runs.list(kind=MEASURE_KIND)
    gans: dict[str, GanFacts] = {each.run.id: each for each in read_gans(project)}
    found: list[Measurement] = []
    for run in runs:
        try:
            result = MeasureResult.model_validate_json(run.summary_json or "{}")
        except ValidationError:  # it has not finished, or another version wrote it
            continue
        found.append(Measurement(run, len(found) + 1, _name(result, gans), result))
    return Measurements(
        finished=tuple(reversed(found)),
        state=newest_state(runs, noun="measurement", doing="Measuring…"),
        sets=tuple(each.name for each in reversed(project.sets.list())),
    )


def _name(result: MeasureResult, gans: Mapping[str, GanFacts]) -> str:
    if result.target == "set":
        return f"Set {result.name}"
    gan = gans.get(result.name)
    return gan.line if gan is not None else f"GAN {result.name}"


def table_row(measured: Measurement) -> TableRow:
    """What the table says of a measurement."""
    result = measured.result
    cells = [
        TableCell(str(measured.number), measured.number),
        TableCell(measured.name, measured.name, tip=measured.name),
        TableCell(result.split, result.split),
    ]
    figures = result.overall.figures
    fid = figures.get("fid")
    features = result.features_sha256 or "built into the program"
    cells += [
        figure_cell(fid),
        TableCell(in_figures(fid.floor), fid.floor) if fid is not None else TableCell(""),
        difference_cell(fid),
        figure_cell(figures.get("kid")),
        TableCell(f"{result.n_too_near} of {result.overall.n_synthetic}", result.n_too_near),
        *(figure_cell(figures.get(name)) for name in OVERLAPS),
        TableCell(str(result.overall.n), result.overall.n),
        TableCell(result.features, result.features, tip=f"{result.features}\nSHA-256: {features}"),
        TableCell(measured.run.finished_at[:16].replace("T", " "), measured.run.finished_at),
    ]
    return TableRow(measured.run.id, tuple(cells))


def figure_cell(figure: MeasuredFigure | None) -> TableCell:
    """A figure; its interval and its floor are in the tooltip."""
    if figure is None:
        return TableCell("")
    low, high = (in_figures(each) for each in figure.ci95)
    tip = f"{in_figures(figure.mean)}, 95 % of the draws {low} to {high}\nreal against real {in_figures(figure.floor)}"
    return TableCell(in_figures(figure.mean), figure.mean, tip=tip)


def difference_cell(figure: MeasuredFigure | None) -> TableCell:
    """How far a figure is from its floor; the interval is in the tooltip."""
    if figure is None or figure.difference is None or figure.difference_ci95 is None:
        return TableCell("")
    low, high = (in_figures(each) for each in figure.difference_ci95)
    return TableCell(in_figures(figure.difference), figure.difference, tip=f"95 % of the draws {low} to {high}")


def in_figures(value: float) -> str:
    """Three digits that say something."""
    return f"{value:.1f}" if abs(value) >= 100 else f"{value:.2f}" if abs(value) >= 10 else f"{value:.3f}"
