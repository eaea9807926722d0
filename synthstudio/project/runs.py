"""Runs and their metrics: row <-> record."""

from __future__ import annotations

import secrets
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from synthstudio.domain.errors import NotFound
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import Changes, Metric, Run, RunStatus, changes
from synthstudio.project.clock import now
from synthstudio.project.database import Database

Curve = list[tuple[int, float]]
"""(step, value) pairs by rising step."""


def _record(row: sqlite3.Row) -> Run:
    return Run(
        id=RunId(row["id"]),
        kind=row["kind"],
        status=RunStatus(row["status"]),
        title=row["title"],
        settings_json=row["settings_json"],
        summary_json=row["summary_json"],
        message=row["message"],
        hint=row["hint"],
        created_at=row["created_at"],
        finished_at=row["finished_at"],
        experiment=row["experiment"] or "",
    )


def new_run_id(kind: str) -> RunId:
    """Return an id that sorts by time and is a safe folder name, `20261121-103205-compose-4f1a`."""
    moment = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    return RunId(f"{moment}-{kind}-{secrets.token_hex(2)}")


class Runs:
    """The executions of jobs, newest last."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_experiment(self, name: str) -> list[Run]:
        """Return the runs of an experiment, oldest first."""
        rows = self._database.rows("SELECT * FROM run WHERE experiment = ? ORDER BY created_at, id", (name,))
        return [_record(row) for row in rows]

    def list(self, *, kind: str | None = None) -> list[Run]:
        """Return the runs, of one kind where it is named, oldest first."""
        if kind is None:
            return [_record(row) for row in self._database.rows("SELECT * FROM run ORDER BY created_at, id")]
        rows = self._database.rows("SELECT * FROM run WHERE kind = ? ORDER BY created_at, id", (kind,))
        return [_record(row) for row in rows]

    def get(self, run_id: RunId) -> Run:
        """Return one run. Raises NotFound, naming the runs that exist."""
        row = self._database.row("SELECT * FROM run WHERE id = ?", (run_id,))
        if row is None:
            newest = ", ".join(run.id for run in self.list()[-5:]) or "none yet"
            raise NotFound(f"There is no run {run_id} in this project.", f"The newest runs are: {newest}.")
        return _record(row)

    def find_named(self, run: str, *, kinds: Collection[str]) -> Run:
        """Return the run that a user has named, which must be of one of these kinds.

        Raises:
            NotFound: There is none of this id, or it is of another kind; the newest fitting ones are named.
        """
        row = self._database.row("SELECT * FROM run WHERE id = ?", (run,))
        if row is not None and row["kind"] in kinds:
            return _record(row)
        fitting = [each.id for each in self.list() if each.kind in kinds and each.status is RunStatus.FINISHED]
        hint = f"Finished runs of that kind: {', '.join(fitting[-5:]) or 'none yet'}."
        if row is None:
            raise NotFound(f"There is no run {run} in this project.", hint)
        raise NotFound(f"The run {run} is of the kind {row['kind']}, not {' or '.join(sorted(kinds))}.", hint)

    def add(self, run_id: RunId, *, kind: str, title: str, settings_json: str, experiment: str = "") -> Changes:
        """Record that a run has been asked for, as a part of an experiment where one is named."""
        self._database.execute(
            "INSERT INTO run (id, kind, status, title, settings_json, created_at, experiment)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (run_id, kind, RunStatus.QUEUED, title, settings_json, now(), experiment or None),
        )
        return changes("runs")

    def set_running(self, run_id: RunId) -> Changes:
        """Record that a run has begun, or has begun again."""
        self._database.execute(
            "UPDATE run SET status = ?, message = '', hint = '', finished_at = '' WHERE id = ?",
            (RunStatus.RUNNING, run_id),
        )
        return changes("runs")

    def set_queued(self, run_id: RunId) -> Changes:
        """Record that a run waits for its turn, or for its turn to go on."""
        self._database.execute(
            "UPDATE run SET status = ?, message = '', hint = '', finished_at = '' WHERE id = ?",
            (RunStatus.QUEUED, run_id),
        )
        return changes("runs")

    def set_ended(
        self, run_id: RunId, status: RunStatus, *, summary_json: str = "", message: str = "", hint: str = ""
    ) -> Changes:
        """Record how a run ended."""
        self._database.execute(
            "UPDATE run SET status = ?, summary_json = ?, message = ?, hint = ?, finished_at = ? WHERE id = ?",
            (status, summary_json, message, hint, now(), run_id),
        )
        return changes("runs")

    def fail_interrupted(self) -> tuple[RunId, ...]:
        """Mark runs that a vanished process left running as failed; return which.

        What waited in a window's queue goes on waiting, but for parts of a plan: a plan that is gone on with begins
        them anew.
        """
        interrupted = self._database.rows(
            "SELECT id FROM run WHERE status = ? OR (status = ? AND experiment IS NOT NULL) ORDER BY created_at, id",
            (RunStatus.RUNNING, RunStatus.QUEUED),
        )
        for row in interrupted:
            self.set_ended(
                RunId(row["id"]),
                RunStatus.FAILED,
                message="The application ended before this run did.",
                hint="Start it again; a training or a recipe search can be resumed.",
            )
        return tuple(RunId(row["id"]) for row in interrupted)

    def add_metrics(self, logged: Sequence[Metric]) -> Changes:
        """Store logged values; a value logged again at the same step replaces the earlier one."""
        self._database.execute_many(
            "INSERT INTO metric (run_id, name, step, value) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (run_id, name, step) DO UPDATE SET value = excluded.value",
            [(metric.run_id, metric.name, metric.step, metric.value) for metric in logged],
        )
        return changes("metrics")

    def metrics(self, run_id: RunId) -> dict[str, Curve]:
        """Return the logged values of a run: name -> (step, value) pairs by rising step."""
        curves: defaultdict[str, Curve] = defaultdict(Curve)
        rows = self._database.rows(
            "SELECT name, step, value FROM metric WHERE run_id = ? ORDER BY name, step", (run_id,)
        )
        for row in rows:
            curves[row["name"]].append((row["step"], row["value"]))
        return dict(curves)
