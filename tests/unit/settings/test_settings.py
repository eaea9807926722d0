"""Every settings model can be written, read back, shown and explained."""

import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from synthstudio.domain.errors import UserError
from synthstudio.settings.base import JobSettings
from synthstudio.settings.compose import ComposeSettings, PatchSettings
from synthstudio.settings.experiment import ExperimentSettings
from synthstudio.settings.recipe import read_recipe, recipe_from_toml, recipe_text, settings_from_toml
from synthstudio.settings.registry import SETTINGS_BY_KIND, SETTINGS_BY_RECIPE_KIND
from synthstudio.settings.schema import setting_specs

RESOURCES = Path(__file__).parents[3] / "resources"
MODELS = sorted(SETTINGS_BY_RECIPE_KIND.items())


@pytest.mark.parametrize(("kind", "model"), MODELS)
def test_that_a_recipe_gives_back_the_same_settings(kind: str, model: type[JobSettings]) -> None:
    settings = model.model_validate({"kind": kind, "seed": 7})
    assert recipe_from_toml(tomllib.loads(recipe_text(settings)), origin="test") == settings


@pytest.mark.parametrize(("kind", "model"), MODELS)
def test_that_every_setting_has_help_and_every_number_has_bounds(kind: str, model: type[JobSettings]) -> None:
    specs = setting_specs(model)
    assert specs
    for spec in specs:
        assert spec.help, spec.name
        assert spec.title, spec.name
        if spec.kind in ("int", "float"):
            assert spec.minimum is not None, spec.name
            assert spec.maximum is not None, spec.name


@pytest.mark.parametrize("kind", sorted(SETTINGS_BY_KIND))
def test_that_every_kind_has_a_job(kind: str) -> None:
    assert (Path(__file__).parents[3] / "synthstudio/engine/jobs" / f"{kind.replace('-', '_')}.py").is_file()


@pytest.mark.parametrize("recipe", sorted((RESOURCES / "recipes").glob("*.toml")), ids=lambda path: path.stem)
def test_that_every_preset_is_a_valid_recipe(recipe: Path) -> None:
    assert read_recipe(recipe).kind in SETTINGS_BY_RECIPE_KIND


def test_that_the_experiment_of_a_paper_trains_as_the_paper_s_own_presets_do() -> None:
    experiment = read_recipe(RESOURCES / "recipes/experiment-paper-kushwaha-2020.toml")
    assert isinstance(experiment, ExperimentSettings)
    for task in experiment.tasks:
        assert experiment.training(task, "synthetic", seed=0) == read_recipe(
            RESOURCES / f"recipes/train-{task}-paper-kushwaha-2020.toml"
        )


def test_that_all_wrong_settings_are_named_at_once_and_a_near_miss_is_suggested() -> None:
    content = {"kind": "compose", "composition": {"canvas_pix": 3, "n_objects_max": -4}, "count": "many"}
    with pytest.raises(UserError) as caught:
        settings_from_toml(content, origin="mine.toml")
    message = str(caught.value)
    assert "did you mean composition.canvas_px" in message
    assert "composition.n_objects_max = -4" in message
    assert "count = 'many'" in message


def test_that_an_unknown_kind_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UserError, match="train-classifier"):
        settings_from_toml({"kind": "train-everything"}, origin="x")


def test_that_a_newer_recipe_is_refused() -> None:
    with pytest.raises(UserError, match="newer"):
        settings_from_toml({"recipe_version": 99, "kind": "compose"}, origin="x")


def test_that_a_foreground_by_class_survives_the_recipe_and_is_checked() -> None:
    patches = PatchSettings(foreground_by_class=("RBC=threshold", "a=b=ellipse"))
    settings = ComposeSettings(patches=patches)
    assert settings_from_toml(tomllib.loads(recipe_text(settings)), origin="test") == settings
    assert [patches.foreground_of(name) for name in ("RBC", "a=b", "WBC")] == ["threshold", "ellipse", "none"]
    assert patches.with_foreground("RBC", "none") == ("a=b=ellipse", "RBC=none")
    assert patches.with_foreground("RBC", None) == ("a=b=ellipse",)
    for wrong in (("RBC",), ("=none",), ("RBC=grabcut",), ("RBC=none", "RBC=threshold")):
        with pytest.raises(ValidationError, match="foreground_by_class"):
            PatchSettings(foreground_by_class=wrong)
