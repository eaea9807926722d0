"""What people saw on crops of FOVs: row <-> record. The labels of the comparison model, made without a click."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable

from synthstudio.domain.ids import ClassId, FovId
from synthstudio.domain.records import Changes, CropLabel, CropSquare, changes
from synthstudio.project.database import Database

CropLabelList = list[CropLabel]


class CropLabels:
    """The labels of crops; one per crop, whoever gave it last."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, fov_id: FovId) -> list[CropLabel]:
        """Return the labels of one FOV's crops, row by row."""
        rows = self._database.rows("SELECT * FROM crop_label WHERE fov_id = ? ORDER BY side, y, x", (fov_id,))
        return _records(rows)

    def by_fov(self) -> dict[FovId, CropLabelList]:
        """Return all labels, grouped by FOV; FOVs without any are absent."""
        grouped: dict[FovId, CropLabelList] = defaultdict(CropLabelList)
        for label in _records(self._database.rows("SELECT * FROM crop_label ORDER BY fov_id, side, y, x")):
            grouped[label.fov_id].append(label)
        return dict(grouped)

    def put(self, label: CropLabel) -> Changes:
        """Store what was seen on a crop; an earlier label of the same crop is replaced."""
        square = label.square
        with self._database.transaction():
            self._remove(label.fov_id, square)
            self._database.execute_many(
                "INSERT INTO crop_label (fov_id, x, y, side, class_id, present, author) VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        label.fov_id,
                        square.x,
                        square.y,
                        square.side,
                        class_id,
                        int(class_id in label.present),
                        label.author,
                    )
                    for class_id in sorted(label.asked | label.present)
                ],
            )
        return changes("crop_labels", fov_ids=frozenset({label.fov_id}))

    def remove(self, fov_id: FovId, square: CropSquare) -> Changes:
        """Forget what was seen on a crop."""
        self._remove(fov_id, square)
        return changes("crop_labels", fov_ids=frozenset({fov_id}))

    def _remove(self, fov_id: FovId, square: CropSquare) -> None:
        self._database.execute(
            "DELETE FROM crop_label WHERE fov_id = ? AND side = ? AND y = ? AND x = ?",
            (fov_id, square.side, square.y, square.x),
        )


def _records(rows: Iterable[sqlite3.Row]) -> list[CropLabel]:
    """One record for the rows of each crop."""
    asked: dict[tuple[FovId, CropSquare], set[ClassId]] = defaultdict(set)
    present: dict[tuple[FovId, CropSquare], set[ClassId]] = defaultdict(set)
    authors: dict[tuple[FovId, CropSquare], str] = {}
    for row in rows:
        key = FovId(row["fov_id"]), CropSquare(row["x"], row["y"], row["side"])
        asked[key].add(ClassId(row["class_id"]))
        authors[key] = row["author"]
        if row["present"]:
            present[key].add(ClassId(row["class_id"]))
    return [
        CropLabel(fov_id, square, frozenset(asked[fov_id, square]), frozenset(present[fov_id, square]), author)
        for (fov_id, square), author in authors.items()
    ]
