"""The truth about the images of a reading study and the answers of all readers, once it is closed."""

from __future__ import annotations

from synthstudio.core.review.study_answers import ReaderAnswers, StudyResult, judge
from synthstudio.core.review.study_items import StudyItem
from synthstudio.domain.errors import UserError
from synthstudio.project.project import Project
from synthstudio.project.studies import read_items


def read_truth(project: Project, name: str) -> list[StudyItem]:
    """Return the images with the truth about them.

    Raises:
        NotFound: There is no such study.
        UserError: It is not closed.
    """
    _check_closed(project, name)
    return read_items(project.database, name)


def read_all_answers(project: Project, name: str) -> list[ReaderAnswers]:
    """Return the answers of all readers, on their complete pages. Raises as `read_truth`."""
    _check_closed(project, name)
    found = []
    for reader in project.studies.readers(name):
        completed = project.studies.completed_pages(name, reader=reader.number)
        answers = {
            (page, token): answer
            for page in completed
            for token, answer in project.studies.answers(name, reader=reader.number, page=page).items()
        }
        found.append(ReaderAnswers(reader.number, project.studies.pages(name, reader.number), answers))
    return found


def read_result(project: Project, name: str) -> StudyResult:
    """Compute the result of a study. Raises as `read_truth`."""
    items = read_truth(project, name)
    return judge(items, read_all_answers(project, name), project.studies.get(name).design)


def _check_closed(project: Project, name: str) -> None:
    if not project.studies.get(name).is_closed:
        raise UserError(
            f"The study {name} goes on: nobody may see the truth or the answers of others.",
            "Close it once all readers are through.",
        )
