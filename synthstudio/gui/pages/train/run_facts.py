"""What is known of the project's trainings, in words and figures: read once, shown by several panels. No widgets."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from synthstudio.domain.ids import FovId, RunId
from synthstudio.domain.records import Run, RunStatus, Split
from synthstudio.project import Project
from synthstudio.protocol.results import EvaluateResult, ExplainResult, TrainResult
from synthstudio.settings.train_classifier import TrainClassifierSettings

TRAINING_KIND = "train-classifier"
STATUS_WORDS = {
    RunStatus.QUEUED: "waiting",
    RunStatus.RUNNING: "running",
    RunStatus.FINISHED: "finished",
    RunStatus.CANCELLED: "cancelled",
    RunStatus.FAILED: "failed",
}
SOURCE_WORDS = {"synthetic": "composites", "real-crops": "real crops"}


@dataclass(frozen=True, slots=True)
class TrainingFacts:
    """One training run.

    Attributes:
        source: What it was trained on, in words.
        score: Macro F1 of its best checkpoint on validation, where it has one.
        evaluations: Newest result for each split.
        cams: Folder of the newest class activation maps of each FOV.
        can_resume: It ended early and left a checkpoint.
    """

    run: Run
    source: str
    network: str
    score: float | None
    evaluations: Mapping[str, EvaluateResult]
    cams: Mapping[FovId, Path]
    can_resume: bool

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
    evaluations = _evaluations(runs)
    cams = _cams(project, runs)
    found = []
    for run in reversed(runs):
        if run.kind == TRAINING_KIND:
            source, network = _settings_words(run)
            found.append(
                TrainingFacts(
                    run=run,
                    source=source,
                    network=network,
                    score=_score(run),
                    evaluations=evaluations.get(run.id, {}),
                    cams=cams.get(run.id, {}),
                    can_resume=run.status in (RunStatus.FAILED, RunStatus.CANCELLED)
                    and any((project.run_folder(run.id) / "checkpoints").glob("*.safetensors")),
                )
            )
    return found


def _settings_words(run: Run) -> tuple[str, str]:
    """What a run was trained on, and its network; a run of another version may not be readable any more."""
    try:
        settings = TrainClassifierSettings.model_validate_json(run.settings_json)
    except ValidationError:
        values = json.loads(run.settings_json)
        source = str(values.get("source", "")) if isinstance(values, dict) else ""
        return SOURCE_WORDS.get(source, source), ""
    return SOURCE_WORDS.get(settings.source, settings.source), settings.network.name


def _score(run: Run) -> float | None:
    if run.status is not RunStatus.FINISHED or not run.summary_json:
        return None
    try:
        best = TrainResult.model_validate_json(run.summary_json).best
    except ValidationError:
        return None
    return next((value for name, value in best.items() if "macro" in name), None)


def _evaluations(runs: Sequence[Run]) -> dict[str, dict[str, EvaluateResult]]:
    found: dict[str, dict[str, EvaluateResult]] = {}
    for run in runs:
        if run.kind == "evaluate" and run.summary_json:
            try:
                result = EvaluateResult.model_validate_json(run.summary_json)
            except ValidationError:
                continue
            found.setdefault(result.run, {})[result.split] = result
    return found


def _cams(project: Project, runs: Sequence[Run]) -> dict[str, dict[FovId, Path]]:
    found: dict[str, dict[FovId, Path]] = {}
    for run in runs:
        if run.kind == "explain" and run.summary_json:
            try:
                result = ExplainResult.model_validate_json(run.summary_json)
            except ValidationError:
                continue
            folder = project.run_folder(RunId(run.id))
            for each in result.fovs:
                found.setdefault(result.run, {})[FovId(each.fov)] = folder / each.folder
    return found
