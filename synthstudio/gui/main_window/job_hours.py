"""The hours of the clock in which jobs are begun: the night, for example, so that the day belongs to the viewer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta


@dataclass(frozen=True, slots=True)
class JobHours:
    """From `start` until `end` jobs run; an end before the start is on the next day.

    Attributes:
        stops_running: At the end the running job is stopped, to go on when the hours begin again; else it is let
            finish.
    """

    start: time
    end: time
    stops_running: bool = False

    def holds(self, moment: datetime) -> bool:
        """Whether jobs may run at a moment of the clock on the wall; the same start and end mean always."""
        now = moment.time()
        if self.start == self.end:
            return True
        if self.start < self.end:
            return self.start <= now < self.end
        return now >= self.start or now < self.end

    def next_change(self, moment: datetime) -> datetime:
        """The next moment at which they begin or end."""
        wanted = self.end if self.holds(moment) else self.start
        today = datetime.combine(moment.date(), wanted)
        return today if today > moment else today + timedelta(days=1)

    def text(self) -> str:
        """As it is kept in the preferences."""
        return f"{self.start:%H:%M}-{self.end:%H:%M}{' stop' if self.stops_running else ''}"


def read_hours(text: str) -> JobHours | None:
    """The hours of a kept text; None where there are none, or it is not one."""
    span, _, rest = text.partition(" ")
    first, _, last = span.partition("-")
    try:
        return JobHours(time.fromisoformat(first), time.fromisoformat(last), stops_running=rest == "stop")
    except ValueError:
        return None
