"""The demo projects: simulated studies, marked by somebody who never misses.

One of microscope fields with clicks (journey A, compositing), one of photographs of skin with boxes, conditions and
tones (journey B, the semantic-map GAN).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from synthstudio.core.fields.simulator import SIMULATED_CLASSES, SimulatedFov, simulate_study
from synthstudio.core.fields.skin_simulator import SKIN_CONDITIONS, SimulatedPhoto, simulate_skin_study
from synthstudio.core.imaging import (
    encode_jpeg,
    sha256_of_file,
    translate_os_error,
    write_bytes_atomically,
    write_png,
)
from synthstudio.domain.errors import UserError
from synthstudio.domain.plans import ImportPlan, PlannedAnnotation, PlannedFov
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import AnnotationSource, AnnotationState, Split
from synthstudio.domain.tones import FITZPATRICK
from synthstudio.project.imports import apply_import
from synthstudio.project.project import DATABASE_NAME, Project
from synthstudio.project.tones import set_tone_scale
from synthstudio.settings.resources import Journey

DEMO_META = "demo"
DEMO_VERSION = "1"
SKIN_DEMO_VERSION = "skin-1"
_SEED = 2026
_SPLITS = (Split.TRAIN,) * 6 + (Split.VAL,) * 2 + (Split.TEST,) * 4
_FOVS_PER_SAMPLE = 3
_SKIN_SPLITS = (Split.TRAIN,) * 36 + (Split.VAL,) * 12 + (Split.TEST,) * 24  # whole dozens: each has all tones
_PHOTOS_PER_SAMPLE = 2
_JPEG_QUALITY = 92


def build_demo(folder: Path, journey: Journey, tick: Tick = no_tick) -> Project:
    """Open the demo project of a journey, see the two functions below."""
    return (build_skin_demo if journey == "gan" else build_demo_project)(folder, tick)


def build_demo_project(folder: Path, tick: Tick = no_tick) -> Project:
    """Open the demo project of journey A in this folder; build it where the folder is new or empty.

    It is built aside and renamed once complete: an interrupted build is begun again. The clicks are the true centres
    of the simulated objects, stored as centre annotations without boxes.

    Raises:
        UserError: The folder holds another project or other things, or cannot be written.
        Cancelled: By the tick; the folder stays as it was.
    """
    return _open_or_build(folder, DEMO_VERSION, _build, tick)


def build_skin_demo(folder: Path, tick: Tick = no_tick) -> Project:
    """The same for journey B: simulated photographs with a box around each region, and the tones I to VI.

    Raises:
        UserError: The folder holds another project or other things, or cannot be written.
        Cancelled: By the tick; the folder stays as it was.
    """
    return _open_or_build(folder, SKIN_DEMO_VERSION, _build_skin, tick)


def _open_or_build(folder: Path, version: str, build: Callable[[Path, Tick], None], tick: Tick) -> Project:
    folder = folder.expanduser().resolve()
    if (folder / DATABASE_NAME).is_file():
        return _open(folder, version)
    partial = folder.with_name(f".{folder.name}.building")
    try:
        if folder.exists():
            folder.rmdir()
        if partial.exists():
            shutil.rmtree(partial)  # left by a build that was interrupted
        folder.parent.mkdir(parents=True, exist_ok=True)
        build(partial, tick)
        partial.rename(folder)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise translate_os_error(error, folder) from error
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return Project.open(folder)


def _open(folder: Path, version: str) -> Project:
    project = Project.open(folder)
    found = project.find_meta(DEMO_META)
    if found == version:
        return project
    project.close()
    if found is None:
        raise UserError(f"{folder} holds a project of your own.", "Choose a new folder for the demo.")
    raise UserError(f"{folder} holds the demo of another journey.", "Choose a new folder for this one.")


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


def _build_skin(folder: Path, tick: Tick) -> None:
    project = Project.create(folder)
    try:
        photos = simulate_skin_study(len(_SKIN_SPLITS), _PHOTOS_PER_SAMPLE, seed=_SEED, tick=tick)
        splits = [split for split in _SKIN_SPLITS for _ in range(_PHOTOS_PER_SAMPLE)]
        add_skin_photos(project, zip(photos, splits, strict=True))
        project.set_meta(DEMO_META, SKIN_DEMO_VERSION)
    finally:
        project.close()


def add_skin_photos(project: Project, photos: Iterable[tuple[SimulatedPhoto, Split]]) -> None:
    """Add simulated photographs to a project that has none yet: classes, tones, boxes, and the split of each patient.

    Raises:
        UserError: The project cannot be written.
    """
    drawn = project.folder / "drawn"
    drawn.mkdir()
    for each in SKIN_CONDITIONS:
        project.classes.add(each.name, key=each.key)
    set_tone_scale(project, FITZPATRICK)
    planned: list[PlannedFov] = []
    tones: dict[str, int] = {}
    for photo, split in photos:
        planned.append(_planned_photo(photo, drawn / f"{len(planned):04d}.jpg", split))
        tones[photo.name] = photo.tone
    plan = ImportPlan(tuple(planned), tuple(each.name for each in SKIN_CONDITIONS))
    apply_import(project, plan, copy=True, source=AnnotationSource.SIMULATED)
    project.fovs.set_tones({fov.id: tones[fov.name] for fov in project.fovs.list()})
    shutil.rmtree(drawn)


def _planned_photo(photo: SimulatedPhoto, path: Path, split: Split) -> PlannedFov:
    write_bytes_atomically(path, encode_jpeg(photo.image, _JPEG_QUALITY))
    height, width = photo.image.shape[:2]
    return PlannedFov(
        path=path,
        name=photo.name,
        sample=photo.sample,
        split=split,
        sha256=sha256_of_file(path),
        width=width,
        height=height,
        state=AnnotationState.EXHAUSTIVE,
        annotations=tuple(PlannedAnnotation(each.condition, *each.box.center, box=each.box) for each in photo.regions),
    )
