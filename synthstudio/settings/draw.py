"""Settings of the draw job: the standing engine behind the map editor. No recipe and no command: nothing is kept."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from synthstudio.settings.base import JobSettings


class DrawSettings(JobSettings):
    """Make images of a GAN from the maps that are sent while it runs."""

    kind: Literal["draw"] = "draw"

    run: str = Field(title="Run", json_schema_extra={"tier": "basic"})
    """Run of the train-gan job whose generator draws."""
