"""The demo project: a simulated study, clicked by somebody who never misses."""

from __future__ import annotations

import shutil
from pathlib import Path

from synthstudio.core.fields.simulator import SIMULATED_CLASSES, SimulatedFov, simulate_study
from synthstudio.core.imaging import sha256_of_file, translate_os_error, write_png
from synthstudio.domain.errors import UserError
from synthstudio.domain.plans import ImportPlan, PlannedAnnotation, PlannedFov
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import AnnotationSource, AnnotationState, Split
from synthstudio.project.imports import apply_import
from synthstudio.project.project import DATABASE_NAME, Project

DEMO_META = "demo"
DEMO_VERSION = "1"
_SEED = 2026
_SPLITS = (Split.TRAIN,) * 6 + (Split.VAL,) * 2 + (Split.TEST,) * 4
_FOVS_PER_SAMPLE = 3


def build_demo_project(folder: Path, tick: Tick = no_tick) -> Project:
    """Open the demo project in this folder; build it where the folder is new or empty.

    It is built aside and renamed once complete: an interrupted build is begun again. The clicks are the true centres
    of the simulated objects, stored as centre annotations without boxes.

    Raises:
        UserError: The folder holds another project or other things, or cannot be written.
        Cancelled: By the tick; the folder stays as it was.
    """
    folder = folder.expanduser().resolve()
    if (folder / DATABASE_NAME).is_file():
        project = Project.open(folder)
        if project.find_meta(DEMO_META) is None:
            project.close()
            raise UserError(f"{folder} holds a project of your own.", "Choose a new folder for the demo.")
        return project
    partial = folder.with_name(f".{folder.name}.building")
    try:
        if folder.exists():
            folder.rmdir()
        if partial.exists():
            shutil.rmtree(partial)  # left by a build that was interrupted
        folder.parent.mkdir(parents=True, exist_ok=True)
        _build(partial, tick)
        partial.rename(folder)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise translate_os_error(error, folder) from error
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return Project.open(folder)


def _build(folder: Path, tick: Tick) -> None:
    project = Project.create(folder)
    drawn = folder / "drawn"
    try:
        for each in SIMULATED_CLASSES:
            project.classes.add(each.name, role=each.role, size_um=each.size_um, key=each.key)
        drawn.mkdir()
        study = simulate_study(len(_SPLITS), _FOVS_PER_SAMPLE, seed=_SEED, tick=tick)
        planned = tuple(
            _planned(fov, drawn / f"{number:03d}.png", _SPLITS[number // _FOVS_PER_SAMPLE])
            for number, fov in enumerate(study)
        )
        plan = ImportPlan(planned, tuple(each.name for each in SIMULATED_CLASSES))
        apply_import(project, plan, copy=True, source=AnnotationSource.SIMULATED)
        shutil.rmtree(drawn)
        project.set_meta(DEMO_META, DEMO_VERSION)
    finally:
        project.close()


def _planned(fov: SimulatedFov, path: Path, split: Split) -> PlannedFov:
    write_png(path, fov.image)
    height, width = fov.image.shape[:2]
    return PlannedFov(
        path=path,
        name=fov.name,
        sample=fov.sample,
        split=split,
        sha256=sha256_of_file(path),
        width=width,
        height=height,
        um_per_px=fov.um_per_px,
        state=AnnotationState.EXHAUSTIVE,
        annotations=tuple(PlannedAnnotation(each.class_name, each.x, each.y) for each in fov.objects),
    )
