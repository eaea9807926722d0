"""The parts of a report about classifiers: presence on crops, curves, confusion, where the maps lie."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from synthstudio.client.reporting.runs import ReportedRun
from synthstudio.client.reporting.words import joined_names, with_interval
from synthstudio.core.evaluation.calibration import measure_calibration
from synthstudio.core.evaluation.confusion import class_confusion, single_class_confusion
from synthstudio.core.evaluation.curves import precision_recall_curve, roc_curve
from synthstudio.core.evaluation.predictions import CropPredictions
from synthstudio.core.export.report.charts import Axis, BarSeries, Curve, bar_chart, curve_chart, matrix_chart, stepped
from synthstudio.core.export.report.document import Cell, Charts, Paragraph, Section, Table
from synthstudio.core.export.report.svg import Svg
from synthstudio.protocol.results import AverageFigures, EvaluateResult

CurveOf = Callable[[ReportedRun, NDArray[np.float64], NDArray[np.bool_], float], Curve | None]


def presence_section(runs: Sequence[ReportedRun]) -> Section:
    """F1 as bars and tables of all scores."""
    scored = [(run, run.evaluation.result) for run in runs if run.evaluation is not None]
    if not scored:
        return Section("Presence of classes on crops", ())
    first = scored[0][1]
    views = (
        "Whole views" if all(run.card is not None and run.card.whole_px for run, _ in scored) else "Sequential crops"
    )
    return Section(
        "Presence of classes on crops",
        (
            Paragraph(
                f"{views} of {first.n_images} images of {first.n_groups} samples of the {first.split} split. A"
                " class counts as present from the threshold on that maximises its F1 on validation. Intervals: 95 %,"
                " from resampling samples."
            ),
            Charts((_bars(scored),), "Dotted: F1 of always answering that the class is present."),
            Table.of(
                *_score_table(scored),
                "By class. AP: area under the precision-recall curve; ECE: expected"
                " calibration error over ten bins; NPV: negative predictive value.",
            ),
            Table.of(*_average_table(scored), "Means over the classes; weighted: by the number of crops of each."),
        ),
    )


def _bars(scored: Sequence[tuple[ReportedRun, EvaluateResult]]) -> Svg:
    names = joined_names(result.classification.per_class for _, result in scored)
    series = []
    baselines: dict[str, float | None] = {}
    for run, result in scored:
        whole = result.classification
        of_class = [whole.per_class.get(name) for name in names]
        baselines |= {name: each.prevalence_f1 for name, each in whole.per_class.items()}
        series.append(
            BarSeries(
                run.label,
                run.place,
                (*(each.f1 if each is not None else None for each in of_class), whole.macro_f1),
                (*(each.ci95 if each is not None else None for each in of_class), whole.ci95),
            )
        )
    return bar_chart(
        "F1 of presence",
        [*names, "macro"],
        series,
        axis=Axis("F1"),
        baselines=[baselines.get(name) for name in names],
    )


def _score_table(scored: Sequence[tuple[ReportedRun, EvaluateResult]]) -> tuple[list[str], list[list[Cell]]]:
    columns = [
        "Class",
        "Run",
        "F1 (95 %)",
        "Precision",
        "Recall",
        "Specificity",
        "NPV",
        "AUC",
        "AP",
        "Brier",
        "ECE",
        "Crops",
    ]
    rows: list[list[Cell]] = []
    for name in joined_names(result.classification.per_class for _, result in scored):
        for run, result in scored:
            each = result.classification.per_class.get(name)
            if each is not None:
                rows.append(
                    [
                        name,
                        run.letter,
                        with_interval(each.f1, each.ci95),
                        each.precision,
                        each.recall,
                        each.specificity,
                        each.npv,
                        with_interval(each.auc, each.intervals.auc if each.intervals is not None else None),
                        with_interval(each.ap, each.intervals.ap if each.intervals is not None else None),
                        each.brier,
                        each.calibration_error,
                        each.support,
                    ]
                )
    rows += [_absence_row(run, result) for run, result in scored if result.classification.absence is not None]
    return columns, rows


def _absence_row(run: ReportedRun, result: EvaluateResult) -> list[Cell]:
    """The other answer of a classifier of one class, as a class of its own."""
    (name, present), *_ = result.classification.per_class.items()
    absent = result.classification.absence
    assert absent is not None  # the rows were chosen by it
    return [
        f"no {name}",
        run.letter,
        with_interval(absent.f1, None),
        absent.precision,
        absent.recall,
        present.recall,
        present.precision,
        "",
        "",
        "",
        "",
        absent.support,
    ]


def _average_table(scored: Sequence[tuple[ReportedRun, EvaluateResult]]) -> tuple[list[str], list[list[Cell]]]:
    columns = [
        "Run",
        "Mean of",
        "Macro F1 (95 %)",
        "precision",
        "recall",
        "Weighted F1",
        "precision",
        "recall",
        "Micro F1",
        "Mean AUC",
        "Mean AP",
        "Accuracy",
        "All classes right",
    ]
    rows: list[list[Cell]] = []
    for run, result in scored:
        whole = result.classification
        rows.append(
            [
                run.label,
                "the classes",
                with_interval(whole.macro_f1, whole.ci95),
                *_rates(whole.macro),
                whole.weighted.f1 if whole.weighted is not None else None,
                *_rates(whole.weighted),
                whole.micro.f1 if whole.micro is not None else None,
                whole.auc,
                whole.ap,
                whole.accuracy,
                whole.exact,
            ]
        )
        if (both := whole.absence) is not None:
            figures = [both.macro.f1, *_rates(both.macro), both.weighted.f1, *_rates(both.weighted)]
            rows.append([run.label, "presence and absence", *figures, "", "", "", whole.accuracy, ""])
    return columns, rows


def _rates(average: AverageFigures | None) -> tuple[float | None, float | None]:
    return (average.precision, average.recall) if average is not None else (None, None)


def curves_section(runs: Sequence[ReportedRun]) -> Section:
    """ROC, precision against recall, and calibration, one chart for each class."""
    stored = [(run, run.predictions) for run in runs if run.predictions is not None]
    names = joined_names(predictions.class_names for _, predictions in stored)
    if not names:
        return Section("Curves", ())
    share = Axis("share of crops that hold it"), Axis("probability given")
    return Section(
        "Curves",
        (
            Charts(
                tuple(
                    curve_chart(
                        f"ROC: {name}",
                        _curves(stored, name, _roc),
                        x=Axis("false positive rate"),
                        y=Axis("true positive rate"),
                        has_diagonal=True,
                    )
                    for name in names
                ),
                "The point is the threshold in use.",
            ),
            Charts(
                tuple(
                    curve_chart(
                        f"Precision and recall: {name}",
                        _curves(stored, name, _precision_recall),
                        x=Axis("recall"),
                        y=Axis("precision"),
                    )
                    for name in names
                )
            ),
            Charts(
                tuple(
                    curve_chart(
                        f"Calibration: {name}",
                        _curves(stored, name, _reliability),
                        x=share[1],
                        y=share[0],
                        has_diagonal=True,
                    )
                    for name in names
                ),
                "On the diagonal a probability means what it says. The larger a dot, the more crops are in its bin.",
            ),
        ),
    )


def _curves(stored: Sequence[tuple[ReportedRun, CropPredictions]], name: str, make: CurveOf) -> list[Curve]:
    curves = []
    for run, predictions in stored:
        empty = Curve(run.letter, run.place, np.empty(0), np.empty(0))
        made = None
        if name in predictions.class_names:
            column = predictions.column(name)
            scores = predictions.scores[:, column].astype(np.float64)
            made = make(run, scores, predictions.truth[:, column], float(predictions.thresholds[column]))
        curves.append(made or empty)
    return curves


def _roc(run: ReportedRun, scores: NDArray[np.float64], labels: NDArray[np.bool_], threshold: float) -> Curve | None:
    curve = roc_curve(scores, labels)
    if curve is None:
        return None
    place = int((curve.thresholds >= threshold).sum()) - 1  # the last that answers no more than the threshold does
    mark = float(curve.false_positive_rate[place]), float(curve.true_positive_rate[place])
    return Curve(run.letter, run.place, curve.false_positive_rate, curve.true_positive_rate, mark)


def _precision_recall(
    run: ReportedRun, scores: NDArray[np.float64], labels: NDArray[np.bool_], threshold: float
) -> Curve | None:
    curve = precision_recall_curve(scores, labels)
    if curve is None:
        return None
    place = int(np.searchsorted(curve.thresholds, threshold))
    mark = (float(curve.recall[place]), float(curve.precision[place])) if place < len(curve.thresholds) else None
    return Curve(run.letter, run.place, *stepped(curve.recall, curve.precision), mark)


def _reliability(
    run: ReportedRun, scores: NDArray[np.float64], labels: NDArray[np.bool_], threshold: float
) -> Curve | None:
    calibration = measure_calibration(scores, labels)
    if calibration is None:
        return None
    return Curve(
        run.letter,
        run.place,
        np.array([each.mean_score for each in calibration.bins]),
        np.array([each.share_present for each in calibration.bins]),
        radii=np.array([1.5 + 5 * (each.n / len(scores)) ** 0.5 for each in calibration.bins]),
    )


def confusion_section(runs: Sequence[ReportedRun]) -> Section:
    """Class by class on crops of one class, and each class's own table."""
    stored = [(run, run.predictions) for run in runs if run.predictions is not None]
    if not stored:
        return Section("Confusion", ())
    drawings = tuple(
        matrix_chart(run.label, single_class_confusion(predictions), row_title="truth", column_title="answer")
        for run, predictions in stored
    )
    rows: list[list[Cell]] = []
    for run, predictions in stored:
        for column, name in enumerate(predictions.class_names):
            counts = class_confusion(predictions, column).counts
            rows.append([name, run.letter, *(int(each) for each in counts.ravel())])
    return Section(
        "Confusion",
        (
            Charts(
                drawings,
                "Crops that hold one class alone, or none, and what was answered on them; a crop with two answers is in"
                " two columns. In brackets: share of the row's crops.",
            ),
            Table.of(("Class", "Run", "Found", "Missed", "False alarms", "Rightly absent"), rows, "All crops."),
        ),
    )


def places_section(runs: Sequence[ReportedRun]) -> Section:
    """Where the class activation maps lie."""
    rows: list[list[Cell]] = []
    for run in runs:
        if run.evaluation is None:
            continue
        for name, each in run.evaluation.result.localization.per_class.items():
            rows.append(
                [
                    name,
                    run.letter,
                    with_interval(each.pointing_accuracy, each.ci95),
                    each.chance,
                    each.center.precision,
                    each.center.recall,
                    with_interval(each.center.f1, each.center.ci95),
                    with_interval(each.energy_in_box, each.energy_ci95),
                    each.energy_chance,
                ]
            )
    columns = (
        "Class",
        "Run",
        "Pointing (95 %)",
        "by chance",
        "Centres: precision",
        "recall",
        "F1",
        "Energy",
        "by chance",
    )
    if not rows:
        return Section("Where the class activation maps lie", ())
    return Section(
        "Where the class activation maps lie",
        (
            Table.of(
                columns,
                sorted(rows, key=lambda row: str(row[0])),
                "Pointing: the hottest point of a crop lies on an object of the class. Centres: peaks within half the"
                " class's mean size of an annotated centre, one to one. Energy: share of the map's positive mass that"
                " lies on objects.",
            ),
        ),
    )
