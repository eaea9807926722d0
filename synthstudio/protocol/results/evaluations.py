"""Results of scoring a trained model against the annotations of held-out images."""

from typing import Literal

from synthstudio.protocol.results.base import Interval, JobResult


class ClassIntervals(JobResult):
    """95 % intervals from resampling samples; that of F1 is `ci95` of the score."""

    precision: Interval | None = None
    recall: Interval | None = None
    specificity: Interval | None = None
    npv: Interval | None = None
    auc: Interval | None = None
    ap: Interval | None = None


class ClassScore(JobResult):
    """Precision, recall and F1 of one class; None where undefined. `support`: number of true positives to find."""

    precision: float | None
    recall: float | None
    f1: float | None
    support: int
    prevalence_f1: float | None = None
    """F1 of always answering "present"."""
    f1_at_half: float | None = None
    """F1 at the fixed threshold 0.5, beside the tuned one."""
    specificity: float | None = None
    npv: float | None = None
    """Negative predictive value: share of the absent among those said to be absent."""
    auc: float | None = None
    """Area under the ROC curve."""
    ap: float | None = None
    """Average precision: area under the precision-recall curve."""
    brier: float | None = None
    calibration_error: float | None = None
    """Expected calibration error over ten bins of the probability."""
    ci95: Interval | None = None
    """Of F1."""
    intervals: ClassIntervals | None = None


class AverageFigures(JobResult):
    """Over all classes."""

    precision: float | None
    recall: float | None
    f1: float | None


class AbsenceFigures(AverageFigures):
    """Of the answer that the one class of a classifier is absent, scored as a class of its own.

    Attributes:
        macro, weighted: Means of presence and absence; weighted: by the number of crops of each.
    """

    support: int
    macro: AverageFigures
    weighted: AverageFigures


class Classification(JobResult):
    """Presence per class on crops of held-out FOVs. What came after the first version defaults to None."""

    per_class: dict[str, ClassScore]
    macro_f1: float | None
    accuracy: float | None
    auc: float | None
    ap: float | None = None
    exact: float | None = None
    """Share of crops on which every class is answered rightly."""
    macro: AverageFigures | None = None
    weighted: AverageFigures | None = None
    """Classes count by their support."""
    micro: AverageFigures | None = None
    """All answers thrown together."""
    ci95: Interval | None = None
    """Of the macro F1."""
    absence: AbsenceFigures | None = None
    """Where there is one class alone."""

    @property
    def averages(self) -> tuple[tuple[str, AverageFigures], ...]:
        """All means but the macro one, and with one class its absence, by what a table calls them."""
        rows = [("weighted", self.weighted), ("micro", self.micro)]
        if self.absence is not None:
            macro, weighted = self.absence.macro, self.absence.weighted
            rows += [("absent", self.absence), ("macro with absent", macro), ("weighted with absent", weighted)]
        return tuple((name, each) for name, each in rows if each is not None)


class CenterScore(JobResult):
    """CAM peaks against annotated centres."""

    precision: float | None
    recall: float | None
    f1: float | None
    ci95: Interval | None = None
    """Of F1."""


class ClassLocalization(JobResult):
    """Where the CAM of one class lies."""

    pointing_accuracy: float | None
    chance: float | None
    center: CenterScore
    energy_in_box: float | None
    energy_chance: float | None = None
    """Area share of the boxes: the energy that a flat map would score."""
    energy_ci95: Interval | None = None
    n_images: int
    ci95: Interval | None = None
    """Of the pointing accuracy."""


class Localization(JobResult):
    """CAM quality against the annotations."""

    pointing_accuracy: float | None
    chance: float | None
    center: CenterScore
    energy_in_box: float | None
    per_class: dict[str, ClassLocalization]


class EvaluateResult(JobResult):
    """Scores of one run on one split."""

    kind: Literal["evaluate"] = "evaluate"
    run: str
    split: str
    n_images: int
    n_groups: int
    classification: Classification
    localization: Localization
    notes: tuple[str, ...] = ()
    """What a reader must know before trusting the figures, for example that intervals are unreliable."""
    predictions: str = ""
    """File with the answer on every crop, in the folder of the evaluate run; empty in results of earlier versions."""
    map_scores: str = ""
    """Likewise, where the maps lay on every crop."""
    seconds: float


class CountScore(JobResult):
    """Counts per image against the annotations: mean of found minus true, and where 95 % of the differences lie."""

    bias: float
    limits: Interval | None


class ClassDetection(JobResult):
    """Boxes of one class against the annotated ones; F1 at IoU .5 and the threshold of validation."""

    precision: float | None
    recall: float | None
    f1: float | None
    ap50: float | None
    ap: float | None
    """Mean over IoU .50 to .95."""
    support: int
    count: CountScore | None
    ci95: Interval | None = None
    """Of F1."""
    precision_ci95: Interval | None = None
    recall_ci95: Interval | None = None
    ap50_ci95: Interval | None = None


class EvaluateDetectorResult(JobResult):
    """Scores of one detector on one split."""

    kind: Literal["evaluate-detector"] = "evaluate-detector"
    run: str
    split: str
    n_images: int
    n_groups: int
    per_class: dict[str, ClassDetection]
    macro_f1: float | None
    map50: float | None
    map: float | None
    ci95: Interval | None = None
    """Of the macro F1."""
    map50_ci95: Interval | None = None
    notes: tuple[str, ...] = ()
    detections: str = ""
    """File with every box, in the folder of the evaluate run; empty in results of earlier versions."""
    seconds: float
