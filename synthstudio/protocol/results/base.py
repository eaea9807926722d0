"""What all results share."""

from pydantic import BaseModel, ConfigDict

Interval = tuple[float, float]


class JobResult(BaseModel):
    """Base of all results."""

    model_config = ConfigDict(frozen=True, extra="forbid")
