"""Settings of the detect job."""

from typing import Literal

from pydantic import Field

from synthstudio.domain.records import Split
from synthstudio.settings.base import JobSettings


class DetectSettings(JobSettings):
    """Find objects on whole FOVs with a trained detector, and store their boxes and scores."""

    kind: Literal["detect"] = "detect"

    run: str = Field("", title="Training run", json_schema_extra={"tier": "basic"})
    """Id of the detector's training; empty means the newest finished one."""

    split: Split = Field(Split.TEST, title="Split", json_schema_extra={"tier": "basic"})
    """Which FOVs to search, unless single ones are named."""

    fovs: tuple[str, ...] = Field((), title="Fields of view", json_schema_extra={"tier": "basic"})
    """Names of the FOVs to search; empty means all of the split."""

    min_score: float = Field(
        0.05, ge=0.02, le=0.95, title="Least score", json_schema_extra={"tier": "advanced", "unit": "score"}
    )
    """Detections below this are not stored. The threshold of a class, above which they count, is chosen later, when
    they are looked at."""
