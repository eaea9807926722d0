"""What can be done with a training, as data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.pages.generate.trainings.sample_strip import SampleStrip
from synthstudio.gui.pages.generate.trainings.words import TrainingWords

MENU = "Generate"


class Panel(Protocol):
    """What the actions need of a panel."""

    samples: SampleStrip

    @property
    def can_start(self) -> bool: ...
    @property
    def can_stop(self) -> bool: ...
    @property
    def can_resume(self) -> bool: ...

    def start(self) -> None: ...
    def stop_early(self) -> None: ...
    def resume_training(self) -> None: ...


def training_specs(panel: Panel, words: TrainingWords) -> Sequence[ActionSpec]:
    """Starting, stopping, going on, and walking through the samples."""
    strip, prefix, name = panel.samples, words.id_prefix, words.name

    def has_samples() -> bool:
        return bool(strip.steps)

    return (
        ActionSpec(
            f"{prefix}train", words.start, panel.start, "Ctrl+Return", "mdi6.play", MENU, lambda: panel.can_start
        ),
        ActionSpec(
            f"{prefix}stop", f"Stop {name} early", panel.stop_early, "", "mdi6.stop", MENU, lambda: panel.can_stop
        ),
        ActionSpec(
            f"{prefix}resume",
            f"Resume {name}",
            panel.resume_training,
            "",
            "mdi6.play-pause",
            MENU,
            lambda: panel.can_resume,
        ),
        ActionSpec(
            f"{prefix}sample_back", "Samples before these", strip.go_back, "Left", "", MENU, has_samples, focus=strip
        ),
        ActionSpec(
            f"{prefix}sample_forth", "Samples after these", strip.go_forth, "Right", "", MENU, has_samples, focus=strip
        ),
        ActionSpec(
            f"{prefix}sample_first", "First samples", strip.go_first, "Home", "", MENU, has_samples, focus=strip
        ),
        ActionSpec(
            f"{prefix}sample_latest", "Follow the newest samples", strip.follow_latest, "End", "", MENU, focus=strip
        ),
    )
