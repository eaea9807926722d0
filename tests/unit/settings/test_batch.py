"""A batch file: what it comes to, and what is told before anything is done."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthstudio.domain.errors import UserError
from synthstudio.settings.batch import BatchSettings
from synthstudio.settings.batch_building import read_batch
from synthstudio.settings.batch_steps import BatchStep, StepKey, expand_batch
from synthstudio.settings.compose import ComposeSettings
from synthstudio.settings.evaluate import EvaluateSettings
from synthstudio.settings.generate import GenerateSettings
from synthstudio.settings.recipe import read_recipe, recipe_from_toml, recipe_text
from synthstudio.settings.train_classifier import TrainClassifierSettings

TRAIN = {"kind": "train-classifier", "optimization": {"steps": 7}}
SCORE = {"kind": "evaluate", "run": "@train"}


def batch(*jobs: dict[str, object], **settings: object) -> BatchSettings:
    return BatchSettings.model_validate({"name": "night", "jobs": jobs, **settings})


def steps(*jobs: dict[str, object]) -> dict[StepKey, BatchStep]:
    return {step.key: step for step in expand_batch(batch(*jobs))}


def test_that_a_job_with_seeds_is_done_so_often_and_what_refers_to_it_once_for_each() -> None:
    found = steps(
        {"name": "score", "recipe": SCORE},
        {"name": "train", "seeds": 2, "recipe": {**TRAIN, "seed": 4}},
        {"name": "check", "after": ["score"], "recipe": {"kind": "quality"}},
    )
    assert [step.title for step in found.values()] == [
        "train, seed 4",
        "train, seed 5",
        "score, seed 0",
        "score, seed 1",
        "check",
    ]
    settings = found[StepKey("score", 1)].settings({StepKey("train", 1): "the-second"}.__getitem__)
    assert settings == EvaluateSettings(run="the-second", seed=1)
    trained = found[StepKey("train", 1)].settings(lambda _key: "")
    assert isinstance(trained, TrainClassifierSettings)
    assert (trained.seed, trained.optimization.steps) == (5, 7)
    assert set(found[StepKey("check")].after) == {StepKey("score", 0), StepKey("score", 1)}


def test_that_only_the_run_of_a_job_is_a_reference() -> None:
    prompts = ("@home in a dish", "@train")
    found = steps(
        {"name": "train", "recipe": {"kind": "train-diffusion"}},
        {"name": "draw", "recipe": {"kind": "generate", "run": "@train", "prompts": {"prompts": list(prompts)}}},
    )
    made = found[StepKey("draw")].settings(lambda key: f"run of {key.job}")
    assert isinstance(made, GenerateSettings)
    assert made.run == "run of train"
    assert made.prompts.prompts == prompts


def test_that_a_seed_is_written_into_the_name_of_a_set() -> None:
    found = steps({"name": "set", "seeds": 2, "recipe": {"kind": "compose", "set_name": "night-{seed}", "count": 3}})
    made = [step.settings(lambda _key: "") for step in found.values()]
    assert [each.set_name for each in made if isinstance(each, ComposeSettings)] == ["night-0", "night-1"]


@pytest.mark.parametrize(
    ("jobs", "words"),
    [
        ([{"name": "score", "recipe": SCORE}], "needs the job train"),
        (
            [{"name": "a", "after": ["b"], "recipe": TRAIN}, {"name": "b", "after": ["a"], "recipe": TRAIN}],
            "in a circle: a, b",
        ),
        ([{"name": "a", "recipe": {"kind": "train-classifer"}}], "kind is 'train-classifer'"),
        ([{"name": "a", "recipe": {**TRAIN, "stps": 3}}], "stps is not a setting"),
        ([{"name": "a", "seeds": 2, "recipe": {"kind": "compose", "set_name": "s"}}], "both write the set s"),
        ([{"name": "a", "seeds": 2, "recipe": {"kind": "experiment"}}], "has seeds of its own"),
        ([{"name": "a", "recipe": {"kind": "batch", "jobs": [{"name": "b", "recipe": TRAIN}]}}], "is a batch itself"),
        (
            [
                {"name": "exp", "recipe": {"kind": "experiment", "name": "e"}},
                {"name": "score", "recipe": {"kind": "evaluate", "run": "@exp"}},
            ],
            "refers to the run of exp, which is a plan",
        ),
        ([{"name": "a", "recipe": {"kind": "experiment", "name": "night"}}], "would both be the plan night"),
        ([{"name": n, "recipe": {"kind": "experiment"}} for n in "ab"], "would both be the plan comparison"),
        (
            [
                {"name": "train", "seeds": 2, "recipe": TRAIN},
                {"name": "b", "seeds": 3, "recipe": {"kind": "evaluate", "run": "@train"}},
            ],
            "different numbers of seeds",
        ),
    ],
)
def test_that_what_cannot_be_done_is_told_before_the_night(jobs: list[dict[str, object]], words: str) -> None:
    with pytest.raises(UserError, match=words):
        expand_batch(batch(*jobs))


def test_that_a_batch_takes_recipes_from_files_and_is_stored_whole(tmp_path: Path) -> None:
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "train.toml").write_text(recipe_text(TrainClassifierSettings(seed=9)), encoding="utf-8")
    path = tmp_path / "night.toml"
    path.write_text(
        'kind = "batch"\n[[jobs]]\nname = "train"\nfile = "recipes/train.toml"\n'
        "[jobs.recipe.optimization]\nsteps = 5\n",
        encoding="utf-8",
    )
    read = read_recipe(path)
    assert isinstance(read, BatchSettings)
    assert recipe_from_toml(read.model_dump(mode="json"), origin="the store") == read
    (trained,) = [step.settings(lambda _key: "") for step in expand_batch(read)]
    assert isinstance(trained, TrainClassifierSettings)
    assert (trained.seed, trained.optimization.steps) == (9, 5)
    (tmp_path / "recipes" / "train.toml").unlink()
    with pytest.raises(UserError, match=r"The recipe of the job train: .*train\.toml does not exist"):
        read_recipe(path)


def test_that_two_jobs_of_one_name_are_refused() -> None:
    with pytest.raises(UserError, match="two jobs are called a"):
        recipe_from_toml(
            {"kind": "batch", "jobs": [{"name": "a", "recipe": TRAIN}, {"name": "a", "recipe": TRAIN}]}, origin="it"
        )


@given(st.lists(st.tuples(st.integers(1, 3), st.sets(st.integers(0, 7), max_size=3)), min_size=1, max_size=8))
def test_that_every_step_comes_after_all_that_it_needs(drawn: list[tuple[int, set[int]]]) -> None:
    jobs: list[dict[str, object]] = [
        {"name": f"j{place}", "seeds": seeds, "after": [f"j{each}" for each in needs if each < place], "recipe": TRAIN}
        for place, (seeds, needs) in enumerate(drawn)
    ]
    seen: set[StepKey] = set()
    for step in expand_batch(batch(*reversed(jobs))):
        assert set(step.after) <= seen
        seen.add(step.key)
    assert len(seen) == sum(seeds for seeds, _ in drawn)


def test_that_paths_in_a_recipe_are_seen_from_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study, elsewhere = tmp_path / "study", tmp_path / "elsewhere"
    for folder in (study / "models" / "sd", elsewhere):
        folder.mkdir(parents=True)
    monkeypatch.chdir(elsewhere)
    path = study / "a.toml"
    path.write_text('kind = "train-diffusion"\nmodel = "models/sd"\n[prior]\nfolder = "own"\n', encoding="utf-8")
    found = read_recipe(path).model_dump()
    assert (found["model"], found["prior"]["folder"]) == (str(study / "models" / "sd"), str(study / "own"))
    path.write_text('kind = "train-diffusion"\nmodel = "sd"\n', encoding="utf-8")
    assert read_recipe(path).model_dump()["model"] == "sd"  # a name in the project
    (study / "night.toml").write_text('kind = "batch"\n[[jobs]]\nname = "a"\nfile = "a.toml"\n', encoding="utf-8")
    path.write_text('kind = "train-diffusion"\nmodel = "models/sd"\n', encoding="utf-8")
    read = read_recipe(study / "night.toml")
    assert isinstance(read, BatchSettings)
    assert read.jobs[0].recipe["model"] == str(study / "models" / "sd")


def test_that_recipes_of_single_jobs_become_a_batch_whatever_their_files_are_called(tmp_path: Path) -> None:
    paths = [tmp_path / f"{'long' * 20} {n}{{}}.toml" for n in range(2)]
    for path in paths:
        path.write_text(recipe_text(TrainClassifierSettings()), encoding="utf-8")
    made = read_batch(paths)
    assert len({job.name for job in made.jobs}) == 2
    assert len(expand_batch(made)) == 2
    (tmp_path / "comparison.toml").write_text('kind = "experiment"\n', encoding="utf-8")
    assert len(expand_batch(read_batch([tmp_path / "comparison.toml"]))) == 1  # not named like the plan in it
