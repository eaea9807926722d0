"""Suggestions: row <-> record. Every write is a committed transaction of its own, or part of the caller's."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from synthstudio.domain.ids import AnnotationId, ClassId, FovId, RunId, SuggestionId
from synthstudio.domain.records import Box, Changes, changes
from synthstudio.domain.suggestions import Suggestion, SuggestionCounts, SuggestionState
from synthstudio.project.clock import now
from synthstudio.project.database import Database, SqlValue

KIND = "suggestions"
"""Name of this kind of record in `Changes`."""
_STATES = {each.value: each for each in SuggestionState}
_COLUMNS = "fov_id, run_id, class_id, x, y, x0, y0, x1, y1, size_px, score, state, annotation_id, judged_by, judged_at"


@dataclass(frozen=True, slots=True)
class Search:
    """One search of an FOV by a model.

    Attributes:
        job_id: The run of the suggest job that searched.
        min_score: What lies below was not kept.
        searched_at: ISO 8601 in UTC.
    """

    run_id: RunId
    fov_id: FovId
    job_id: RunId
    min_score: float
    searched_at: str = ""


# Inside the class, `list` is its method.
_PIECE = 4000
SuggestionList = list[Suggestion]
RunList = list[RunId]
SearchList = list[Search]


def _record(row: sqlite3.Row) -> Suggestion:
    box = Box(row["x0"], row["y0"], row["x1"], row["y1"]) if row["x0"] is not None else None
    annotation = row["annotation_id"]
    return Suggestion(
        id=SuggestionId(row["id"]),
        fov_id=FovId(row["fov_id"]),
        run_id=RunId(row["run_id"]),
        class_id=ClassId(row["class_id"]),
        x=row["x"],
        y=row["y"],
        score=row["score"],
        box=box,
        size_px=row["size_px"],
        state=_STATES[row["state"]],
        annotation_id=None if annotation is None else AnnotationId(annotation),
        judged_by=row["judged_by"],
        judged_at=row["judged_at"],
    )


def _search(row: sqlite3.Row) -> Search:
    return Search(
        run_id=RunId(row["run_id"]),
        fov_id=FovId(row["fov_id"]),
        job_id=RunId(row["job_id"]),
        min_score=row["min_score"],
        searched_at=row["searched_at"],
    )


def _values(each: Suggestion) -> tuple[SqlValue, ...]:
    box = each.box
    corners: tuple[SqlValue, ...] = (box.x0, box.y0, box.x1, box.y1) if box else (None, None, None, None)
    place: tuple[SqlValue, ...] = (each.fov_id, each.run_id, each.class_id, each.x, each.y, *corners)
    return (*place, each.size_px, each.score, each.state.value, each.annotation_id, each.judged_by, each.judged_at)


def _on(run_id: RunId, fov_ids: Collection[FovId] | None) -> tuple[str, tuple[SqlValue, ...]]:
    """A condition with its values: suggestions of a model, on these FOVs or on all."""
    if fov_ids is None:
        return "run_id = ?", (run_id,)
    return "run_id = ? AND fov_id IN (SELECT value FROM json_each(?))", (run_id, json.dumps(sorted(fov_ids)))


def _told(fov_ids: Collection[FovId] = ()) -> Changes:
    return changes(KIND, fov_ids=frozenset(fov_ids))


class Suggestions:
    """What models propose to annotate in a project; no annotations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, fov_id: FovId, run_id: RunId | None = None) -> SuggestionList:
        """Return the suggestions on one FOV, of one model where it is named, in the order of their ids."""
        if run_id is None:
            sql = "SELECT * FROM suggestion WHERE fov_id = ? ORDER BY id"
            return self._database.records(sql, (fov_id,), _record)
        sql = "SELECT * FROM suggestion WHERE fov_id = ? AND run_id = ? ORDER BY id"
        return self._database.records(sql, (fov_id, run_id), _record)

    def iter_pieces(self, fov_id: FovId, run_id: RunId) -> Iterator[SuggestionList]:
        """Give the suggestions of a model on one FOV in the order of their ids, some thousands at a time.

        The connection is free between two pieces, so that a click need not wait for a hundred thousand of them.
        """
        sql = "SELECT * FROM suggestion WHERE fov_id = ? AND run_id = ? AND id > ? ORDER BY id LIMIT ?"
        last = 0
        while piece := self._database.records(sql, (fov_id, run_id, last, _PIECE), _record):
            yield piece
            last = piece[-1].id

    def of_run(self, run_id: RunId) -> dict[FovId, SuggestionList]:
        """Return all suggestions of a model, grouped by FOV; FOVs without any are absent."""
        grouped: dict[FovId, SuggestionList] = defaultdict(SuggestionList)
        sql = "SELECT * FROM suggestion WHERE run_id = ? ORDER BY fov_id, id"
        for each in self._database.records(sql, (run_id,), _record):
            grouped[each.fov_id].append(each)
        return dict(grouped)

    def judged(self, fov_id: FovId, run_id: RunId) -> SuggestionList:
        """Return what was accepted or rejected of what a model suggests on one FOV, in the order of their ids."""
        sql = "SELECT * FROM suggestion WHERE fov_id = ? AND run_id = ? AND state <> 'open' ORDER BY id"
        return self._database.records(sql, (fov_id, run_id), _record)

    def rejected(self, run_id: RunId, fov_ids: Collection[FovId] | None = None) -> SuggestionList:
        """Return what was rejected of what a model suggests, on these FOVs or on all, in the order of their ids."""
        where, values = _on(run_id, fov_ids)
        sql = f"SELECT * FROM suggestion WHERE {where} AND state = 'rejected' ORDER BY id"
        return self._database.records(sql, values, _record)

    def get(self, ids: Collection[SuggestionId]) -> SuggestionList:
        """Return the suggestions of these ids as they are stored now, in the order of their ids; some may be gone."""
        sql = "SELECT * FROM suggestion WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id"
        return self._database.records(sql, (json.dumps(sorted(ids)),), _record)

    def of_annotation(self, annotation_id: AnnotationId) -> Suggestion | None:
        """Return the suggestion that became this annotation, or None."""
        row = self._database.row("SELECT * FROM suggestion WHERE annotation_id = ?", (annotation_id,))
        return None if row is None else _record(row)

    def runs(self, fov_id: FovId | None = None) -> RunList:
        """Return the models that have searched this FOV, or any, the one that searched last first."""
        where, values = ("WHERE fov_id = ?", (fov_id,)) if fov_id is not None else ("", ())
        sql = (
            f"SELECT run_id FROM suggestion_search {where} GROUP BY run_id ORDER BY max(searched_at) DESC, run_id DESC"
        )
        return [RunId(row["run_id"]) for row in self._database.rows(sql, values)]

    def searched(self, run_id: RunId) -> dict[FovId, str]:
        """Return when a model has searched which FOVs."""
        sql = "SELECT fov_id, searched_at FROM suggestion_search WHERE run_id = ? ORDER BY fov_id"
        return {FovId(row["fov_id"]): row["searched_at"] for row in self._database.rows(sql, (run_id,))}

    def searches(self, fov_id: FovId | None = None) -> SearchList:
        """Return the searches of one FOV, or all, oldest first."""
        where, values = ("WHERE fov_id = ?", (fov_id,)) if fov_id is not None else ("", ())
        sql = f"SELECT * FROM suggestion_search {where} ORDER BY searched_at, run_id, fov_id"
        return self._database.records(sql, values, _search)

    def replace(self, search: Search, found: Sequence[Suggestion], *, tuned: Mapping[ClassId, float]) -> Changes:
        """Store what a search has found, in place of what the same model suggested there before.

        What was accepted or rejected stays, as history; see `recorded_searches.record_search` for what is found again.

        Args:
            search: Which FOV, by which model and job.
            found: Open suggestions; their ids are not looked at.
            tuned: Threshold of each class, as the training chose it.
        """
        with self._database.transaction():
            self._database.execute(
                "DELETE FROM suggestion WHERE fov_id = ? AND run_id = ? AND state = 'open'",
                (search.fov_id, search.run_id),
            )
            self._database.execute_many(
                f"INSERT INTO suggestion ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [_values(each) for each in found],
            )
            self._database.execute(
                "INSERT OR REPLACE INTO suggestion_search (run_id, fov_id, job_id, min_score, searched_at)"
                " VALUES (?, ?, ?, ?, ?)",
                (search.run_id, search.fov_id, search.job_id, search.min_score, search.searched_at or now()),
            )
            self._database.execute_many(
                "INSERT INTO suggestion_threshold (run_id, class_id, tuned) VALUES (?, ?, ?)"
                " ON CONFLICT (run_id, class_id) DO UPDATE SET tuned = excluded.tuned",
                [(search.run_id, class_id, value) for class_id, value in tuned.items()],
            )
        return _told({search.fov_id})

    def update(self, judged: Sequence[Suggestion]) -> Changes:
        """Store state, annotation and judge of suggestions as given; each is found by its id."""
        self._database.execute_many(
            "UPDATE suggestion SET state = ?, annotation_id = ?, judged_by = ?, judged_at = ? WHERE id = ?",
            [(each.state.value, each.annotation_id, each.judged_by, each.judged_at, each.id) for each in judged],
        )
        return _told({each.fov_id for each in judged})

    def thresholds(self, run_id: RunId) -> dict[ClassId, float]:
        """Return the score of each class from which on suggestions count: as chosen, else as tuned in the training."""
        sql = "SELECT class_id, coalesce(chosen, tuned) AS value FROM suggestion_threshold WHERE run_id = ?"
        return {ClassId(row["class_id"]): float(row["value"]) for row in self._database.rows(sql, (run_id,))}

    def tuned_thresholds(self, run_id: RunId) -> dict[ClassId, float]:
        """Return the score of each class from which on suggestions count, as the training tuned it."""
        sql = "SELECT class_id, tuned FROM suggestion_threshold WHERE run_id = ?"
        return {ClassId(row["class_id"]): float(row["tuned"]) for row in self._database.rows(sql, (run_id,))}

    def set_threshold(self, run_id: RunId, class_id: ClassId, value: float | None) -> Changes:
        """Choose the threshold of a class, 0 to 1, or with None go back to the tuned one."""
        sql = "UPDATE suggestion_threshold SET chosen = ? WHERE run_id = ? AND class_id = ?"
        self._database.execute(sql, (value, run_id, class_id))
        return _told()

    def counts_by_class(
        self, run_id: RunId, fov_ids: Collection[FovId] | None = None
    ) -> dict[ClassId, SuggestionCounts]:
        """Return how many suggestions of a model are open, accepted and rejected, whatever their score.

        Args:
            run_id: The model.
            fov_ids: Only those on these FOVs; None means all.
        """
        where, values = _on(run_id, fov_ids)
        sql = f"SELECT class_id, state, count(*) AS n FROM suggestion WHERE {where} GROUP BY 1, 2"
        counted: dict[ClassId, dict[str, int]] = defaultdict(dict)
        for row in self._database.rows(sql, values):
            counted[ClassId(row["class_id"])][row["state"]] = int(row["n"])
        return {
            class_id: SuggestionCounts(
                states.get(SuggestionState.OPEN, 0),
                states.get(SuggestionState.ACCEPTED, 0),
                states.get(SuggestionState.REJECTED, 0),
            )
            for class_id, states in counted.items()
        }

    def judged_runs(self) -> dict[FovId, frozenset[RunId]]:
        """Return the models of which suggestions were accepted or rejected on each FOV; FOVs without are absent."""
        found: dict[FovId, set[RunId]] = defaultdict(set)
        for row in self._database.rows("SELECT DISTINCT fov_id, run_id FROM suggestion WHERE state <> 'open'"):
            found[FovId(row["fov_id"])].add(RunId(row["run_id"]))
        return {fov_id: frozenset(runs) for fov_id, runs in found.items()}
