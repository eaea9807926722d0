"""What a batch has come to, as one table: a line for each of its steps."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from synthstudio.client.batches import BatchCourse, StepState, StepStatus
from synthstudio.domain.records import Run, RunStatus
from synthstudio.project import Project
from synthstudio.protocol.results import (
    AnyResult,
    ComposeResult,
    EvaluateDetectorResult,
    EvaluateResult,
    GenerateResult,
    JobResult,
    MeasureResult,
    QualityResult,
    TrainingResult,
    UpscaleResult,
)

_UNTOUCHED = (StepStatus.READY, StepStatus.WAITING, StepStatus.LEFT_OUT)
_results: TypeAdapter[JobResult] = TypeAdapter(AnyResult)


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One step in words.

    Attributes:
        outcome: Its most telling figures, or why it is not finished.
        run: Id of its run; empty for a plan, and where it was not begun.
    """

    title: str
    kind: str
    status: StepStatus
    n_done: int
    n_jobs: int
    seconds: float | None
    outcome: str
    run: str


@dataclass(frozen=True, slots=True)
class BatchTable:
    """All steps of a batch."""

    name: str
    rows: tuple[BatchRow, ...]

    @property
    def n_done(self) -> int:
        """Jobs that are finished."""
        return sum(row.n_done for row in self.rows)

    @property
    def n_jobs(self) -> int:
        """Jobs that there are."""
        return sum(row.n_jobs for row in self.rows)

    @property
    def is_begun(self) -> bool:
        """Whether something of it was done, or tried."""
        return any(row.status not in _UNTOUCHED for row in self.rows)

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left."""
        return all(row.status is StepStatus.FINISHED for row in self.rows)

    @property
    def seconds(self) -> float:
        """What its finished jobs took together."""
        return sum(row.seconds or 0.0 for row in self.rows)


def build_batch_table(project: Project, course: BatchCourse) -> BatchTable:
    """Read how far a batch has come."""
    return BatchTable(course.name, tuple(_row(state) for state in course.read(project)))


def _row(state: StepState) -> BatchRow:
    return BatchRow(
        title=state.step.title,
        kind=state.step.kind,
        status=state.status,
        n_done=state.n_done,
        n_jobs=state.n_jobs,
        seconds=state.seconds,
        outcome=_outcome(state),
        run=state.run.id if state.run is not None else "",
    )


def _outcome(state: StepState) -> str:
    if state.status is StepStatus.WAITING:
        return f"waits for {state.needs}"
    if state.status is StepStatus.LEFT_OUT:
        return f"{state.needs} has failed"
    if state.run is not None:
        return result_words(state.run)
    failed = next((run.message for run in state.runs if run.status is RunStatus.FAILED), "")
    return failed or (f"{state.n_done} of {state.n_jobs} jobs" if state.runs else "")


def result_words(run: Run) -> str:
    """The most telling figures of a run, or why it did not finish, in a few words."""
    if run.status is not RunStatus.FINISHED:
        return run.message
    try:
        result = _results.validate_json(run.summary_json)
    except ValidationError:  # written by another version
        return ""
    return _figures(result) or _counts(result)


def _figures(result: JobResult) -> str:
    """The scores of a result, the first three of them."""
    figures: list[tuple[str, float | None]] = []
    if isinstance(result, EvaluateResult):
        figures = [
            ("macro F1", result.classification.macro_f1),
            ("pointing", result.localization.pointing_accuracy),
        ]
    elif isinstance(result, EvaluateDetectorResult):
        figures = [("macro F1", result.macro_f1), ("AP50", result.map50)]
    elif isinstance(result, MeasureResult):
        figures = [(name.upper(), each.mean) for name, each in result.overall.figures.items() if name in ("fid", "kid")]
    elif isinstance(result, TrainingResult):
        telling = [name for name in result.best if name.endswith("/macro")] or [
            name for name in result.best if name != "step"
        ]
        words = {name: name.removesuffix("/macro").replace("/", " ").replace("_", " ") for name in telling}
        figures = [(word.replace("f1", "F1").replace("auc", "AUC"), result.best[name]) for name, word in words.items()]
    return ", ".join([f"{name} {_number(value)}" for name, value in figures if value is not None][:3])


def _number(value: float) -> str:
    """Scores with three digits after the point; larger figures, distances and losses, with four in all."""
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.4g}"


def _counts(result: JobResult) -> str:
    if isinstance(result, ComposeResult | GenerateResult | UpscaleResult):
        return f"{result.n_images} images"
    if isinstance(result, QualityResult):
        found = [f"{count} {severity}s" for severity, count in result.n_by_severity.items() if count]
        return ", ".join(found) or "nothing found"
    return ""


def took_words(seconds: float | None) -> str:
    """How long something took, short enough for a column."""
    if seconds is None:
        return ""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def batch_json(table: BatchTable) -> dict[str, object]:
    """The table as one object, as commands print it."""
    steps = [
        {
            "job": row.title,
            "kind": row.kind,
            "status": row.status.value,
            "done": row.n_done,
            "jobs": row.n_jobs,
            "seconds": row.seconds,
            "outcome": row.outcome,
            "run": row.run,
        }
        for row in table.rows
    ]
    return {"batch": table.name, "done": table.n_done, "jobs": table.n_jobs, "seconds": table.seconds, "steps": steps}
