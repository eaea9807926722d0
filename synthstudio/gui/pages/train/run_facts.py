"""What is known of the project's trainings, in words and figures: read once, shown by several panels. No widgets."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from pydantic import ValidationError

from synthstudio.core.training.model_card import read_model_card
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import FovId, RunId
from synthstudio.domain.records import Run, RunStatus, Split
from synthstudio.project import Project
from synthstudio.protocol.results import EvaluateResult, ExplainResult, TrainResult
from synthstudio.settings.explain import CamMethod
from synthstudio.settings.train_classifier import TrainClassifierSettings

TRAINING_KIND = "train-classifier"
STATUS_WORDS = {
    RunStatus.QUEUED: "waiting",
    RunStatus.RUNNING: "running",
    RunStatus.FINISHED: "finished",
    RunStatus.CANCELLED: "cancelled",
    RunStatus.FAILED: "failed",
}
MAX_CARDS = 1024
SOURCE_WORDS = {
    "synthetic": "composites",
    "real-crops": "real crops",
    "mix": "composites and real crops",
    "stored-set": "a stored set",
}


@dataclass(frozen=True, slots=True)
class TrainingFacts:
    """One training run.

    Attributes:
        source: What it was trained on, in words.
        score: Macro F1 of its best checkpoint on validation, where it has one.
        evaluations: Newest result for each split.
        cams: Folder of the newest class activation maps of each FOV by each method.
        can_resume: It ended early and left a checkpoint.
        predictions: File with the answers on every crop, for each split where the evaluation left one.
        map_scores: File with where the maps lay, likewise.
        result: What the finished training told.
        n_images: FOVs that it learned from; None where it left no model.
        n_marks: Annotations on them today.
    """

    run: Run
    source: str
    network: str
    score: float | None
    evaluations: Mapping[str, EvaluateResult]
    cams: Mapping[tuple[FovId, CamMethod], Path]
    can_resume: bool
    predictions: Mapping[str, Path] = field(default_factory=dict)
    map_scores: Mapping[str, Path] = field(default_factory=dict)
    result: TrainResult | None = None
    n_images: int | None = None
    n_marks: int | None = None

    @property
    def name(self) -> str:
        """Short name for lists and tables."""
        title = self.run.title if self.run.title not in ("", TRAINING_KIND) else f"{self.source}, {self.network}"
        return title[:1].upper() + title[1:]

    @property
    def line(self) -> str:
        """Status and score in one line."""
        moment = self.run.created_at[5:16].replace("T", " ")
        score = f" · F1 {self.score:.2f}" if self.score is not None else ""
        return f"{STATUS_WORDS[self.run.status]}{score} · {moment}"

    @property
    def short_line(self) -> str:
        """Score and time; the icon of a list says how it ended."""
        moment = self.run.created_at[5:16].replace("T", " ")
        return (
            f"F1 {self.score:.2f} · {moment}"
            if self.score is not None
            else f"{STATUS_WORDS[self.run.status]} · {moment}"
        )


def read_splits(project: Project) -> list[Split]:
    """The splits that have images, the one to report on first."""
    used = {fov.split for fov in project.fovs.list()}
    return [split for split in (Split.TEST, Split.VAL, Split.TRAIN) if split in used]


def read_trainings(project: Project) -> list[TrainingFacts]:
    """Read all trainings of a project, newest first."""
    runs = project.runs.list()
    evaluations = _evaluations(project, runs)
    cams = _cams(project, runs)
    n_marks_of = {fov_id: sum(each.values()) for fov_id, each in project.annotations.counts().items()}
    found = []
    for run in reversed(runs):
        if run.kind == TRAINING_KIND:
            source, network = _settings_words(run)
            result = _training_result(run)
            fov_ids = _learned_from(project, run)
            kept = evaluations.get(run.id, {})
            found.append(
                TrainingFacts(
                    run=run,
                    source=source,
                    network=network,
                    score=_score(result),
                    evaluations={split: each.result for split, each in kept.items()},
                    cams=cams.get(run.id, {}),
                    can_resume=run.status in (RunStatus.FAILED, RunStatus.CANCELLED)
                    and any((project.run_folder(run.id) / "checkpoints").glob("*.safetensors")),
                    predictions=_files(kept, lambda result: result.predictions),
                    map_scores=_files(kept, lambda result: result.map_scores),
                    result=result,
                    n_images=len(fov_ids) if fov_ids is not None else None,
                    n_marks=sum(n_marks_of.get(each, 0) for each in fov_ids) if fov_ids is not None else None,
                )
            )
    return found


def _learned_from(project: Project, run: Run) -> tuple[FovId, ...] | None:
    """FOVs that a finished run learned from; None where its model is missing, or of a version that did not say."""
    return _read_train_fovs(project.run_folder(run.id)) if run.status is RunStatus.FINISHED else None


@lru_cache(maxsize=MAX_CARDS)
def _read_train_fovs(folder: Path) -> tuple[FovId, ...] | None:
    """Read once: the card of a finished run never changes, and the runs are read anew at every event."""
    try:
        return tuple(FovId(each) for each in read_model_card(folder).train_fov_ids) or None
    except UserError:
        return None


def _settings_words(run: Run) -> tuple[str, str]:
    """What a run was trained on, and its network; a run of another version may not be readable any more."""
    try:
        settings = TrainClassifierSettings.model_validate_json(run.settings_json)
    except ValidationError:
        values = json.loads(run.settings_json)
        source = str(values.get("source", "")) if isinstance(values, dict) else ""
        return SOURCE_WORDS.get(source, source), ""
    if settings.source == "mix" and settings.set_name:
        return f"the set {settings.set_name} and real crops", settings.network.name
    return SOURCE_WORDS.get(settings.source, settings.source), settings.network.name


def _training_result(run: Run) -> TrainResult | None:
    if run.status is not RunStatus.FINISHED or not run.summary_json:
        return None
    try:
        return TrainResult.model_validate_json(run.summary_json)
    except ValidationError:
        return None


def _score(result: TrainResult | None) -> float | None:
    best = result.best if result is not None else {}
    return next((value for name, value in best.items() if "macro" in name), None)


@dataclass(frozen=True, slots=True)
class _Evaluation:
    """A result, and the folder of what the evaluation has kept."""

    result: EvaluateResult
    folder: Path


def _evaluations(project: Project, runs: Sequence[Run]) -> dict[str, dict[str, _Evaluation]]:
    """By training and split the newest one."""
    found: dict[str, dict[str, _Evaluation]] = {}
    for run in runs:
        if run.kind == "evaluate" and run.summary_json:
            try:
                result = EvaluateResult.model_validate_json(run.summary_json)
            except ValidationError:
                continue
            found.setdefault(result.run, {})[result.split] = _Evaluation(result, project.run_folder(run.id))
    return found


def _files(kept: Mapping[str, _Evaluation], name_of: Callable[[EvaluateResult], str]) -> dict[str, Path]:
    """A file of each evaluation, by split, where it has left one."""
    return {split: each.folder / name_of(each.result) for split, each in kept.items() if name_of(each.result)}


def _cams(project: Project, runs: Sequence[Run]) -> dict[str, dict[tuple[FovId, CamMethod], Path]]:
    found: dict[str, dict[tuple[FovId, CamMethod], Path]] = {}
    for run in runs:
        if run.kind == "explain" and run.summary_json:
            try:
                result = ExplainResult.model_validate_json(run.summary_json)
            except ValidationError:
                continue
            folder = project.run_folder(RunId(run.id))
            for each in result.fovs:
                found.setdefault(result.run, {})[FovId(each.fov), result.method] = folder / each.folder
    return found
