"""What is said of a training. No widgets."""

from __future__ import annotations

from dataclasses import dataclass

from synthstudio.domain.records import RunStatus
from synthstudio.gui.pages.generate.trainings.facts import SettingsT, TrainingFacts


@dataclass(frozen=True, slots=True)
class TrainingWords:
    """The words of one kind.

    Attributes:
        id_prefix: Of its actions.
        name: What is trained, with its article.
        start: What the button says.
        nothing: Title of the page while there is no training.
        advice: What to do then.
    """

    id_prefix: str
    name: str
    start: str
    nothing: str
    advice: str


def waiting_words(facts: TrainingFacts[SettingsT]) -> str:
    """What stands in place of samples."""
    if facts.run.status is RunStatus.QUEUED:
        return "The training waits for its turn."
    if facts.is_open:
        return "The first samples come after a while; the settings say after how many steps."
    return "This training left no samples."


def state_words(facts: TrainingFacts[SettingsT] | None, stage: str) -> str:
    """How a training stands.

    Args:
        facts: The training; None for none.
        stage: What it is doing.
    """
    if facts is None:
        return ""
    match facts.run.status:
        case RunStatus.QUEUED:
            return "Waits for its turn."
        case RunStatus.RUNNING:
            return f"Running: {stage}." if stage else "Running."
        case RunStatus.CANCELLED:
            return "Stopped early. What it has learned so far can be used, and it can be gone on with."
        case RunStatus.FAILED:
            return "Failed." + (" It can be gone on with from its last checkpoint." if facts.can_resume else "")
    return "Finished."
