"""Finished measurements as they lie in a project, without an engine."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from synthstudio.core.evaluation.nearest_table import NEAREST_NAME, NearestTable, NearPair, write_nearest
from synthstudio.core.imaging import write_png
from synthstudio.domain.ids import RunId, SetName
from synthstudio.domain.records import Generator, RunStatus, SyntheticSet
from synthstudio.project import Project
from synthstudio.project.runs import new_run_id
from synthstudio.protocol.results import MeasuredFigure, MeasuredGroup, MeasureResult
from synthstudio.settings.measure import MeasureSettings

FIGURES = ("fid", "kid", "precision", "recall", "density", "coverage")


def _figure(mean: float) -> MeasuredFigure:
    return MeasuredFigure(
        mean=mean,
        ci95=(mean - 0.2, mean + 0.2),
        floor=0.9 * mean,
        floor_ci95=(0.8 * mean, 1.0 * mean),
        difference=0.1 * mean,
        difference_ci95=(0.05 * mean, 0.15 * mean),
    )


def _group(name: str, fid: float, *, n: int = 40) -> MeasuredGroup:
    figures = {each: _figure(fid if each == "fid" else 0.5) for each in FIGURES} if n else {}
    return MeasuredGroup(name=name, n_real=2 * n, n_synthetic=2 * n, n=n, figures=figures)


def add_set(project: Project, name: str) -> None:
    """Enter a set with one picture."""
    images = project.set_folder(name) / "images"
    images.mkdir(parents=True)
    write_png(images / "000000.png", np.full((32, 32, 3), (200, 60, 60), np.uint8))
    project.sets.put(SyntheticSet(SetName(name), Generator.GAN, None, 1, "", "{}", "", ""))


def add_measurement(project: Project, name: str, *, fid: float = 3.0, has_pairs: bool = True) -> RunId:
    """Enter a measurement of a set: two pairs, the first of them too near."""
    run_id = new_run_id("measure")
    folder: Path = project.run_folder(run_id)
    folder.mkdir(parents=True)
    settings = MeasureSettings(set_name=name)
    project.runs.add(run_id, kind="measure", title="", settings_json=settings.model_dump_json())
    fov = project.fovs.list()[0]
    if has_pairs:
        pairs = [
            NearPair(
                file="images/000000.png",
                fov=fov.id,
                fov_name=fov.name,
                window=(10, 12, 40),
                distance=0.25 + place,
                correlation=0.97 - place,
                by="picture" if place == 0 else "features",
                is_too_near=place == 0,
            )
            for place in range(2)
        ]
        write_nearest(
            folder,
            NearestTable(
                pairs=tuple(pairs),
                distance_limit=0.5,
                correlation_limit=0.95,
                distance=0.75,
                held_out_distance=0.8,
                n_images=2,
                n_learned=5,
                n_too_near=1,
            ),
        )
    result = MeasureResult(
        target="set",
        name=name,
        split="test",
        features="built-in descriptor 1",
        draws=50,
        n_duplicates=(0, 0),
        overall=_group("all", fid),
        by_condition=(_group("disc", fid + 1), _group("square", fid + 2), _group("rare", 0.0, n=0)),
        n_too_near=1 if has_pairs else 0,
        nearest=NEAREST_NAME if has_pairs else "",
        notes=("Mind the numbers.",),
        seconds=1.0,
    )
    project.runs.set_ended(run_id, RunStatus.FINISHED, summary_json=result.model_dump_json())
    return run_id
