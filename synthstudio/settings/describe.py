"""Settings of the describe job: what are the pictures of a data set like?"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from synthstudio.settings.base import JobSettings


class DescribeSettings(JobSettings):
    """Measure light, contrast, colour and sharpness of every image, for the charts. Images that an earlier job has
    looked at are not decoded again."""

    kind: Literal["describe"] = "describe"

    set_name: str = Field("", title="Set", json_schema_extra={"tier": "basic"})
    """Name of a synthetic set whose images are measured; empty measures those of the project."""
