"""The recipe search on a small drawn project."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from synthstudio.core.training.recipe_tables import read_table
from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.domain.records import AnnotationState, Split
from synthstudio.engine import trials
from synthstudio.engine.data.batches import CompositeBatches
from synthstudio.engine.jobs import search_recipes
from synthstudio.project import Project
from synthstudio.protocol.messages import StageChanged
from synthstudio.settings.compose import ComposeSettings
from synthstudio.settings.recipe import read_recipe
from synthstudio.settings.search_recipes import SearchRecipesSettings
from synthstudio.settings.train_classifier import TrainClassifierSettings
from tests.support.engine_project import RecordingContext, build_engine_project

GRID = ("composition.canvas=matched,black", "composition.blend=paste,feather")


def _settings(grid: tuple[str, ...] = GRID, *, steps: int = 4, **more: object) -> SearchRecipesSettings:
    return SearchRecipesSettings.model_validate(
        {
            "grid": grid,
            "rounds": 2,
            "optimization": {"steps": steps, "batch_size": 4},
            "composition": {"canvas_px": 64, "n_objects_max": 5},
            "patches": {"auto_scale": False},
            "network": {"stride": "4"},
            **more,
        }
    )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    torch.set_num_threads(1)
    return build_engine_project(tmp_path)


def _stages(context: RecordingContext) -> list[str]:
    return [each.text for each in context.events if isinstance(each, StageChanged) and "recipe" in each.text]


def test_that_all_recipes_are_tried_and_the_better_half_again_with_twice_the_steps(project: Project) -> None:
    context = RecordingContext(project, "search-recipes")
    table = search_recipes.run(_settings(), context).table
    assert [each.rank for each in table.recipes] == [1, 2, 3, 4]
    assert [each.steps for each in table.recipes] == [4, 4, 2, 2]
    assert {each.choices for each in table.recipes} == set(_settings().recipes())
    assert all(each.n_seeds == 2 and each.score.sd is not None for each in table.recipes)
    assert (table.n_trials, table.n_planned, table.n_images, table.n_samples) == (12, 12, 4, 4)
    assert len(_stages(context)) == 6
    assert [step for step, _ in context.metrics("score")] == list(range(1, 13))
    assert read_table(context.run_dir) == table
    assert not (context.run_dir / "cache").exists()


def test_that_without_halving_every_recipe_is_tried_in_full(project: Project) -> None:
    table = search_recipes.run(_settings(halving="off", seeds=1), RecordingContext(project, "search-recipes")).table
    assert [each.steps for each in table.recipes] == [4, 4, 4, 4]
    assert any("One seed" in note for note in table.notes)


def test_that_the_best_recipe_can_be_run_as_training_and_as_set(project: Project) -> None:
    context = RecordingContext(project, "search-recipes")
    best = search_recipes.run(_settings(), context).table.recipes[0]
    training = read_recipe(context.run_dir / "best-train-classifier.toml")
    made = read_recipe(context.run_dir / "best-compose.toml")
    assert isinstance(training, TrainClassifierSettings)
    assert isinstance(made, ComposeSettings)
    expected = dict(best.choices)
    for found in (training.composition, made.composition):
        assert (found.canvas, found.blend) == (expected["composition.canvas"], expected["composition.blend"])


def test_that_a_search_repeats_exactly_and_a_value_written_in_two_ways_scores_the_same(project: Project) -> None:
    grid = ("composition.clustering=0,0.0",)  # two ways to write the same value
    tables = [search_recipes.run(_settings(grid), RecordingContext(project, "search-recipes")).table for _ in range(2)]
    scores = [[(each.choices, each.score, each.macro_f1, each.pointing) for each in table.recipes] for table in tables]
    assert scores[0] == scores[1]
    first, second = tables[0].recipes
    assert first.score == second.score
    assert second.behind.mean == 0.0


def test_that_a_cancelled_search_goes_on_where_it_was_to_the_same_table(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    straight = search_recipes.run(_settings(), RecordingContext(project, "search-recipes")).table
    context = RecordingContext(project, "search-recipes")
    total = 12 * search_recipes.SCORING_TICKS + 8 * 2 + 4 * 4
    context.stop_at = (5 * (search_recipes.SCORING_TICKS + 2), total)  # after five trials
    with pytest.raises(Cancelled):
        search_recipes.run(_settings(), context)
    partial = read_table(context.run_dir)
    assert partial is not None
    assert len(partial.recipes) == 2  # of the third recipe only one seed was done
    assert not (context.run_dir / "cache").exists()

    n_trained = 0
    train = search_recipes.train_on_trial

    def counting(*args: object, **kwargs: object) -> object:
        nonlocal n_trained
        n_trained += 1
        return train(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(search_recipes, "train_on_trial", counting)
    resumed = RecordingContext(project, "search-recipes", run_dir=context.run_dir)
    table = search_recipes.run(_settings(), resumed).table
    assert n_trained == 7

    def without_time(found: search_recipes.RecipeTable) -> list[object]:
        return [each.model_dump(exclude={"seconds"}) for each in found.recipes]

    assert without_time(table) == without_time(straight)
    assert len(resumed.metrics("score")) == 12


def test_that_a_changed_project_is_tried_anew(project: Project) -> None:
    settings = _settings(("composition.canvas=matched,black",), seeds=1)
    context = RecordingContext(project, "search-recipes")
    search_recipes.run(settings, context)
    n_files = len(list((context.run_dir / "trials").iterdir()))
    mark = next(iter(project.annotations.by_fov().values()))[0]
    project.annotations.remove([mark])
    search_recipes.run(settings, RecordingContext(project, "search-recipes", run_dir=context.run_dir))
    assert len(list((context.run_dir / "trials").iterdir())) == 2 * n_files


def test_that_test_images_play_no_part(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    read: set[int] = set()
    build = search_recipes.build_bench

    def spying(fovs: list[search_recipes.FieldOfView], *args: object, **kwargs: object) -> object:
        read.update(fov.id for fov in fovs)
        return build(fovs, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(search_recipes, "build_bench", spying)
    for fov in project.fovs.list(split=Split.TEST):
        Path(fov.path).unlink()  # would be noticed
    search_recipes.run(_settings(seeds=1), RecordingContext(project, "search-recipes"))
    assert read == {fov.id for fov in project.fovs.list(split=Split.VAL)}


def test_that_images_that_are_not_exhaustive_are_not_scored_by_centres(project: Project) -> None:
    for fov in project.fovs.list():
        project.fovs.set_state(fov.id, AnnotationState.PARTIAL)
    context = RecordingContext(project, "search-recipes")
    table = search_recipes.run(_settings(seeds=1), context).table
    assert all(each.center_f1.mean is None and each.pointing.mean is not None for each in table.recipes)
    assert any("exhaustively" in text for text in context.warnings)
    assert any("exhaustively" in note for note in table.notes)


def test_that_few_validation_images_are_chosen_the_same_for_all(project: Project) -> None:
    table = search_recipes.run(_settings(seeds=1, max_validation=2), RecordingContext(project, "search-recipes")).table
    assert (table.n_images, table.n_samples) == (2, 2)


def test_that_an_impossible_combination_is_named_before_anything_is_trained(project: Project) -> None:
    settings = _settings(("composition.n_objects_min=0,5", "composition.n_objects_max=4,8"))
    with pytest.raises(UserError, match="n objects min 5, n objects max 4"):
        search_recipes.run(settings, RecordingContext(project, "search-recipes"))


def test_that_a_recipe_that_cannot_be_made_here_is_left_out_with_its_reason(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    first_images = trials.first_images

    def failing(batches: CompositeBatches) -> object:
        if batches._settings.canvas == "black":
            raise UserError("There is no black ink.", "Buy some.")
        return first_images(batches)

    monkeypatch.setattr(trials, "first_images", failing)
    context = RecordingContext(project, "search-recipes")
    table = search_recipes.run(_settings(seeds=1), context).table
    assert [each.choices[0][1] for each in table.recipes] == ["matched", "matched"]
    assert table.n_trials == table.n_planned == 4
    assert [note for note in table.notes if "2 of 4 recipes" in note and "no black ink" in note]
    assert sum("no black ink" in text for text in context.warnings) == 1

    only_black = _settings(("composition.canvas=black",))
    with pytest.raises(UserError, match="no black ink"):
        search_recipes.run(only_black, RecordingContext(project, "search-recipes"))


@pytest.mark.slow
def test_that_a_recipe_that_hides_the_objects_loses(project: Project) -> None:
    """Composites that are blurred beyond what real images are teach less than sharp ones."""
    settings = _settings(("composition.image.blur_px=0,8",), steps=24, halving="off")
    settings = settings.model_copy(update={"optimization": settings.optimization.model_copy(update={"batch_size": 16})})
    table = search_recipes.run(settings, RecordingContext(project, "search-recipes")).table
    assert table.recipes[0].choices == (("composition.image.blur_px", "0"),)
    assert not table.recipes[1].is_tied
