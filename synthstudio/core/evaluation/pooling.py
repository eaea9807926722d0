"""The answers of several trainings of one kind, pooled, so that two kinds can be compared over all their seeds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synthstudio.core.evaluation.predictions import CropPredictions
from synthstudio.core.evaluation.stored_detections import StoredDetections
from synthstudio.domain.errors import UserError

_HALF = 0.5


def pool_predictions(runs: Sequence[CropPredictions]) -> CropPredictions:
    """Put the answers of classifiers below one another: every crop stands there once for each run.

    Each has thresholds of its own, so the pooled scores are the answers: 1 for present, 0 for absent. A sample keeps
    its number, so that resampling draws what all the runs said about it together.

    Raises:
        UserError: The runs know different classes.
    """
    names = _common_names([run.class_names for run in runs])
    return CropPredictions(
        class_names=names,
        fov_ids=np.concatenate([run.fov_ids for run in runs]),
        sample_ids=np.concatenate([run.sample_ids for run in runs]),
        boxes=np.concatenate([run.boxes for run in runs]),
        truth=np.concatenate([run.truth for run in runs]),
        scores=np.concatenate([run.answers for run in runs]).astype(np.float32),
        thresholds=np.full(len(names), _HALF),
    )


def pool_detections(runs: Sequence[StoredDetections]) -> StoredDetections:
    """Put the boxes of detectors below one another: every FOV stands there once for each run.

    Only the detections that count at each run's own thresholds are kept.

    Raises:
        UserError: The runs know different classes.
    """
    names = _common_names([run.class_names for run in runs])
    counted = [run.found_scores >= run.thresholds[run.found_labels] for run in runs]
    starts = np.cumsum([0, *(len(run) for run in runs)])[:-1]
    return StoredDetections(
        class_names=names,
        fov_ids=np.concatenate([run.fov_ids for run in runs]),
        sample_ids=np.concatenate([run.sample_ids for run in runs]),
        found_rows=np.concatenate(
            [run.found_rows[kept] + at for run, kept, at in zip(runs, counted, starts, strict=True)]
        ),
        found_boxes=np.concatenate([run.found_boxes[kept] for run, kept in zip(runs, counted, strict=True)]),
        found_labels=np.concatenate([run.found_labels[kept] for run, kept in zip(runs, counted, strict=True)]),
        found_scores=np.concatenate([run.found_scores[kept] for run, kept in zip(runs, counted, strict=True)]),
        true_rows=np.concatenate([run.true_rows + at for run, at in zip(runs, starts, strict=True)]),
        true_boxes=np.concatenate([run.true_boxes for run in runs]),
        true_labels=np.concatenate([run.true_labels for run in runs]),
        thresholds=np.zeros(len(names)),
    )


def _common_names(all_names: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    if len(set(all_names)) != 1:
        known = "; ".join(", ".join(names) for names in dict.fromkeys(all_names))
        raise UserError(
            f"The runs know different classes: {known}.", "Pool runs that were trained on the same classes."
        )
    return all_names[0]
