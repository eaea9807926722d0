"""Removing fields and classes so that they can be brought back: the same rows, under the same ids."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import ClassId, FovId
from synthstudio.domain.records import Changes, changes
from synthstudio.project.database import SqlValue
from synthstudio.project.project import Project

Row = dict[str, SqlValue]
_OF_FOVS = (
    ("sample", "id IN (SELECT sample_id FROM fov WHERE id IN (SELECT value FROM json_each(?)))"),
    ("fov", "id IN (SELECT value FROM json_each(?))"),
    ("annotation", "fov_id IN (SELECT value FROM json_each(?))"),
    ("image_label", "fov_id IN (SELECT value FROM json_each(?))"),
    ("crop_label", "fov_id IN (SELECT value FROM json_each(?))"),
    ("guide_image", "fov_id IN (SELECT value FROM json_each(?))"),
    ("suggestion", "fov_id IN (SELECT value FROM json_each(?))"),
    ("suggestion_search", "fov_id IN (SELECT value FROM json_each(?))"),
)
_OF_CLASS = (
    ("object_class", "id IN (SELECT value FROM json_each(?))"),
    ("image_label", "class_id IN (SELECT value FROM json_each(?))"),
    ("crop_label", "class_id IN (SELECT value FROM json_each(?))"),
    ("suggestion", "class_id IN (SELECT value FROM json_each(?))"),
    ("suggestion_threshold", "class_id IN (SELECT value FROM json_each(?))"),
)
"""Tables in the order in which their rows can be put back, and which rows go with a field or a class."""


@dataclass(frozen=True, slots=True)
class RemovedRows:
    """Rows as they were, by table, in the order in which they can be put back; and what changes with them."""

    tables: tuple[tuple[str, tuple[Row, ...]], ...]
    told: Changes

    def count(self, table: str) -> int:
        """Number of rows of a table."""
        return sum(len(rows) for name, rows in self.tables if name == table)


def remove_fovs(project: Project, fov_ids: Collection[FovId]) -> RemovedRows:
    """Remove FOVs with all that is known about them; the image files stay.

    Raises:
        UserError: The project cannot be written.
    """
    with project.transaction(before="removal of fields"):
        tables = _read(project, _OF_FOVS, fov_ids)
        return RemovedRows(tables, project.fovs.remove(fov_ids))


def remove_class(project: Project, class_id: ClassId) -> RemovedRows:
    """Remove a class that no annotation uses, with the labels of images and crops that speak of it.

    Raises:
        UserError: An annotation uses it, or the project cannot be written.
    """
    with project.transaction(before="removal of a class"):
        tables = _read(project, _OF_CLASS, [class_id])
        return RemovedRows(tables, project.classes.remove(class_id) | changes("annotations"))


def put_back(project: Project, removed: RemovedRows) -> Changes:
    """Bring back what was removed.

    Raises:
        UserError: Something else has taken the name of a class or of a field in its sample since; nothing is changed.
    """
    with project.transaction():
        samples = {sample.name: sample.id for sample in project.samples.list()}
        guide_sets = {each.name for each in project.guides.list()}
        moved: dict[SqlValue, SqlValue] = {}
        for table, rows in removed.tables:
            for row in rows:
                if table == "sample" and row["name"] in samples:
                    # It kept other fields, or one of this name was made since: the fields come back into that one.
                    moved[row["id"]] = samples[str(row["name"])]
                    continue
                if table == "guide_image" and row["set_name"] not in guide_sets:
                    continue  # the guide set was removed since
                _check_name(project, table, row, moved)
                placed = row | {"sample_id": moved.get(row["sample_id"], row["sample_id"])} if table == "fov" else row
                columns, marks = ", ".join(placed), ", ".join("?" * len(placed))
                project.database.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", tuple(placed.values()))
    return removed.told


def _read(
    project: Project, tables: tuple[tuple[str, str], ...], ids: Collection[int]
) -> tuple[tuple[str, tuple[Row, ...]], ...]:
    chosen = f"[{','.join(str(each) for each in ids)}]"
    return tuple(
        (table, tuple(dict(row) for row in project.database.rows(f"SELECT * FROM {table} WHERE {where}", (chosen,))))
        for table, where in tables
    )


def _check_name(project: Project, table: str, row: Row, moved: dict[SqlValue, SqlValue]) -> None:
    if table == "object_class" and project.classes.find(str(row["name"])) is not None:
        raise UserError(f"There is already a class {row['name']}.", "Rename that one first.")
    if table == "fov":
        sample = moved.get(row["sample_id"], row["sample_id"])
        sql = "SELECT 1 FROM fov WHERE sample_id = ? AND name = ?"
        if project.database.row(sql, (sample, row["name"])) is not None:
            raise UserError(
                f"There is another field {row['name']} in this sample by now.", "Remove or rename that one first."
            )
