"""Verdicts in the database: one per reviewer and image, one final one, and the list of reasons."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import SetName
from synthstudio.domain.records import Generator, SyntheticSet, Verdict, VerdictKind
from synthstudio.project import Project
from synthstudio.project.verdict_reasons import DEFAULT_REASONS, list_reasons, set_reasons

NAME = SetName("made")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = Project.create(tmp_path / "study")
    made.sets.put(SyntheticSet(NAME, Generator.COMPOSITED, None, 3, "", "{}", "", ""))
    yield made
    made.close()


def test_that_a_verdict_comes_back_with_its_time_and_reason(project: Project) -> None:
    given = Verdict(NAME, 1, VerdictKind.UNSURE, "blurred", "ann", "2026-11-22T00:00:00", 1.25)
    project.verdicts.put(given)
    assert project.verdicts.list(NAME) == [given]


def test_that_a_final_verdict_stands_beside_that_of_the_same_person_and_replaces_an_earlier_final_one(
    project: Project,
) -> None:
    own = Verdict(NAME, 0, VerdictKind.REJECTED, "", "ann", "1")
    first = Verdict(NAME, 0, VerdictKind.ACCEPTED, "", "ben", "2", is_final=True)
    second = Verdict(NAME, 0, VerdictKind.ACCEPTED, "", "ann", "3", is_final=True)
    for each in (own, first, second):
        project.verdicts.put(each)
    assert project.verdicts.list(NAME) == [own, second]


def test_that_verdicts_are_taken_back(project: Project) -> None:
    former = Verdict(NAME, 0, VerdictKind.ACCEPTED, "", "ann", "1")
    later = Verdict(NAME, 0, VerdictKind.REJECTED, "", "ann", "2")
    project.verdicts.put(former)
    project.verdicts.replace([later], gone=[former])
    assert project.verdicts.list(NAME) == [later]
    project.verdicts.replace([former], gone=[later])
    assert project.verdicts.list(NAME) == [former]
    project.verdicts.replace([], gone=[former])
    assert project.verdicts.list(NAME) == []


def test_that_reasons_are_the_projects_own_and_stand_once(project: Project) -> None:
    assert list_reasons(project) == DEFAULT_REASONS
    set_reasons(project, [" dust ", "", "seam"])
    assert list_reasons(project) == ("dust", "seam")
    with pytest.raises(UserError, match="stands twice"):
        set_reasons(project, ["dust", "dust"])
    set_reasons(project, [])
    assert list_reasons(project) == ()
