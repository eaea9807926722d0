"""Object classes: row <-> record."""

from __future__ import annotations

import sqlite3

from synthstudio.domain.errors import NotFound, UserError
from synthstudio.domain.ids import ClassId
from synthstudio.domain.palette import ARTIFACT_COLOR, class_color
from synthstudio.domain.records import Changes, ObjectClass, Role, changes
from synthstudio.project.database import Database


def _record(row: sqlite3.Row) -> ObjectClass:
    return ObjectClass(
        id=ClassId(row["id"]),
        name=row["name"],
        color=row["color"],
        key=row["key"],
        role=Role(row["role"]),
        size_um=row["size_um"],
        size_px=row["size_px"],
        goal=row["goal"],
    )


class Classes:
    """The object classes of a project, in the order in which they are shown."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self) -> list[ObjectClass]:
        """Return all classes."""
        return [_record(row) for row in self._database.rows("SELECT * FROM object_class ORDER BY position, id")]

    def find(self, name: str) -> ObjectClass | None:
        """Return the class of this name, or None."""
        row = self._database.row("SELECT * FROM object_class WHERE name = ?", (name,))
        return _record(row) if row else None

    def get(self, class_id: ClassId) -> ObjectClass:
        """Return one class. Raises NotFound."""
        row = self._database.row("SELECT * FROM object_class WHERE id = ?", (class_id,))
        if row is None:
            raise NotFound(f"There is no class with id {class_id} in this project.")
        return _record(row)

    def add(
        self,
        name: str,
        *,
        role: Role = Role.OBJECT,
        size_um: float | None = None,
        size_px: float | None = None,
        color: str | None = None,
        key: str | None = None,
        goal: int | None = None,
    ) -> ObjectClass:
        """Add a class; colour and key default to the next free ones.

        Raises:
            UserError: The name is empty or taken.
        """
        name = name.strip()
        if not name:
            raise UserError("A class needs a name.", "Type one, for example RBC.")
        if self.find(name) is not None:
            raise UserError(f"There is already a class {name}.", "Choose another name.")
        existing = self.list()
        if key is None:
            used = {known.key for known in existing}
            key = next((digit for digit in "123456789" if digit not in used), "")
        if color is None:
            n_objects = sum(known.role is Role.OBJECT for known in existing)
            color = ARTIFACT_COLOR if role is Role.ARTIFACT else class_color(n_objects)
        class_id = self._database.execute(
            "INSERT INTO object_class (name, color, key, role, size_um, size_px, goal, position)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (name, color, key, role.value, size_um, size_px, goal, len(existing)),
        )
        return self.get(ClassId(class_id))

    def restore(self, removed: ObjectClass) -> Changes:
        """Bring back a class that was removed, under its id, as the last one. Raises UserError where its name is taken.

        What speaks of it by its id, such as an edit that can be redone, speaks of the same class then.
        """
        if self.find(removed.name) is not None:
            raise UserError(f"There is already a class {removed.name}.", "Rename that one first.")
        self._database.execute(
            "INSERT INTO object_class (id, name, color, key, role, size_um, size_px, goal, position)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                removed.id,
                removed.name,
                removed.color,
                removed.key,
                removed.role.value,
                removed.size_um,
                removed.size_px,
                removed.goal,
                len(self.list()),
            ),
        )
        return changes("classes")

    def update(self, changed: ObjectClass) -> Changes:
        """Store a class record as given. Raises UserError where the name is taken."""
        other = self.find(changed.name)
        if other is not None and other.id != changed.id:
            raise UserError(f"There is already a class {changed.name}.", "Choose another name.")
        self._database.execute(
            "UPDATE object_class SET name = ?, color = ?, key = ?, role = ?, size_um = ?, size_px = ?, goal = ?"
            " WHERE id = ?",
            (
                changed.name,
                changed.color,
                changed.key,
                changed.role.value,
                changed.size_um,
                changed.size_px,
                changed.goal,
                changed.id,
            ),
        )
        return changes("classes")

    def remove(self, class_id: ClassId) -> Changes:
        """Remove a class that no annotation uses. Raises UserError where one does."""
        row = self._database.row("SELECT count(*) AS n FROM annotation WHERE class_id = ?", (class_id,))
        used = int(row["n"]) if row else 0
        if used:
            name = self.get(class_id).name
            raise UserError(
                f"The class {name} is used by {used} annotations and cannot be removed.",
                "Change or delete those annotations first.",
            )
        with self._database.transaction():
            self._database.execute("DELETE FROM image_label WHERE class_id = ?", (class_id,))
            self._database.execute("DELETE FROM crop_label WHERE class_id = ?", (class_id,))
            self._database.execute("DELETE FROM suggestion WHERE class_id = ?", (class_id,))
            self._database.execute("DELETE FROM object_class WHERE id = ?", (class_id,))
        return changes("classes")
