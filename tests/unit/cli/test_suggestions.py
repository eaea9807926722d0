"""The command about suggestions: counts, accepting at the threshold, rejected ones as artifacts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from synthstudio.cli.main import main
from synthstudio.domain.guard import Guard
from synthstudio.domain.records import AnnotationState, Role
from synthstudio.project import Project
from synthstudio.project.guard import write_guard
from synthstudio.project.suggestion_verdicts import reject
from tests.support.cell_projects import make_cell_project
from tests.support.suggestions import MODEL, suggest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    project = make_cell_project(tmp_path / "p")
    for marks in project.annotations.by_fov().values():
        project.annotations.remove(marks)
    first, second = project.fovs.list()[:2]
    for fov in (first, second):
        project.fovs.set_state(fov.id, AnnotationState.NONE)
        suggest(project, fov.id, [(30.0, 30.0, 0.9), (60.0, 30.0, 0.6), (30.0, 60.0, 0.2)])
    write_guard(project, Guard(0.0))
    reject(project, [project.suggestions.list(second.id)[0].id], author="ada")
    project.close()
    return tmp_path / "p"


def _told(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> dict[str, object]:
    assert main(["suggestions", *map(str, arguments), "--json"], open_app=lambda _: 0) == 0
    told = json.loads(capsys.readouterr().out)
    assert isinstance(told, dict)
    return told


def test_that_counts_are_told_without_changing_anything(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = _told(capsys, folder)
    assert (told["run"], told["n_images"]) == (MODEL, 2)
    (counts,) = told["classes"].values()  # type: ignore[attr-defined]
    assert counts == {"threshold": 0.5, "to_judge": 3, "open": 5, "accepted": 0, "rejected": 1}
    assert main(["suggestions", str(folder)], open_app=lambda _: 0) == 0
    assert "to judge" in capsys.readouterr().out


def test_that_what_reaches_its_threshold_is_accepted_where_it_may_be_seen(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = Project.open(folder)
    name = project.fovs.list()[0].name
    project.close()
    told = _told(capsys, folder, "--accept", "--author", "ada", "--field", name)
    assert (told["n_accepted_now"], told["n_guarded"]) == (2, 0)
    project = Project.open(folder)
    assert project.annotations.authors() == {"ada": 2}
    write_guard(project, Guard(1.0))
    project.close()
    assert _told(capsys, folder, "--accept")["n_accepted_now"] == 0


def test_that_of_several_images_of_one_name_the_one_that_is_meant_is_named_by_its_id(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = Project.open(folder)
    first = project.fovs.list()[0]
    twin = project.fovs.add(
        sample_id=project.samples.get_or_add("another").id,
        name=first.name,
        stored_path=str(first.path),
        storage=first.storage,
        sha256="0" * 64,
        width=first.width,
        height=first.height,
    )
    suggest(project, twin, [(30.0, 30.0, 0.9)])
    project.close()
    assert main(["suggestions", str(folder), "--accept", "--field", first.name], open_app=lambda _: 0) == 1
    assert f"2 fields of view are called {first.name}" in capsys.readouterr().err
    told = _told(capsys, folder, "--accept", "--field", f"#{first.id}", "--field", f"#{first.id}")
    assert (told["n_images"], told["n_accepted_now"]) == (1, 2)


def test_that_rejected_ones_become_artifacts_of_a_class_of_artifacts(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = Project.open(folder)
    project.classes.add("fibre", role=Role.ARTIFACT)
    object_class = project.classes.list()[0].name
    project.close()
    assert _told(capsys, folder, "--artifacts", "fibre")["n_artifacts"] == 1
    assert _told(capsys, folder, "--artifacts", "fibre")["n_artifacts"] == 0
    for wrong in ("nothing", object_class):
        assert main(["suggestions", str(folder), "--artifacts", wrong], open_app=lambda _: 0) == 1


def test_that_without_suggestions_the_way_to_them_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_cell_project(tmp_path / "p").close()
    assert main(["suggestions", str(tmp_path / "p")], open_app=lambda _: 0) == 1
    assert "synthstudio suggest" in capsys.readouterr().err
