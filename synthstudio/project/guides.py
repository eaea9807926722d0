"""Guide sets: row <-> record."""

from __future__ import annotations

import builtins
import json
import re
import sqlite3
from collections.abc import Mapping, Sequence

from synthstudio.domain.errors import NotFound, UserError
from synthstudio.domain.guides import NEW_GUIDE, GuideImage, GuideSet
from synthstudio.domain.ids import FovId, GuideId
from synthstudio.domain.records import Box, Changes, changes
from synthstudio.project.clock import now
from synthstudio.project.database import Database, SqlValue

KIND = "guides"
"""Name of this kind of record in `Changes`."""

_NAME = re.compile(r"[\w][\w .()+-]{0,99}")


def _image(row: sqlite3.Row) -> GuideImage:
    box = Box(row["x0"], row["y0"], row["x1"], row["y1"]) if row["x0"] is not None else None
    return GuideImage(GuideId(row["id"]), FovId(row["fov_id"]), box, row["caption"])


def _values(image: GuideImage) -> tuple[SqlValue, ...]:
    box = image.box
    return (image.fov_id, *((box.x0, box.y0, box.x1, box.y1) if box else (None,) * 4), " ".join(image.caption.split()))


class Guides:
    """The guide sets of a project, oldest first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self) -> builtins.list[GuideSet]:
        """Return all sets with their images."""
        images: dict[str, builtins.list[GuideImage]] = {}
        for row in self._database.rows("SELECT * FROM guide_image ORDER BY set_name, position, id"):
            images.setdefault(row["set_name"], []).append(_image(row))
        return [
            GuideSet(row["name"], row["class_name"], row["identifier"], tuple(images.get(row["name"], ())))
            for row in self._database.rows("SELECT * FROM guide_set ORDER BY created_at, name")
        ]

    def find(self, name: str) -> GuideSet | None:
        """Return one set, or None."""
        return next((each for each in self.list() if each.name == name), None)

    def get(self, name: str) -> GuideSet:
        """Return one set. Raises NotFound, naming those that exist."""
        found = self.find(name)
        if found is None:
            known = ", ".join(each.name for each in self.list()) or "none yet"
            raise NotFound(f"There is no guide set {name} in this project.", f"The guide sets are: {known}.")
        return found

    def add(self, name: str, *, class_name: str, identifier: str) -> tuple[GuideSet, Changes]:
        """Make an empty set.

        Raises:
            UserError: The name is taken or impossible.
        """
        name = name.strip()
        if not _NAME.fullmatch(name):
            raise UserError(
                f'A guide set cannot be called "{name}".', "Use letters, digits, spaces, dots, hyphens and underscores."
            )
        if self.find(name) is not None:
            raise UserError(f"There is already a guide set {name}.", "Choose another name, or add to that one.")
        self._database.execute(
            "INSERT INTO guide_set (name, class_name, identifier, created_at) VALUES (?, ?, ?, ?)",
            (name, class_name.strip(), identifier.strip(), now()),
        )
        return self.get(name), changes(KIND)

    def add_images(self, name: str, images: Sequence[GuideImage]) -> tuple[builtins.list[GuideImage], Changes]:
        """Append images to a set; return them with their ids. A part that the set shows already is not added twice.

        Raises:
            NotFound: There is no such set.
        """
        with self._database.transaction():
            there = self.get(name).images
            known = {(each.fov_id, each.box) for each in there}
            added: builtins.list[GuideImage] = []
            for image in images:
                if (image.fov_id, image.box) not in known:
                    known.add((image.fov_id, image.box))
                    guide_id = self._insert(name, image, self._next_position(name))
                    added.append(GuideImage(guide_id, image.fov_id, image.box, " ".join(image.caption.split())))
        return added, changes(KIND)

    def set_captions(self, captions: Mapping[GuideId, str]) -> Changes:
        """Write captions; line breaks become spaces."""
        rows = [(" ".join(caption.split()), guide_id) for guide_id, caption in captions.items()]
        self._database.execute_many("UPDATE guide_image SET caption = ? WHERE id = ?", rows)
        return changes(KIND)

    def remove_images(self, guide_ids: Sequence[GuideId]) -> Changes:
        """Take images out of their sets."""
        self._database.execute_many("DELETE FROM guide_image WHERE id = ?", [(each,) for each in guide_ids])
        return changes(KIND)

    def put(self, guide_set: GuideSet) -> Changes:
        """Store a set as it is given: images that it lacks go, others keep their ids, and their order is the given one.

        So any change is taken back by putting what was there before. Images of FOVs that are gone are left out.
        """
        with self._database.transaction():
            self._database.execute(
                "INSERT INTO guide_set (name, class_name, identifier, created_at) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (name) DO UPDATE SET class_name = excluded.class_name, identifier = excluded.identifier",
                (guide_set.name, guide_set.class_name.strip(), guide_set.identifier.strip(), now()),
            )
            self._database.execute("DELETE FROM guide_image WHERE set_name = ?", (guide_set.name,))
            there = {row["id"] for row in self._database.rows("SELECT id FROM fov")}
            for position, image in enumerate(guide_set.images):
                if image.fov_id in there:
                    self._insert(guide_set.name, image, position)
        return changes(KIND)

    def remove(self, name: str) -> Changes:
        """Remove a set with its captions; the FOVs stay."""
        self._database.execute("DELETE FROM guide_set WHERE name = ?", (name,))
        return changes(KIND)

    def sets_of(self, fov_ids: Sequence[FovId]) -> builtins.list[str]:
        """Names of the sets that show one of these FOVs."""
        rows = self._database.rows(
            "SELECT DISTINCT set_name FROM guide_image WHERE fov_id IN (SELECT value FROM json_each(?))"
            " ORDER BY set_name",
            (json.dumps(list(fov_ids)),),
        )
        return [row["set_name"] for row in rows]

    def _insert(self, name: str, image: GuideImage, position: int) -> GuideId:
        guide_id: SqlValue = image.id if image.id != NEW_GUIDE else None
        return GuideId(
            self._database.execute(
                "INSERT INTO guide_image (id, set_name, position, fov_id, x0, y0, x1, y1, caption)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (guide_id, name, position, *_values(image)),
            )
        )

    def _next_position(self, name: str) -> int:
        row = self._database.row("SELECT MAX(position) AS last FROM guide_image WHERE set_name = ?", (name,))
        return 0 if row is None or row["last"] is None else int(row["last"]) + 1
