"""Wrong labels among right ones: how many of the most doubted are wrong, with one in twenty labels changed at random.

Run: `python -m tests.benchmarks.bench_label_suspects [--seeds 5] [--share 0.05] [--plantings 0] [--sets BCCD ...]` from
the repository. Prints what is told of the labels as they are; then a line for each data set and seed: precision among
as many as were changed, the same by chance, and what the default confidence tells. With plantings: in how many of so
many how many of eight objects of the most frequent class are found that were called as the second one.

BCCD and BCCD-75, its first 75 images, have boxes, and so have three simulated studies of small crowded images; the
simulated demo project has bare clicks.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synthstudio.client.demo import build_demo_project
from synthstudio.core.annotations.readers import READERS
from synthstudio.core.evaluation.wrong_labels import DoubtedLabels
from synthstudio.engine.label_suspects import judge_labels
from synthstudio.project import Project
from synthstudio.project.imports import apply_import
from synthstudio.settings.quality import LabelLimits
from tests.support.engine_project import RecordingContext
from tests.support.planted_faults import N_FLIPPED, build_simulated_project
from tests.support.shared_data import ROOT

LIMITS = LabelLimits()


def build_blood(folder: Path, *, most: int | None = None) -> Project:
    """Import BCCD, or so many of its images; they stay where they are."""
    project = Project.create(folder)
    plan = READERS["voc"](ROOT / "bccd")
    apply_import(project, dataclasses.replace(plan, fovs=plan.fovs[:most]), copy=False)
    return project


def build_boxes(folder: Path, *, seed: int) -> Project:
    """Simulate a study whose objects have boxes."""
    folder.mkdir()
    return build_simulated_project(folder, seed=seed)


SETS: dict[str, Callable[[Path], Project]] = {
    "BCCD": build_blood,
    "BCCD-75": partial(build_blood, most=75),
    **{f"boxes-{seed}": partial(build_boxes, seed=seed) for seed in (5, 21, 22)},
    "clicks": build_demo_project,
}


def change_labels(project: Project, share: float, seed: int) -> set[int]:
    """Give this share of the annotations another class at random; return their ids."""
    rng = np.random.default_rng(seed)
    marks = [mark for own in project.annotations.by_fov().values() for mark in own]
    classes = [each.id for each in project.classes.list()]
    chosen = rng.choice(len(marks), round(share * len(marks)), replace=False)
    for row in chosen:
        others = [each for each in classes if each != marks[row].class_id]
        marks[row] = dataclasses.replace(marks[row], class_id=others[int(rng.integers(len(others)))])
    project.annotations.update([marks[row] for row in chosen])
    return {int(marks[row].id) for row in chosen}


def plant_labels(project: Project, seed: int) -> set[int]:
    """Call eight objects of the most frequent class as the second one; return their ids."""
    rng = np.random.default_rng(seed)
    totals = project.annotations.totals()
    frequent, second = sorted(totals, key=lambda each: -totals[each])[:2]
    marks = [mark for own in project.annotations.by_fov().values() for mark in own if mark.class_id == frequent]
    chosen = [dataclasses.replace(marks[row], class_id=second) for row in rng.choice(len(marks), N_FLIPPED, False)]
    project.annotations.update(chosen)
    return {int(each.id) for each in chosen}


def judge(project: Project) -> tuple[NDArray[np.int64], DoubtedLabels, float]:
    """Ids of the annotations that were judged, what is said of them, and seconds."""
    began = time.perf_counter()
    (judged,), _ = judge_labels(project.fovs.list(), LIMITS, RecordingContext(project, "quality"))
    ids = np.array([each.mark.id for each in judged.objects], np.int64)
    return ids, judged.doubted, time.perf_counter() - began


def measure(name: str, project: Project, *, share: float, n_seeds: int, n_plantings: int) -> None:
    """Change labels, and see which are doubted, for each seed; the labels are put back each time."""
    ids, doubted, seconds = judge(project)
    alarms = set(ids[doubted.suspects(confidence=LIMITS.confidence)].tolist())
    _say(f"{name}: {len(ids)} objects; as they are: {len(alarms)} suspects ({seconds:.1f} s with describing)")
    before = [mark for own in project.annotations.by_fov().values() for mark in own]
    precisions = []
    for seed in range(n_seeds):
        wrong = change_labels(project, share, seed)
        ids, doubted, seconds = judge(project)
        project.annotations.update(before)
        is_wrong = np.isin(ids, list(wrong))
        first = doubted.order[: len(wrong)]
        told = doubted.suspects(confidence=LIMITS.confidence)
        precisions.append(float(is_wrong[first].mean()))
        _say(
            f"{name} seed {seed}: {len(wrong)} changed, precision at {len(wrong)}: {precisions[-1]:.3f}"
            f" (by chance {is_wrong.mean():.3f}); told {len(told)}, of these wrong {is_wrong[told].sum()};"
            f" {seconds:.1f} s"
        )
    if precisions:
        _say(f"{name}: mean precision {np.mean(precisions):.3f} (least {min(precisions):.3f}), by chance {share:.3f}")
    n_found, n_false = Counter[int](), []
    for seed in range(n_plantings):
        wrong = plant_labels(project, seed)
        ids, doubted, _ = judge(project)
        project.annotations.update(before)
        told = set(ids[doubted.suspects(confidence=LIMITS.confidence)].tolist())
        n_found[len(told & wrong)] += 1
        n_false.append(len(told - wrong - alarms))
    if n_plantings:
        found = ", ".join(f"{n} of {N_FLIPPED} in {times}" for n, times in sorted(n_found.items(), reverse=True))
        _say(f"{name}: {n_plantings} plantings: {found}; {np.mean(n_false):.2f} others that were not told before")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Measure both data sets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--share", type=float, default=0.05)
    parser.add_argument("--plantings", type=int, default=0)
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=["BCCD", "clicks"])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.sets:
            project = SETS[name](Path(folder) / name)
            try:
                measure(name, project, share=arguments.share, n_seeds=arguments.seeds, n_plantings=arguments.plantings)
            finally:
                project.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
