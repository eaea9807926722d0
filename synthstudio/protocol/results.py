"""What a finished job tells: one frozen record per job kind, also what `--json` prints."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from synthstudio.core.review.findings import Finding
from synthstudio.core.training.recipe_ranking import RecipeTable
from synthstudio.settings.explain import CamMethod
from synthstudio.settings.quality import Severity

Interval = tuple[float, float]


class JobResult(BaseModel):
    """Base of all results."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ComposeResult(JobResult):
    """A written set. `sha256` is that of the manifest."""

    kind: Literal["compose"] = "compose"
    set: str
    n_images: int
    n_objects: dict[str, int] = {}
    seconds: float
    sha256: str
    project_state: str


class GenerateResult(JobResult):
    """A written set of generated images. `sha256` is that of the manifest.

    Attributes:
        gan: Run of the GAN that made them.
        n_by_class, n_by_tone: Images that were asked to show each condition, and each level of the tone scale.
    """

    kind: Literal["generate"] = "generate"
    set: str
    gan: str
    n_images: int
    n_by_class: dict[str, int] = {}
    n_by_tone: dict[str, int] = {}
    seconds: float
    sha256: str
    project_state: str


class TrainingResult(JobResult):
    """A finished training. `best` holds the validation scores of the best checkpoint."""

    run: str
    status: str
    seconds: float
    best: dict[str, float | None]
    warnings: tuple[str, ...] = ()
    device: str = ""
    """What it was trained on, in words; empty in results of earlier versions."""


class TrainResult(TrainingResult):
    """Of a classifier."""

    kind: Literal["train-classifier"] = "train-classifier"


class TrainDetectorResult(TrainingResult):
    """Of a detector."""

    kind: Literal["train-detector"] = "train-detector"


class TrainGanResult(TrainingResult):
    """Of a GAN. `best` holds the validation figures, differences to held-out crops, at the step where they were least.

    Attributes:
        step: Of the generator that is kept, the last one.
        validation: Figures of the last samples.
        n_crops, n_validation_crops: It learned from, and its samples were taken on.
        classes, tones: Conditions and names of the tone levels that it knows.
        sample: Picture of its last samples, in the run's folder.
        onnx: File that its images are made with, in the run's folder; empty where the export failed.
    """

    kind: Literal["train-gan"] = "train-gan"
    step: int
    validation: dict[str, float] = {}
    n_crops: int
    n_validation_crops: int
    classes: tuple[str, ...]
    tones: tuple[str, ...] = ()
    sample: str = ""
    onnx: str = ""


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


class DetectedFov(JobResult):
    """File of one searched FOV, relative to the detect run's folder, and how many objects of each class count."""

    fov: int
    name: str
    file: str
    counts: dict[str, int]


class DetectResult(JobResult):
    """Boxes that a detector found on FOVs."""

    kind: Literal["detect"] = "detect"
    run: str
    fovs: tuple[DetectedFov, ...]
    seconds: float


class ExplainedFov(JobResult):
    """Files of one explained FOV, relative to the explain run's folder."""

    fov: int
    name: str
    folder: str


class ExplainResult(JobResult):
    """CAMs of one training run on FOVs.

    Attributes:
        method: What computed the maps; `layer` is that of a gradient method, empty for the last one of features.
        random_correlation: Of each class, where it was asked for: mean rank correlation with the maps of the network
            with random weights. Near 0 is right.
    """

    kind: Literal["explain"] = "explain"
    run: str
    method: CamMethod = "cam"
    layer: str = ""
    fovs: tuple[ExplainedFov, ...]
    random_correlation: dict[str, float | None] = {}
    seconds: float


class ExportOnnxResult(JobResult):
    """A written ONNX file.

    Attributes:
        difference: Greatest difference of its probabilities, scores, or images from -1 to 1, from those of the trained
            network.
        map_difference: Of a classifier: that of its class maps, as a share of their range.
        box_difference_px: Of a detector: that of the boxes that may count.
        provider: What onnxruntime computed the comparison with.
    """

    kind: Literal["export-onnx"] = "export-onnx"
    run: str
    path: str
    card: str
    n_bytes: int
    difference: float
    map_difference: float | None = None
    box_difference_px: float | None = None
    provider: str
    seconds: float


class SearchRecipesResult(JobResult):
    """The recipes that were tried, best first, scored on validation images."""

    kind: Literal["search-recipes"] = "search-recipes"
    table: RecipeTable
    seconds: float


class MeasuredFigure(JobResult):
    """One figure over the draws, and the same of real against real, its floor; their difference draw by draw."""

    mean: float
    ci95: Interval
    floor: float
    floor_ci95: Interval
    difference: float | None = None
    difference_ci95: Interval | None = None


class MeasuredGroup(JobResult):
    """All images, or those of one condition or tone.

    Attributes:
        n: Images of either kind in each draw; 0, and no figures, where there were too few.
        figures: fid, kid, precision, recall, density, coverage.
    """

    name: str
    n_real: int
    n_synthetic: int
    n: int
    figures: dict[str, MeasuredFigure] = {}


class MeasureResult(JobResult):
    """How near synthetic images come to real ones.

    Attributes:
        target: What was measured: a set, or a GAN on the maps of held-out crops; `name` is its name or run id.
        features: What described the images; `features_sha256` is that of its file, empty where it is built in.
        is_published: FIDs are comparable with published ones.
        n_duplicates: Exact repeats that were dropped, of synthetic and of real images.
        by_condition, by_tone: The same for part of the images, where there are enough.
        n_too_near: Synthetic images that come nearer to what was learned from than held-out real ones do.
        nearest: File with the nearest pairs, in the folder of the run.
    """

    kind: Literal["measure"] = "measure"
    target: Literal["set", "run"]
    name: str
    split: str
    features: str
    features_sha256: str = ""
    is_published: bool = False
    draws: int
    n_duplicates: tuple[int, int]
    overall: MeasuredGroup
    by_condition: tuple[MeasuredGroup, ...] = ()
    by_tone: tuple[MeasuredGroup, ...] = ()
    n_too_near: int
    nearest: str = ""
    notes: tuple[str, ...] = ()
    seconds: float


class QualityResult(JobResult):
    """What is wrong with a data set.

    Attributes:
        set: The synthetic set that was checked; empty for the project itself.
        n_images, n_reused: Images that were looked at, and those of them whose file is what an earlier check has seen.
        sets: Synthetic sets whose provenance was checked.
        is_sound: Nothing of the severity `fail_on`, or above, was found.
        n_by_severity, n_by_check: How many findings there are of each; a check that was not made is missing.
        findings: The first ones of each check, those of greatest severity first.
        file: All findings, one JSON object a line, in the folder of the run.
    """

    kind: Literal["quality"] = "quality"
    set: str = ""
    n_images: int
    n_reused: int
    n_annotations: int
    sets: tuple[str, ...] = ()
    fail_on: Severity
    is_sound: bool
    n_by_severity: dict[str, int]
    n_by_check: dict[str, int]
    findings: tuple[Finding, ...]
    file: str
    notes: tuple[str, ...] = ()
    seconds: float


AnyResult = Annotated[
    ComposeResult
    | GenerateResult
    | TrainResult
    | TrainDetectorResult
    | TrainGanResult
    | EvaluateResult
    | EvaluateDetectorResult
    | DetectResult
    | ExplainResult
    | ExportOnnxResult
    | SearchRecipesResult
    | MeasureResult
    | QualityResult,
    Field(discriminator="kind"),
]
