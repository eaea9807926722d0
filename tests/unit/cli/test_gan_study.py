"""`synthstudio gan-study` and its table, on a study whose jobs are done."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from synthstudio.cli.main import main
from synthstudio.client.gan_study import begin_study
from synthstudio.settings.gan_study import GanStudySettings
from tests.support.engine_project import build_engine_project
from tests.support.gan_studies import play_all

SETTINGS = GanStudySettings(name="night", without=("region-loss",), seeds=2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    project = build_engine_project(tmp_path, n_train=2, n_val=4, n_test=4)
    project.close()
    return project.folder


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    project = build_engine_project(tmp_path, n_train=2, n_val=4, n_test=4)
    begin_study(project, SETTINGS)
    play_all(project, SETTINGS)
    project.close()
    return project.folder


def command(*arguments: str | Path) -> int:
    return main([str(each) for each in arguments], open_app=lambda _: 1)


def test_that_a_plan_is_told_before_anything_is_done(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ("--study", "grid", "--grid", "losses.region=0, 50", "--seeds", "2", "--plan")
    assert command("gan-study", folder, *flags, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert {name: told[name] for name in ("study", "trainings", "jobs", "done", "is_measured")} == {
        "study": "ablation",
        "trainings": 4,
        "jobs": 8,
        "done": 0,
        "is_measured": False,
    }
    assert command("gan-study", folder, *flags) == 0
    assert "Region 50" in capsys.readouterr().out


def test_that_the_table_is_told_as_text_as_one_object_and_as_csv(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "table.csv"
    assert command("gan-study-table", finished, "--csv", out) == 0
    text = capsys.readouterr().out
    for words in ("study night: finished, 8 of 8 jobs", "30.500 ± 0.707", "Real against real", "174 ± 4.7", "note:"):
        assert words in text
    assert {row["measure"] for row in csv.DictReader(out.read_text().splitlines())} >= {"FID", "KID", "Time"}
    assert command("gan-study-table", finished, "night", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["status"] == "finished"
    assert [each["measures"]["fid"]["mean"] for each in told["variants"]] == [30.5, 50.5]
    assert told["variants"][0]["fid_of_the_paper"] == 122.4


def test_that_a_finished_study_that_is_gone_on_with_only_tells_its_table(
    finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("gan-study", finished, "--resume", "night", "--json") == 0
    assert json.loads(capsys.readouterr().out)["jobs"] == {"done": 8, "planned": 8}


@pytest.mark.parametrize(
    ("arguments", "words", "status"),
    [
        (["gan-study-table"], "There is no study in", 1),
        (["gan-study-table", "absent"], "There is no study absent", 1),
        (["gan-study", "--resume", "x", "--seeds", "2"], "A study that is gone on with keeps its settings", 2),
        (["gan-study", "--grid", "losses.regions=1"], "did you mean losses.region", 2),
    ],
)
def test_that_a_wrong_use_is_answered(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str, status: int
) -> None:
    name, *rest = arguments
    assert command(name, folder, *rest) == status
    assert words in capsys.readouterr().err


def test_that_run_says_which_command_carries_out_a_study(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "study.toml"
    recipe.write_text('kind = "gan-study"\n')
    assert command("run", folder, recipe) == 1
    assert "synthstudio gan-study PROJECT" in capsys.readouterr().err
