"""Settings of the search-recipes job, and the recipes that its grid stands for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, field_validator

from synthstudio.settings.base import JobSettings
from synthstudio.settings.compose import ComposeSettings, CompositionSettings, PatchSettings
from synthstudio.settings.grids import Choices, GridAxis, GridRules, combinations, grid_lines, put_value
from synthstudio.settings.schema import SettingSpec, setting_specs
from synthstudio.settings.train_classifier import (
    NetworkSettings,
    OptimizationSettings,
    StepSettings,
    TrainClassifierSettings,
    TrainingCompositionSettings,
    TrainingPatchSettings,
)

MAX_RECIPES = 500
FIXED = (
    "patches.scale",
    "patches.um_per_px",
    "patches.auto_scale",
    "composition.canvas_px",
    "composition.canvas_height_px",
    "composition.classes",
)
"""They decide what is asked of the network and how large it is shown: scores of different values cannot be compared."""

RecipeChoices = Choices
"""What tells a recipe from the others."""


class TrialStepSettings(StepSettings):
    """How each recipe is tried."""

    steps: int = Field(240, ge=1, le=1_000_000, title="Steps", json_schema_extra={"tier": "basic"})
    """Optimiser steps of a full trial. With halving the first round makes do with a part of them."""

    workers: int = Field(
        0, ge=0, le=64, title="Loader processes", json_schema_extra={"tier": "advanced", "unit": "processes"}
    )
    """Processes that make training images meanwhile; 0 makes them in between, which suits short trials. The images
    are the same."""


class SearchRecipesSettings(JobSettings):
    """Find out which way of compositing trains best: try a grid of recipes on a small budget, rank them by how well a
    classifier that saw nothing else does on the validation images."""

    kind: Literal["search-recipes"] = "search-recipes"

    grid: Annotated[
        tuple[str, ...],
        Field(min_length=1, title="Values to try", json_schema_extra={"tier": "basic", "entries": "lines"}),
    ] = (
        "composition.canvas=matched, black, mean",
        "composition.blend=paste, feather, mixed",
        "composition.class_draw=uniform, empirical",
    )
    """What is varied: "setting=value, value", for example "composition.feather=0.05, 0.12"; every combination is a
    recipe. Any setting of patches and composition may stand here, except working scale, canvas size and classes."""

    seeds: int = Field(2, ge=1, le=20, title="Seeds", json_schema_extra={"tier": "basic", "unit": "trainings"})
    """Trainings of each recipe, each from other random numbers; the same ones for all recipes. Their spread tells
    which differences are chance."""

    halving: Literal["on", "off"] = Field("on", title="Halving", json_schema_extra={"tier": "basic"})
    """"on": all recipes are tried with few steps, the better half again with twice as many, and so on: the same
    winner in less time. "off": all recipes are tried in full."""

    rounds: int = Field(3, ge=1, le=8, title="Rounds", json_schema_extra={"tier": "advanced"})
    """Rounds of the halving. The first has 1/2, 1/4, 1/8 ... of the steps for 2, 3, 4 ... rounds."""

    max_validation: int = Field(
        60, ge=0, le=100_000, title="Validation images", json_schema_extra={"tier": "advanced", "unit": "images"}
    )
    """At most this many validation images are scored, the same ones for all recipes; 0 takes all."""

    network: NetworkSettings = Field(default_factory=NetworkSettings, title="Network")
    """What is trained."""

    optimization: TrialStepSettings = Field(default_factory=TrialStepSettings, title="Training")
    """How each recipe is tried."""

    validation_share: float = Field(
        0.2, gt=0.0, le=0.5, title="Set aside for validation", json_schema_extra={"tier": "advanced", "unit": "share"}
    )
    """Where no sample is in the val split, this share of the training images, by whole samples, is set aside."""

    patches: TrainingPatchSettings = Field(default_factory=TrainingPatchSettings, title="Patches")
    """How patches are cut around the annotations, where the grid says nothing else."""

    composition: TrainingCompositionSettings = Field(default_factory=TrainingCompositionSettings, title="Composition")
    """How patches become an image, where the grid says nothing else."""

    @field_validator("grid")
    @classmethod
    def _axes_can_be_read(cls, grid: tuple[str, ...]) -> tuple[str, ...]:
        _rules().read(grid, at_most=MAX_RECIPES)
        return grid

    @property
    def axes(self) -> tuple[GridAxis, ...]:
        """The grid, read."""
        return _rules().read(self.grid, at_most=MAX_RECIPES)

    @property
    def step_budgets(self) -> tuple[int, ...]:
        """Steps of a trial in each round."""
        full, n_rounds = self.optimization.steps, self.rounds if self.halving == "on" else 1
        budgets = {max(1, math.ceil(full / 2**later)) for later in range(n_rounds)}
        return tuple(sorted(budgets))

    def recipes(self) -> tuple[RecipeChoices, ...]:
        """Every combination of the grid, the last setting varying fastest."""
        return combinations(self.axes)

    def training(self, choices: RecipeChoices, *, seed: int, steps: int) -> TrainClassifierSettings:
        """The training that tries a recipe. Raises ValidationError where the values do not go together."""
        optimization = self.optimization.model_dump(mode="json") | {
            "steps": steps,
            "evaluate_every": steps,  # one look, at the end: no checkpoint is chosen by the scores it is ranked by
            "warmup_steps": min(self.optimization.warmup_steps, steps // 4),
        }
        values: dict[str, object] = {
            "seed": seed,
            "network": self.network.model_dump(mode="json"),
            "optimization": optimization,
            "validation_share": self.validation_share,
            "patches": self.patches.model_dump(mode="json"),
            "composition": self.composition.model_dump(mode="json"),
        }
        for path, value in choices:
            put_value(values, path, value)
        return TrainClassifierSettings.model_validate(values)

    def as_training(self, choices: RecipeChoices) -> TrainClassifierSettings:
        """A whole training with a recipe: steps, validation and patience are those of an ordinary one."""
        tried = self.training(choices, seed=self.seed, steps=self.optimization.steps)
        usual = OptimizationSettings()
        kept = {"steps": usual.steps, "workers": usual.workers}
        optimization = OptimizationSettings.model_validate(self.optimization.model_dump(mode="json") | kept)
        return tried.model_copy(update={"optimization": optimization})

    def as_set(self, choices: RecipeChoices, *, scale: float) -> ComposeSettings:
        """The set of images that a recipe makes, at the working scale at which it was tried."""
        tried = self.training(choices, seed=self.seed, steps=1)
        patches = tried.patches.model_dump(mode="json", exclude={"auto_scale"}) | {"scale": scale}
        return ComposeSettings(
            seed=self.seed,
            patches=PatchSettings.model_validate(patches),
            composition=CompositionSettings.model_validate(tried.composition.model_dump(mode="json")),
        )


def _rules() -> GridRules:
    return GridRules(TrainClassifierSettings, _varied_specs, "patches or composition", FIXED)


def _varied_specs() -> list[SettingSpec]:
    """The settings that a grid may vary."""
    return [
        spec
        for spec in setting_specs(TrainClassifierSettings)
        if spec.path[0] in ("patches", "composition") and spec.name not in FIXED and spec.kind != "list"
    ]


def grid_offers() -> tuple[tuple[str, str], ...]:
    """Lines that a grid may have, and words for them."""
    return grid_lines(_varied_specs())


def in_words(choices: Mapping[str, str] | RecipeChoices) -> str:
    """A recipe by what is special about it: "canvas black, blend paste"."""
    pairs = choices.items() if isinstance(choices, Mapping) else choices
    return ", ".join(f"{path.rsplit('.', 1)[-1].replace('_', ' ')} {value.replace('_', ' ')}" for path, value in pairs)
