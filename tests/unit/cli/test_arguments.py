"""Flags, presets and recipes become settings; the window is told from the commands."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from synthstudio.cli.arguments import (
    WrongUse,
    add_settings,
    preset_names,
    read_preset,
    recipe_from_arguments,
)
from synthstudio.cli.choosing import COMMANDS, asks_for_app
from synthstudio.domain.errors import UserError
from synthstudio.settings.compose import ComposeSettings
from synthstudio.settings.explain import ExplainSettings
from synthstudio.settings.recipe import recipe_text
from synthstudio.settings.registry import SETTINGS_BY_RECIPE_KIND, RecipeUnion
from synthstudio.settings.schema import setting_specs


def parsed(kind: str, *flags: str) -> RecipeUnion:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    add_settings(kind, parser)
    return recipe_from_arguments(kind, parser.parse_args(flags))


@pytest.mark.parametrize("kind", SETTINGS_BY_RECIPE_KIND)
def test_that_no_flags_give_the_defaults(kind: str) -> None:
    assert parsed(kind) == SETTINGS_BY_RECIPE_KIND[kind].model_validate({"kind": kind})


def test_that_relative_paths_are_seen_from_the_folder_of_the_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "weights" / "sd").mkdir(parents=True)
    (tmp_path / "a.safetensors").touch()
    monkeypatch.chdir(tmp_path)
    there = str(tmp_path / "weights" / "sd")
    assert parsed("train-diffusion", "--model", "weights/sd").model_dump()["model"] == there
    assert parsed("train-diffusion", "--model", "weights").model_dump()["model"] == "weights"  # a name
    assert parsed("train-diffusion", "--model", "no/sd").model_dump()["model"] == "no/sd"  # said as it was typed
    assert parsed("train-diffusion", "--folder", "mine").model_dump()["prior"]["folder"] == str(tmp_path / "mine")
    assert parsed("measure", "--features", "a.safetensors").model_dump()["features"] == str(tmp_path / "a.safetensors")
    assert parsed("export-onnx", "--out", "x.onnx").model_dump()["out"] == str(tmp_path / "x.onnx")


@pytest.mark.parametrize("kind", SETTINGS_BY_RECIPE_KIND)
def test_that_every_job_is_a_command_whose_help_names_every_setting_and_unit(kind: str) -> None:
    assert kind in COMMANDS
    parser = argparse.ArgumentParser(prog="x", allow_abbrev=False)
    add_settings(kind, parser)
    text = " ".join(parser.format_help().split())
    for spec in setting_specs(SETTINGS_BY_RECIPE_KIND[kind]):
        assert "--" + spec.name.replace("_", "-") in text
        assert spec.unit in text


def test_that_the_words_of_the_design_are_flags() -> None:
    composed = parsed("compose", "--set", "first", "--count", "5", "--seed", "3")
    assert composed == ComposeSettings(set_name="first", count=5, seed=3)
    explained = parsed("explain", "--run", "r1", "--field", "a.png", "--field", "b.png")
    assert explained == ExplainSettings(run="r1", fovs=("a.png", "b.png"))


def test_that_nested_settings_have_long_and_short_flags() -> None:
    by_long = parsed("compose", "--composition.canvas-px", "256", "--no-composition.patch.flip")
    by_short = parsed("compose", "--canvas-px", "256", "--no-composition.patch.flip")
    assert isinstance(by_long, ComposeSettings)
    assert by_long == by_short
    assert by_long.composition.canvas_px == 256
    assert by_long.composition.patch.flip is False
    assert by_long.composition.image.flip is True


def test_that_a_flag_beats_the_recipe_and_the_recipe_the_default(tmp_path: Path) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text(recipe_text(ComposeSettings(count=7, seed=8)))
    settings = parsed("compose", "--recipe", str(recipe), "--seed", "9")
    assert isinstance(settings, ComposeSettings)
    assert (settings.count, settings.seed) == (7, 9)


@pytest.mark.parametrize("kind", SETTINGS_BY_RECIPE_KIND)
def test_that_every_preset_can_be_read(kind: str) -> None:
    for name in preset_names(kind):
        assert read_preset(kind, name) == read_preset(kind, f"{kind}-{name}")


def test_that_an_unknown_preset_is_answered_with_those_that_exist() -> None:
    with pytest.raises(WrongUse, match="matched-background"):
        read_preset("compose", "no-such")


def test_that_impossible_values_are_all_named_at_once() -> None:
    with pytest.raises(WrongUse) as caught:
        parsed("compose", "--count", "0", "--canvas-px", "1")
    assert "--count 0: " in caught.value.message
    assert "--canvas-px 1: " in caught.value.message


def test_that_the_environment_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("count", "COUNT", "seed", "SEED"):
        monkeypatch.setenv(name, "99")
    assert parsed("compose") == ComposeSettings()


def test_that_a_recipe_of_another_job_is_refused(tmp_path: Path) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text('kind = "evaluate"\n')
    with pytest.raises(WrongUse, match="is for evaluate"):
        parsed("compose", "--recipe", str(recipe))


def test_that_a_broken_recipe_is_named(tmp_path: Path) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text("kind = \n")
    with pytest.raises(UserError, match="not valid TOML"):
        parsed("compose", "--recipe", str(recipe))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], True),
        (["--exit-after-paint"], True),
        (["./study", "--exit-after-paint"], True),
        (["--exit-after-paint", "./study"], True),
        (["--help"], False),
        (["compose", "./study"], False),
        (["train-gan", "./study"], False),
        (["--no-such-flag"], False),
    ],
)
def test_that_the_window_is_told_from_the_commands(arguments: list[str], expected: bool) -> None:
    assert asks_for_app(arguments) is expected


def test_that_classes_get_a_foreground_of_their_own_by_flag() -> None:
    composed = parsed("compose", "--foreground", "ellipse", "--foreground-by-class", "RBC=threshold", "WBC=none")
    assert isinstance(composed, ComposeSettings)
    assert composed.patches.foreground == "ellipse"
    assert composed.patches.own_foregrounds == {"RBC": "threshold", "WBC": "none"}
    with pytest.raises(WrongUse, match="NAME=METHOD"):
        parsed("compose", "--foreground-by-class", "RBC")
