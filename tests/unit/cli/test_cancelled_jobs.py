"""What is said when a job of the terminal is cancelled."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthstudio.cli import jobs
from synthstudio.cli.main import main
from synthstudio.domain.ids import RunId
from synthstudio.project import Project
from synthstudio.protocol.messages import JobCancelled


@pytest.mark.parametrize(
    ("command", "has_checkpoint"),
    [("train-gan", True), ("train-diffusion", True), ("train-diffusion", False), ("measure", False)],
)
def test_that_a_cancelled_training_says_how_it_goes_on(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    has_checkpoint: bool,
) -> None:
    folder = tmp_path / "my study"
    Project.create(folder).close()
    begun: list[RunId] = []

    def cancelled(project: Project, run_id: RunId, **_: object) -> JobCancelled:
        begun.append(run_id)
        if has_checkpoint:
            stored = project.run_folder(run_id) / "checkpoints" / "last.safetensors"
            stored.parent.mkdir()
            stored.touch()
        return JobCancelled()

    monkeypatch.setattr(jobs, "run_job", cancelled)
    assert main([command, str(folder)], open_app=lambda _: 1) == 1
    told = capsys.readouterr().err
    assert "The job was cancelled." in told
    line = f"synthstudio {command} '{folder}' --resume {begun[0]}"
    assert (line in told.replace("\n", "")) == has_checkpoint
