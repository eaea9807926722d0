"""What is known of the project's detectors. No widgets."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError

from synthstudio.domain.records import Run, RunStatus, Split
from synthstudio.gui.pages.train.run_facts import STATUS_WORDS
from synthstudio.project import Project
from synthstudio.protocol.results import EvaluateDetectorResult, TrainDetectorResult
from synthstudio.settings.train_detector import TrainDetectorSettings

DETECTOR_KIND, EVALUATION_KIND = "train-detector", "evaluate-detector"
SOURCE_WORDS = {"synthetic": "composites", "real-boxes": "real boxes", "mix": "mix"}


@dataclass(frozen=True, slots=True)
class DetectorFacts:
    """One training of a detector.

    Attributes:
        settings: None where another version wrote it.
        best: Validation scores of the best checkpoint.
        evaluations: By split, the newest of each.
        can_resume: It ended early; its last checkpoint is there.
    """

    run: Run
    settings: TrainDetectorSettings | None
    best: dict[str, float | None]
    evaluations: dict[Split, EvaluateDetectorResult]
    can_resume: bool

    @property
    def source(self) -> str:
        """What it learned from, in words."""
        return SOURCE_WORDS[self.settings.source] if self.settings is not None else "another version"

    @property
    def line(self) -> str:
        """When it began, on what, how it stands."""
        moment = self.run.created_at[5:16].replace("T", " ")
        f1 = self.best.get("f1/macro")
        score = f" · F1 {f1:.3f} on validation" if f1 is not None else ""
        return f"{moment} · {self.source} · {STATUS_WORDS[self.run.status]}{score}"


def read_detectors(project: Project) -> list[DetectorFacts]:
    """Read all trainings of detectors, newest first."""
    evaluations: dict[str, dict[Split, EvaluateDetectorResult]] = {}
    for run in project.runs.list(kind=EVALUATION_KIND):
        try:
            result = EvaluateDetectorResult.model_validate_json(run.summary_json or "")
        except ValidationError:
            continue
        evaluations.setdefault(result.run, {})[Split(result.split)] = result
    runs = reversed(project.runs.list(kind=DETECTOR_KIND))
    return [_facts(project, run, evaluations.get(run.id, {})) for run in runs]


def _facts(project: Project, run: Run, evaluations: dict[Split, EvaluateDetectorResult]) -> DetectorFacts:
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
        can_resume=ended_early and has_checkpoint and settings is not None,
    )
