from __future__ import annotations

import json
from pathlib import Path

import pytest

from synthstudio.cli.main import main
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import RunStatus
from synthstudio.project import Project
from tests.support.evaluations import add_evaluation, make_predictions

REAL, SYNTHETIC = RunId("real-1"), RunId("synthetic-1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    project = Project.create(tmp_path / "study")
    for seed, run_id in enumerate((REAL, SYNTHETIC)):
        project.runs.add(run_id, kind="train-classifier", title=run_id, settings_json="{}")
        project.runs.set_ended(run_id, RunStatus.FINISHED)
        add_evaluation(project, run_id, make_predictions(seed=seed))
    project.close()
    return tmp_path / "study"


def command(*arguments: str | Path) -> int:
    return main([str(each) for each in arguments], open_app=lambda _: 1)


def test_that_a_report_is_one_file_and_is_told_as_one_object(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out" / "report.html"
    out.parent.mkdir()
    assert command("report", folder, REAL, SYNTHETIC, "--out", out, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "report": str(out),
        "runs": [REAL, SYNTHETIC],
        "experiment": None,
        "set": None,
        "study": None,
        "quality": None,
        "split": "test",
        "n_bytes": out.stat().st_size,
    }
    text = out.read_text(encoding="utf-8")
    for words in ("Paired comparison", "Blutplättchen", "synthetic-1"):
        assert words in text
    assert [each.name for each in out.parent.iterdir()] == ["report.html"]


def test_that_an_older_file_is_replaced_only_when_asked_for(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "report.html"
    out.write_text("mine")
    assert command("report", folder, REAL, "--out", out) == 1
    assert "--replace" in capsys.readouterr().err
    assert out.read_text() == "mine"
    assert command("report", folder, REAL, "--out", out, "--replace") == 0
    assert out.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("arguments", "words", "status"),
    [
        ([], "not clear what to report on", 2),
        ([REAL, "--experiment", "paper"], "not clear what to report on", 2),
        (["--experiment", "paper", "--split", "val"], "split is that of scores of runs", 2),
        (["--experiment", "absent"], "There is no experiment absent", 1),
        (["absent"], "There is no run absent", 1),
        (["--quality"], "have not been checked yet", 1),
        (["--quality", REAL], "is no finished check", 1),
        (["--set", "absent"], "There is no set absent", 1),
        (["--study", "absent"], "There is no reading study absent", 1),
    ],
)
def test_that_a_wrong_choice_of_runs_is_answered(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str, status: int
) -> None:
    out = folder.parent / "report.html"
    assert command("report", folder, *arguments, "--out", out) == status
    assert words in capsys.readouterr().err
    assert not out.exists()


def test_that_a_folder_that_is_not_there_is_told(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("report", folder, REAL, "--out", tmp_path / "absent" / "report.html") == 1
    assert "does not exist" in capsys.readouterr().err
    assert command("report", folder, REAL, "--out", tmp_path) == 2
