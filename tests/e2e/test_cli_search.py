"""`synthstudio search-recipes` as a script would call it."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthstudio.settings.recipe import read_recipe
from tests.e2e.test_cli import assert_one_line_error, command, result_of
from tests.support.engine_project import build_engine_project

SMALL = (
    *("--grid", "composition.canvas=matched,black", "--grid", "composition.blend=paste,feather"),
    *("--seeds", "1", "--rounds", "2", "--steps", "4", "--batch-size", "4", "--canvas-px", "64"),
    *("--n-objects-max", "5", "--no-auto-scale"),
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    made = build_engine_project(tmp_path)
    made.close()
    return made.folder


def test_that_a_search_prints_its_ranking_and_leaves_tables_and_recipes(project: Path) -> None:
    result = result_of("search-recipes", project, *SMALL)
    assert result["status"] == "finished"
    table = result["table"]
    assert isinstance(table, dict)
    assert [each["rank"] for each in table["recipes"]] == [1, 2, 3, 4]
    folder = Path(str(result["folder"]))
    assert {"recipes.json", "recipes.csv", "recipes.md"} <= {path.name for path in folder.iterdir()}
    best = read_recipe(folder / "best-compose.toml")
    made = command("run", project, folder / "best-compose.toml")
    assert made.returncode == 0, made.stderr
    assert best.kind == "compose"

    again = command("search-recipes", project, "--resume", str(result["job"]))
    assert again.returncode == 0, again.stderr
    assert "Round 1" not in again.stderr  # all is known already
    assert "rank" in again.stdout
    assert "matched" in again.stdout


def test_that_halving_can_be_turned_off(project: Path) -> None:
    result = result_of("search-recipes", project, *SMALL, "--halving", "off")
    assert isinstance(result["table"], dict)
    assert [each["steps"] for each in result["table"]["recipes"]] == [4, 4, 4, 4]


def test_that_a_wrong_grid_is_wrong_use(project: Path) -> None:
    done = command("search-recipes", project, "--grid", "composition.blend=paste,glue")
    assert_one_line_error(done, "composition.blend=glue", "'feather'", status=2)
