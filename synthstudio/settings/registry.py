"""All job kinds: the union that requests and recipes are read into, told apart by `kind`."""

from typing import Annotated, get_args

from pydantic import Field

from synthstudio.settings.base import JobSettings
from synthstudio.settings.compose import ComposeSettings
from synthstudio.settings.detect import DetectSettings
from synthstudio.settings.draw import DrawSettings
from synthstudio.settings.evaluate import EvaluateSettings
from synthstudio.settings.evaluate_detector import EvaluateDetectorSettings
from synthstudio.settings.experiment import ExperimentSettings
from synthstudio.settings.explain import ExplainSettings
from synthstudio.settings.export_onnx import ExportOnnxSettings
from synthstudio.settings.gan_study import GanStudySettings
from synthstudio.settings.generate import GenerateSettings
from synthstudio.settings.measure import MeasureSettings
from synthstudio.settings.quality import QualitySettings
from synthstudio.settings.search_recipes import SearchRecipesSettings
from synthstudio.settings.train_classifier import TrainClassifierSettings
from synthstudio.settings.train_detector import TrainDetectorSettings
from synthstudio.settings.train_gan import TrainGanSettings

SettingsUnion = (
    ComposeSettings
    | GenerateSettings
    | TrainClassifierSettings
    | TrainDetectorSettings
    | TrainGanSettings
    | EvaluateSettings
    | EvaluateDetectorSettings
    | DetectSettings
    | ExplainSettings
    | ExportOnnxSettings
    | SearchRecipesSettings
    | MeasureSettings
    | QualitySettings
)
AnyRequestSettings = Annotated[SettingsUnion | DrawSettings, Field(discriminator="kind")]
"""What the engine can be asked for: a job that becomes a run, or to stand by and draw."""

SETTINGS_BY_KIND: dict[str, type[JobSettings]] = {
    str(model.model_fields["kind"].default): model for model in get_args(SettingsUnion)
}

PlanUnion = ExperimentSettings | GanStudySettings
"""Plans of many jobs."""
RecipeUnion = SettingsUnion | PlanUnion
"""What a recipe may hold: the settings of a job, or a plan of many."""
AnyRecipe = Annotated[RecipeUnion, Field(discriminator="kind")]

SETTINGS_BY_RECIPE_KIND: dict[str, type[JobSettings]] = {
    **SETTINGS_BY_KIND,
    "experiment": ExperimentSettings,
    "gan-study": GanStudySettings,
}
