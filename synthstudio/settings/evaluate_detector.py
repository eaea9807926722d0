"""Settings of the evaluate-detector job."""

from typing import Literal

from pydantic import Field

from synthstudio.domain.records import Split
from synthstudio.settings.base import JobSettings


class EvaluateDetectorSettings(JobSettings):
    """Score a trained detector on held-out FOVs."""

    kind: Literal["evaluate-detector"] = "evaluate-detector"

    run: str = Field("", title="Training run", json_schema_extra={"tier": "basic"})
    """Id of the detector's training; empty means the newest finished one."""

    split: Split = Field(Split.TEST, title="Split", json_schema_extra={"tier": "basic"})
    """Which FOVs to score on."""

    intervals: bool = Field(True, title="Intervals", json_schema_extra={"tier": "advanced"})
    """Give 95 % intervals by resampling samples."""
