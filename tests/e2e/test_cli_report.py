"""Comparing and reporting as a user starts them: processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from synthstudio.domain.ids import RunId
from synthstudio.project import Project
from tests.support.evaluations import add_evaluation, make_predictions

ROOT = Path(__file__).parents[2]


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "synthstudio", *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=ROOT,
        timeout=200,
        check=False,
    )


def test_that_two_runs_are_compared_and_reported_while_the_project_is_open(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "study")
    for seed, run_id in enumerate((RunId("real-1"), RunId("synthetic-1"))):
        project.runs.add(run_id, kind="train-classifier", title=run_id, settings_json="{}")
        add_evaluation(project, run_id, make_predictions(seed=seed))
    compared = command("compare", project.folder, "real-1", "synthetic-1", "--json")
    assert compared.returncode == 0, compared.stderr
    assert json.loads(compared.stdout)["n_groups"] == 23
    out = tmp_path / "report.html"
    reported = command("report", project.folder, "real-1", "synthetic-1", "--out", out)
    assert reported.returncode == 0, reported.stderr
    assert str(out) in reported.stdout
    assert "synthetic-1" in out.read_text(encoding="utf-8")
    project.close()
