"""Trainings as they lie in a project, without an engine."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np

from synthstudio.core.imaging import write_png
from synthstudio.core.training.gan_samples import sample_grid, sample_name
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import Metric, RunStatus
from synthstudio.project import Project
from synthstudio.project.runs import new_run_id
from synthstudio.settings.base import JobSettings

N_COLUMNS, SIDE = 4, 16
N_STEPS = 60


def add_training_run(
    project: Project,
    settings: JobSettings,
    *,
    title: str = "",
    curves: Mapping[str, float],
    files: Mapping[str, bytes],
    samples: tuple[int, ...] = (20, 40, 60),
    status: RunStatus = RunStatus.FINISHED,
    has_checkpoint: bool = False,
    warnings: tuple[str, ...] = (),
) -> RunId:
    """Enter a training with sample pictures and curves.

    Args:
        project: Where it is entered.
        settings: Its settings.
        title: Its title.
        curves: First value of each metric; it falls with the steps.
        files: What lies in its folder besides: networks that are none.
        samples: Steps of which there are pictures.
        status: How it stands.
        has_checkpoint: It can be gone on with, where it ended early.
        warnings: What it warned of.
    """
    run_id = new_run_id(settings.kind)
    folder = project.run_folder(run_id)
    (folder / "samples").mkdir(parents=True)
    project.runs.add(run_id, kind=settings.kind, title=title, settings_json=settings.model_dump_json())
    for step in samples:
        add_sample(project, run_id, step)
    steps = range(0, N_STEPS + 1, 5)
    project.runs.add_metrics(
        [Metric(run_id, step, name, value / (step + 1)) for step in steps for name, value in curves.items()]
    )
    if has_checkpoint:
        files = {**files, "checkpoints/last.safetensors": b"weights"}
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    lines = [json.dumps({"event": "warning", "text": text}) for text in warnings]
    (folder / "events.jsonl").write_text("".join(f"{line}\n" for line in lines))
    if status is RunStatus.RUNNING:
        project.runs.set_running(run_id)
    elif status is not RunStatus.QUEUED:
        project.runs.set_ended(run_id, status)
    return run_id


def add_sample(project: Project, run_id: RunId, step: int, *, n_rows: int = 3) -> None:
    """Write the sample picture of a step: a first row in red, as of maps, the others as grey as the step is far."""
    made = np.full((N_COLUMNS, SIDE, SIDE, 3), min(step, 255), np.uint8)
    maps = np.zeros_like(made)
    maps[..., 0] = 255
    write_png(project.run_folder(run_id) / sample_name(step), sample_grid(maps, *[made] * (n_rows - 1)))
