"""What jobs name in a project, runs, sets, guide sets and models, is looked up before any of them starts."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

from synthstudio.domain.errors import UserError
from synthstudio.domain.records import RunStatus
from synthstudio.project import Project
from synthstudio.settings.base import JobSettings
from synthstudio.settings.references import RUN_KINDS, kinds_needed, run_read, set_written, sets_read


def find_faults(
    project: Project,
    settings: JobSettings,
    *,
    coming_runs: Collection[str] = (),
    coming_kinds: Collection[str] = (),
    coming_sets: Collection[str] = (),
) -> list[UserError]:
    """Return why a job could not begin: each wrong name with those that exist, and the training that it lacks.

    Args:
        project: Where the job is to run.
        settings: Of the job.
        coming_runs, coming_sets: What jobs before it will have made by then, by the names that its settings use.
        coming_kinds: Kinds of these jobs.
    """
    lookups: list[Callable[[], object]] = []
    run, guides, model = run_read(settings), _text(settings, "guides"), _text(settings, "model")
    if run and run not in coming_runs:
        lookups.append(lambda: project.runs.find_named(run, kinds=RUN_KINDS[settings.kind]))
    lookups += [partial(project.sets.get, name) for name in sets_read(settings) if name not in coming_sets]
    if guides:
        lookups.append(lambda: project.guides.get(guides))
    weights = getattr(getattr(settings, "network", None), "weights", "")
    if weights:
        lookups.append(lambda: _require_file(project.models.find_weights(weights)))
    if model and not Path(model).expanduser().exists():
        lookups.append(lambda: project.models.get(model))
    faults = [error for each in lookups if (error := _fault_of(each)) is not None]
    needed = kinds_needed(settings)
    if needed and not set(needed) & ({*coming_kinds} | _finished_kinds(project)):
        models = " or ".join(kind.removeprefix("train-").replace("gan", "GAN") for kind in needed)
        faults.append(UserError(f"No {models} has been trained in this project yet.", "Train one first."))
    written = set_written(settings)
    if written and project.sets.find(written) is not None:
        faults.append(UserError(f"There is already a set {written} in this project.", "Choose another name."))
    return faults


def _require_file(path: Path | None) -> None:
    if path is not None and not path.is_file():
        raise UserError(f"There is no file {path}.", "Name a local model of this project, or a .safetensors file.")


def _finished_kinds(project: Project) -> set[str]:
    return {run.kind for run in project.runs.list() if run.status is RunStatus.FINISHED}


def _text(settings: JobSettings, name: str) -> str:
    """A setting that is a text; empty where there is none of this name."""
    value = getattr(settings, name, "")
    return value if isinstance(value, str) else ""


def _fault_of(lookup: Callable[[], object]) -> UserError | None:
    try:
        lookup()
    except UserError as error:
        return error
    return None
