"""A reading study by commands: built, sent out, brought back, judged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from synthstudio.cli.main import main
from synthstudio.client.travelling_studies import FolderReading
from tests.support.reading_studies import SET, answer_all, build_study_project


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    project = build_study_project(tmp_path)
    project.close()
    return project.folder


def command(*arguments: str | Path) -> int:
    return main([str(each) for each in arguments], open_app=lambda _: 1)


def new(folder: Path, *more: str) -> int:
    numbers = ("--n-real", "6", "--n-synthetic", "6", "--page-size", "4")
    return command("study", "new", folder, "eyes", "--set", SET, *numbers, *more)


def test_that_a_study_goes_out_and_comes_back(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert new(folder, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"study": "eyes", "n_images": 12, "notes": []}
    assert command("study", "write", folder, "eyes", tmp_path / "out", "--reader", "A", "--json") == 0
    assert json.loads(capsys.readouterr().out)["reader"] == "A"
    answer_all(FolderReading(tmp_path / "out"), set())
    assert command("study", "import", folder, tmp_path / "out", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["readers"] == [{"reader": "A", "pages": 4, "completed": 4}]
    assert command("study", "result", folder, "eyes") == 0
    assert "TPR" not in capsys.readouterr().out
    assert command("study", "result", folder, "eyes", "--close", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["closed"] is True
    assert told["result"]["tpr"]["mean"] == told["result"]["fpr"]["mean"] == 0.0
    assert told["result"]["p_guessing"] == 1.0
    assert command("study", "result", folder, "eyes") == 0
    shown = capsys.readouterr().out
    assert "TPR, disc" in shown
    assert "p = 1.0000" in shown


def test_that_a_relevance_study_is_shown_by_condition(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = ("--n-real", "1", "--n-synthetic", "1", "--n-others", "2", "--n-questions", "2")
    preset = ("--preset", "relevance-published")
    assert command("study", "new", folder, "eyes", "--set", SET, *numbers, *preset) == 0
    assert command("study", "write", folder, "eyes", tmp_path / "out", "--reader", "A") == 0
    answer_all(FolderReading(tmp_path / "out"), set())
    assert command("study", "import", folder, tmp_path / "out") == 0
    assert command("study", "result", folder, "eyes", "--close") == 0
    assert "all conditions, synthetic" in capsys.readouterr().out


def test_that_wrong_use_is_told_from_a_project_that_lacks_images(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert new(folder, "--repeat-share", "0.01") == 2
    assert new(folder, "--n-real", "500") == 1
    assert "real images" in capsys.readouterr().err
    assert command("study", "result", folder, "eyes", "--json") == 1
    assert "no reading study eyes" in json.loads(capsys.readouterr().out)["error"]
