"""What is known of a project's trainings of one kind, in words and figures. No widgets."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import ValidationError

from synthstudio.client.endings import has_checkpoint
from synthstudio.domain.records import Run, RunStatus
from synthstudio.project import Project
from synthstudio.settings.base import JobSettings

EVENTS = "events.jsonl"
ENDED_EARLY = (RunStatus.CANCELLED, RunStatus.FAILED)
STATUS_WORDS = {
    RunStatus.QUEUED: "waiting",
    RunStatus.RUNNING: "running",
    RunStatus.CANCELLED: "stopped early",
    RunStatus.FAILED: "failed",
}
SettingsT = TypeVar("SettingsT", bound=JobSettings)


@dataclass(frozen=True, slots=True)
class TrainingKind(Generic[SettingsT]):
    """One kind of training.

    Attributes:
        settings_class: Its settings.
        title_of: What a training without a title is called; of None where another version wrote its settings.
        steps_of: How many steps it makes.
        has_weights: Whether what is in a run's folder can be asked for images.
    """

    settings_class: type[SettingsT]
    title_of: Callable[[SettingsT | None], str]
    steps_of: Callable[[SettingsT], int]
    has_weights: Callable[[Path], bool]

    @property
    def kind(self) -> str:
        """Its name, as runs carry it."""
        return str(self.settings_class.model_fields["kind"].default)


@dataclass(frozen=True, slots=True)
class TrainingFacts(Generic[SettingsT]):
    """One training.

    Attributes:
        settings: None where another version wrote them.
        title: Its own title, or what it is.
        n_steps: How many steps it makes, where that is known.
        is_usable: It can be asked for images.
        can_resume: It ended early and left a checkpoint.
    """

    run: Run
    settings: SettingsT | None
    title: str
    n_steps: int | None
    is_usable: bool
    can_resume: bool

    @property
    def is_open(self) -> bool:
        """Whether it waits or runs."""
        return self.run.status in (RunStatus.QUEUED, RunStatus.RUNNING)

    @property
    def line(self) -> str:
        """Title, steps, date, and how it stands where it has not simply finished."""
        steps = f" · {self.n_steps:,} steps" if self.n_steps is not None else ""
        status = f" · {STATUS_WORDS[self.run.status]}" if self.run.status in STATUS_WORDS else ""
        return f"{self.title}{steps} · {self.run.created_at[5:16].replace('T', ' ')}{status}"


def read_trainings(project: Project, kind: TrainingKind[SettingsT]) -> list[TrainingFacts[SettingsT]]:
    """Read the trainings of which there is something to be seen, newest first."""
    found = [_facts(project, run, kind) for run in reversed(project.runs.list(kind=kind.kind))]
    return [each for each in found if each.is_open or each.is_usable or each.can_resume]


def _facts(project: Project, run: Run, kind: TrainingKind[SettingsT]) -> TrainingFacts[SettingsT]:
    folder = project.run_folder(run.id)
    try:
        settings = kind.settings_class.model_validate_json(run.settings_json)
    except ValidationError:
        settings = None
    return TrainingFacts(
        run=run,
        settings=settings,
        title=run.title if run.title not in ("", kind.kind) else kind.title_of(settings),
        n_steps=kind.steps_of(settings) if settings is not None else None,
        is_usable=kind.has_weights(folder),
        can_resume=run.status in ENDED_EARLY and has_checkpoint(folder),
    )


def read_warnings(folder: Path) -> tuple[str, ...]:
    """What a run warned of, each sentence once, in the order in which it was first said."""
    try:
        with (folder / EVENTS).open(encoding="utf-8") as stream:
            lines = [line for line in stream if '"warning"' in line]
    except OSError:  # it has not begun
        return ()
    found: list[str] = []
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:  # the power went while it was written
            continue
        if isinstance(event, dict) and event.get("event") == "warning":
            found.append(str(event.get("text", "")))
    return tuple(dict.fromkeys(found))
