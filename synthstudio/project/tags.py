"""Words that people put on images and objects, and saved views of the gallery: row <-> record."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from synthstudio.domain.errors import NotFound, UserError
from synthstudio.domain.records import Changes, changes
from synthstudio.project.clock import now
from synthstudio.project.database import Database

TAGS_KIND, VIEWS_KIND = "tags", "views"
"""Names of these kinds of record in `Changes`."""

TagTarget = Literal["image", "object"]
MOST_LETTERS = 60


@dataclass(frozen=True, slots=True)
class Tagged:
    """What tags are put on: images or objects of the project, or of the set of a name."""

    target: TagTarget
    set_name: str = ""


class Tags:
    """The tags of a project."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, where: Tagged) -> dict[str, frozenset[int]]:
        """Return the ids of FOVs or annotations that have each tag, by tag; some that are gone may be among them."""
        rows = self._database.rows(
            "SELECT name, target_id FROM tag WHERE coalesce(set_name, '') = ? AND target = ? ORDER BY name",
            (where.set_name, where.target),
        )
        found: dict[str, set[int]] = defaultdict(set)
        for row in rows:
            found[row["name"]].add(row["target_id"])
        return {name: frozenset(ids) for name, ids in found.items()}

    def names(self) -> tuple[str, ...]:
        """All tags that anything has, in the order of the alphabet."""
        return tuple(row["name"] for row in self._database.rows("SELECT DISTINCT name FROM tag ORDER BY name"))

    def add(self, name: str, ids: Collection[int], where: Tagged) -> Changes:
        """Put a tag on FOVs or annotations; those that have it keep it.

        Raises:
            UserError: The tag is empty or too long, or the set is gone.
        """
        name = " ".join(name.split())
        if not 0 < len(name) <= MOST_LETTERS:
            raise UserError(
                f"A tag has 1 to {MOST_LETTERS} letters, not {len(name)}.", "Write a word, such as “blurred”."
            )
        with self._database.transaction():
            if where.set_name and not self._database.row(
                "SELECT 1 FROM synthetic_set WHERE name = ?", (where.set_name,)
            ):
                raise NotFound(f"There is no set {where.set_name} in this project any more.")
            # One statement for all of them: a row each would take a second for a hundred thousand.
            self._database.execute(
                "INSERT OR IGNORE INTO tag (name, target, set_name, target_id, tagged_at)"
                " SELECT ?, ?, nullif(?, ''), value, ? FROM json_each(?)",
                (name, where.target, where.set_name, now(), json.dumps(sorted(ids))),
            )
        return changes(TAGS_KIND)

    def remove(self, name: str, ids: Collection[int], where: Tagged) -> Changes:
        """Take a tag off FOVs or annotations."""
        self._database.execute(
            "DELETE FROM tag WHERE name = ? AND target = ? AND coalesce(set_name, '') = ?"
            " AND target_id IN (SELECT value FROM json_each(?))",
            (name, where.target, where.set_name, json.dumps(sorted(ids))),
        )
        return changes(TAGS_KIND)


class SavedViews:
    """Views of the gallery under a name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self) -> dict[str, str]:
        """Return all of them, by name, as text."""
        rows = self._database.rows("SELECT name, view_json FROM saved_view ORDER BY name")
        return {row["name"]: row["view_json"] for row in rows}

    def put(self, name: str, view_json: str) -> Changes:
        """Keep a view; an earlier one of the name is replaced.

        Raises:
            UserError: The name is empty or too long.
        """
        name = " ".join(name.split())
        if not 0 < len(name) <= MOST_LETTERS:
            raise UserError(f"A name has 1 to {MOST_LETTERS} letters, not {len(name)}.", "Write a short name.")
        self._database.execute(
            "INSERT OR REPLACE INTO saved_view (name, view_json, saved_at) VALUES (?, ?, ?)", (name, view_json, now())
        )
        return changes(VIEWS_KIND)

    def remove(self, name: str) -> Changes:
        """Forget a view."""
        self._database.execute("DELETE FROM saved_view WHERE name = ?", (name,))
        return changes(VIEWS_KIND)
