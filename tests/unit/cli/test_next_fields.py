"""`synthstudio next` and `synthstudio guard`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from synthstudio.cli.main import main
from synthstudio.project import Project
from tests.support.suggesting_projects import (
    FIRST,
    build_suggesting_project,
    forget_marks,
    mark_where,
    suggest,
    train_fovs,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with five unfinished images, four of which the first model has searched."""
    project = build_suggesting_project(tmp_path)
    unfinished = train_fovs(project)[1:]
    forget_marks(project, unfinished)
    for fov in unfinished[:4]:
        suggest(project, fov.id, 0.95, 0.99)
    suggest(project, unfinished[2].id, 0.5, 0.52)
    project.close()
    return project.folder


def command(*arguments: str | Path) -> int:
    return main([str(each) for each in arguments], open_app=lambda _: 1)


def test_that_the_next_images_are_told_as_one_object_with_reasons(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("next", folder, "--count", "2", "--random", "0", "--no-novelty", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["runs"], told["n_candidates"], told["n_searched"]) == ([FIRST], 5, 4)
    best, _ = told["fields"]
    project = Project.open(folder, read_only=True)
    assert best["field"] == train_fovs(project)[3].name
    project.close()
    assert best["reasons"] == ["2 suggestions near the threshold"]
    assert (best["rank"], best["split"], best["is_random"], best["without_suggestions"]) == (1, "train", False, False)
    assert set(best["standings"]) == {"doubt", "rarity"}


def test_that_the_table_says_why(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("next", folder, "--random", "1") == 0
    out = capsys.readouterr().out
    assert f"5 images are not done; 4 of them were searched by {FIRST}" in out
    assert out.count("picked by lot") == 5


@pytest.mark.parametrize(
    ("arguments", "words", "status"),
    [
        (["next", "--count", "0"], "0 images cannot be chosen", 2),
        (["next", "--random", "2"], "2 is no share", 2),
        (["next", "--run", "a", "--run", "b", "--run", "c"], "More than two models", 2),
        (["next", "--run", "absent"], "There is no run absent", 1),
        (["guard", "--share", "1.2"], "1.2 is no share", 1),
    ],
)
def test_that_wrong_wishes_are_answered_with_what_is_right(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str, status: int
) -> None:
    assert command(arguments[0], folder, *arguments[1:]) == status
    assert words in capsys.readouterr().err


def test_that_the_guard_is_set_and_what_it_shows_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("guard", folder, "--share", "1", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["share"], told["seed"], told["n_guarded"], told["n_hidden"]) == (1.0, 0, 8, 5)
    assert told["models"][FIRST]["seen"]["n_fovs"] == 0
    project = Project.open(folder)
    fov = train_fovs(project)[3]
    mark_where(project, fov.id, 15.0)
    project.close()
    assert command("guard", folder) == 0
    out = capsys.readouterr().out
    assert "8 of 8; 4 of these are still to be done" in out
    assert "not seen" in out
    assert "No field has been annotated with suggestions yet." in out
