"""What is known of the project's GAN trainings, in words and figures. No widgets."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from synthstudio.client.endings import has_checkpoint
from synthstudio.core.training.gan_card import CARD_NAME, WEIGHTS_NAME
from synthstudio.domain.records import Run, RunStatus
from synthstudio.project import Project
from synthstudio.settings.train_gan import TrainGanSettings

TRAINING_KIND = "train-gan"
EVENTS = "events.jsonl"
ENDED_EARLY = (RunStatus.CANCELLED, RunStatus.FAILED)
STATUS_WORDS = {
    RunStatus.QUEUED: "waiting",
    RunStatus.RUNNING: "running",
    RunStatus.CANCELLED: "stopped early",
    RunStatus.FAILED: "failed",
}


@dataclass(frozen=True, slots=True)
class GanFacts:
    """One training of a GAN.

    Attributes:
        settings: None where another version wrote them.
        has_generator: It can be asked for images.
        can_resume: It ended early and left a checkpoint.
    """

    run: Run
    settings: TrainGanSettings | None
    has_generator: bool
    can_resume: bool

    @property
    def is_open(self) -> bool:
        """Whether it waits or runs."""
        return self.run.status in (RunStatus.QUEUED, RunStatus.RUNNING)

    @property
    def title(self) -> str:
        """Its own title, or what it is."""
        side = f" {self.settings.crops.side} px" if self.settings is not None else ""
        return self.run.title if self.run.title not in ("", TRAINING_KIND) else f"GAN{side}"

    @property
    def line(self) -> str:
        """Title, steps, date, and how it stands where it has not simply finished."""
        steps = f" · {self.settings.optimization.steps:,} steps" if self.settings is not None else ""
        status = f" · {STATUS_WORDS[self.run.status]}" if self.run.status in STATUS_WORDS else ""
        return f"{self.title}{steps} · {self.run.created_at[5:16].replace('T', ' ')}{status}"


def read_gans(project: Project) -> list[GanFacts]:
    """Read the GAN trainings of which there is something to be seen, newest first."""
    found = [_facts(project, run) for run in reversed(project.runs.list(kind=TRAINING_KIND))]
    return [each for each in found if each.is_open or each.has_generator or each.can_resume]


def _facts(project: Project, run: Run) -> GanFacts:
    folder = project.run_folder(run.id)
    try:
        settings = TrainGanSettings.model_validate_json(run.settings_json)
    except ValidationError:
        settings = None
    return GanFacts(
        run=run,
        settings=settings,
        has_generator=(folder / WEIGHTS_NAME).is_file() and (folder / CARD_NAME).is_file(),
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
