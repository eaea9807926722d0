"""Annotations: row <-> record. Every write is a committed transaction of its own, or part of the caller's."""

from __future__ import annotations

import dataclasses
import sqlite3
import sys
from collections import defaultdict
from collections.abc import Collection, Sequence

from synthstudio.domain.errors import NotFound
from synthstudio.domain.ids import AnnotationId, ClassId, FovId
from synthstudio.domain.records import Annotation, AnnotationSource, Box, Changes, changes
from synthstudio.project.clock import now
from synthstudio.project.database import Database, SqlValue

_COLUMNS = "fov_id, class_id, x, y, x0, y0, x1, y1, size_px, author, source, note, is_flagged"

AnnotationList = list[Annotation]
MomentList = list[str]
_SOURCES = {each.value: each for each in AnnotationSource}


def _record(row: sqlite3.Row) -> Annotation:
    box = Box(row["x0"], row["y0"], row["x1"], row["y1"]) if row["x0"] is not None else None
    return Annotation(
        id=AnnotationId(row["id"]),
        fov_id=FovId(row["fov_id"]),
        class_id=ClassId(row["class_id"]),
        x=row["x"],
        y=row["y"],
        box=box,
        size_px=row["size_px"],
        author=sys.intern(row["author"]),
        source=_SOURCES[row["source"]],
        note=row["note"],
        is_flagged=bool(row["is_flagged"]),
    )


def _values(annotation: Annotation) -> tuple[SqlValue, ...]:
    box = annotation.box
    corners: tuple[SqlValue, ...] = (box.x0, box.y0, box.x1, box.y1) if box else (None, None, None, None)
    return (
        annotation.fov_id,
        annotation.class_id,
        annotation.x,
        annotation.y,
        *corners,
        annotation.size_px,
        annotation.author,
        annotation.source.value,
        annotation.note,
        int(annotation.is_flagged),
    )


def _changed(annotations: Collection[Annotation]) -> Changes:
    return changes("annotations", fov_ids=frozenset(annotation.fov_id for annotation in annotations))


class Annotations:
    """The annotations of a project."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, fov_id: FovId) -> list[Annotation]:
        """Return the annotations of one FOV in the order of their ids."""
        return self._database.records("SELECT * FROM annotation WHERE fov_id = ? ORDER BY id", (fov_id,), _record)

    def get(self, annotation_id: AnnotationId) -> Annotation:
        """Return one annotation. Raises NotFound."""
        row = self._database.row("SELECT * FROM annotation WHERE id = ?", (annotation_id,))
        if row is None:
            raise NotFound(f"There is no annotation with id {annotation_id} in this project.")
        return _record(row)

    def by_fov(self) -> dict[FovId, AnnotationList]:
        """Return all annotations, grouped by FOV; FOVs without any are absent."""
        grouped: dict[FovId, AnnotationList] = defaultdict(AnnotationList)
        for each in self._database.records("SELECT * FROM annotation ORDER BY fov_id, id", (), _record):
            grouped[each.fov_id].append(each)
        return dict(grouped)

    def counts(self) -> dict[FovId, dict[ClassId, int]]:
        """Return the number of annotations per FOV and class."""
        counted: dict[FovId, dict[ClassId, int]] = defaultdict(dict)
        for row in self._database.rows("SELECT fov_id, class_id, count(*) AS n FROM annotation GROUP BY 1, 2"):
            counted[FovId(row["fov_id"])][ClassId(row["class_id"])] = int(row["n"])
        return dict(counted)

    def counts_of(self, fov_ids: Collection[FovId]) -> dict[FovId, dict[ClassId, int]]:
        """Return the number of annotations per class of these FOVs; one without any has an empty record."""
        counted: dict[FovId, dict[ClassId, int]] = {fov_id: {} for fov_id in fov_ids}
        for fov_id in fov_ids:
            sql = "SELECT class_id, count(*) AS n FROM annotation WHERE fov_id = ? GROUP BY 1"
            for row in self._database.rows(sql, (fov_id,)):
                counted[fov_id][ClassId(row["class_id"])] = int(row["n"])
        return counted

    def totals(self) -> dict[ClassId, int]:
        """Return the number of annotations of each class in the project."""
        rows = self._database.rows("SELECT class_id, count(*) AS n FROM annotation GROUP BY 1")
        return {ClassId(row["class_id"]): int(row["n"]) for row in rows}

    def authors(self) -> dict[str, int]:
        """Return the number of annotations of each author, "" for those of nobody."""
        rows = self._database.rows("SELECT author, count(*) AS n FROM annotation GROUP BY 1 ORDER BY 1")
        return {row["author"]: int(row["n"]) for row in rows}

    def authors_of_fovs(self) -> dict[FovId, frozenset[str]]:
        """Return who has marked each FOV; FOVs without annotations are absent."""
        found: dict[FovId, set[str]] = defaultdict(set)
        for row in self._database.rows("SELECT DISTINCT fov_id, author FROM annotation"):
            found[FovId(row["fov_id"])].add(row["author"])
        return {fov_id: frozenset(authors) for fov_id, authors in found.items()}

    def moments(self) -> dict[FovId, MomentList]:
        """Return when the annotations of each FOV were made, ISO 8601 in UTC; FOVs without any are absent."""
        moments: dict[FovId, MomentList] = defaultdict(MomentList)
        for row in self._database.rows("SELECT fov_id, created_at FROM annotation ORDER BY id"):
            moments[FovId(row["fov_id"])].append(row["created_at"])
        return dict(moments)

    def next_id(self) -> AnnotationId:
        """Return the id that the next new annotation gets."""
        row = self._database.row("SELECT seq FROM sqlite_sequence WHERE name = 'annotation'")
        return AnnotationId((int(row["seq"]) if row else 0) + 1)

    def add(self, new: Sequence[Annotation]) -> tuple[AnnotationList, Changes]:
        """Add annotations. An id of 0 asks for a new one; any other id is kept, as undoing a deletion needs.

        Returns:
            The stored records with their ids, and what changed.
        """
        stored: AnnotationList = []
        with self._database.transaction():
            for annotation in new:
                wanted: SqlValue = annotation.id or None
                new_id = self._database.execute(
                    f"INSERT INTO annotation (id, {_COLUMNS}, created_at)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (wanted, *_values(annotation), now()),
                )
                stored.append(dataclasses.replace(annotation, id=AnnotationId(new_id)))
        return stored, _changed(stored)

    def update(self, changed: Sequence[Annotation]) -> Changes:
        """Store annotation records as given; each is found by its id."""
        self._database.execute_many(
            "UPDATE annotation SET fov_id = ?, class_id = ?, x = ?, y = ?, x0 = ?, y0 = ?, x1 = ?, y1 = ?,"
            " size_px = ?, author = ?, source = ?, note = ?, is_flagged = ? WHERE id = ?",
            [(*_values(annotation), annotation.id) for annotation in changed],
        )
        return _changed(changed)

    def remove(self, gone: Sequence[Annotation]) -> Changes:
        """Remove annotations."""
        self._database.execute_many("DELETE FROM annotation WHERE id = ?", [(annotation.id,) for annotation in gone])
        return _changed(gone)
