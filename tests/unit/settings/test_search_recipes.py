"""The grid of a recipe search: what it stands for, and what it refuses."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from synthstudio.settings.search_recipes import SearchRecipesSettings, in_words
from synthstudio.settings.train_classifier import TrainClassifierSettings


def test_that_every_combination_of_the_grid_is_a_recipe() -> None:
    settings = SearchRecipesSettings(grid=("composition.canvas=matched, black", "composition.feather=0.05,0.1,0.2"))
    recipes = settings.recipes()
    assert len(recipes) == len(set(recipes)) == 6
    assert recipes[0] == (("composition.canvas", "matched"), ("composition.feather", "0.05"))
    assert in_words(recipes[-1]) == "canvas black, feather 0.2"


def test_that_a_recipe_changes_the_named_settings_and_no_others() -> None:
    settings = SearchRecipesSettings(grid=("composition.patch.flip=true,false", "patches.min_inside=0.5,0.7"), seed=3)
    plain = settings.training((), seed=5, steps=40)
    changed = settings.training(settings.recipes()[-1], seed=5, steps=40)
    assert not changed.composition.patch.flip
    assert changed.patches.min_inside == 0.7
    patch = plain.composition.patch.model_copy(update={"flip": False})
    assert changed.composition == plain.composition.model_copy(update={"patch": patch})
    assert changed.patches == plain.patches.model_copy(update={"min_inside": 0.7})
    assert (changed.network, changed.optimization) == (plain.network, plain.optimization)
    assert (changed.seed, changed.optimization.steps, changed.optimization.evaluate_every) == (5, 40, 40)


@pytest.mark.parametrize(
    ("grid", "words"),
    [
        (["composition.canvas=matched,blak"], "composition.canvas=blak: it must be"),
        (["composition.canva=black"], r"did you mean composition\.canvas\?"),
        (["composition.feather=0.1,2"], "composition.feather=2: it must be 0.5 or less"),
        (["composition.canvas"], "not of the form"),
        (["composition.canvas="], "not of the form"),
        (["optimization.steps=1,2"], "not a setting of patches or composition"),
        (["patches.scale=0.5,1"], "cannot be varied"),
        (["composition.canvas_px=96,128"], "cannot be varied"),
        (["composition.canvas=black", "composition.canvas=mean"], "twice"),
        (
            [
                "composition.tries=" + ",".join(map(str, range(1, 51))),
                "composition.variants=" + ",".join(map(str, range(1, 12))),
            ],
            "550 combinations",
        ),
        ([], "at least 1"),
    ],
)
def test_that_a_grid_that_cannot_be_tried_is_refused_with_the_reason(grid: list[str], words: str) -> None:
    with pytest.raises(ValidationError, match=words) as caught:
        SearchRecipesSettings(grid=tuple(grid))
    assert [each["loc"] for each in caught.value.errors()] == [("grid",)]


def test_that_each_round_of_halving_doubles_the_steps() -> None:
    assert SearchRecipesSettings().step_budgets == (60, 120, 240)
    assert SearchRecipesSettings(halving="off").step_budgets == (240,)
    short = SearchRecipesSettings.model_validate({"optimization": {"steps": 2}, "rounds": 4})
    assert short.step_budgets == (1, 2)


def test_that_a_recipe_becomes_an_ordinary_training_and_a_set() -> None:
    settings = SearchRecipesSettings.model_validate(
        {"grid": ["composition.canvas=matched,black", "patches.window=class_size,own_box"], "network": {"stride": "8"}}
    )
    choices = settings.recipes()[-1]
    training = settings.as_training(choices)
    usual = TrainClassifierSettings()
    assert training.optimization == usual.optimization
    assert (training.composition.canvas, training.network.stride) == ("black", "8")
    made = settings.as_set(choices, scale=0.4)
    assert (made.composition.canvas, made.patches.window, made.patches.scale) == ("black", "own_box", 0.4)
    assert made.composition.canvas_px == settings.composition.canvas_px
