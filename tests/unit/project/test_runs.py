"""Runs that a user names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from synthstudio.domain.errors import NotFound
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import RunStatus
from synthstudio.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = Project.create(tmp_path / "study")
    yield made
    made.close()


def test_that_a_run_of_another_kind_is_refused_by_naming_those_that_fit(project: Project) -> None:
    for name, kind in (("a", "compose"), ("b", "train-gan"), ("c", "train-gan")):
        project.runs.add(RunId(name), kind=kind, title="", settings_json="{}")
    project.runs.set_ended(RunId("b"), RunStatus.FINISHED)
    assert project.runs.find_named("b", kinds=("train-gan",)).id == "b"
    with pytest.raises(NotFound, match=r"The run a is of the kind compose, not train-gan\.") as refused:
        project.runs.find_named("a", kinds=("train-gan",))
    assert refused.value.hint == "Finished runs of that kind: b."
    with pytest.raises(NotFound, match="There is no run z"):
        project.runs.find_named("z", kinds=("evaluate",))
