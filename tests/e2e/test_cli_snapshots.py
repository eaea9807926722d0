"""Snapshots from a terminal: kept by commands that change much, listed, gone back to."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from synthstudio.project import Project
from tests.support.windows import make_project


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "synthstudio", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, timeout=300, check=False)


def names(folder: Path) -> list[str]:
    listed = command("snapshots", folder, "--json")
    assert listed.returncode == 0, listed.stderr
    return [each["snapshot"] for each in json.loads(listed.stdout)["snapshots"]]


def splits(folder: Path) -> list[str]:
    project = Project.open(folder, read_only=True)
    try:
        return sorted(str(each.split) for each in project.samples.list())
    finally:
        project.close()


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return make_project(tmp_path / "study")


def test_that_a_command_that_changes_much_can_be_taken_back(study: Path) -> None:
    before = splits(study)
    assert "no snapshots yet" in command("snapshots", study).stdout
    assert command("split", study, "--move", "train=test").returncode == 0
    after = splits(study)
    assert after != before
    [kept] = names(study)
    assert kept.endswith("-before-change-of-splits.sqlite")
    table = command("snapshots", study).stdout
    assert kept in table
    assert "before change of splits" in table
    done = command("restore", study, kept, "--json")
    assert done.returncode == 0, done.stderr
    assert splits(study) == before
    told = json.loads(done.stdout)
    assert told["restored"] == kept
    assert (study / told["kept"]).is_file()
    newest = names(study)[0]
    assert newest == Path(told["kept"]).name
    done = command("restore", study, newest)
    assert done.returncode == 0, done.stderr
    assert splits(study) == after
    checked = command("verify", study)
    assert (checked.returncode, checked.stdout.strip()) == (0, "all is well")


def test_that_it_is_refused_while_the_project_is_open_and_for_what_is_none(study: Path) -> None:
    assert command("split", study, "--move", "train=test").returncode == 0
    [kept] = names(study)
    holder = Project.open(study)
    try:
        assert names(study) == [kept]  # looking is allowed
        refused = command("restore", study, kept)
    finally:
        holder.close()
    assert refused.returncode == 1
    assert "has the project open" in refused.stderr
    unknown = command("restore", study, "20200101-000000-never.sqlite", "--json")
    assert unknown.returncode == 1
    assert kept in json.loads(unknown.stdout)["hint"]
    for folder, words in ((study / "nowhere", "does not exist"), (study / "images", "is not a SynthStudio project")):
        refused = command("snapshots", folder)
        assert (refused.returncode, words in refused.stderr) == (1, True)


def test_that_a_snapshot_that_cannot_be_kept_is_told_and_stops_nothing(study: Path) -> None:
    (study / "snapshots").write_text("a file where the folder should be")
    before = splits(study)
    done = command("split", study, "--move", "train=test", "--json")
    assert done.returncode == 0
    json.loads(done.stdout)  # the warning is not among it
    assert "No snapshot" in done.stderr
    assert "Traceback" not in done.stderr
    assert splits(study) != before


def test_that_a_damaged_project_says_the_line_that_brings_it_back(study: Path) -> None:
    assert command("split", study, "--move", "train=test").returncode == 0
    [kept] = names(study)
    database = study / "project.sqlite"
    content = database.read_bytes()
    database.write_bytes(content[:1000] + b"\xff" * 9000 + content[10_000:])
    failed = command("verify", study)
    assert failed.returncode == 1
    assert f"synthstudio restore {study} {kept}" in failed.stderr
    done = command("restore", study, kept)
    assert done.returncode == 0, done.stderr
    assert command("verify", study).returncode == 0
