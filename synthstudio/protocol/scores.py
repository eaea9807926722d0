"""Scores of core as the figures of a result."""

from __future__ import annotations

from collections.abc import Sequence

from synthstudio.core.evaluation.class_metrics import AbsenceScore, AverageScore, PresenceReport, PresenceScore
from synthstudio.protocol.results import AbsenceFigures, AverageFigures, Classification, ClassIntervals, ClassScore


def to_classification(names: Sequence[str], report: PresenceReport, *, with_intervals: bool) -> Classification:
    """Figures of presence; `names` are the classes in the report's order."""
    return Classification(
        per_class={
            name: _to_class_score(score, with_intervals=with_intervals)
            for name, score in zip(names, report.per_class, strict=True)
        },
        macro_f1=report.macro.f1,
        accuracy=report.accuracy,
        auc=report.auc,
        ap=report.average_precision,
        exact=report.exact,
        macro=_to_average(report.macro),
        weighted=_to_average(report.weighted),
        micro=_to_average(report.micro),
        ci95=report.macro_ci95 if with_intervals else None,
        absence=_to_absence(report.absence) if report.absence is not None else None,
    )


def _to_absence(score: AbsenceScore) -> AbsenceFigures:
    counts = score.counts
    return AbsenceFigures(
        precision=counts.precision,
        recall=counts.recall,
        f1=counts.f1,
        support=counts.support,
        macro=_to_average(score.macro),
        weighted=_to_average(score.weighted),
    )


def _to_class_score(score: PresenceScore, *, with_intervals: bool) -> ClassScore:
    counts, calibration, intervals = score.counts, score.calibration, score.intervals
    told = ClassIntervals(
        precision=intervals.precision,
        recall=intervals.recall,
        specificity=intervals.specificity,
        npv=intervals.negative_predictive_value,
        auc=intervals.auc,
        ap=intervals.average_precision,
    )
    return ClassScore(
        precision=counts.precision,
        recall=counts.recall,
        f1=counts.f1,
        support=counts.support,
        prevalence_f1=score.prevalence_f1,
        f1_at_half=score.at_half.f1,
        specificity=counts.specificity,
        npv=counts.negative_predictive_value,
        auc=score.auc,
        ap=score.average_precision,
        brier=calibration.brier if calibration is not None else None,
        calibration_error=calibration.expected_error if calibration is not None else None,
        ci95=intervals.f1 if with_intervals else None,
        intervals=told if with_intervals else None,
    )


def _to_average(average: AverageScore) -> AverageFigures:
    return AverageFigures(precision=average.precision, recall=average.recall, f1=average.f1)
