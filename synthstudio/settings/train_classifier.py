"""Settings of the train-classifier job."""

from typing import Literal

from pydantic import Field

from synthstudio.settings.base import JobSettings
from synthstudio.settings.compose import CompositionSettings, PatchSettings


class TrainClassifierSettings(JobSettings):
    """Train a weakly supervised classifier whose class activation maps point at the objects."""

    kind: Literal["train-classifier"] = "train-classifier"

    source: Literal["synthetic", "real-crops"] = Field("synthetic", title="Trained on", json_schema_extra={"tier": "basic"})
    """"synthetic": composites made on the fly from the clicked patches. "real-crops": sequential crops of the FOVs,
    each labelled present or absent per class from the annotations."""

    steps: int = Field(350, ge=1, le=1_000_000, title="Steps", json_schema_extra={"tier": "basic"})
    """Optimiser steps."""

    patches: PatchSettings = Field(default_factory=PatchSettings, title="Patches")
    """How patches are cut around the annotations."""

    composition: CompositionSettings = Field(default_factory=CompositionSettings, title="Composition")
    """How patches become an image."""
