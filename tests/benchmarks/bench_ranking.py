"""Does the ranking lead to where a model is wrong? Errors per object along the list, on images that no model has seen.

    OMP_NUM_THREADS=1 python -m tests.benchmarks.bench_ranking PROJECT RUN [RUN]

PROJECT is copied. In the copy the annotations of the test images are taken away, the models suggest on these, and they
are ranked as if they were to be annotated. Errors are suggestions that are wrong and objects that are missed, by the
first model at its thresholds, matched within half of the class's size; the annotations that were taken away tell. The
reference is the same number of images drawn at random (mean of 1000 draws).
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from synthstudio.client.cancelling import HostCancel
from synthstudio.client.session import execute_run, start_run
from synthstudio.core.evaluation.agreement import match_marks
from synthstudio.core.patches.windows import mean_class_sizes, sizes_on_fov
from synthstudio.core.suggestions.criteria import Criterion, Proposals
from synthstudio.core.suggestions.ranking import EVEN_WEIGHTS, RankingRules
from synthstudio.domain.ids import FovId, RunId
from synthstudio.domain.records import Annotation, AnnotationState, Split
from synthstudio.project import Project
from synthstudio.project.next_fields import rank_project
from synthstudio.settings.suggest import SuggestSettings

SHARES = (0.1, 0.2, 0.5)
N_DRAWS = 1000


def hide_truth(project: Project) -> dict[FovId, list[Annotation]]:
    """Take the annotations of the test images away; return them."""
    truth = {}
    with project.transaction():
        for fov in project.fovs.list(split=Split.TEST):
            truth[fov.id] = project.annotations.list(fov.id)
            project.annotations.remove(truth[fov.id])
            project.fovs.set_state(fov.id, AnnotationState.NONE)
    return truth


def count_errors(project: Project, run_id: RunId, truth: Mapping[FovId, Sequence[Annotation]]) -> dict[FovId, int]:
    """Suggestions of a model that are wrong and objects that it misses, on each image."""
    classes, found = project.classes.list(), project.suggestions.of_run(run_id)
    thresholds = project.suggestions.thresholds(run_id)
    measured = mean_class_sizes([mark for own in truth.values() for mark in own])
    errors = {}
    for fov in project.fovs.list(split=Split.TEST):
        shown = Proposals(found.get(fov.id, ()), thresholds).shown()
        pairs = match_marks(shown, truth[fov.id], sizes_on_fov(classes, fov.um_per_px, measured))
        n_right = sum(shown[i].class_id == truth[fov.id][j].class_id for i, j in pairs)
        errors[fov.id] = len(shown) + len(truth[fov.id]) - 2 * n_right
    return errors


def measure(project: Project, runs: Sequence[RunId]) -> dict[str, object]:
    """Rank by each criterion and by all, and count the errors along each list."""
    truth = hide_truth(project)
    for run_id in runs:
        job = start_run(project, SuggestSettings(run=run_id, split=Split.TEST))
        execute_run(project, job, on_event=lambda _event: None, cancel=HostCancel())
    errors = count_errors(project, runs[0], truth)
    told: dict[str, object] = {"run": runs[0], "n_images": len(truth), "by_chance": by_chance(errors, truth)}
    ways = {"all": EVEN_WEIGHTS} | {each.value: {each: 1.0} for each in Criterion}
    for name, weights in ways.items():
        rules = RankingRules(weights, random_share=0.0)
        found = rank_project(project, count=len(truth), run_ids=runs, rules=rules, splits=(Split.TEST,))
        order = [each.fov.id for each in found.fields]
        told[name] = {str(share): rate(order[: round(share * len(order))], errors, truth) for share in SHARES}
    return told


def rate(ids: Sequence[FovId], errors: Mapping[FovId, int], truth: Mapping[FovId, Sequence[Annotation]]) -> float:
    """Errors per object on these images."""
    return round(sum(errors[each] for each in ids) / max(1, sum(len(truth[each]) for each in ids)), 3)


def by_chance(errors: Mapping[FovId, int], truth: Mapping[FovId, Sequence[Annotation]]) -> dict[str, float]:
    """The same of as many images drawn at random."""
    rng, ids = np.random.default_rng(0), list(truth)
    return {
        str(share): round(
            float(
                np.mean(
                    [
                        rate([ids[i] for i in rng.permutation(len(ids))[: round(share * len(ids))]], errors, truth)
                        for _ in range(N_DRAWS)
                    ]
                )
            ),
            3,
        )
        for share in SHARES
    }


def main() -> None:
    """Run the benchmark; print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("project", type=Path)
    parser.add_argument("runs", nargs="+", type=RunId)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project = Project.open(Path(shutil.copytree(chosen.project, Path(folder) / "copy")))
        try:
            told = measure(project, chosen.runs)
        finally:
            project.close()
    sys.stdout.write(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
