"""Reading studies as their readers may know them: row <-> record. The truth is in `study_truth`.

Nothing that is returned here depends on the truth, and answers are returned to the reader who gave them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from synthstudio.core.review.study_design import StudyDesign
from synthstudio.core.review.study_items import ReaderAnswer, StudyItem, StudyPage, order_pages, truth_commitment
from synthstudio.domain.errors import NotFound, UserError
from synthstudio.domain.records import Changes, changes
from synthstudio.project.clock import now
from synthstudio.project.database import Database


@dataclass(frozen=True, slots=True)
class ReadingStudy:
    """A study.

    Attributes:
        set_name: The synthetic set that it asks about.
        notes: By what real and synthetic images might be told apart all the same, in sentences.
        commitment: Hash over a salt and the truth, which proves afterwards that the truth was not changed.
        closed_at: ISO 8601 in UTC; "" while it goes on.
    """

    name: str
    design: StudyDesign
    set_name: str
    notes: tuple[str, ...]
    commitment: str
    created_at: str
    closed_at: str

    @property
    def is_closed(self) -> bool:
        return bool(self.closed_at)


@dataclass(frozen=True, slots=True)
class StudyReader:
    """A reader, and how far he has come."""

    number: int
    name: str
    n_pages: int
    n_completed: int

    @property
    def is_finished(self) -> bool:
        return self.n_completed >= self.n_pages


def _record(row: sqlite3.Row) -> ReadingStudy:
    return ReadingStudy(
        name=row["name"],
        design=StudyDesign.from_json(row["design_json"]),
        set_name=row["set_name"],
        notes=tuple(json.loads(row["notes_json"])),
        commitment=row["commitment"],
        created_at=row["created_at"],
        closed_at=row["closed_at"],
    )


class Studies:
    """The reading studies of a project."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self) -> list[ReadingStudy]:
        """Return all studies, oldest first."""
        return [_record(row) for row in self._database.rows("SELECT * FROM reading_study ORDER BY created_at, name")]

    def find(self, name: str) -> ReadingStudy | None:
        """Return a study, or None."""
        row = self._database.row("SELECT * FROM reading_study WHERE name = ?", (name,))
        return _record(row) if row is not None else None

    def get(self, name: str) -> ReadingStudy:
        """Return a study. Raises NotFound, naming those that exist."""
        found = self.find(name)
        if found is None:
            known = ", ".join(each.name for each in self.list()) or "none yet"
            raise NotFound(f"There is no reading study {name} in this project.", f"The studies are: {known}.")
        return found

    def add(
        self,
        name: str,
        design: StudyDesign,
        items: Sequence[StudyItem],
        *,
        set_name: str,
        notes: Sequence[str],
        secret: str,
        salt: str,
    ) -> Changes:
        """Record a study whose images lie in its folder. Raises UserError where the name is taken."""
        if self.find(name) is not None:
            raise UserError(f"There is already a reading study {name}.", "Choose another name.")
        with self._database.transaction():
            self._database.execute(
                "INSERT INTO reading_study (name, design_json, set_name, notes_json, commitment, created_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    name,
                    design.to_json(),
                    set_name,
                    json.dumps(list(notes)),
                    truth_commitment(items, salt=salt),
                    now(),
                ),
            )
            self._database.execute(
                "INSERT INTO reading_secret (study, secret, salt) VALUES (?, ?, ?)", (name, secret, salt)
            )
            for item in items:
                self._database.execute(
                    "INSERT INTO reading_truth (study, token, source, is_real, class_name, condition, question)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (name, item.token, item.source, item.is_real, item.class_name, item.condition, item.question),
                )
        return changes("studies")

    def remove(self, name: str) -> Changes:
        """Forget a study with all answers; its folder is the caller's to delete."""
        self._database.execute("DELETE FROM reading_study WHERE name = ?", (name,))
        return changes("studies")

    def close(self, name: str, *, with_unfinished: bool = False) -> Changes:
        """End a study: no answer is taken any more, and the truth can be read.

        Raises:
            NotFound: There is no such study.
            UserError: Nobody has completed a page, or a reader has not finished and `with_unfinished` is False.
        """
        study, readers = self.get(name), self.readers(name)
        if study.is_closed:
            return changes()
        if not any(each.n_completed for each in readers):
            raise UserError(f"Nobody has answered in the study {name} yet.", "Let a reader answer first.")
        unfinished = [each.name for each in readers if not each.is_finished]
        if unfinished and not with_unfinished:
            raise UserError(
                f"{unfinished[0]} has not finished the study {name}.",
                "Wait for all readers, or close it with what there is: nobody can answer after that.",
            )
        self._database.execute("UPDATE reading_study SET closed_at = ? WHERE name = ?", (now(), name))
        return changes("studies")

    def readers(self, name: str) -> Sequence[StudyReader]:
        """Return the readers of a study with their progress, by number."""
        rows = self._database.rows(
            "SELECT number, name, pages_json, (SELECT count(*) FROM reading_page WHERE reading_page.study ="
            " reading_reader.study AND reader = number) AS n_completed FROM reading_reader WHERE study = ?"
            " ORDER BY number",
            (name,),
        )
        return [
            StudyReader(row["number"], row["name"], len(json.loads(row["pages_json"])), row["n_completed"])
            for row in rows
        ]

    def get_or_add_reader(self, name: str, reader_name: str) -> StudyReader:
        """Return a reader; a new one gets pages in an order of his own.

        Raises:
            NotFound: There is no such study.
            UserError: The name is empty, or the study is closed and does not know him.
        """
        study, reader_name = self.get(name), " ".join(reader_name.split())
        if not reader_name:
            raise UserError("A reader needs a name.", "Enter initials, or a number.")
        readers = self.readers(name)
        known = next((each for each in readers if each.name == reader_name), None)
        if known is not None:
            return known
        if study.is_closed:
            raise UserError(f"The study {name} is closed.", "Build another one to go on asking.")
        number = len(readers)
        pages = order_pages(self._items(name), study.design, secret=self._secret(name), reader=number)
        self._database.execute(
            "INSERT INTO reading_reader (study, number, name, pages_json, created_at) VALUES (?, ?, ?, ?, ?)",
            (name, number, reader_name, json.dumps([[list(page.tokens), page.condition] for page in pages]), now()),
        )
        return StudyReader(number, reader_name, len(pages), 0)

    def pages(self, name: str, reader: int) -> Sequence[StudyPage]:
        """Return what a reader sees, in his order. Raises NotFound where there is no such reader."""
        row = self._database.row("SELECT pages_json FROM reading_reader WHERE study = ? AND number = ?", (name, reader))
        if row is None:
            raise NotFound(f"The study {name} has no reader {reader}.", "Add the reader first.")
        return [
            StudyPage(number, tuple(tokens), condition)
            for number, (tokens, condition) in enumerate(json.loads(row["pages_json"]))
        ]

    def answers(self, name: str, *, reader: int, page: int) -> Mapping[str, ReaderAnswer]:
        """Return what a reader has answered on a page so far, by token."""
        rows = self._database.rows(
            "SELECT token, is_picked, score, seconds FROM reading_answer WHERE study = ? AND reader = ? AND page = ?",
            (name, reader, page),
        )
        return {row["token"]: ReaderAnswer(bool(row["is_picked"]), row["score"], row["seconds"]) for row in rows}

    def completed_pages(self, name: str, *, reader: int) -> frozenset[int]:
        """Return the numbers of the pages that a reader is through with."""
        rows = self._database.rows("SELECT page FROM reading_page WHERE study = ? AND reader = ?", (name, reader))
        return frozenset(row["page"] for row in rows)

    def put_answer(self, name: str, token: str, answer: ReaderAnswer, *, reader: int, page: int) -> Changes:
        """Record an answer at once; an earlier one of the reader about the image on this page is replaced.

        Raises:
            NotFound: There is no such study or reader.
            UserError: The study is closed, the page is complete or does not show the image, or the study does not ask
                for such an answer.
        """
        self._check_open(name, reader=reader, page=page, tokens=(token,))
        if not answer.fits(self.get(name).design):
            raise UserError("The study does not ask for such an answer.", "Answer as its design says.")
        self._write_answer(name, token, answer, reader=reader, page=page)
        return changes("studies")

    def complete_page(self, name: str, *, reader: int, page: int, seconds: float = 0.0) -> Changes:
        """End a page: what was not picked on it counts as seen and not picked.

        Raises:
            NotFound: There is no such study or reader.
            UserError: The study is closed, the page is complete already, or an image needs a confidence first.
        """
        self._check_open(name, reader=reader, page=page, tokens=())
        given, design = self.answers(name, reader=reader, page=page), self.get(name).design
        with self._database.transaction():
            for token in self.pages(name, reader)[page].tokens:
                if token in given:
                    continue
                silent = ReaderAnswer(is_picked=False, seconds=seconds)
                if not silent.fits(design):
                    raise UserError("The image has no answer yet.", "Say how sure you are that it is real.")
                self._write_answer(name, token, silent, reader=reader, page=page)
            self._database.execute(
                "INSERT INTO reading_page (study, reader, page, seconds, completed_at) VALUES (?, ?, ?, ?, ?)",
                (name, reader, page, seconds, now()),
            )
        return changes("studies")

    def _write_answer(self, name: str, token: str, answer: ReaderAnswer, *, reader: int, page: int) -> None:
        self._database.execute(
            "INSERT INTO reading_answer (study, reader, page, token, is_picked, score, seconds, answered_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (study, reader, page, token) DO UPDATE SET"
            " is_picked = excluded.is_picked, score = excluded.score, seconds = excluded.seconds,"
            " answered_at = excluded.answered_at",
            (name, reader, page, token, answer.is_picked, answer.score, answer.seconds, now()),
        )

    def _check_open(self, name: str, *, reader: int, page: int, tokens: Sequence[str]) -> None:
        if self.get(name).is_closed:
            raise UserError(f"The study {name} is closed.", "No more answers are taken.")
        pages = self.pages(name, reader)
        if not 0 <= page < len(pages) or not set(tokens) <= set(pages[page].tokens):
            raise UserError(f"Page {page + 1} of the study {name} does not show this image.", "Open the study again.")
        if page in self.completed_pages(name, reader=reader):
            raise UserError(f"Page {page + 1} of the study {name} is complete.", "Go on with the next one.")

    def _secret(self, name: str) -> str:
        row = self._database.row("SELECT secret FROM reading_secret WHERE study = ?", (name,))
        assert row is not None  # written in one transaction with the study
        return str(row["secret"])

    def _items(self, name: str) -> Sequence[StudyItem]:
        return read_items(self._database, name)


def read_items(database: Database, name: str) -> list[StudyItem]:
    """Return the images with the truth, whether the study is closed or not: for laying out and judging alone."""
    rows = database.rows("SELECT * FROM reading_truth WHERE study = ? ORDER BY token", (name,))
    return [
        StudyItem(
            row["token"], row["source"], bool(row["is_real"]), row["class_name"], row["condition"], row["question"]
        )
        for row in rows
    ]
