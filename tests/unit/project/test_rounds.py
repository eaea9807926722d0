"""What a round has to learn from: counted without the test images, kept as it was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from synthstudio.domain.ids import AnnotationId
from synthstudio.domain.records import Annotation, AnnotationSource, AnnotationState, Split
from synthstudio.domain.rounds import Stock
from synthstudio.project import Project
from synthstudio.project.round_stock import take_stock
from tests.support.engine_project import build_engine_project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = build_engine_project(tmp_path, n_train=3, n_val=1, n_test=2)
    yield made
    made.close()


def mark(project: Project, split: Split, *, source: AnnotationSource = AnnotationSource.MANUAL) -> None:
    fov, disc = project.fovs.list(split=split)[0], project.classes.list()[0]
    project.annotations.add(
        [Annotation(AnnotationId(0), fov.id, disc.id, 8.0, 8.0, author="ada", source=source)],
    )


def test_that_only_what_can_be_learned_from_is_counted(project: Project) -> None:
    before = take_stock(project)
    marked = project.annotations.by_fov()
    assert before.n_annotations == sum(
        len(marked.get(fov.id, [])) for fov in project.fovs.list() if fov.split is not Split.TEST
    )
    assert before.n_complete == 4
    mark(project, Split.TEST)
    changed = take_stock(project)
    assert (changed.n_annotations, changed.n_actions) == (before.n_annotations, before.n_actions)
    assert changed.test_state != before.test_state
    mark(project, Split.TRAIN)
    mark(project, Split.TRAIN, source=AnnotationSource.IMPORTED)
    after = take_stock(project)
    assert after.n_annotations == before.n_annotations + 2
    assert after.n_actions == before.n_actions + 1  # nobody has placed what was imported
    assert after.expert_s > before.expert_s
    assert after.test_state == changed.test_state


def test_that_a_test_image_that_is_called_complete_later_is_another_test(project: Project) -> None:
    before = take_stock(project)
    project.fovs.set_state(project.fovs.list(split=Split.TEST)[0].id, AnnotationState.PARTIAL)
    assert take_stock(project).test_state != before.test_state


def test_that_a_round_keeps_what_it_began_with_until_it_begins_anew(project: Project) -> None:
    project.experiments.put("round 1", settings_json="{}", project_state="")
    project.experiments.put("round 2", settings_json="{}", project_state="")
    first, second = Stock(10, 1, 9, 30.0, "a"), Stock(20, 2, 19, 60.0, "a")
    project.rounds.put("round 1", first)
    project.rounds.put("round 2", first)
    project.rounds.put("round 2", second)
    assert [(each.name, each.stock) for each in project.rounds.list()] == [("round 1", first), ("round 2", second)]
    found = project.rounds.find("round 2")
    assert found is not None
    assert found.stock == second
    assert project.rounds.find("round 3") is None
