"""What the newest job of a kind does, or how it ended, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtWidgets import QWidget

from synthstudio.domain.records import Run, RunStatus
from synthstudio.gui.widgets.wrapped_label import WrappedLabel


@dataclass(frozen=True, slots=True)
class JobState:
    """Words about the newest job; empty where it has finished, or where there is none."""

    words: str = ""
    has_failed: bool = False


NO_JOB = JobState()


def newest_state(runs: Sequence[Run], *, noun: str, doing: str) -> JobState:
    """Put the last of some runs of a kind into words: `noun` is what it is, "check"; `doing` is said meanwhile."""
    if not runs:
        return NO_JOB
    run = runs[-1]
    match run.status:
        case RunStatus.QUEUED:
            return JobState(f"A {noun} waits for its turn.")
        case RunStatus.RUNNING:
            return JobState(doing)
        case RunStatus.FAILED:
            return JobState(f"The last {noun} failed: {run.message} {run.hint}".strip(), has_failed=True)
        case RunStatus.CANCELLED:
            return JobState(f"The last {noun} was cancelled.")
        case _:
            return NO_JOB


class JobStateLabel(WrappedLabel):
    """Says it, in the colour of trouble where it has failed; hidden where there is nothing to say."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("muted", parent)

    def show_state(self, state: JobState) -> None:
        """Say something else."""
        self.setText(state.words)
        self.setVisible(bool(state.words))
        self.setProperty("danger", state.has_failed)
        self.style().polish(self)
