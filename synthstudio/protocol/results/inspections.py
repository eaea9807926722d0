"""Results of looking at a data set: how near it comes to real images, what is wrong with it, what it is like."""

from typing import Literal

from pydantic import Field

from synthstudio.core.review.findings import Finding
from synthstudio.protocol.results.base import Interval, JobResult
from synthstudio.settings.quality import Severity


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
    figures: dict[str, MeasuredFigure] = Field(default_factory=dict)


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


class EmbedResult(JobResult):
    """Features of images and objects, and maps of them in the folder of the run.

    Attributes:
        features: What described them; `features_sha256` is that of its file, empty where it is built in.
        sets: Synthetic sets beside the project's own images.
        n_reused: Pictures that an earlier job had described.
        n_landmarks: More pictures than this are placed on the map of t-SNE by the landmarks that they are like.
        map_digest: Of all that the maps depend on.
        notes: Which images could not be read, and why.
    """

    kind: Literal["embed"] = "embed"
    features: str
    features_sha256: str = ""
    sets: tuple[str, ...] = ()
    layout: str
    n_images: int
    n_objects: int
    n_reused: int
    n_landmarks: int
    map_digest: str
    notes: tuple[str, ...] = ()
    seconds: float


class StatisticFigures(JobResult):
    """How well one statistic of the pixels tells synthetic images from real ones.

    Attributes:
        words: What it is.
        auc: 0.5 where it tells nothing, 1 where it tells all.
        synthetic, real: Its median.
    """

    name: str
    words: str
    auc: float
    synthetic: float
    real: float


class ProbeFigures(JobResult):
    """How well a simple classifier tells synthetic images from real ones of samples that it has not seen.

    Attributes:
        auc: Area under its ROC curve; 0.5 is chance.
        ci95: 95 % interval from resampling samples and synthetic images.
        is_reliable: Whether there are enough of them for the interval to be trusted.
        n_samples: That the real images are of.
        statistics: Single statistics, the most telling first.
    """

    auc: float
    ci95: Interval | None = None
    is_reliable: bool
    n_synthetic: int
    n_real: int
    n_samples: int
    statistics: tuple[StatisticFigures, ...]


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
        probe: How well the images of the set can be told from real ones; None where that was not tried.
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
    probe: ProbeFigures | None = None
    notes: tuple[str, ...] = ()
    seconds: float


class FigureSpread(JobResult):
    """How a figure spreads over images: percentiles 5, 50 and 95."""

    p5: float
    median: float
    p95: float


class DescribeResult(JobResult):
    """What the pictures of a data set are like.

    Attributes:
        set: The synthetic set that was measured; empty for the project itself.
        n_images, n_reused: Images, and those of them that an earlier job has measured.
        n_unmeasured: Images whose files are gone, damaged, or not those that were recorded.
        figures: Of each, such as "brightness", its spread over the images.
        file: The figures of all images, in the folder of the run.
    """

    kind: Literal["describe"] = "describe"
    set: str = ""
    n_images: int
    n_reused: int
    n_unmeasured: int
    figures: dict[str, FigureSpread]
    file: str
    notes: tuple[str, ...] = ()
    seconds: float
