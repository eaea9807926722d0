"""Projects whose training images are not annotated yet, and the truth that a simulated expert knows about them."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import numpy as np

from synthstudio.core.fields import simulator
from synthstudio.core.fields.simulator import SIMULATED_CLASSES, SimulatedFov, simulate_fov
from synthstudio.core.imaging import sha256_of_file, write_png
from synthstudio.domain.guard import Guard
from synthstudio.domain.ids import AnnotationId, ClassId, FovId
from synthstudio.domain.records import Annotation, AnnotationSource, AnnotationState, Split, Storage
from synthstudio.project import Project
from synthstudio.project.guard import write_guard
from tests.benchmarks.simulated_expert import TrueObject, Truth
from tests.support.blood import CLASS_NAMES, load_blood
from tests.support.shared_data import ROOT

SIMULATED = ("rbc", "wbc", "yeast", "crystal")
"""The classes of the simulator that are asked for; bacteria and artifacts are left unmarked, as dirt is."""
RARE, RARE_EVERY = "crystal", 10
N_FOVS = 2
N_BLOOD = {Split.TRAIN: 96, Split.VAL: 12, Split.TEST: 75}


def build_simulated(folder: Path, *, seed: int, splits: tuple[Split, ...], density: float) -> tuple[Project, Truth]:
    """Two FOVs of each simulated specimen. One class is rare, as in a lab: of the specimens to be annotated only the
    first and then every `RARE_EVERY`th have crystals; those of val and test have them as the simulator gives them.

    Args:
        seed: Of the simulator.
        splits: Of the specimens.
        density: Of the simulator.
    """
    project = Project.create(folder / "project")
    sizes = {each.name: each.size_px for each in SIMULATED_CLASSES}
    ids = {name: project.classes.add(name, size_px=sizes[name]).id for name in SIMULATED}
    truth: dict[FovId, list[TrueObject]] = {}
    for number, fov in enumerate(_simulated(splits, seed, density)):
        path = folder / f"{fov.name}.png"
        write_png(path, fov.image)
        height, width = fov.image.shape[:2]
        fov_id = _add_fov(project, path, fov.sample, splits[number // N_FOVS], size=(width, height))
        truth[fov_id] = [TrueObject(ids[each.class_name], each.box) for each in fov.objects if each.class_name in ids]
    return _finished(project, truth)


@functools.lru_cache(maxsize=1)
def _simulated(splits: tuple[Split, ...], seed: int, density: float) -> tuple[SimulatedFov, ...]:
    """Drawing them takes as long as a training; all ways to work see the same ones."""
    drawn = []
    for sample, split in enumerate(splits):
        is_rare = split is Split.TRAIN and sample % RARE_EVERY
        with without_crystals() if is_rare else contextlib.nullcontext():
            drawn += [
                simulate_fov(seed=seed, sample_index=sample, fov_index=number, density=density)
                for number in range(N_FOVS)
            ]
    return tuple(drawn)


@contextlib.contextmanager
def without_crystals() -> Iterator[None]:
    """The simulator puts no crystals into specimens."""
    draw = simulator._draw_mix
    kept = np.array([each.name != RARE for each in SIMULATED_CLASSES])
    with mock.patch.object(simulator, "_draw_mix", lambda rng: draw(rng) * kept):
        yield


def build_blood(folder: Path) -> tuple[Project, Truth]:
    """BCCD: a part of its train list to be annotated, parts of its val list for thresholds and for the test."""
    project = Project.create(folder / "project")
    ids = {number: project.classes.add(name).id for number, name in enumerate(CLASS_NAMES, start=1)}
    truth: dict[FovId, list[TrueObject]] = {}
    n_val = N_BLOOD[Split.VAL]
    for listed, limit in (("train", N_BLOOD[Split.TRAIN]), ("val", n_val + N_BLOOD[Split.TEST])):
        fovs, marks = load_blood(ROOT / "bccd", split=listed, limit=limit)
        by_fov: dict[FovId, list[Annotation]] = defaultdict(list)
        for mark in marks:
            by_fov[mark.fov_id].append(mark)
        for number, fov in enumerate(fovs):
            split = Split.TRAIN if listed == "train" else Split.VAL if number < n_val else Split.TEST
            fov_id = _add_fov(project, Path(fov.path), fov.sample_name, split, size=(fov.width, fov.height))
            truth[fov_id] = [
                TrueObject(ids[mark.class_id], mark.box)
                for mark in by_fov[fov.id]
                if mark.box is not None and min(mark.box.width, mark.box.height) > 0  # a few of BCCD's are a line
            ]
    return _finished(project, truth)


def _add_fov(project: Project, path: Path, sample: str, split: Split, *, size: tuple[int, int]) -> FovId:
    return project.fovs.add(
        sample_id=project.samples.get_or_add(sample, split=split).id,
        name=path.name,
        stored_path=str(path),
        storage=Storage.REFERENCE,
        sha256=sha256_of_file(path),
        width=size[0],
        height=size[1],
    )


def _finished(project: Project, truth: Truth) -> tuple[Project, Truth]:
    """Annotate what thresholds and scores are taken on, and hide no suggestions."""
    write_guard(project, Guard(share=0.0, seed=0))
    with project.transaction():
        for fov in project.fovs.list():
            if fov.split is not Split.TRAIN:
                mark = Annotation(AnnotationId(0), fov.id, ClassId(0), 0.0, 0.0, source=AnnotationSource.SIMULATED)
                objects = [
                    dataclasses.replace(mark, class_id=each.class_id).with_box(each.box) for each in truth[fov.id]
                ]
                project.annotations.add(objects)
                project.fovs.set_state(fov.id, AnnotationState.EXHAUSTIVE)
    return project, truth
