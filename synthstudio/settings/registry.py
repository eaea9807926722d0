"""All job kinds: the union that requests and recipes are read into, told apart by `kind`."""

from typing import Annotated, get_args

from pydantic import Field

from synthstudio.settings.base import JobSettings
from synthstudio.settings.batch import BatchSettings
from synthstudio.settings.compose import ComposeSettings
from synthstudio.settings.describe import DescribeSettings
from synthstudio.settings.detect import DetectSettings
from synthstudio.settings.draw import DrawSettings
from synthstudio.settings.embed import EmbedSettings
from synthstudio.settings.evaluate import EvaluateSettings
from synthstudio.settings.evaluate_detector import EvaluateDetectorSettings
from synthstudio.settings.experiment import ExperimentSettings
from synthstudio.settings.explain import ExplainSettings
from synthstudio.settings.export_onnx import ExportOnnxSettings
from synthstudio.settings.gan_study import GanStudySettings
from synthstudio.settings.generate import GenerateSettings
from synthstudio.settings.measure import MeasureSettings
from synthstudio.settings.quality import QualitySettings
from synthstudio.settings.reupscale import ReupscaleSettings
from synthstudio.settings.round import RoundSettings
from synthstudio.settings.search_recipes import SearchRecipesSettings
from synthstudio.settings.suggest import SuggestSettings
from synthstudio.settings.train_classifier import TrainClassifierSettings
from synthstudio.settings.train_detector import TrainDetectorSettings
from synthstudio.settings.train_diffusion import TrainDiffusionSettings
from synthstudio.settings.train_gan import TrainGanSettings
from synthstudio.settings.train_patch_diffusion import TrainPatchDiffusionSettings
from synthstudio.settings.train_upscaler import TrainUpscalerSettings
from synthstudio.settings.upscale import UpscaleSettings

SettingsUnion = (
    ComposeSettings
    | GenerateSettings
    | TrainClassifierSettings
    | TrainDetectorSettings
    | TrainGanSettings
    | TrainDiffusionSettings
    | TrainPatchDiffusionSettings
    | TrainUpscalerSettings
    | UpscaleSettings
    | EvaluateSettings
    | EvaluateDetectorSettings
    | DetectSettings
    | SuggestSettings
    | ExplainSettings
    | ExportOnnxSettings
    | SearchRecipesSettings
    | MeasureSettings
    | DescribeSettings
    | QualitySettings
    | EmbedSettings
)
AnyRequestSettings = Annotated[SettingsUnion | DrawSettings | ReupscaleSettings, Field(discriminator="kind")]
"""What the engine can be asked for: a job that becomes a run, to stand by and draw, or to enlarge once more."""

SETTINGS_BY_KIND: dict[str, type[JobSettings]] = {
    str(model.model_fields["kind"].default): model for model in get_args(SettingsUnion)
}

PlanUnion = ExperimentSettings | GanStudySettings | RoundSettings | BatchSettings
"""Plans of many jobs."""
RecipeUnion = SettingsUnion | PlanUnion
"""What a recipe may hold: the settings of a job, or a plan of many."""
AnyRecipe = Annotated[RecipeUnion, Field(discriminator="kind")]

SETTINGS_BY_RECIPE_KIND: dict[str, type[JobSettings]] = {
    **SETTINGS_BY_KIND,
    "experiment": ExperimentSettings,
    "gan-study": GanStudySettings,
    "round": RoundSettings,
}
"""What forms and flags are made of."""
MODELS_BY_RECIPE_KIND: dict[str, type[JobSettings]] = {**SETTINGS_BY_RECIPE_KIND, "batch": BatchSettings}
"""What a recipe file may hold: a batch is written by hand or in the window, never as flags."""
