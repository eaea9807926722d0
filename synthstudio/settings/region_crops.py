"""How crops are cut around regions of interest, whatever learns from them."""

from __future__ import annotations

from typing import Literal, Protocol, Self

from pydantic import Field, model_validator

from synthstudio.settings.base import SettingsGroup


class WindowSettings(SettingsGroup):
    """How windows around the regions of interest are drawn; each kind of training says which sides it takes."""

    side: str = Field("128", title="Side", json_schema_extra={"tier": "basic", "unit": "px"})
    """Side of the crops, and of the images that are learned from them."""

    least_share: float = Field(
        0.25,
        gt=0.0,
        le=1.0,
        title="Least share of a region",
        json_schema_extra={"tier": "basic", "unit": "of the side"},
    )
    """The window around a region, or a group of them, is drawn so large that their longer side takes at least this
    share of it."""

    most_share: float = Field(
        0.75, gt=0.0, le=1.0, title="Most", json_schema_extra={"tier": "basic", "unit": "of the side"}
    )
    """The same, at most. The window lies at random, with its regions inside."""

    group_distance: float = Field(
        0.5, ge=0.0, le=10.0, title="Neighbours within", json_schema_extra={"tier": "advanced", "unit": "region sides"}
    )
    """Regions whose gap is at most this many times the longer side of the nearer one are cut as one group."""

    crops_per_fov: int = Field(
        4, ge=1, le=1000, title="Crops per image", json_schema_extra={"tier": "basic", "unit": "windows"}
    )
    """Windows that are drawn around the regions of each image."""

    max_enlargement: float = Field(
        2.0, ge=1.0, le=16.0, title="Greatest enlargement", json_schema_extra={"tier": "advanced", "unit": "times"}
    )
    """A small region is not enlarged beyond this: its window takes in more of what lies around it. Only an image with
    fewer pixels is enlarged more; nothing is made up around it."""

    unknown_tone: Literal["leave-out", "own-level"] = Field(
        "own-level", title="Images without a tone", json_schema_extra={"tier": "advanced"}
    )
    """"own-level": they are learned under a level of their own, so that the known tones stay clean. "leave-out": they
    are not used."""

    @model_validator(mode="after")
    def _shares_are_a_range(self) -> Self:
        if self.least_share > self.most_share:
            raise ValueError(
                f"least share of a region ({self.least_share:g}) must not be more than the most ({self.most_share:g})"
            )
        return self

    @property
    def side_px(self) -> int:
        """The side as a number."""
        return int(self.side)


class RegionLearning(Protocol):
    """What the crops of a training follow from, besides the project."""

    @property
    def classes(self) -> tuple[str, ...]: ...
    @property
    def crops(self) -> WindowSettings: ...
    @property
    def validation_share(self) -> float: ...
    @property
    def seed(self) -> int: ...
