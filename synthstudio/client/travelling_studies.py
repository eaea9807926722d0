"""A study as a folder that goes to a reader on another machine, and comes back with answers.

The folder holds the images of one reader under random names, all of one size in bytes and one time of change, the order
of the pages, and a sheet for the answers. What is true of the images is not in it, in no form but a salted hash: with
that anybody can prove after the study, when the salt is known, that the truth was not changed.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from synthstudio.client.studies import image_name, write_image_files
from synthstudio.core.imaging import read_bytes, sync_folder, translate_os_error, write_bytes_atomically
from synthstudio.core.review.study_design import StudyDesign
from synthstudio.core.review.study_items import ReaderAnswer, StudyPage
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import Changes, changes
from synthstudio.project import Project

FORMAT_VERSION = 1
STUDY_NAME = "study.json"
ANSWERS_NAME = "answers.json"
IMAGES_FOLDER = "images"


def write_travelling(project: Project, name: str, reader_name: str, folder: Path) -> Changes:
    """Write the folder for one reader, who is added to the study where it does not know him.

    Args:
        project: Of the study.
        name: Of the study.
        reader_name: Who will answer.
        folder: New; its parent must exist.

    Raises:
        NotFound: There is no such study.
        UserError: The folder exists or cannot be written, the study is closed, or an image of it is gone.
    """
    if folder.exists():
        raise UserError(f"{folder} exists already.", "Choose a new folder: each reader needs one of his own.")
    study = project.studies.get(name)
    if study.is_closed:
        raise UserError(f"The study {name} is closed.", "Build another one to go on asking.")
    reader = project.studies.get_or_add_reader(name, reader_name)
    pages = project.studies.pages(name, reader.number)
    sheet = {
        "format": FORMAT_VERSION,
        "study": name,
        "reader": reader.name,
        "commitment": study.commitment,
        "design": json.loads(study.design.to_json()),
        "pages": [{"images": list(page.tokens), "condition": page.condition} for page in pages],
    }
    source = project.study_folder(name)
    tokens = {token for page in pages for token in page.tokens}
    partial = folder.with_name(f".{folder.name}.partial")
    try:
        (partial / IMAGES_FOLDER).mkdir(parents=True)
        write_image_files(partial / IMAGES_FOLDER, {token: read_bytes(source / image_name(token)) for token in tokens})
        (partial / STUDY_NAME).write_text(json.dumps(sheet, indent=1, ensure_ascii=False), encoding="utf-8")
        partial.replace(folder)
        sync_folder(folder.parent)
    except OSError as error:
        raise translate_os_error(error, folder) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return changes("studies")


class FolderReading:
    """A reader of a study that has travelled; see `client.study_reading.Reading`.

    Raises:
        UserError: The folder holds no study, or a damaged one, or one of a newer version.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        sheet = _read_object(folder / STUDY_NAME)
        if sheet.get("format") != FORMAT_VERSION:
            raise UserError(f"The study in {folder} was written by another version.", "Update SynthStudio.")
        try:
            self.name = str(sheet["study"])
            self.reader_name = str(sheet["reader"])
            self.commitment = str(sheet["commitment"])
            self.design = StudyDesign.from_json(json.dumps(sheet["design"]))
            self.pages: Sequence[StudyPage] = _read_pages(sheet["pages"])
            self._answers, self._completed = self._read_answers()
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise UserError(f"The study in {folder} is damaged: {error}.", "Ask for the folder again.") from error

    def image_path(self, token: str) -> Path:
        """See `Reading`."""
        return self._folder / IMAGES_FOLDER / image_name(token)

    def answers(self, page: int) -> Mapping[str, ReaderAnswer]:
        """See `Reading`."""
        return dict(self._answers.get(page, {}))

    def completed_pages(self) -> frozenset[int]:
        """See `Reading`."""
        return frozenset(self._completed)

    def put(self, page: int, token: str, answer: ReaderAnswer) -> Changes:
        """See `Reading`."""
        self._check_open(page)
        if token not in self.pages[page].tokens or not answer.fits(self.design):
            raise UserError("The study does not ask for such an answer.", "Answer as its design says.")
        self._save({**self._answers, page: {**self._answers.get(page, {}), token: answer}}, self._completed)
        return changes()

    def complete(self, page: int, *, seconds: float = 0.0) -> Changes:
        """See `Reading`."""
        self._check_open(page)
        given, silent = self._answers.get(page, {}), ReaderAnswer(is_picked=False, seconds=seconds)
        missing = [token for token in self.pages[page].tokens if token not in given]
        if missing and not silent.fits(self.design):
            raise UserError("The image has no answer yet.", "Say how sure you are that it is real.")
        whole = {**given, **dict.fromkeys(missing, silent)}
        self._save({**self._answers, page: whole}, {**self._completed, page: seconds})
        return changes()

    def seconds_of(self, page: int) -> float:
        """How long the reader needed for a complete page."""
        return self._completed[page]

    def _check_open(self, page: int) -> None:
        if not 0 <= page < len(self.pages):
            raise UserError(f"The study has no page {page + 1}.", "Open the study again.")
        if page in self._completed:
            raise UserError(f"Page {page + 1} of the study is complete.", "Go on with the next one.")

    def _save(self, answers: dict[int, dict[str, ReaderAnswer]], completed: dict[int, float]) -> None:
        """Replace the sheet as a whole; only then does it count."""
        told = {
            "format": FORMAT_VERSION,
            "study": self.name,
            "reader": self.reader_name,
            "commitment": self.commitment,
            "completed": {str(page): seconds for page, seconds in completed.items()},
            "answers": {
                str(page): {
                    token: {"picked": each.is_picked, "score": each.score, "seconds": each.seconds}
                    for token, each in own.items()
                }
                for page, own in answers.items()
            },
        }
        write_bytes_atomically(self._folder / ANSWERS_NAME, json.dumps(told, indent=1, ensure_ascii=False).encode())
        self._answers, self._completed = answers, completed

    def _read_answers(self) -> tuple[dict[int, dict[str, ReaderAnswer]], dict[int, float]]:
        path = self._folder / ANSWERS_NAME
        if not path.exists():
            return {}, {}
        told = _read_object(path)
        if (told["study"], told["reader"], told["commitment"]) != (self.name, self.reader_name, self.commitment):
            raise ValueError("its answers are those of another study or reader")
        completed = {int(page): float(str(seconds)) for page, seconds in _object(told["completed"]).items()}
        answers: dict[int, dict[str, ReaderAnswer]] = {}
        for page, own in _object(told["answers"]).items():
            if not 0 <= int(page) < len(self.pages):
                raise ValueError(f"there is no page {page}")
            answers[int(page)] = {token: _to_answer(_object(each)) for token, each in _object(own).items()}
        for number, given in answers.items():
            if not set(given) <= set(self.pages[number].tokens) or not all(a.fits(self.design) for a in given.values()):
                raise ValueError(f"page {number + 1} does not ask for such answers")
        for number in completed:
            if set(answers.get(number, {})) != set(self.pages[number].tokens):
                raise ValueError(f"page {number + 1} is not complete")
        return answers, completed


def import_answers(project: Project, folder: Path) -> Changes:
    """Bring the complete pages of a folder that came back into the study; pages that are known already stay.

    Raises:
        NotFound: There is no such study.
        UserError: The folder is damaged, belongs to another study or another project, or the study is closed.
    """
    reading = FolderReading(folder)
    study = project.studies.get(reading.name)
    readers = {each.name: each for each in project.studies.readers(reading.name)}
    reader = readers.get(reading.reader_name)
    if (
        study.commitment != reading.commitment
        or reader is None
        or list(project.studies.pages(study.name, reader.number)) != list(reading.pages)
    ):
        raise UserError(
            f"The answers in {folder} are not those of the study {study.name} of this project.",
            "Choose the folder that was written from this project.",
        )
    known = project.studies.completed_pages(study.name, reader=reader.number)
    with project.transaction():
        for page in sorted(reading.completed_pages() - known):
            for token, answer in reading.answers(page).items():
                project.studies.put_answer(study.name, token, answer, reader=reader.number, page=page)
            project.studies.complete_page(study.name, reader=reader.number, page=page, seconds=reading.seconds_of(page))
    return changes("studies")


def _read_object(path: Path) -> dict[str, object]:
    try:
        found = json.loads(read_bytes(path))
    except ValueError as error:
        raise UserError(f"{path} is damaged: {error}.", "Ask for the folder again.") from error
    if not isinstance(found, dict):
        raise UserError(f"{path} is damaged.", "Ask for the folder again.")
    return found


def _object(found: object) -> dict[str, object]:
    if not isinstance(found, dict):
        raise TypeError("its answers are no table")
    return found


def _read_pages(found: object) -> list[StudyPage]:
    if not isinstance(found, list) or not found:
        raise ValueError("it has no pages")
    return [
        StudyPage(number, tuple(str(token) for token in page["images"]), str(page["condition"]))
        for number, page in enumerate(found)
    ]


def _to_answer(found: Mapping[str, object]) -> ReaderAnswer:
    score = found["score"]
    return ReaderAnswer(
        bool(found["picked"]), None if score is None else float(str(score)), float(str(found["seconds"]))
    )
