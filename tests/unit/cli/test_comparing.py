from __future__ import annotations

import json
from pathlib import Path

import pytest

from synthstudio.cli.main import main
from synthstudio.core.evaluation.comparison import compare_predictions
from synthstudio.domain.ids import RunId
from synthstudio.project import Project
from tests.support.evaluations import add_evaluation, make_predictions

REAL, SYNTHETIC = RunId("real-1"), RunId("synthetic-1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    project = Project.create(tmp_path / "study")
    for run_id, seed, skill in ((REAL, 1, 0.1), (SYNTHETIC, 2, 0.5)):
        project.runs.add(run_id, kind="train-classifier", title=run_id, settings_json="{}")
        add_evaluation(project, run_id, make_predictions(seed=seed, skill=skill))
    project.runs.add(RunId("boxes-1"), kind="train-detector", title="boxes", settings_json="{}")
    project.close()
    return tmp_path / "study"


def command(*arguments: str | Path) -> int:
    return main([str(each) for each in arguments], open_app=lambda _: 1)


def test_that_two_runs_are_compared_as_one_object(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("compare", folder, REAL, SYNTHETIC, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    expected = compare_predictions(make_predictions(seed=1, skill=0.1), make_predictions(seed=2, skill=0.5), seed=0)
    assert told["macro_f1"]["difference"] == expected.macro_f1.difference
    assert told["macro_f1"]["ci95"] == list(expected.macro_f1.ci95 or ())
    assert set(told["per_class"]) == {"red cell", "Blutplättchen"}
    assert told["per_class"]["red cell"]["f1"]["p"] == expected.per_class[0].f1.p
    assert told["interval_reliable"] is True
    assert told["split"] == "test"


def test_that_the_table_says_what_was_compared(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("compare", folder, REAL, SYNTHETIC) == 0
    out = capsys.readouterr().out
    for word in ("A: real-1", "B: synthetic-1", "23 samples", "Blutplättchen", "macro", "not corrected"):
        assert word in out
    assert "unreliable" not in out


@pytest.mark.parametrize(
    ("arguments", "words", "status"),
    [
        ([REAL, SYNTHETIC, "--split", "val"], "synthstudio evaluate PROJECT --run real-1 --split val", 1),
        ([REAL, "boxes-1"], "a classifier and a detector", 1),
        (["boxes-1", "boxes-1"], "synthstudio evaluate-detector", 1),
        ([REAL, "absent"], "There is no run absent", 1),
        ([REAL, SYNTHETIC, "--seed", "-1"], "seed -1", 2),
    ],
)
def test_that_what_cannot_be_compared_is_answered_with_the_next_step(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str, status: int
) -> None:
    assert command("compare", folder, *arguments) == status
    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.out == ""
