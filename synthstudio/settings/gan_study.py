"""Settings of a study of GANs: trainings that differ in one thing, or in the weights of their losses, all measured
alike.

A study is no job. It is a plan of ordinary jobs, which `client.gan_study` carries out one after another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from synthstudio.domain.records import Split
from synthstudio.settings.base import JobSettings
from synthstudio.settings.complaints import complaint
from synthstudio.settings.grids import Choices, GridAxis, GridRules, combinations, grid_lines, put_value
from synthstudio.settings.measure import MeasureSettings
from synthstudio.settings.schema import SettingSpec, setting_specs
from synthstudio.settings.train_gan import TrainGanSettings

PartName = Literal["checkerboard-mitigation", "region-loss", "feature-matching"]
PARTS: Mapping[PartName, tuple[str, str]] = MappingProxyType(
    {
        "checkerboard-mitigation": ("network.upsampling", "transposed"),
        "region-loss": ("losses.region", "0"),
        "feature-matching": ("losses.features", "0"),
    }
)
"""What an ablation can leave out: the setting that does it, and its value."""
MAX_VARIANTS = 100
FULL = "full"
FOLLOWS_FROM_VARIANT = ("seed",)
FOLLOWS_FROM_TRAINING = ("seed", "run", "set_name")


@dataclass(frozen=True, slots=True)
class Variant:
    """One kind of training of a study.

    Attributes:
        key: Tells it from the others.
        title: In words, for tables.
        choices: Settings in which it differs from the training that the study is about.
    """

    key: str
    title: str
    choices: Choices = ()


class StudyMeasureSettings(MeasureSettings):
    """How the GANs of a study are measured."""

    split: Split = Field(Split.VAL, title="Real images", json_schema_extra={"tier": "basic"})
    """Which real images stand on the other side. Who chooses by the test split has no unseen images left to measure
    the chosen one on."""


class GanStudySettings(JobSettings):
    """Find out what each part of the GAN is good for, or which weights of its losses are best: train one for every
    variant and seed, and measure all of them against the same real images."""

    kind: Literal["gan-study"] = "gan-study"

    name: str = Field(
        "ablation",
        min_length=1,
        max_length=60,
        pattern=r"^[^\s/\\:][^/\\:]*$",
        title="Name",
        json_schema_extra={"tier": "basic"},
    )
    """What the study is called. The runs carry the name; the same name goes on with what is unfinished."""

    study: Literal["ablation", "grid"] = Field("ablation", title="Study", json_schema_extra={"tier": "basic"})
    """"ablation": the training as it is, and each time without one of its parts, as in the paper. "grid": every
    combination of the values that are named."""

    without: Annotated[tuple[PartName, ...], Field(title="Left out", json_schema_extra={"tier": "basic"})] = ()
    """Parts that an ablation leaves out, one at a time; empty means all three."""

    grid: Annotated[
        tuple[str, ...], Field(title="Values to try", json_schema_extra={"tier": "basic", "entries": "lines"})
    ] = ("losses.region=30, 100, 300", "losses.features=0, 10, 30")
    """What a grid varies: "setting=value, value"; every combination is a variant. Weights of the losses, and settings
    of the networks and of the training except the precision, may stand here."""

    seeds: int = Field(1, ge=1, le=20, title="Seeds", json_schema_extra={"tier": "basic", "unit": "trainings"})
    """Trainings of each variant, each from other random numbers; the same ones for all variants. Their spread tells
    which differences are chance."""

    training: TrainGanSettings = Field(
        default_factory=TrainGanSettings,
        title="GAN",
        json_schema_extra={"leave_out": [*FOLLOWS_FROM_VARIANT]},
    )
    """How every GAN is trained where the variant says nothing else."""

    measure: StudyMeasureSettings = Field(
        default_factory=StudyMeasureSettings,
        title="Measuring",
        json_schema_extra={"leave_out": [*FOLLOWS_FROM_TRAINING]},
    )
    """How every trained GAN is measured."""

    @field_validator("without")
    @classmethod
    def _names_no_part_twice(cls, parts: tuple[PartName, ...]) -> tuple[PartName, ...]:
        if len(set(parts)) < len(parts):
            raise ValueError("name each part once")
        return parts

    @field_validator("grid")
    @classmethod
    def _grid_can_be_read(cls, grid: tuple[str, ...]) -> tuple[str, ...]:
        _rules().read(grid, at_most=MAX_VARIANTS)
        return grid

    @model_validator(mode="after")
    def _can_be_carried_out(self) -> Self:
        for base, names in ((self.training, FOLLOWS_FROM_VARIANT), (self.measure, FOLLOWS_FROM_TRAINING)):
            fresh = type(base)()
            given = [name for name in names if getattr(base, name) != getattr(fresh, name)]
            if given:
                raise ValueError(f"{given[0]} of {base.kind} follows from the study: leave it out")
        if self.study == "grid" and not self.grid:
            raise ValueError("a grid needs values to try")
        for variant in self.variants:
            self._refuse_impossible(variant)
        return self

    def _refuse_impossible(self, variant: Variant) -> None:
        """A training that cannot be is told before the night, not in the middle of it."""
        try:
            training = self.train(variant, seed=self.seed)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise ValueError(f"{variant.title}: {place} {complaint(first)}") from error
        if self.study == "ablation" and variant.choices and training == self.train(Variant(FULL, ""), seed=self.seed):
            raise ValueError(f"the training has no {_words(variant.key)}: there is nothing to leave out")

    @property
    def axes(self) -> tuple[GridAxis, ...]:
        """The grid, read."""
        return _rules().read(self.grid, at_most=MAX_VARIANTS)

    @property
    def variants(self) -> tuple[Variant, ...]:
        """What is compared, in the order of the tables."""
        if self.study == "grid":
            return tuple(_grid_variant(choices) for choices in combinations(self.axes))
        parts = self.without or tuple(PARTS)
        return (Variant(FULL, "Full"), *(Variant(part, f"Without {_words(part)}", (PARTS[part],)) for part in parts))

    @property
    def seed_numbers(self) -> tuple[int, ...]:
        """The seeds of the trainings of each variant."""
        return tuple(self.seed + number for number in range(self.seeds))

    def train(self, variant: Variant, *, seed: int) -> TrainGanSettings:
        """Settings of one training of the plan. Raises ValidationError where the values do not go together."""
        values: dict[str, object] = self.training.model_dump(mode="json", exclude_none=True) | {"seed": seed}
        for path, value in variant.choices:
            put_value(values, path, value)
        return TrainGanSettings.model_validate(values)

    def measuring(self, run: str, *, seed: int) -> MeasureSettings:
        """Settings of the measuring of one training."""
        values = self.measure.model_dump(mode="json", exclude_none=True)
        return MeasureSettings.model_validate(values | {"run": run, "seed": seed})


def grid_offers() -> tuple[tuple[str, str], ...]:
    """Lines that the grid of a study may have, and words for them."""
    return grid_lines(_varied_specs())


def _words(part: str) -> str:
    return part.replace("-", " ")


def _grid_variant(choices: Choices) -> Variant:
    key = ", ".join(f"{path}={value}" for path, value in choices)
    words = ", ".join(f"{path.rsplit('.', 1)[-1].replace('_', ' ')} {value}" for path, value in choices)
    return Variant(key, words[:1].upper() + words[1:], choices)


def _rules() -> GridRules:
    return GridRules(TrainGanSettings, _varied_specs, "losses, network or optimization")


def _varied_specs() -> Sequence[SettingSpec]:
    """The settings that a grid may vary: nothing that changes the crops, on which all are scored."""
    return [
        spec
        for spec in setting_specs(TrainGanSettings)
        if spec.path[0] in ("losses", "network", "optimization")
        and spec.kind in ("int", "float", "bool", "choice")
        and spec.name not in ("optimization.precision", "optimization.sample_every")
    ]
