"""The result of a measurement as text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from synthstudio.cli.render import Scalar, print_lines, print_table
from synthstudio.protocol.results import MeasuredFigure, MeasuredGroup, MeasureResult

TITLES = {
    "fid": "Fréchet distance (FID)",
    "kid": "kernel distance (KID)",
    "precision": "precision",
    "recall": "recall",
    "density": "density",
    "coverage": "coverage",
}
COLUMNS = ("mean", "95 %", "real against real", "95 %", "difference", "95 %")


def print_measurement(result: MeasureResult, folder: Path) -> None:
    """Write a result to standard output; `folder` is the run's."""
    whole = result.overall
    what = f"set {result.name}" if result.target == "set" else f"GAN of run {result.name}"
    print_lines(
        f"{what} against {result.split}: {whole.n_synthetic} synthetic and {whole.n_real} real images,"
        f" {whole.n} of either kind in each of {result.draws} draws, by {result.features}"
    )
    rows: list[list[Scalar]] = [
        [title, *_figures(whole.figures[name])] for name, title in TITLES.items() if name in whole.figures
    ]
    print_table(("all images", *COLUMNS), rows)
    for head, groups in (("condition", result.by_condition), ("tone", result.by_tone)):
        _print_groups(head, groups)
    if result.nearest:
        print_lines(f"too near to a training image: {result.n_too_near} of {whole.n_synthetic}, see {folder}")
    print_lines(*(f"note: {text}" for text in result.notes))


def _print_groups(head: str, groups: Sequence[MeasuredGroup]) -> None:
    measured = [each for each in groups if each.figures]
    if measured:
        print_lines("")
        print_table(
            (f"{head}, FID", *COLUMNS, "images a draw"),
            [[each.name, *_figures(each.figures["fid"]), each.n] for each in measured],
        )
    if len(measured) < len(groups):
        few = [each.name for each in groups if not each.figures]
        print_lines(f"too few images for figures of their own: {', '.join(few)}")


def _figures(figure: MeasuredFigure) -> tuple[Scalar, ...]:
    return (
        figure.mean,
        _interval(figure.ci95),
        figure.floor,
        _interval(figure.floor_ci95),
        figure.difference,
        _interval(figure.difference_ci95),
    )


def _interval(ci95: tuple[float, float] | None) -> str:
    return f"{ci95[0]:.3f} to {ci95[1]:.3f}" if ci95 is not None else ""
