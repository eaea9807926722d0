"""What the Annotate page shows of suggestions: read off the GUI thread."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from synthstudio.domain.errors import NotFound
from synthstudio.domain.ids import ClassId, FovId, RunId
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import Run, RunStatus
from synthstudio.domain.suggestions import SuggestionState
from synthstudio.gui.canvas.suggestion_table import SuggestionTable
from synthstudio.project import Project
from synthstudio.project.guard import read_guard

MODEL_WORDS = {"train-classifier": "Classifier", "train-detector": "Detector"}
"""Kinds of trainings whose models suggest."""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """A model that can suggest.

    Attributes:
        line: What it is and when its training began.
    """

    run_id: RunId
    line: str


@dataclass(frozen=True, slots=True)
class SuggestionFacts:
    """What one model suggests on one FOV.

    Attributes:
        models: Those that can suggest, newest first.
        run_id: The chosen one; None where there is no model.
        is_searched: Whether it has searched the FOV.
        is_guarded: The FOV is to be annotated without suggestions: the table is empty.
        table: Its open suggestions, with the thresholds in force.
        states: How many suggestions on the FOV are in which state.
        thresholds: Least score by class of what the model looks for.
        tuned: The same as the training chose them.
    """

    models: tuple[ModelFacts, ...] = ()
    run_id: RunId | None = None
    fov_id: FovId | None = None
    is_searched: bool = False
    is_guarded: bool = False
    table: SuggestionTable = field(default_factory=lambda: SuggestionTable((), {}, None))
    states: Counter[SuggestionState] = field(default_factory=Counter)
    thresholds: dict[ClassId, float] = field(default_factory=dict)
    tuned: dict[ClassId, float] = field(default_factory=dict)


def read_suggestions(
    project: Project, fov_id: FovId | None, wanted: RunId | None, tick: Tick = no_tick
) -> SuggestionFacts:
    """Read what a model suggests on an FOV.

    Args:
        project: Where it is stored.
        fov_id: None, or one that is gone, reads only what models there are.
        wanted: The model; None, or one that is gone, means the one that searched last, else the newest.
        tick: Ends the reading where it is no longer wanted.
    """
    models = _list_models(project)
    known = {each.run_id for each in models}
    last = next((each for each in project.suggestions.runs() if each in known), None)
    run_id = wanted if wanted in known else last or next((each.run_id for each in models), None)
    if fov_id is None or run_id is None:
        return SuggestionFacts(models, run_id)
    try:
        fov = project.fovs.get(fov_id)
    except NotFound:
        return SuggestionFacts(models, run_id)
    thresholds = project.suggestions.thresholds(run_id)
    suggestions = []
    for piece in project.suggestions.iter_pieces(fov.id, run_id):
        suggestions += piece
        tick(0, 0)
    is_guarded = read_guard(project).hides(fov)
    shown = [] if is_guarded else [each for each in suggestions if each.is_open]
    classes = {each.id: each for each in project.classes.list()}
    table = SuggestionTable(shown, classes, fov.um_per_px)
    table.set_thresholds(thresholds)
    table.plan_way()
    return SuggestionFacts(
        models,
        run_id,
        fov.id,
        is_searched=fov.id in project.suggestions.searched(run_id),
        is_guarded=is_guarded,
        table=table,
        states=Counter(each.state for each in suggestions),
        thresholds=thresholds,
        tuned=project.suggestions.tuned_thresholds(run_id),
    )


def _list_models(project: Project) -> tuple[ModelFacts, ...]:
    runs = [run for kind in MODEL_WORDS for run in project.runs.list(kind=kind) if run.status is RunStatus.FINISHED]
    runs.sort(key=lambda run: (run.created_at, run.id), reverse=True)
    return tuple(ModelFacts(run.id, model_line(run)) for run in runs)


def model_line(run: Run) -> str:
    """What a model is, and when its training began; its own name first, which is what a narrow column has room for."""
    moment, model = run.created_at[5:16].replace("T", " "), MODEL_WORDS[run.kind]
    name = run.title if run.title not in ("", run.kind, model) else ""
    return " · ".join(filter(None, (name, model, moment)))
