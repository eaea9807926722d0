"""Settings of the evaluate job."""

from typing import Literal

from pydantic import Field

from synthstudio.domain.records import Split
from synthstudio.settings.base import JobSettings


class EvaluateSettings(JobSettings):
    """Score a trained classifier on real FOVs of one split: presence per class, and where its CAM lies."""

    kind: Literal["evaluate"] = "evaluate"

    run: str = Field("", title="Training run", json_schema_extra={"tier": "basic"})
    """Id of the training run; empty means the newest finished one."""

    split: Split = Field(Split.TEST, title="Split", json_schema_extra={"tier": "basic"})
    """Which FOVs to score on. Only the test split was never seen by the training or its thresholds."""

    intervals: bool = Field(True, title="Confidence intervals", json_schema_extra={"tier": "advanced"})
    """Give 95 % intervals from resampling samples (patients), not images."""
