"""Every format out of a project and into another, by the commands."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from synthstudio.cli.main import main
from synthstudio.core.export.writers import WRITERS
from synthstudio.project import Project
from tests.support.cell_projects import make_cell_project


@dataclass(frozen=True)
class Ended:
    """What a command left."""

    returncode: int
    stdout: str
    stderr: str


def synthstudio(*arguments: str | Path) -> Ended:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main([str(each) for each in arguments], open_app=lambda _folder: 1)
    return Ended(status, out.getvalue(), err.getvalue())


def result_of(*arguments: str | Path) -> dict[str, object]:
    done = synthstudio(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    loaded = json.loads(done.stdout)
    assert isinstance(loaded, dict)
    return loaded


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = make_cell_project(tmp_path_factory.mktemp("study") / "study")
    project.close()
    return project.folder


def counts(folder: Path) -> dict[str, int]:
    project = Project.open(folder, read_only=True)
    try:
        totals = project.annotations.totals()
        return {each.name: totals.get(each.id, 0) for each in project.classes.list() if totals.get(each.id)}
    finally:
        project.close()


@pytest.mark.parametrize("name", sorted(set(WRITERS) - {"imagefolder"}))
def test_that_what_is_exported_can_be_imported_and_merged_back(study: Path, tmp_path: Path, name: str) -> None:
    exported = result_of("export", study, tmp_path / "out", "--format", name)
    synthstudio("new", tmp_path / "again")
    imported = result_of("import", tmp_path / "again", tmp_path / "out", "--format", name)
    assert (imported["n_images"], imported["n_annotations"]) == (exported["n_images"], exported["n_annotations"])
    assert imported["problems"] == []
    assert counts(tmp_path / "again") == counts(study) == imported["counts"]
    twice = result_of("import", tmp_path / "again", tmp_path / "out", "--format", name)
    assert (twice["n_images"], twice["n_merged"], twice["n_annotations"]) == (0, exported["n_images"], 0)


def test_that_classes_are_renamed_and_left_out_on_import(study: Path, tmp_path: Path) -> None:
    synthstudio("export", study, tmp_path / "out", "--format", "csv")
    synthstudio("new", tmp_path / "again")
    first, *others = counts(study)
    maps = [f"--map={first}=Zelle", *(f"--map={name}=" for name in others)]
    imported = result_of("import", tmp_path / "again", tmp_path / "out", "--format", "csv", *maps)
    assert imported["counts"] == counts(tmp_path / "again") == {"Zelle": counts(study)[first]}
    arguments = ("import", tmp_path / "again", tmp_path / "out", "--format", "csv")
    for flags, words in (
        (["--map", "nonsense"], "is not of the form OLD=NEW"),
        (["--map", "unicorn=x"], "unicorn, which the data set does not have"),
        (["--map", f"{first}=unicorn", "--classes-fixed"], "unicorn, which the project does not have"),
        (["--map", f"{first}=a", "--map", f"{first}=b"], "two names"),
    ):
        done = synthstudio(*arguments, *flags)
        assert done.returncode == 2, done.stderr
        assert words in done.stderr
    fixed = result_of(*arguments, "--classes-fixed", "--map", f"{first}=Zelle", "--existing", "new")
    assert fixed["n_images"] == imported["n_images"]
    skipped = result_of(*arguments, "--existing", "skip")
    assert (skipped["n_images"], skipped["n_merged"]) == (0, 0)
