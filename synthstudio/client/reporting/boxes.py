"""The parts of a report about detectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synthstudio.client.reporting.runs import ReportedRun
from synthstudio.client.reporting.words import joined_names, range_words, with_interval
from synthstudio.core.evaluation.detection_outcomes import detection_curve, match_outcomes, outcome_confusion
from synthstudio.core.evaluation.stored_detections import StoredDetections
from synthstudio.core.export.report.charts import Axis, BarSeries, Curve, bar_chart, curve_chart, matrix_chart, stepped
from synthstudio.core.export.report.document import Block, Cell, Charts, Paragraph, Section, Table
from synthstudio.core.export.report.svg import Svg
from synthstudio.protocol.results import EvaluateDetectorResult


def boxes_section(runs: Sequence[ReportedRun]) -> Section:
    """F1 as bars, a table of all scores, curves and confusion."""
    scored = [(run, run.detector_evaluation.result) for run in runs if run.detector_evaluation is not None]
    if not scored:
        return Section("Detection of objects", ())
    first = scored[0][1]
    blocks: list[Block] = [
        Paragraph(
            f"{first.n_images} exhaustively annotated images of {first.n_groups} samples of the {first.split} split."
            " Detections are matched with objects of their class one to one, the surest first, at IoU .5 or more; F1 at"
            " the threshold that maximises it on validation. AP as COCO's, up to 1000 detections an image."
        ),
        Charts((_bars(scored),)),
        Table.of(
            *_score_table(scored),
            "Count: found minus annotated per image, mean and limits of agreement (Bland and Altman 1986).",
        ),
    ]
    stored = [(run, run.detections) for run in runs if run.detections is not None]
    if stored:
        names = joined_names(detections.class_names for _, detections in stored)
        blocks.append(Charts(tuple(_curve_chart(stored, name) for name in names), "The point is the threshold in use."))
        blocks.append(
            Charts(
                tuple(
                    matrix_chart(
                        run.label,
                        outcome_confusion(match_outcomes(detections), detections.class_names),
                        row_title="truth",
                        column_title="answer",
                    )
                    for run, detections in stored
                ),
                "Objects by class against what was found at their place. In brackets: share of the row.",
            )
        )
    return Section("Detection of objects", tuple(blocks))


def _bars(scored: Sequence[tuple[ReportedRun, EvaluateDetectorResult]]) -> Svg:
    names = joined_names(result.per_class for _, result in scored)
    series = []
    for run, result in scored:
        of_class = [result.per_class.get(name) for name in names]
        series.append(
            BarSeries(
                run.label,
                run.place,
                (*(each.f1 if each is not None else None for each in of_class), result.macro_f1),
                (*(each.ci95 if each is not None else None for each in of_class), result.ci95),
            )
        )
    return bar_chart("F1 of boxes at IoU .5", [*names, "macro"], series, axis=Axis("F1"))


def _score_table(scored: Sequence[tuple[ReportedRun, EvaluateDetectorResult]]) -> tuple[list[str], list[list[Cell]]]:
    columns = ["Class", "Run", "F1 (95 %)", "Precision", "Recall", "AP50", "AP50:95", "Count", "limits", "Objects"]
    rows: list[list[Cell]] = []
    for name in joined_names(result.per_class for _, result in scored):
        for run, result in scored:
            each = result.per_class.get(name)
            if each is not None:
                rows.append(
                    [
                        name,
                        run.letter,
                        with_interval(each.f1, each.ci95),
                        each.precision,
                        each.recall,
                        with_interval(each.ap50, each.ap50_ci95),
                        each.ap,
                        f"{each.count.bias:+.2f}" if each.count is not None else None,
                        range_words(each.count.limits) if each.count is not None else None,
                        each.support,
                    ]
                )
    for run, result in scored:
        macro = with_interval(result.macro_f1, result.ci95)
        rows.append(
            ["macro", run.letter, macro, "", "", with_interval(result.map50, result.map50_ci95), result.map, "", "", ""]
        )
    return columns, rows


def _curve_chart(stored: Sequence[tuple[ReportedRun, StoredDetections]], name: str) -> Svg:
    curves = [_curve(run, detections, name) for run, detections in stored]
    return curve_chart(f"Precision and recall: {name}", curves, x=Axis("recall"), y=Axis("precision"))


def _curve(run: ReportedRun, detections: StoredDetections, name: str) -> Curve:
    empty = Curve(run.letter, run.place, np.empty(0), np.empty(0))
    if name not in detections.class_names:
        return empty
    label = detections.class_names.index(name)
    curve = detection_curve(detections.match(label))
    if curve is None:
        return empty
    place = int(np.searchsorted(curve.thresholds, detections.thresholds[label]))
    mark = (float(curve.recall[place]), float(curve.precision[place])) if place < len(curve.thresholds) else None
    return Curve(run.letter, run.place, *stepped(curve.recall, curve.precision), mark)
