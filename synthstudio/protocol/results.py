"""What a finished job tells: one frozen record per job kind, also what `--json` prints."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from synthstudio.core.training.recipe_ranking import RecipeTable

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


class TrainingResult(JobResult):
    """A finished training. `best` holds the validation scores of the best checkpoint."""

    run: str
    status: str
    seconds: float
    best: dict[str, float | None]
    warnings: tuple[str, ...] = ()


class TrainResult(TrainingResult):
    """Of a classifier."""

    kind: Literal["train-classifier"] = "train-classifier"


class TrainDetectorResult(TrainingResult):
    """Of a detector."""

    kind: Literal["train-detector"] = "train-detector"


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
    ci95: Interval | None = None


class Classification(JobResult):
    """Presence per class on crops of held-out FOVs."""

    per_class: dict[str, ClassScore]
    macro_f1: float | None
    accuracy: float | None
    auc: float | None
    ci95: Interval | None = None


class CenterScore(JobResult):
    """CAM peaks against annotated centres."""

    precision: float | None
    recall: float | None
    f1: float | None


class ClassLocalization(JobResult):
    """Where the CAM of one class lies."""

    pointing_accuracy: float | None
    chance: float | None
    center: CenterScore
    energy_in_box: float | None
    energy_chance: float | None = None
    """Area share of the boxes: the energy that a flat map would score."""
    n_images: int
    ci95: Interval | None = None


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
    notes: tuple[str, ...] = ()
    seconds: float


class ExplainedFov(JobResult):
    """Files of one explained FOV, relative to the explain run's folder."""

    fov: int
    name: str
    folder: str


class ExplainResult(JobResult):
    """CAMs of one training run on FOVs."""

    kind: Literal["explain"] = "explain"
    run: str
    fovs: tuple[ExplainedFov, ...]
    seconds: float


class ExportOnnxResult(JobResult):
    """A written ONNX file.

    Attributes:
        difference: Greatest difference of its probabilities from those of the trained network.
        map_difference: That of its class maps, as a share of their range.
        provider: What onnxruntime computed the comparison with.
    """

    kind: Literal["export-onnx"] = "export-onnx"
    run: str
    path: str
    card: str
    n_bytes: int
    difference: float
    map_difference: float
    provider: str
    seconds: float


class SearchRecipesResult(JobResult):
    """The recipes that were tried, best first, scored on validation images."""

    kind: Literal["search-recipes"] = "search-recipes"
    table: RecipeTable
    seconds: float


AnyResult = Annotated[
    ComposeResult
    | TrainResult
    | TrainDetectorResult
    | EvaluateResult
    | EvaluateDetectorResult
    | ExplainResult
    | ExportOnnxResult
    | SearchRecipesResult,
    Field(discriminator="kind"),
]
