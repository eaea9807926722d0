"""How long a step of a training takes, from finished ones of the same project."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from statistics import median
from typing import TypeVar

from pydantic import ValidationError

from synthstudio.client.experiment_times import job_seconds
from synthstudio.domain.records import Run, RunStatus
from synthstudio.settings.base import JobSettings

SettingsT = TypeVar("SettingsT", bound=JobSettings)


def measured_step_s(
    runs: Sequence[Run],
    settings: SettingsT,
    *,
    steps_of: Callable[[SettingsT], int],
    load_of: Callable[[SettingsT], Hashable],
) -> float | None:
    """Seconds a step of finished trainings of the same load took, else None.

    Args:
        runs: Of the project.
        settings: Of the training that is planned.
        steps_of: How many steps a training makes.
        load_of: What the time of a step depends on most.
    """
    found = []
    for run in runs:
        seconds = job_seconds(run) if run.kind == settings.kind and run.status is RunStatus.FINISHED else None
        if seconds is None:
            continue
        try:
            known = type(settings).model_validate_json(run.settings_json)
        except ValidationError:  # written by another version
            continue
        if load_of(known) == load_of(settings):
            found.append(seconds / steps_of(known))
    return median(found) if found else None
