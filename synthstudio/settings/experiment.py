"""Settings of an experiment: trainings on several kinds of data, several seeds each, all scored on one test split.

An experiment is no job. It is a plan of ordinary jobs, which `client.experiment` carries out one after another.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from synthstudio.settings.base import JobSettings
from synthstudio.settings.complaints import complaint
from synthstudio.settings.train_classifier import TrainClassifierSettings
from synthstudio.settings.train_detector import TrainDetectorSettings

ArmName = Literal["real", "synthetic", "mix", "real-share"]
Task = Literal["classifier", "detector"]
ARMS: tuple[ArmName, ...] = ("real", "synthetic", "mix", "real-share")

FOLLOWS_FROM_ARM = ("seed", "source", "real_share", "real_limit")
"""Settings of a training that the arm and its seed decide."""

_SOURCES: dict[Task, dict[ArmName, str]] = {
    "classifier": {"real": "real-crops", "synthetic": "synthetic", "mix": "mix", "real-share": "real-crops"},
    "detector": {"real": "real-boxes", "synthetic": "synthetic", "mix": "mix", "real-share": "real-boxes"},
}


class ExperimentSettings(JobSettings):
    """Compare what a model learns from real images, from synthetic ones and from both, on one untouched test split."""

    kind: Literal["experiment"] = "experiment"

    name: str = Field(
        "comparison",
        min_length=1,
        max_length=60,
        pattern=r"^[^\s/\\:][^/\\:]*$",
        title="Name",
        json_schema_extra={"tier": "basic"},
    )
    """What the experiment is called. The runs carry the name; the same name goes on with what is unfinished."""

    arms: Annotated[tuple[ArmName, ...], Field(title="Trained on", json_schema_extra={"tier": "basic"})] = ()
    """What is compared; empty means all. "real": crops or boxes of real images. "synthetic": composites. "mix":
    composites with a share of real images among them. "real-share": that share of the real images alone, which tells
    what the composites add to it; the paper leaves it out."""

    real_share: float = Field(
        0.1, gt=0.0, lt=1.0, title="Share of real images", json_schema_extra={"tier": "basic", "unit": "share"}
    )
    """How many of the images of a mix are real, and how much of the real data the mix and the share alone may use.
    Paper: a tenth."""

    seeds: int = Field(3, ge=1, le=20, title="Seeds", json_schema_extra={"tier": "basic", "unit": "trainings"})
    """Trainings of each arm, each from other random numbers; the same ones for all arms. Their spread tells which
    differences are chance."""

    with_classifier: bool = Field(True, title="Classifier and its CAM", json_schema_extra={"tier": "basic"})
    """Train the weakly supervised classifier in every arm, and score its answers and its class activation maps."""

    with_detector: bool = Field(True, title="Detector", json_schema_extra={"tier": "basic"})
    """Train the detector in every arm, and score its boxes. Takes longer than the classifier."""

    n_explained: int = Field(
        2, ge=0, le=1000, title="Maps to look at", json_schema_extra={"tier": "basic", "unit": "images"}
    )
    """Test images on which every classifier's class activation maps are written, the same ones for all; the figures
    of the maps come from all test images."""

    classifier: TrainClassifierSettings = Field(
        default_factory=TrainClassifierSettings,
        title="Classifier",
        json_schema_extra={"leave_out": [*FOLLOWS_FROM_ARM]},
    )
    """How every classifier is trained; source and seed follow from the arm."""

    detector: TrainDetectorSettings = Field(
        default_factory=TrainDetectorSettings, title="Detector", json_schema_extra={"leave_out": [*FOLLOWS_FROM_ARM]}
    )
    """How every detector is trained; source and seed follow from the arm."""

    @field_validator("arms")
    @classmethod
    def _names_no_arm_twice(cls, arms: tuple[ArmName, ...]) -> tuple[ArmName, ...]:
        if len(set(arms)) < len(arms):
            raise ValueError("name each arm once")
        return arms

    @model_validator(mode="after")
    def _trains_something(self) -> Self:
        if not self.tasks:
            raise ValueError("choose the classifier, the detector or both")
        for base in (self.classifier, self.detector):
            fresh = type(base)()
            given = [name for name in FOLLOWS_FROM_ARM if getattr(base, name, None) != getattr(fresh, name, None)]
            if given:
                raise ValueError(f"{given[0]} of the {base.kind} follows from the arm: leave it out")
        self._refuse_impossible_trainings()
        return self

    def _refuse_impossible_trainings(self) -> None:
        """A training that cannot be is told before the night, not in the middle of it."""
        for task in self.tasks:
            for arm in self.chosen_arms:
                try:
                    self.training(task, arm, seed=self.seed)
                except ValidationError as error:
                    first = error.errors()[0]
                    place = ".".join(str(part) for part in first["loc"])
                    raise ValueError(f"the {task} of the arm {arm}: {place} {complaint(first)}") from error

    @property
    def chosen_arms(self) -> tuple[ArmName, ...]:
        """What is compared, in the order of the tables."""
        return self.arms or ARMS

    @property
    def tasks(self) -> tuple[Task, ...]:
        """What is trained in every arm."""
        chosen: list[Task] = []
        if self.with_classifier:
            chosen.append("classifier")
        if self.with_detector:
            chosen.append("detector")
        return tuple(chosen)

    @property
    def seed_numbers(self) -> tuple[int, ...]:
        """The seeds of the trainings of each arm."""
        return tuple(self.seed + number for number in range(self.seeds))

    def _source(self, task: Task, arm: ArmName) -> str:
        if task == "classifier" and arm == "synthetic" and self.classifier.set_name:
            return "stored-set"  # a mix knows by itself that the set stands in for composites made on the fly
        return _SOURCES[task][arm]

    def training(self, task: Task, arm: ArmName, *, seed: int) -> TrainClassifierSettings | TrainDetectorSettings:
        """Settings of one training of the plan."""
        base = self.classifier if task == "classifier" else self.detector
        values = base.model_dump(mode="json", exclude_none=True)
        values |= {"seed": seed, "source": self._source(task, arm)}
        if arm == "mix":
            values["real_share"] = self.real_share
        if arm in ("mix", "real-share"):
            values["real_limit"] = self.real_share
        return type(base).model_validate(values)
