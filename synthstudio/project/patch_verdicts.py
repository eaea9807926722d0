"""Which annotations' patches were rejected: they stay annotated, but are pasted nowhere."""

from __future__ import annotations

import json
from collections.abc import Collection

from synthstudio.domain.ids import AnnotationId
from synthstudio.domain.records import Changes, changes
from synthstudio.project.clock import now
from synthstudio.project.database import Database

KIND = "patch_verdicts"
"""Name of this kind of record in `Changes`."""


class PatchVerdicts:
    """The rejected patches of a project, by annotation."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def rejected(self) -> frozenset[AnnotationId]:
        """Return the rejected ones; annotations that are gone may be among them."""
        rows = self._database.rows("SELECT annotation_id FROM rejected_patch")
        return frozenset(AnnotationId(row["annotation_id"]) for row in rows)

    def reject(self, ids: Collection[AnnotationId]) -> Changes:
        """Keep the patches of these annotations out of every bank."""
        # One statement for all of them: a row each would take a second for a hundred thousand.
        self._database.execute(
            "INSERT OR IGNORE INTO rejected_patch (annotation_id, rejected_at) SELECT value, ? FROM json_each(?)",
            (now(), json.dumps(sorted(ids))),
        )
        return changes(KIND)

    def restore(self, ids: Collection[AnnotationId]) -> Changes:
        """Use the patches of these annotations again."""
        self._database.execute(
            "DELETE FROM rejected_patch WHERE annotation_id IN (SELECT value FROM json_each(?))",
            (json.dumps(sorted(ids)),),
        )
        return changes(KIND)
