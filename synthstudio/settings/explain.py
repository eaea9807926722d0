"""Settings of the explain job."""

from typing import Literal

from pydantic import Field

from synthstudio.domain.records import Split
from synthstudio.settings.base import JobSettings


class ExplainSettings(JobSettings):
    """Compute class activation maps of a trained classifier on whole FOVs, with their peaks."""

    kind: Literal["explain"] = "explain"

    run: str = Field("", title="Training run", json_schema_extra={"tier": "basic"})
    """Id of the training run; empty means the newest finished one."""

    split: Split = Field(Split.TEST, title="Split", json_schema_extra={"tier": "basic"})
    """Which FOVs to explain, unless single ones are named."""

    fovs: tuple[str, ...] = Field((), title="Fields of view", json_schema_extra={"tier": "basic"})
    """Names of the FOVs to explain; empty means all of the split."""
