"""The union of all results, told apart by the kind of their job."""

from typing import Annotated

from pydantic import Field

from synthstudio.protocol.results.applications import DetectResult, ExplainResult, ExportOnnxResult, SuggestResult
from synthstudio.protocol.results.evaluations import EvaluateDetectorResult, EvaluateResult
from synthstudio.protocol.results.inspections import DescribeResult, EmbedResult, MeasureResult, QualityResult
from synthstudio.protocol.results.sets import ComposeResult, GenerateResult, UpscaleResult
from synthstudio.protocol.results.trainings import (
    SearchRecipesResult,
    TrainDetectorResult,
    TrainDiffusionResult,
    TrainGanResult,
    TrainPatchDiffusionResult,
    TrainResult,
    TrainUpscalerResult,
)

AnyResult = Annotated[
    ComposeResult
    | GenerateResult
    | TrainResult
    | TrainDetectorResult
    | TrainGanResult
    | TrainPatchDiffusionResult
    | TrainUpscalerResult
    | UpscaleResult
    | TrainDiffusionResult
    | EvaluateResult
    | EvaluateDetectorResult
    | DetectResult
    | SuggestResult
    | ExplainResult
    | ExportOnnxResult
    | SearchRecipesResult
    | MeasureResult
    | DescribeResult
    | EmbedResult
    | QualityResult,
    Field(discriminator="kind"),
]
