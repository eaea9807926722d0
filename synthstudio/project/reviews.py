"""Synthetic sets and the verdicts about their images: row <-> record."""

from __future__ import annotations

import sqlite3

from synthstudio.domain.errors import NotFound
from synthstudio.domain.ids import RunId, SetName
from synthstudio.domain.records import Changes, Generator, SyntheticSet, Verdict, VerdictKind, changes
from synthstudio.project.clock import now
from synthstudio.project.database import Database


def _set_record(row: sqlite3.Row) -> SyntheticSet:
    return SyntheticSet(
        name=SetName(row["name"]),
        generator=Generator(row["generator"]),
        run_id=RunId(row["run_id"]) if row["run_id"] else None,
        n_images=row["n_images"],
        manifest_sha256=row["manifest_sha256"],
        settings_json=row["settings_json"],
        project_state=row["project_state"],
        created_at=row["created_at"],
    )


class Sets:
    """The synthetic sets of a project."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self) -> list[SyntheticSet]:
        """Return all sets, oldest first."""
        return [
            _set_record(row) for row in self._database.rows("SELECT * FROM synthetic_set ORDER BY created_at, name")
        ]

    def find(self, name: str) -> SyntheticSet | None:
        """Return the set of this name, or None."""
        row = self._database.row("SELECT * FROM synthetic_set WHERE name = ?", (name,))
        return _set_record(row) if row else None

    def get(self, name: str) -> SyntheticSet:
        """Return the set of this name. Raises NotFound, naming the sets that exist."""
        found = self.find(name)
        if found is None:
            known = ", ".join(each.name for each in self.list()) or "none yet"
            raise NotFound(f"There is no set {name} in this project.", f"Sets of this project: {known}.")
        return found

    def put(self, new: SyntheticSet) -> Changes:
        """Record a set whose files are complete; an earlier set of the name, with its verdicts, is replaced."""
        with self._database.transaction():
            self._database.execute("DELETE FROM synthetic_set WHERE name = ?", (new.name,))
            self._database.execute(
                "INSERT INTO synthetic_set (name, generator, run_id, n_images, manifest_sha256, settings_json,"
                " project_state, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    new.name,
                    new.generator.value,
                    new.run_id,
                    new.n_images,
                    new.manifest_sha256,
                    new.settings_json,
                    new.project_state,
                    new.created_at or now(),
                ),
            )
        return changes("sets")

    def update(self, changed: SyntheticSet) -> Changes:
        """Record what a set whose images count from 0 has become: their number and its manifest.

        Verdicts about its images stay; those about images that it no longer has are forgotten.
        """
        with self._database.transaction():
            self._database.execute(
                "UPDATE synthetic_set SET n_images = ?, manifest_sha256 = ? WHERE name = ?",
                (changed.n_images, changed.manifest_sha256, changed.name),
            )
            self._database.execute(
                "DELETE FROM verdict WHERE set_name = ? AND image_index >= ?", (changed.name, changed.n_images)
            )
        return changes("sets", "verdicts")

    def remove(self, name: str) -> Changes:
        """Forget a set and its verdicts; its folder is the caller's to delete."""
        self._database.execute("DELETE FROM synthetic_set WHERE name = ?", (name,))
        return changes("sets", "verdicts")


class Verdicts:
    """Reviewers' decisions; one per image and reviewer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, set_name: str) -> list[Verdict]:
        """Return the verdicts about one set by image index."""
        rows = self._database.rows(
            "SELECT * FROM verdict WHERE set_name = ? ORDER BY image_index, reviewer", (set_name,)
        )
        return [
            Verdict(
                set_name=SetName(row["set_name"]),
                index=row["image_index"],
                kind=VerdictKind(row["kind"]),
                reason=row["reason"],
                reviewer=row["reviewer"],
                created_at=row["created_at"],
            )
            for row in rows
        ]

    def put(self, verdict: Verdict) -> Changes:
        """Record a decision; the same reviewer's earlier one about the image is replaced."""
        self._database.execute(
            "INSERT INTO verdict (set_name, image_index, kind, reason, reviewer, created_at) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (set_name, image_index, reviewer) DO UPDATE SET kind = excluded.kind,"
            " reason = excluded.reason, created_at = excluded.created_at",
            (
                verdict.set_name,
                verdict.index,
                verdict.kind.value,
                verdict.reason,
                verdict.reviewer,
                verdict.created_at or now(),
            ),
        )
        return changes("verdicts")
