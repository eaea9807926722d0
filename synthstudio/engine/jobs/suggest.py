"""Suggestions of a trained model for FOVs: one file an FOV, told as soon as it is complete."""

from __future__ import annotations

import time

from synthstudio.core.suggestions.searched import FovSearch, search_file, write_search
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.progress import STEPS, part_of
from synthstudio.domain.records import FieldOfView, RunStatus
from synthstudio.domain.suggestions import SUGGESTING_KINDS
from synthstudio.engine.context import JobContext
from synthstudio.engine.data.fields import read_fov
from synthstudio.engine.device import choose_device
from synthstudio.engine.fov_choice import choose_unfinished
from synthstudio.engine.inference import find_classes
from synthstudio.engine.searching import load_searcher
from synthstudio.project import Project
from synthstudio.project.suggestions import KIND
from synthstudio.protocol.results import SuggestedFov, SuggestResult
from synthstudio.settings.suggest import SuggestSettings


def run(settings: SuggestSettings, context: JobContext) -> SuggestResult:
    """Search FOVs one by one.

    Raises:
        UserError: There is no trained model, no FOV of that name or split, a class that the model knows is gone, or
            none of the FOVs could be searched.
    """
    began = time.monotonic()
    project = context.project
    run_id, kind = find_model(project, settings.run)
    wanted = choose_unfinished(project, settings.fovs, settings.split)
    fovs = wanted if settings.again else _unsearched(project, run_id, wanted, min_score=settings.min_score)
    context.stage("Preparing the model")
    searcher = load_searcher(project.run_folder(run_id), kind, choose_device(context.device))
    find_classes(project, searcher.class_names)
    context.stage("Searching fields")
    searched, failures = [], []
    for done, fov in enumerate(fovs):
        tick = part_of(context.tick, done / len(fovs), (done + 1) / len(fovs))
        tick(0, 1)
        try:
            classes = searcher.search(fov, read_fov(fov), min_score=settings.min_score, tick=tick)
        except UserError as error:  # one file that is gone must not end a night's work
            failures.append(error)
            context.warn(error.message)
            continue
        found = FovSearch(
            run=run_id, fov_id=fov.id, content_key=fov.content_key, min_score=settings.min_score, classes=classes
        )
        write_search(search_file(context.run_dir, fov.id), found)
        context.records_changed(KIND, fov_ids=(fov.id,))
        searched.append(SuggestedFov(fov=fov.id, name=fov.name, counts=found.n_counting))
    if failures and not searched:
        raise failures[0]
    context.tick(STEPS, STEPS)
    return SuggestResult(
        run=run_id,
        fovs=tuple(searched),
        n_known=len(wanted) - len(fovs),
        provider=searcher.provider,
        notes=tuple(error.message for error in failures),
        seconds=round(time.monotonic() - began, 3),
    )


def find_model(project: Project, run: str) -> tuple[RunId, str]:
    """Return id and kind of a training: of the named one, or of the newest finished classifier or detector.

    Raises:
        UserError: There is none, or it trained something else.
    """
    if run:
        named = project.runs.find_named(run, kinds=SUGGESTING_KINDS)
        return named.id, named.kind
    finished = [
        each for each in project.runs.list() if each.kind in SUGGESTING_KINDS and each.status is RunStatus.FINISHED
    ]
    if not finished:
        raise UserError(
            "No classifier or detector has been trained in this project yet.", "Train one first; it can then suggest."
        )
    return finished[-1].id, finished[-1].kind


def _unsearched(project: Project, run_id: RunId, fovs: list[FieldOfView], *, min_score: float) -> list[FieldOfView]:
    """Those of the FOVs that the model has not searched down to this score."""
    known = {
        each.fov_id for each in project.suggestions.searches() if each.run_id == run_id and each.min_score <= min_score
    }
    return [fov for fov in fovs if fov.id not in known]
