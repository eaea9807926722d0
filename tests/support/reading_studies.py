"""Small reading studies in a project of drawn images."""

from __future__ import annotations

from pathlib import Path

from synthstudio.client.studies import BuiltStudy, build_study
from synthstudio.client.study_reading import Reading, find_next_page
from synthstudio.core.review.study_design import AnswerForm, StudyDesign, StudyKind
from synthstudio.core.review.study_items import ReaderAnswer
from synthstudio.project import Project
from synthstudio.settings.compose import ComposeSettings, CompositionSettings
from tests.support.engine_project import build_engine_project
from tests.support.sets import add_set

SET = "made"
PICK = StudyDesign(StudyKind.TURING, n_real=10, n_synthetic=10, page_size=5, n_readers=2, repeat_share=0.2)
ONE = StudyDesign(StudyKind.TURING, AnswerForm.ONE, n_real=4, n_synthetic=4, page_size=1, n_readers=1)
RELEVANCE = StudyDesign(
    StudyKind.RELEVANCE, n_real=1, n_synthetic=1, n_others=2, n_questions=2, page_size=4, side_px=32
)


def build_study_project(folder: Path, *, n_test: int = 8, n_made: int = 24) -> Project:
    """A project with held-out images of 96 px and a set of composites of 48 px."""
    project = build_engine_project(folder, n_train=4, n_val=1, n_test=n_test)
    composition = CompositionSettings(canvas_px=48)
    add_set(project, ComposeSettings(set_name=SET, count=n_made, composition=composition))
    return project


def build_fixed_study(project: Project, name: str = "eyes", design: StudyDesign = PICK) -> BuiltStudy:
    """A study whose chances are the same each time."""
    return build_study(project, name, design, set_name=SET, secret=f"fixed for {name}")


def answer_all(reading: Reading, picked: frozenset[str] | set[str]) -> None:
    """Pick these images wherever they come and go through to the end; one at a time, be nearly sure."""
    while (page := find_next_page(reading)) is not None:
        for token in page.tokens:
            if reading.design.form is AnswerForm.ONE:
                score = 0.9 if token in picked else 0.2
                reading.put(page.number, token, ReaderAnswer(token in picked, score, seconds=1.5))
            elif token in picked:
                reading.put(page.number, token, ReaderAnswer(is_picked=True, seconds=1.0))
        reading.complete(page.number, seconds=4.0)
