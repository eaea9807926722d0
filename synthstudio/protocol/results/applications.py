"""Results of putting a trained model to use: on images, or in a file of its own."""

from typing import Literal

from pydantic import Field

from synthstudio.protocol.results.base import JobResult
from synthstudio.settings.explain import CamMethod


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


class SuggestedFov(JobResult):
    """One searched FOV, and how many suggestions of each class lie at its tuned threshold or above."""

    fov: int
    name: str
    counts: dict[str, int]


class SuggestResult(JobResult):
    """Suggestions of a trained model, which are in the project by now.

    Attributes:
        run: The model's training.
        n_known: FOVs that it had searched before, and that were therefore left out.
        provider: What computed.
        notes: FOVs that could not be searched, and why.
    """

    kind: Literal["suggest"] = "suggest"
    run: str
    fovs: tuple[SuggestedFov, ...]
    n_known: int
    provider: str
    notes: tuple[str, ...] = ()
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
    random_correlation: dict[str, float | None] = Field(default_factory=dict)
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
