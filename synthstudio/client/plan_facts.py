"""What is known of a plan while it is carried out: how far it has come, and what it has found so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from synthstudio.client.experiment_times import Estimate
from synthstudio.domain.records import Experiment
from synthstudio.settings.base import JobSettings


class PlanTable(Protocol):
    """What a plan found."""

    @property
    def n_done(self) -> int:
        """Jobs that are finished."""

    @property
    def n_planned(self) -> int:
        """All jobs of the plan."""

    @property
    def failures(self) -> tuple[str, ...]:
        """What has failed, in words."""


S_co = TypeVar("S_co", bound=JobSettings, covariant=True)
Table_co = TypeVar("Table_co", bound=PlanTable, covariant=True)


@dataclass(frozen=True, slots=True)
class PlanFacts(Generic[S_co, Table_co]):
    """One plan, as far as it has come.

    Attributes:
        settings: The plan; None where another version wrote it, and then there is no table.
        time_left: For what is not done yet.
    """

    record: Experiment
    settings: S_co | None = None
    table: Table_co | None = None
    time_left: Estimate | None = None

    @property
    def name(self) -> str:
        return self.record.name

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to do."""
        return self.table is not None and self.table.n_done >= self.table.n_planned

    @property
    def line(self) -> str:
        """Name, when it began, how far it is."""
        moment = self.record.created_at[5:16].replace("T", " ")
        if self.table is None:
            return f"{self.name} · {moment} · of another version"
        done = "finished" if self.is_complete else f"{self.table.n_done} of {self.table.n_planned} jobs"
        return f"{self.name} · {moment} · {done}"
