"""The part of a report that holds runs against the first of their kind."""

from __future__ import annotations

from collections.abc import Sequence

from synthstudio.client.reporting.runs import ReportedRun
from synthstudio.client.reporting.words import difference_words, range_words
from synthstudio.core.evaluation.comparison import (
    Difference,
    RunComparison,
    compare_detections,
    compare_predictions,
)
from synthstudio.core.evaluation.map_comparison import compare_map_scores
from synthstudio.core.export.report.document import Block, Cell, Listing, Paragraph, Section, Table
from synthstudio.core.stats import MIN_RELIABLE_GROUPS
from synthstudio.domain.errors import UserError

SEED = 0


ANSWER_HEADS = (
    "Runs",
    "Class",
    "Measure",
    "First",
    "Second",
    "Difference",
    "95 %",
    "p",
    "only first right",
    "only second right",
)
MAP_HEADS = ("Runs", "Class", "Measure", "First", "Second", "Difference", "95 %", "p")
WORDS = (
    "Both runs answered on the same crops or images; samples are resampled 2000 times, the same draws for both, so"
    " that what makes a sample hard for both cancels out. p: two-sided, by bootstrap, not corrected for the number"
    " of comparisons. Only right: crops or images that one run alone answered rightly."
)


def comparison_section(runs: Sequence[ReportedRun]) -> Section:
    """Paired differences of the answers, and of where the maps lie; classifiers and detectors each by themselves."""
    remarks: list[str] = []
    presence = _answer_rows([run for run in runs if run.predictions is not None], remarks)
    maps = _map_rows([run for run in runs if run.map_scores is not None], remarks)
    boxes = _answer_rows([run for run in runs if run.detections is not None], remarks)
    tables = (
        Table.of(ANSWER_HEADS, presence, "Presence on crops"),
        Table.of(MAP_HEADS, maps, "Class activation maps on crops that hold the class"),
        Table.of(ANSWER_HEADS, boxes, "Boxes at IoU .5"),
    )
    blocks: list[Block] = [table for table in tables if table.rows]
    if remarks:
        blocks.append(Listing(tuple(dict.fromkeys(remarks))))
    return Section("Paired comparison", (Paragraph(WORDS), *blocks) if blocks else ())


def _answer_rows(runs: Sequence[ReportedRun], remarks: list[str]) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for run in runs[1:]:
        try:
            compared = _compare(runs[0], run)
        except UserError as error:
            remarks.append(f"{runs[0].letter} and {run.letter}: {error}")
            continue
        rows += _rows(runs[0], run, compared)
        remarks += _remarks(runs[0], run, compared)
    return rows


def _map_rows(runs: Sequence[ReportedRun], remarks: list[str]) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for run in runs[1:]:
        first, second = runs[0].map_scores, run.map_scores
        assert first is not None  # the runs were chosen by what they have
        assert second is not None
        pair = f"{runs[0].letter}, {run.letter}"
        try:
            compared = compare_map_scores(first, second, seed=SEED)
        except UserError as error:
            remarks.append(f"{runs[0].letter} and {run.letter}: {error}")
            continue
        for each in compared.per_class:
            rows.append([pair, each.name, "pointing", *_figures(each.pointing)])
            rows.append([pair, each.name, "energy in boxes", *_figures(each.energy)])
        rows.append([pair, "all", "pointing", *_figures(compared.pointing)])
    return rows


def _compare(first: ReportedRun, second: ReportedRun) -> RunComparison:
    if first.predictions is not None and second.predictions is not None:
        return compare_predictions(first.predictions, second.predictions, seed=SEED)
    assert first.detections is not None  # the runs were chosen by what they have
    assert second.detections is not None
    return compare_detections(first.detections, second.detections, seed=SEED)


def _rows(first: ReportedRun, second: ReportedRun, compared: RunComparison) -> list[list[Cell]]:
    pair = f"{first.letter}, {second.letter}"
    rows: list[list[Cell]] = []
    for each in compared.per_class:
        rows.append([pair, each.name, "F1", *_figures(each.f1), each.n_only_first, each.n_only_second])
        rows.append([pair, each.name, "average precision", *_figures(each.ap), "", ""])
    rows.append([pair, "mean", "F1", *_figures(compared.macro_f1), "", ""])
    return [*rows, [pair, "mean", "average precision", *_figures(compared.mean_ap), "", ""]]


def _figures(figure: Difference) -> list[Cell]:
    return [figure.first, figure.second, difference_words(figure.difference), range_words(figure.ci95), figure.p]


def _remarks(first: ReportedRun, second: ReportedRun, compared: RunComparison) -> list[str]:
    pair = f"{first.letter} and {second.letter}"
    remarks = []
    if not compared.is_reliable:
        remarks.append(
            f"{pair}: interval unreliable, only {compared.n_groups} samples were resampled;"
            f" {MIN_RELIABLE_GROUPS} are needed."
        )
    if compared.left_out:
        remarks.append(f"{pair}: left out, as one of them alone knows them: {', '.join(compared.left_out)}.")
    return remarks
