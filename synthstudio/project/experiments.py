"""Experiments: row <-> record."""

from __future__ import annotations

import sqlite3

from synthstudio.domain.errors import NotFound
from synthstudio.domain.records import Changes, Experiment, changes
from synthstudio.project.clock import now
from synthstudio.project.database import Database


def _record(row: sqlite3.Row) -> Experiment:
    return Experiment(
        name=row["name"],
        settings_json=row["settings_json"],
        project_state=row["project_state"],
        created_at=row["created_at"],
    )


class Experiments:
    """The plans of many runs, oldest first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self) -> list[Experiment]:
        """Return all experiments, oldest first."""
        return [_record(row) for row in self._database.rows("SELECT * FROM experiment ORDER BY created_at, name")]

    def find(self, name: str) -> Experiment | None:
        """Return one experiment, or None."""
        row = self._database.row("SELECT * FROM experiment WHERE name = ?", (name,))
        return _record(row) if row is not None else None

    def get(self, name: str) -> Experiment:
        """Return one experiment. Raises NotFound, naming those that exist."""
        found = self.find(name)
        if found is None:
            known = ", ".join(each.name for each in self.list()) or "none yet"
            raise NotFound(f"There is no experiment {name} in this project.", f"The experiments are: {known}.")
        return found

    def put(self, name: str, *, settings_json: str, project_state: str) -> Changes:
        """Record an experiment; one of this name takes on the settings and the state, and keeps its runs and date."""
        self._database.execute(
            "INSERT INTO experiment (name, settings_json, project_state, created_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET settings_json = excluded.settings_json,"
            " project_state = excluded.project_state",
            (name, settings_json, project_state, now()),
        )
        return changes("experiments")
