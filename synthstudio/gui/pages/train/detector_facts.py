"""What is known of the project's detectors. No widgets."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from synthstudio.core.evaluation.detected import find_detection_files
from synthstudio.domain.ids import FovId
from synthstudio.domain.records import Run, RunStatus, Split
from synthstudio.gui.pages.train.run_facts import STATUS_WORDS
from synthstudio.project import Project
from synthstudio.protocol.results import DetectResult, EvaluateDetectorResult, TrainDetectorResult
from synthstudio.settings.train_detector import TrainDetectorSettings

DETECTOR_KIND, EVALUATION_KIND, SEARCH_KIND = "train-detector", "evaluate-detector", "detect"
SOURCE_WORDS = {"synthetic": "composites", "real-boxes": "real boxes", "mix": "mix", "stored-set": "a stored set"}


@dataclass(frozen=True, slots=True)
class DetectorFacts:
    """One training of a detector.

    Attributes:
        settings: None where another version wrote it.
        best: Validation scores of the best checkpoint.
        evaluations: By split, the newest of each.
        detections: File with what it found on each field that it has searched, the newest of each.
        can_resume: It ended early; its last checkpoint is there.
        stored: File with every box of the newest evaluation, by split; missing where it kept none.
    """

    run: Run
    settings: TrainDetectorSettings | None
    best: dict[str, float | None]
    evaluations: dict[Split, EvaluateDetectorResult]
    detections: Mapping[FovId, Path]
    can_resume: bool
    stored: Mapping[Split, Path] = field(default_factory=dict)

    @property
    def is_finished(self) -> bool:
        """Whether there is a detector to use."""
        return self.run.status is RunStatus.FINISHED

    @property
    def source(self) -> str:
        """What it learned from, in words."""
        return SOURCE_WORDS[self.settings.source] if self.settings is not None else "another version"

    @property
    def words(self) -> str:
        """What it learned from, and its network."""
        return f"{self.source}, {self.settings.network.name}" if self.settings is not None else self.source

    @property
    def line(self) -> str:
        """When it began, what it is, how it stands."""
        moment = self.run.created_at[5:16].replace("T", " ")
        f1 = self.best.get("f1/macro")
        score = f" · F1 {f1:.3f} on validation" if f1 is not None else ""
        return f"{moment} · {self.words} · {STATUS_WORDS[self.run.status]}{score}"


def read_detectors(project: Project) -> list[DetectorFacts]:
    """Read all trainings of detectors, newest first."""
    evaluations: dict[str, dict[Split, EvaluateDetectorResult]] = {}
    stored: dict[str, dict[Split, Path]] = {}
    for run in project.runs.list(kind=EVALUATION_KIND):
        try:
            result = EvaluateDetectorResult.model_validate_json(run.summary_json or "")
        except ValidationError:
            continue
        evaluations.setdefault(result.run, {})[Split(result.split)] = result
        stored.setdefault(result.run, {}).pop(Split(result.split), None)
        if result.detections:
            stored[result.run][Split(result.split)] = project.run_folder(run.id) / result.detections
    searches = _read_searches(project)
    runs = reversed(project.runs.list(kind=DETECTOR_KIND))
    facts = [_facts(project, run, evaluations.get(run.id, {}), searches.get(run.id, {})) for run in runs]
    return [dataclasses.replace(each, stored=stored.get(each.run.id, {})) for each in facts]


def _read_searches(project: Project) -> dict[str, dict[FovId, Path]]:
    """Files of the fields that were searched or scored on, by detector; of several of one field the newest."""
    found: dict[str, dict[FovId, Path]] = {}
    for run in project.runs.list():
        detector = _searched_with(run)
        if detector is not None:
            found.setdefault(detector, {}).update(find_detection_files(project.run_folder(run.id)))
    return found


def _searched_with(run: Run) -> str | None:
    """The detector of a finished search or evaluation."""
    kinds: dict[str, type[DetectResult] | type[EvaluateDetectorResult]] = {
        SEARCH_KIND: DetectResult,
        EVALUATION_KIND: EvaluateDetectorResult,
    }
    kind = kinds.get(run.kind)
    try:
        return kind.model_validate_json(run.summary_json or "").run if kind is not None else None
    except ValidationError:
        return None


def _facts(
    project: Project, run: Run, evaluations: dict[Split, EvaluateDetectorResult], detections: dict[FovId, Path]
) -> DetectorFacts:
    try:
        settings = TrainDetectorSettings.model_validate_json(run.settings_json)
    except ValidationError:
        settings = None
    try:
        best = TrainDetectorResult.model_validate_json(run.summary_json or "").best
    except ValidationError:
        best = {}
    ended_early = run.status in (RunStatus.FAILED, RunStatus.CANCELLED)
    has_checkpoint = (project.run_folder(run.id) / "checkpoints" / "last.safetensors").is_file()
    return DetectorFacts(
        run=run,
        settings=settings,
        best=best,
        evaluations=evaluations,
        detections=detections,
        can_resume=ended_early and has_checkpoint and settings is not None,
    )
