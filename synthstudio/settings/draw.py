"""Settings of the draw job: the standing engine that makes one image after another. No recipe, no command: nothing is
kept."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from synthstudio.settings.base import JobSettings
from synthstudio.settings.generate import SamplingPrecision


class DrawSettings(JobSettings):
    """Make images of a generator from the maps or prompts that are sent while it runs."""

    kind: Literal["draw"] = "draw"

    run: str = Field("", title="Run", json_schema_extra={"tier": "basic"})
    """Run whose generator draws; empty for a local model."""

    model: str = Field("", title="Local model", json_schema_extra={"tier": "basic"})
    """Name or path of a local Stable Diffusion, where no run is named."""

    checkpoint: int = Field(0, ge=0, title="Checkpoint", json_schema_extra={"tier": "basic", "unit": "steps"})
    """Step of a training on guide images; 0 for the last."""

    precision: SamplingPrecision = Field("auto", title="Precision", json_schema_extra={"tier": "advanced"})
    """Arithmetic of a model that reads prompts."""

    threads: int = Field(0, ge=0, title="Threads", json_schema_extra={"tier": "advanced", "unit": "threads"})
    """Threads of the processor; 0 for as many as there are."""
