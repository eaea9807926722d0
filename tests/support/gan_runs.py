"""Trainings of a GAN as they lie in a project, without an engine."""

from __future__ import annotations

import json

import numpy as np

from synthstudio.core.imaging import write_png
from synthstudio.core.training.gan_card import CARD_NAME, WEIGHTS_NAME
from synthstudio.core.training.gan_samples import sample_grid, sample_name
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import Metric, RunStatus
from synthstudio.project import Project
from synthstudio.project.runs import new_run_id
from synthstudio.settings.train_gan import GanOptimizationSettings, TrainGanSettings

N_CROPS, SIDE = 4, 16


def add_gan_run(
    project: Project,
    *,
    title: str = "",
    samples: tuple[int, ...] = (20, 40, 60),
    status: RunStatus = RunStatus.FINISHED,
    has_generator: bool = True,
    has_checkpoint: bool = False,
    settings: TrainGanSettings | None = None,
    warnings: tuple[str, ...] = (),
) -> RunId:
    """Enter a training with sample pictures and curves; its generator is no network."""
    settings = settings or TrainGanSettings(optimization=GanOptimizationSettings(steps=60, sample_every=20))
    run_id = new_run_id(settings.kind)
    folder = project.run_folder(run_id)
    (folder / "samples").mkdir(parents=True)
    project.runs.add(run_id, kind=settings.kind, title=title, settings_json=settings.model_dump_json())
    for step in samples:
        add_sample(project, run_id, step)
    project.runs.add_metrics(
        [
            Metric(run_id, step, name, value / (step + 1))
            for step in range(0, 60, 5)
            for name, value in (("loss/image", 0.5), ("loss/adversarial", 2.0), ("validation/image", 90.0))
        ]
    )
    if has_generator:
        for name in (CARD_NAME, WEIGHTS_NAME):
            (folder / name).write_bytes(b"{}")
    if has_checkpoint:
        (folder / "checkpoints").mkdir()
        (folder / "checkpoints" / "last.safetensors").write_bytes(b"weights")
    lines = [json.dumps({"event": "warning", "text": text}) for text in warnings]
    (folder / "events.jsonl").write_text("".join(f"{line}\n" for line in lines))
    if status is RunStatus.RUNNING:
        project.runs.set_running(run_id)
    elif status is not RunStatus.QUEUED:
        project.runs.set_ended(run_id, status)
    return run_id


def add_sample(project: Project, run_id: RunId, step: int) -> None:
    """Write the sample picture of a step: maps, real and synthetic crops, a row each, as grey as the step is far."""
    made = np.full((N_CROPS, SIDE, SIDE, 3), min(step, 255), np.uint8)
    maps = np.zeros_like(made)
    maps[..., 0] = 255
    write_png(project.run_folder(run_id) / sample_name(step), sample_grid(maps, made, made))
