"""Answering a study, in the project or in a folder that came from another machine: one interface for both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from synthstudio.client.studies import image_name
from synthstudio.core.review.study_design import StudyDesign
from synthstudio.core.review.study_items import ReaderAnswer, StudyPage
from synthstudio.domain.records import Changes
from synthstudio.project import Project


class Reading(Protocol):
    """One reader at work. Every answer is on the disk before the call returns.

    Attributes:
        name: Of the study.
        reader_name: Whose answers they are.
        design: What is asked.
        pages: In the order of this reader.
    """

    name: str
    reader_name: str
    design: StudyDesign
    pages: Sequence[StudyPage]

    def image_path(self, token: str) -> Path:
        """File of an image."""

    def answers(self, page: int) -> Mapping[str, ReaderAnswer]:
        """What was answered on a page so far, by token."""

    def completed_pages(self) -> frozenset[int]:
        """Numbers of the pages that are done with."""

    def put(self, page: int, token: str, answer: ReaderAnswer) -> Changes:
        """Record an answer, instead of an earlier one about the image on this page. Raises UserError if refused."""

    def complete(self, page: int, *, seconds: float = 0.0) -> Changes:
        """End a page; what was not picked counts as not picked. Raises UserError where an answer is missing."""


class ProjectReading:
    """A reader of a study in an open project; see `Reading`.

    Raises:
        NotFound: There is no such study.
        UserError: The study is closed and does not know the reader, or the project is read-only.
    """

    def __init__(self, project: Project, name: str, reader_name: str) -> None:
        self._project = project
        self._reader = project.studies.get_or_add_reader(name, reader_name)
        self.name = name
        self.reader_name = self._reader.name
        self.design = project.studies.get(name).design
        self.pages: Sequence[StudyPage] = project.studies.pages(name, self._reader.number)

    def image_path(self, token: str) -> Path:
        """See `Reading`."""
        return self._project.study_folder(self.name) / image_name(token)

    def answers(self, page: int) -> Mapping[str, ReaderAnswer]:
        """See `Reading`."""
        return self._project.studies.answers(self.name, reader=self._reader.number, page=page)

    def completed_pages(self) -> frozenset[int]:
        """See `Reading`."""
        return self._project.studies.completed_pages(self.name, reader=self._reader.number)

    def put(self, page: int, token: str, answer: ReaderAnswer) -> Changes:
        """See `Reading`."""
        return self._project.studies.put_answer(self.name, token, answer, reader=self._reader.number, page=page)

    def complete(self, page: int, *, seconds: float = 0.0) -> Changes:
        """See `Reading`."""
        return self._project.studies.complete_page(self.name, reader=self._reader.number, page=page, seconds=seconds)


def find_next_page(reading: Reading) -> StudyPage | None:
    """Return the first page that is not done with; None where the reader is through."""
    completed = reading.completed_pages()
    return next((page for page in reading.pages if page.number not in completed), None)
