"""The variants of a study, each of which differs from the training in what it names and in nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from synthstudio.settings.gan_study import GanStudySettings, grid_offers
from synthstudio.settings.grids import GridAxis
from synthstudio.settings.recipe import read_recipe
from synthstudio.settings.train_gan import GanLossSettings, TrainGanSettings

RECIPES = Path(__file__).parents[3] / "resources" / "recipes"


def test_that_an_ablation_leaves_out_one_part_at_a_time() -> None:
    study = GanStudySettings()
    full, *others = [study.train(variant, seed=3) for variant in study.variants]
    assert [variant.title for variant in study.variants] == [
        "Full",
        "Without checkerboard mitigation",
        "Without region loss",
        "Without feature matching",
    ]
    assert full == TrainGanSettings(seed=3)
    assert others[0].network.upsampling == "transposed"
    assert others[1].losses.region == 0
    assert others[2].losses.features == 0
    for each, path in zip(others, ("network.upsampling", "losses.region", "losses.features"), strict=True):
        assert changed(full, each) == {path}


def changed(first: TrainGanSettings, second: TrainGanSettings) -> set[str]:
    ours, theirs = first.model_dump(), second.model_dump()
    groups = ("network", "losses", "optimization", "crops")
    return {f"{group}.{name}" for group in groups for name in ours[group] if ours[group][name] != theirs[group][name]}


def test_that_a_grid_stands_for_every_combination() -> None:
    study = GanStudySettings(study="grid", grid=("losses.region=0, 50", "network.noise=0, 8"), seeds=2, seed=4)
    assert study.axes == (GridAxis("losses.region", ("0", "50")), GridAxis("network.noise", ("0", "8")))
    assert [variant.title for variant in study.variants] == [
        "Region 0, noise 0",
        "Region 0, noise 8",
        "Region 50, noise 0",
        "Region 50, noise 8",
    ]
    training = study.train(study.variants[-1], seed=5)
    assert (training.losses.region, training.network.noise, training.seed) == (50.0, 8, 5)
    assert study.seed_numbers == (4, 5)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"grid": ["losses.regions=1"]}, "did you mean losses.region"),
        ({"grid": ["losses.region=-1"]}, "losses.region=-1"),
        ({"grid": ["crops.side=64, 128"]}, "not a setting of losses"),
        ({"grid": ["losses.region=1", "losses.region=2"]}, "stands there twice"),
        ({"study": "grid", "grid": []}, "needs values"),
        ({"without": ["region-loss", "region-loss"]}, "name each part once"),
        ({"training": {"losses": {"region": 0}}}, "nothing to leave out"),
        ({"training": {"seed": 3}}, "follows from the study"),
        ({"measure": {"run": "x"}}, "follows from the study"),
    ],
)
def test_that_an_impossible_study_is_refused_with_the_reason(values: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        GanStudySettings.model_validate(values)


def test_that_a_part_that_is_not_asked_about_need_not_be_there() -> None:
    training = TrainGanSettings(losses=GanLossSettings(region=0.0))
    study = GanStudySettings(training=training, without=("feature-matching",))
    assert len(study.variants) == 2


@pytest.mark.parametrize("number", range(4))
def test_that_the_study_of_the_paper_trains_as_the_paper_s_own_presets_do(number: int) -> None:
    study = read_recipe(RECIPES / "gan-study-paper-ghorbani-2019.toml")
    assert isinstance(study, GanStudySettings)
    variant = study.variants[number]
    left_out = f"-without-{variant.key}" if variant.choices else ""
    preset = read_recipe(RECIPES / f"train-gan-paper-ghorbani-2019{left_out}.toml")
    assert study.train(variant, seed=0) == preset


def test_that_every_line_that_is_offered_for_a_grid_can_be_read() -> None:
    for line, words in grid_offers():
        assert words
        assert GanStudySettings(study="grid", grid=(line,)).axes
