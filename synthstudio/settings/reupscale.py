"""Settings of the reupscale job: enlarging a set once more, to prove it. No recipe and no command: nothing is kept."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from synthstudio.settings.base import JobSettings


class ReupscaleSettings(JobSettings):
    """Enlarge the images of a set again as its header says, into the folder of the run, one after another."""

    kind: Literal["reupscale"] = "reupscale"

    set_name: str = Field(title="Set", json_schema_extra={"tier": "basic"})
    """Name of the enlarged set."""
