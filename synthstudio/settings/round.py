"""Settings of a round: train on the annotations so far, score on the locked test images, suggest what is missing.

A round is no job. It is a plan of ordinary jobs, which `client.rounds` carries out one after another.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from synthstudio.settings.base import JobSettings, SettingsGroup
from synthstudio.settings.experiment import Task
from synthstudio.settings.train_classifier import TrainClassifierSettings
from synthstudio.settings.train_detector import TrainDetectorSettings


class RoundSettings(JobSettings):
    """Train on the annotations so far, score on the locked test images, and suggest what is not annotated yet."""

    kind: Literal["round"] = "round"

    name: str = Field("", max_length=60, pattern=r"^(?:[^\s/\\:][^/\\:]*)?$", title="Name")
    """What the round is called; empty: R1, R2 and so on. The name of an unfinished one goes on with it."""

    task: Task = Field("detector", title="Model", json_schema_extra={"tier": "basic"})
    """"detector": suggests boxes, and is scored by them. "classifier": suggests centres, the peaks of its class
    activation maps, and is scored by which classes it finds on crops; learns from centres alone."""

    classifier: TrainClassifierSettings = Field(
        default_factory=TrainClassifierSettings, title="Classifier", json_schema_extra={"leave_out": ["seed"]}
    )
    """How a classifier is trained; the seed is that of the round."""

    detector: TrainDetectorSettings = Field(
        default_factory=TrainDetectorSettings, title="Detector", json_schema_extra={"leave_out": ["seed"]}
    )
    """How a detector is trained; the seed is that of the round."""

    goes_on: bool = Field(False, title="Go on from the last round", json_schema_extra={"tier": "basic"})
    """A detector begins with the weights of the last round's, where both have the same network, instead of random ones:
    a part of the steps is then enough, so that suggestions come sooner."""

    later_steps: int = Field(
        0, ge=0, le=1_000_000, title="Steps of a later round", json_schema_extra={"tier": "advanced"}
    )
    """Steps of a training that goes on from the last round; 0 takes as many as the first one."""

    begins_with: str = Field("", title="Weights to begin with", json_schema_extra={"tier": "advanced"})
    """File of weights of a round that goes on from the last one; filled in when it is begun."""

    @property
    def training(self) -> TrainClassifierSettings | TrainDetectorSettings:
        """Settings of the round's training."""
        base = self.classifier if self.task == "classifier" else self._detector()
        return base.model_copy(update={"seed": self.seed})

    def _detector(self) -> TrainDetectorSettings:
        """How the detector of this very round is trained."""
        if not self.begins_with:
            return self.detector
        network, optimization = self.detector.network, self.detector.optimization
        changes: dict[str, SettingsGroup] = {"network": network.model_copy(update={"weights": self.begins_with})}
        if self.later_steps:
            changes["optimization"] = optimization.model_copy(update={"steps": self.later_steps})
        return self.detector.model_copy(update=changes)
