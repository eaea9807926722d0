"""Synthetic sets and the verdicts about their images: row <-> record."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

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
    """Reviewers' decisions; one per image and reviewer, and at most one final one per image."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, set_name: str) -> list[Verdict]:
        """Return the verdicts about one set by image index, final ones after the others."""
        rows = self._database.rows(
            "SELECT * FROM verdict WHERE set_name = ? ORDER BY image_index, is_final, reviewer", (set_name,)
        )
        return [_verdict_record(row) for row in rows]

    def put(self, verdict: Verdict) -> Changes:
        """Record a decision; the same reviewer's earlier one about the image is replaced, or the earlier final one."""
        return self.replace([verdict])

    def replace(self, new: Sequence[Verdict], *, gone: Sequence[Verdict] = ()) -> Changes:
        """Record decisions and take others back, all or none; see `put`."""
        with self._database.transaction():
            self._database.execute_many(
                "DELETE FROM verdict WHERE set_name = ? AND image_index = ? AND is_final = ? AND reviewer = ?",
                [(each.set_name, each.index, each.is_final, each.reviewer) for each in gone],
            )
            # Not an upsert: a final verdict replaces that of whoever gave it.
            self._database.execute_many(
                "INSERT OR REPLACE INTO verdict (set_name, image_index, is_final, reviewer, kind, reason, seconds,"
                " created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        each.set_name,
                        each.index,
                        each.is_final,
                        each.reviewer,
                        each.kind.value,
                        each.reason,
                        each.seconds,
                        each.created_at or now(),
                    )
                    for each in new
                ],
            )
        return changes("verdicts")


def _verdict_record(row: sqlite3.Row) -> Verdict:
    return Verdict(
        set_name=SetName(row["set_name"]),
        index=row["image_index"],
        kind=VerdictKind(row["kind"]),
        reason=row["reason"],
        reviewer=row["reviewer"],
        created_at=row["created_at"],
        seconds=row["seconds"],
        is_final=bool(row["is_final"]),
    )
