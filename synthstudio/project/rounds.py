"""Rounds, and what a round begins with: row <-> record."""

from __future__ import annotations

import sqlite3
from collections import defaultdict

from synthstudio.domain.records import AnnotationSource, AnnotationState, Changes, Split, changes
from synthstudio.domain.rounds import Round, Stock
from synthstudio.domain.suggestions import SuggestionState
from synthstudio.project.clock import now
from synthstudio.project.database import Database

_COLUMNS = "name, n_annotations, n_complete, n_actions, expert_s, test_state, created_at"
_LEARNED_FROM = f"coalesce(sample.split, '') <> '{Split.TEST}'"
_BY_HAND = f"source IN ('{AnnotationSource.MANUAL}', '{AnnotationSource.SUGGESTED}')"
_PLACES = "JOIN fov ON fov.id = fov_id JOIN sample ON sample.id = sample_id"
_MARKS, _SUGGESTIONS = f"annotation {_PLACES}", f"suggestion {_PLACES}"

RoundList = list[Round]
Moments = list[str]


def _record(row: sqlite3.Row) -> Round:
    stock = Stock(
        n_annotations=row["n_annotations"],
        n_complete=row["n_complete"],
        n_actions=row["n_actions"],
        expert_s=row["expert_s"],
        test_state=row["test_state"],
    )
    return Round(row["name"], stock, row["created_at"])


class Rounds:
    """The rounds of a project. What is counted here leaves the test images out: nothing is learned from them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self) -> RoundList:
        """Return all rounds, oldest first."""
        return [_record(row) for row in self._database.rows("SELECT * FROM round ORDER BY created_at, rowid")]

    def find(self, name: str) -> Round | None:
        """Return one round, or None."""
        row = self._database.row("SELECT * FROM round WHERE name = ?", (name,))
        return _record(row) if row is not None else None

    def put(self, name: str, stock: Stock) -> Changes:
        """Record what a round begins with, or begins anew with; a plan of its name must be there."""
        self._database.execute(
            f"INSERT INTO round ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET n_annotations = excluded.n_annotations,"
            " n_complete = excluded.n_complete, n_actions = excluded.n_actions, expert_s = excluded.expert_s,"
            " test_state = excluded.test_state",
            (
                name,
                stock.n_annotations,
                stock.n_complete,
                stock.n_actions,
                stock.expert_s,
                stock.test_state,
                now(),
            ),
        )
        return changes("experiments")

    def n_annotations(self) -> int:
        """Number of annotations that a training may see."""
        row = self._database.row(f"SELECT count(*) AS n FROM {_MARKS} WHERE {_LEARNED_FROM}")
        return int(row["n"]) if row is not None else 0

    def n_complete(self) -> int:
        """Number of FOVs that are annotated exhaustively."""
        states = ", ".join(f"'{each}'" for each in AnnotationState if each.is_complete)
        row = self._database.row(
            "SELECT count(*) AS n FROM fov JOIN sample ON sample.id = sample_id"
            f" WHERE state IN ({states}) AND {_LEARNED_FROM}"
        )
        return int(row["n"]) if row is not None else 0

    def expert_moments(self) -> dict[str, Moments]:
        """Author -> when a mark was placed by hand or a suggestion was judged, ISO 8601 in UTC."""
        moments: defaultdict[str, Moments] = defaultdict(Moments)
        rows = self._database.rows(
            f"SELECT annotation.author AS who, annotation.created_at AS at FROM {_MARKS}"
            f" WHERE {_BY_HAND} AND {_LEARNED_FROM}"
            f" UNION ALL SELECT judged_by, judged_at FROM {_SUGGESTIONS}"
            f" WHERE suggestion.state = '{SuggestionState.REJECTED}' AND {_LEARNED_FROM}"
        )
        for row in rows:
            moments[row["who"]].append(row["at"])
        return dict(moments)
