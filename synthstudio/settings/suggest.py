"""Settings of the suggest job."""

from typing import Literal

from pydantic import Field

from synthstudio.domain.records import Split
from synthstudio.settings.base import JobSettings


class SuggestSettings(JobSettings):
    """Let a trained classifier or detector suggest what to annotate: peaks of its CAM, or boxes."""

    kind: Literal["suggest"] = "suggest"

    run: str = Field("", title="Training run", json_schema_extra={"tier": "basic"})
    """Id of the training of a classifier or detector; empty means the newest finished one."""

    split: Split | None = Field(None, title="Split", json_schema_extra={"tier": "basic"})
    """Which FOVs to search, unless single ones are named. None: all that are not annotated completely yet, except those
    of the test split, which are best annotated without suggestions."""

    fovs: tuple[str, ...] = Field((), title="Fields of view", json_schema_extra={"tier": "basic"})
    """Names of the FOVs to search; empty means all of the split."""

    min_score: float = Field(
        0.1, ge=0.02, le=0.95, title="Least score", json_schema_extra={"tier": "advanced", "unit": "score"}
    )
    """What scores less is not kept. The threshold of a class, from which on suggestions are shown, is chosen later,
    and acts at once on what was kept. A peak of a CAM as high as the tuned threshold of its class scores one half."""

    again: bool = Field(False, title="Search again", json_schema_extra={"tier": "advanced"})
    """Also search FOVs that this model has searched before; what it finds there is the same, but for the least score.
    Suggestions that were judged stay as they are."""
