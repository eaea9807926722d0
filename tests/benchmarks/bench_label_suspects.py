"""Wrong labels among right ones: how many of the most doubted are wrong, with one in twenty labels changed at random.

Run: `python -m tests.benchmarks.bench_label_suspects [--seeds 5] [--share 0.05]` from the repository. Prints a line for
each data set and seed: precision among as many as were changed, the same by chance, and what the default confidence
tells; then what it tells of the labels as they are. BCCD has boxes, the simulated demo project bare clicks.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
import time
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
from tests.support.shared_data import ROOT

LIMITS = LabelLimits()


def build_blood(folder: Path) -> Project:
    """Import BCCD; its images are where they are."""
    project = Project.create(folder)
    apply_import(project, READERS["voc"](ROOT / "bccd"), copy=False)
    return project


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


def judge(project: Project) -> tuple[NDArray[np.int64], DoubtedLabels, float]:
    """Ids of the annotations that were judged, what is said of them, and seconds."""
    began = time.perf_counter()
    (judged,), _ = judge_labels(project.fovs.list(), LIMITS, RecordingContext(project, "quality"))
    ids = np.array([each.mark.id for each in judged.objects], np.int64)
    return ids, judged.doubted, time.perf_counter() - began


def measure(name: str, project: Project, *, share: float, n_seeds: int) -> None:
    """Change labels, and see which are doubted, for each seed; the labels are put back each time."""
    ids, doubted, seconds = judge(project)
    n_told = len(doubted.suspects(confidence=LIMITS.confidence))
    _say(f"{name}: {len(ids)} objects; as they are: {n_told} suspects ({seconds:.1f} s with describing)")
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
    _say(f"{name}: mean precision {np.mean(precisions):.3f} (least {min(precisions):.3f}), by chance {share:.3f}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Measure both data sets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--share", type=float, default=0.05)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name, build in (("BCCD", build_blood), ("simulated", build_demo_project)):
            project = build(Path(folder) / name)
            try:
                measure(name, project, share=arguments.share, n_seeds=arguments.seeds)
            finally:
                project.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
