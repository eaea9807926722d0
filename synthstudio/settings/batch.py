"""Settings of a batch: jobs and plans that are done one after another, over night for example.

A batch is no job. It is a list of recipes, which `client.batches` carries out.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, model_validator

from synthstudio.settings.base import JobSettings, SettingsGroup

RUN_KEY, REFERENCE = "run", "@"
"""The setting that names a run, and what begins its text where it is that of another job: `run = "@train"`. In other
settings, prompts for example, it is a letter like any other."""
SEED_MARK = "{seed}"
"""Stands in a text, the name of a set for example, for the seed of the job."""


class BatchJob(SettingsGroup):
    """One recipe of a batch."""

    name: str = Field(min_length=1, max_length=60, pattern=r"^[^\s@/\\:{}][^@/\\:{}]*$", title="Name")
    """What others refer to it by; a letter or digit first."""

    after: tuple[str, ...] = Field((), title="After")
    """Jobs that must have ended well before. Those whose runs the recipe refers to need not be named."""

    seeds: int = Field(1, ge=1, le=100, title="Seeds", json_schema_extra={"unit": "jobs"})
    """The job is done so many times, with its own seed and those that follow it. Jobs that refer to its run are done as
    often, each with the run of its seed."""

    file: str = Field("", title="Recipe file")
    """Where the recipe stands, from the folder of the batch file."""

    recipe: dict[str, JsonValue] = Field(default_factory=dict, title="Recipe")
    """The settings of the job or plan, `kind` included; with a file, what differs from it."""


class BatchSettings(JobSettings):
    """Several jobs one after another, each with its own recipe; a job may use what others have made."""

    kind: Literal["batch"] = "batch"

    name: str = Field("batch", min_length=1, max_length=60, pattern=r"^[^\s/\\:][^/\\:]*$", title="Name")
    """What the batch is called. The runs carry the name; the same name goes on with what is unfinished."""

    jobs: Annotated[tuple[BatchJob, ...], Field(min_length=1, max_length=500, title="Jobs")]
    """In the order in which they are done, as far as none waits for another."""

    @model_validator(mode="after")
    def _names_jobs_once(self) -> Self:
        names = [job.name for job in self.jobs]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"two jobs are called {twice}")
        return self
