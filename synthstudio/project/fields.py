"""Samples and FOVs: row <-> record."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection, Mapping
from pathlib import Path

from synthstudio.domain.errors import NotFound, UserError
from synthstudio.domain.ids import ClassId, FovId, SampleId
from synthstudio.domain.records import AnnotationState, Changes, FieldOfView, Sample, Split, Storage, changes
from synthstudio.project.clock import now
from synthstudio.project.database import Database

_SELECT = (
    "SELECT fov.*, sample.name AS sample_name, sample.split AS split FROM fov JOIN sample ON sample.id = sample_id"
)

# By their words: calling an enumeration takes five times as long, and there may be a hundred thousand fields.
_SPLITS = {each.value: each for each in Split}
_STORAGES = {each.value: each for each in Storage}
_STATES = {each.value: each for each in AnnotationState}


def _stored_state(state: AnnotationState) -> tuple[str, int]:
    """The columns `state` and `is_reviewed`."""
    if state is AnnotationState.REVIEWED:
        return AnnotationState.EXHAUSTIVE.value, 1
    return state.value, 0


class Samples:
    """The samples of a project: the unit of splitting."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self) -> list[Sample]:
        """Return all samples in the order in which they came."""
        rows = self._database.rows("SELECT * FROM sample ORDER BY id")
        return [Sample(SampleId(row["id"]), row["name"], Split(row["split"]) if row["split"] else None) for row in rows]

    def get_or_add(self, name: str, *, split: Split | None = None) -> Sample:
        """Return the sample of this name; add it, in this split, where it is new."""
        row = self._database.row("SELECT * FROM sample WHERE name = ?", (name,))
        if row is None:
            new_id = self._database.execute("INSERT INTO sample (name, split) VALUES (?, ?)", (name, split))
            return Sample(SampleId(new_id), name, split)
        return Sample(SampleId(row["id"]), row["name"], Split(row["split"]) if row["split"] else None)

    def set_split(self, sample_ids: Collection[SampleId], split: Split | None) -> Changes:
        """Put samples, and with them all their FOVs, into a split."""
        self._database.execute_many("UPDATE sample SET split = ? WHERE id = ?", [(split, i) for i in sample_ids])
        return changes("samples", "fovs")


class Fovs:
    """The fields of view of a project."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder
        self._folder_text = str(folder)

    def _record(self, row: sqlite3.Row) -> FieldOfView:
        return FieldOfView(
            id=FovId(row["id"]),
            sample_id=SampleId(row["sample_id"]),
            sample_name=row["sample_name"],
            split=_SPLITS[row["split"]] if row["split"] else None,
            name=row["name"],
            # Not Path.resolve: it asks the disk for every part, 55 us an image; nor `/`, which takes ten times as long.
            path=os.path.normpath(os.path.join(self._folder_text, row["path"])),  # noqa: PTH118 - see above
            storage=_STORAGES[row["storage"]],
            sha256=row["sha256"],
            width=row["width"],
            height=row["height"],
            um_per_px=row["um_per_px"],
            tone=row["tone"],
            state=AnnotationState.REVIEWED if row["is_reviewed"] else _STATES[row["state"]],
            note=row["note"],
            is_flagged=bool(row["is_flagged"]),
            added_at=row["added_at"],
            page=row["page"],
        )

    def list(self, *, split: Split | None = None) -> list[FieldOfView]:
        """Return the FOVs in the order in which they were added, of one split where one is named."""
        if split is None:
            rows = self._database.rows(f"{_SELECT} ORDER BY fov.id")
        else:
            rows = self._database.rows(f"{_SELECT} WHERE sample.split = ? ORDER BY fov.id", (split.value,))
        return [self._record(row) for row in rows]

    def count(self) -> int:
        """Return how many FOVs there are."""
        row = self._database.row("SELECT count(*) AS n FROM fov")
        return int(row["n"]) if row else 0

    def get(self, fov_id: FovId) -> FieldOfView:
        """Return one FOV. Raises NotFound."""
        row = self._database.row(f"{_SELECT} WHERE fov.id = ?", (fov_id,))
        if row is None:
            raise NotFound(f"There is no field of view with id {fov_id} in this project.")
        return self._record(row)

    def find_named(self, name: str) -> FieldOfView | None:
        """As `find`; or by id as "#12", where several samples have an image of one name."""
        if name.startswith("#") and name[1:].isdecimal():
            return self.get(FovId(int(name[1:])))
        return self.find(name)

    def find(self, name: str) -> FieldOfView | None:
        """Return the FOV of this name (its image's file name), or None; raises where several samples have one."""
        rows = self._database.rows(f"{_SELECT} WHERE fov.name = ?", (name,))
        if len(rows) > 1:
            hint = f"Name one of them by its id, as #{rows[0]['id']}."
            raise UserError(f"{len(rows)} fields of view are called {name}.", hint)
        return self._record(rows[0]) if rows else None

    def add(  # one argument per column
        self,
        *,
        sample_id: SampleId,
        name: str,
        stored_path: str,
        storage: Storage,
        sha256: str,
        width: int,
        height: int,
        um_per_px: float | None = None,
        state: AnnotationState = AnnotationState.NONE,
        page: int | None = None,
    ) -> FovId:
        """Add a row for an image. `stored_path` is absolute, or relative to the project folder with `/`.

        `page` of a stack, from 0; None where the file holds one image.
        """
        return FovId(
            self._database.execute(
                "INSERT INTO fov (sample_id, name, path, storage, sha256, width, height, um_per_px, state, is_reviewed,"
                " added_at, page) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    sample_id,
                    name,
                    stored_path,
                    storage,
                    sha256,
                    width,
                    height,
                    um_per_px,
                    *_stored_state(state),
                    now(),
                    page,
                ),
            )
        )

    def set_state(self, fov_id: FovId, state: AnnotationState) -> Changes:
        """Record how far the annotation of an FOV has come."""
        self._database.execute(
            "UPDATE fov SET state = ?, is_reviewed = ? WHERE id = ?", (*_stored_state(state), fov_id)
        )
        return changes("fovs")

    def set_note(self, fov_id: FovId, note: str) -> Changes:
        """Record what a person remarks about an FOV; empty for nothing."""
        self._database.execute("UPDATE fov SET note = ? WHERE id = ?", (note, fov_id))
        return changes("fovs")

    def set_flagged(self, fov_ids: Collection[FovId], *, flagged: bool) -> Changes:
        """Flag FOVs for a further look, or take the flag away."""
        self._database.execute_many(
            "UPDATE fov SET is_flagged = ? WHERE id = ?", [(int(flagged), fov_id) for fov_id in fov_ids]
        )
        return changes("fovs")

    def set_sample(self, chosen: Mapping[FovId, SampleId]) -> Changes:
        """Move FOVs to other samples; a sample that is left without any is removed.

        Raises:
            UserError: Two FOVs of one sample would have one name. Nothing is moved then.
        """
        with self._database.transaction():
            moving = {fov.id: fov for fov in self.list() if fov.id in chosen}
            taken = {(fov.sample_id, fov.name) for fov in self.list() if fov.id not in chosen}
            for fov_id, sample_id in chosen.items():
                fov = moving[fov_id]
                if (sample_id, fov.name) in taken:
                    raise UserError(
                        f"Two fields called {fov.name} would be in one sample.",
                        "Choose a pattern that tells them apart.",
                    )
                taken.add((sample_id, fov.name))
            # A name is unique in its sample: two that change places would collide halfway.
            self._database.execute_many(
                "UPDATE fov SET name = name || char(31) || id WHERE id = ?", [(fov_id,) for fov_id in chosen]
            )
            self._database.execute_many(
                "UPDATE fov SET sample_id = ?, name = ? WHERE id = ?",
                [(sample_id, moving[fov_id].name, fov_id) for fov_id, sample_id in chosen.items()],
            )
            self._database.execute("DELETE FROM sample WHERE id NOT IN (SELECT sample_id FROM fov)")
        return changes("fovs", "samples")

    def set_calibration(self, fov_ids: Collection[FovId], um_per_px: float | None) -> Changes:
        """Set the pixel size of FOVs in micrometres. Raises UserError unless it is positive."""
        if um_per_px is not None and not um_per_px > 0:
            raise UserError(f"A pixel size of {um_per_px} um is impossible.", "Give a number above 0.")
        self._database.execute_many("UPDATE fov SET um_per_px = ? WHERE id = ?", [(um_per_px, i) for i in fov_ids])
        return changes("fovs")

    def set_tones(self, tones: Mapping[FovId, int | None]) -> Changes:
        """Set the tones of FOVs, numbers of levels from 1; None where one is unknown."""
        self._database.execute_many(
            "UPDATE fov SET tone = ? WHERE id = ?", [(tone, fov_id) for fov_id, tone in tones.items()]
        )
        return changes("fovs")

    def relink(self, fov_id: FovId, *, stored_path: str) -> Changes:
        """Point an FOV at the place where its image file lies now."""
        self._database.execute("UPDATE fov SET path = ? WHERE id = ?", (stored_path, fov_id))
        return changes("fovs")

    def remove(self, fov_ids: Collection[FovId]) -> Changes:
        """Remove FOVs with their annotations; the image files stay."""
        with self._database.transaction():
            self._database.execute_many("DELETE FROM fov WHERE id = ?", [(i,) for i in fov_ids])
            self._database.execute("DELETE FROM sample WHERE id NOT IN (SELECT sample_id FROM fov)")
        return changes("fovs", "samples", "annotations", "guides", fov_ids=frozenset(fov_ids))

    def image_labels(self, fov_id: FovId) -> dict[ClassId, bool]:
        """Return which classes were marked present or absent on the image as a whole."""
        rows = self._database.rows("SELECT class_id, present FROM image_label WHERE fov_id = ?", (fov_id,))
        return {ClassId(row["class_id"]): bool(row["present"]) for row in rows}

    def set_image_label(self, fov_id: FovId, class_id: ClassId, *, present: bool | None) -> Changes:
        """Mark a class present or absent on the image as a whole; None forgets the label."""
        if present is None:
            self._database.execute("DELETE FROM image_label WHERE fov_id = ? AND class_id = ?", (fov_id, class_id))
        else:
            self._database.execute(
                "INSERT INTO image_label (fov_id, class_id, present) VALUES (?, ?, ?)"
                " ON CONFLICT (fov_id, class_id) DO UPDATE SET present = excluded.present",
                (fov_id, class_id, int(present)),
            )
        return changes("annotations", fov_ids=frozenset({fov_id}))
