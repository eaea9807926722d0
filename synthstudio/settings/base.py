"""What every settings model shares."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Tier = Literal["basic", "advanced"]
"""Basic settings are always shown; advanced ones behind a disclosure."""


class SettingsGroup(BaseModel):
    """A frozen group of settings; unknown keys are refused, attribute docstrings become the help text."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class JobSettings(SettingsGroup):
    """Settings of one job kind. Subclasses declare `kind: Literal["..."]`."""

    kind: str

    seed: Annotated[int, Field(ge=0, le=2**31 - 1, json_schema_extra={"tier": "basic"})] = 0
    """Seed of all randomness: the same settings, seed and project give the same result."""


def module_name(kind: str) -> str:
    """Name of the module, in settings/ and engine/jobs/, that belongs to a job kind."""
    return kind.replace("-", "_")
