"""Two arms of an experiment on the same test images: their difference over all seeds, by paired bootstrap."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

from synthstudio.client.evaluations import result_of
from synthstudio.core.evaluation.comparison import Difference, compare_detections, compare_predictions
from synthstudio.core.evaluation.pooling import pool_detections, pool_predictions
from synthstudio.core.evaluation.predictions import read_predictions
from synthstudio.core.evaluation.stored_detections import read_detections
from synthstudio.domain.records import Run
from synthstudio.project import Project
from synthstudio.protocol.results import EvaluateDetectorResult, EvaluateResult

N_REMEMBERED = 128


def compare_arms(project: Project, first: Sequence[Run], second: Sequence[Run]) -> Difference | None:
    """Compare macro F1 of two arms by what their evaluations have stored; None where one stored nothing.

    Args:
        project: Where they are.
        first, second: Finished evaluations of either classifiers or detectors, seed by seed.

    Raises:
        UserError: They were scored on other crops or images, or a file is damaged.
    """
    files = [[_stored_file(project, run) for run in runs] for runs in (first, second)]
    known = [tuple(path for path in paths if path is not None) for paths in files]
    if not first or any(len(paths) < len(runs) for paths, runs in zip(known, (first, second), strict=True)):
        return None
    return _compared(known[0], known[1], of_detectors=first[0].kind == "evaluate-detector")


def _stored_file(project: Project, run: Run) -> Path | None:
    match result_of(run):
        case EvaluateResult(predictions=name) | EvaluateDetectorResult(detections=name) if name:
            return project.run_folder(run.id) / name
    return None


@functools.lru_cache(maxsize=N_REMEMBERED)
def _compared(first: tuple[Path, ...], second: tuple[Path, ...], *, of_detectors: bool) -> Difference:
    """What an evaluation has stored never changes, and a table is read again whenever a job ends."""
    if of_detectors:
        boxes = [pool_detections([read_detections(path) for path in paths]) for paths in (first, second)]
        return compare_detections(boxes[0], boxes[1], seed=0).macro_f1
    answers = [pool_predictions([read_predictions(path) for path in paths]) for paths in (first, second)]
    return compare_predictions(answers[0], answers[1], seed=0).macro_f1
