"""`synthstudio round` and the learning curve, on rounds whose jobs are done."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from synthstudio.cli.main import main
from synthstudio.client import start_run
from synthstudio.client.plans import begin_plan, next_planned_job
from synthstudio.client.rounds import next_round, read_rounds
from synthstudio.domain.records import RunStatus
from synthstudio.project import Project
from synthstudio.settings.round import RoundSettings
from tests.support.engine_project import build_engine_project
from tests.support.rounds import click, play_round
from tests.support.suggesting_projects import forget_marks, mark_where, suggest, train_fovs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    project = build_engine_project(tmp_path, n_train=2, n_val=1, n_test=2)
    project.close()
    return project.folder


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    project = build_engine_project(tmp_path, n_train=2, n_val=1, n_test=2)
    for score in (0.70, 0.705, 0.71):
        play_round(project, next_round(project, RoundSettings()), f1=score)
        click(project, project.rounds.n_annotations())
    project.close()
    return project.folder


def command(*arguments: str | Path) -> int:
    return main([str(each) for each in arguments], open_app=lambda _: 1)


def test_that_a_round_is_told_before_anything_is_done(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("round", folder, "--plan") == 0
    told = capsys.readouterr().out
    assert "R1: evaluate" in told
    assert "time left: about " in told
    assert command("round", folder, "--plan", "--json", "--task", "classifier") == 0
    planned = json.loads(capsys.readouterr().out)
    assert (planned["round"], planned["done"]) == ("R1", 0)
    assert not planned["is_measured"]


def test_that_the_curve_is_shown_with_its_outlook(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("rounds", finished, "--csv", tmp_path / "rounds.csv") == 0
    told = capsys.readouterr().out
    for word in ("R3: finished", "expert minutes", "Box F1", "0.710 (0.66–0.76)", "have stopped paying"):
        assert word in told
    rows = list(csv.DictReader((tmp_path / "rounds.csv").read_text().splitlines()))
    assert {row["round"] for row in rows} == {"R1", "R2", "R3"}
    assert command("rounds", finished, "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["pays"] is False
    assert [each["scores"]["box_f1"]["all"]["value"] for each in shown["rounds"]] == [0.7, 0.705, 0.71]


def test_that_a_round_that_was_cancelled_is_told_so_afterwards(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = Project.open(folder)
    plan = next_round(project, RoundSettings())
    begin_plan(project, plan)
    job = next_planned_job(project, plan)
    assert job is not None
    run_id = start_run(project, job.settings, title=job.title, experiment=job.plan)
    project.runs.set_ended(run_id, RunStatus.CANCELLED)
    project.close()
    assert command("rounds", folder) == 0
    assert "R1: cancelled" in capsys.readouterr().out


def test_that_a_finished_round_is_not_done_again_and_missing_ones_are_named(
    finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("round", finished, "--resume", "R2", "--json") == 0
    assert json.loads(capsys.readouterr().out)["status"] == "finished"
    assert command("round", finished, "--resume", "R9") == 1
    assert "R1, R2, R3" in capsys.readouterr().err


def test_that_a_project_without_rounds_says_how_to_start_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("rounds", folder) == 1
    assert "synthstudio round PROJECT" in capsys.readouterr().err


def test_that_the_suggestions_of_a_round_are_scored_by_what_was_annotated_after_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = build_engine_project(tmp_path, n_train=2, n_val=1, n_test=2)
    play_round(project, next_round(project, RoundSettings()), f1=0.7)
    (first,) = read_rounds(project)
    assert first.training is not None
    fov = train_fovs(project)[0]
    forget_marks(project, [fov])
    suggest(project, fov.id, 0.9, 0.8, 0.7, run_id=first.training)
    mark_where(project, fov.id, 15.0, 40.0)
    project.close()
    assert command("rounds", project.folder, "--json") == 0
    told = json.loads(capsys.readouterr().out)["rounds"][0]["suggestions"]
    assert told["seen"]["precision"]["value"] == pytest.approx(2 / 3)
    assert told["seen"]["recall"]["value"] == 1.0
    assert command("rounds", project.folder) == 0
    assert "No field has been annotated without suggestions yet" in capsys.readouterr().out
