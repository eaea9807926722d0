"""Suggestions in the project: kept apart from annotations, replaced by a newer search, judged and taken back."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from synthstudio.domain.errors import UserError
from synthstudio.domain.guard import Guard
from synthstudio.domain.ids import FovId, RunId
from synthstudio.domain.records import AnnotationSource, AnnotationState, Box, Role
from synthstudio.domain.suggestions import SuggestionCounts, SuggestionState
from synthstudio.project import Project, recorded_searches, suggestions
from synthstudio.project.guard import write_guard
from synthstudio.project.recorded_searches import record_search
from synthstudio.project.removal import put_back, remove_class, remove_fovs
from synthstudio.project.suggestion_verdicts import accept, accept_all, list_counting, make_artifacts, reject
from tests.support.cell_projects import make_cell_project
from tests.support.suggestions import JOB, MODEL, build_search, suggest

FOUND = ((30.0, 30.0, 0.9), (60.0, 30.0, 0.6), (30.0, 60.0, 0.2))
OTHER = RunId("20261122-060000-train-classifier-cccc")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = make_cell_project(tmp_path / "p")
    for marks in project.annotations.by_fov().values():
        project.annotations.remove(marks)
    for fov in project.fovs.list():
        project.fovs.set_state(fov.id, AnnotationState.NONE)
    write_guard(project, Guard(0.0))
    yield project
    project.close()


@pytest.fixture
def fov_id(project: Project) -> FovId:
    fov_id = project.fovs.list()[0].id
    suggest(project, fov_id, FOUND)
    return fov_id


def test_that_suggestions_are_kept_with_their_search_and_thresholds(project: Project, fov_id: FovId) -> None:
    kept = project.suggestions.list(fov_id)
    assert [(each.x, each.y, each.score) for each in kept] == list(FOUND)
    assert kept[0].box == Box(20, 20, 40, 40)
    assert all(each.is_open and each.run_id == MODEL for each in kept)
    class_id = project.classes.list()[0].id
    assert project.suggestions.thresholds(MODEL) == {class_id: 0.5}
    assert list(project.suggestions.searched(MODEL)) == [fov_id]
    assert project.suggestions.searches(fov_id)[0].job_id == JOB
    assert project.annotations.list(fov_id) == []


def test_that_a_chosen_threshold_outlives_the_next_search_until_it_is_given_up(project: Project, fov_id: FovId) -> None:
    class_id = project.classes.list()[0].id
    told = project.suggestions.set_threshold(MODEL, class_id, 0.7)
    assert told.kinds == {"suggestions"}
    suggest(project, fov_id, FOUND)
    assert project.suggestions.thresholds(MODEL) == {class_id: 0.7}
    assert project.suggestions.tuned_thresholds(MODEL) == {class_id: 0.5}
    project.suggestions.set_threshold(MODEL, class_id, None)
    assert project.suggestions.thresholds(MODEL) == {class_id: 0.5}


def test_that_a_new_search_replaces_open_suggestions_and_repeats_no_judged_one(project: Project, fov_id: FovId) -> None:
    first, second, third = project.suggestions.list(fov_id)
    accept(project, [first.id], author="ada")
    reject(project, [second.id], author="ada")
    suggest(project, fov_id, [(31.0, 30.0, 0.8), (60.0, 31.0, 0.7), (30.0, 60.0, 0.3), (90.0, 90.0, 0.4)])
    kept = project.suggestions.list(fov_id)
    assert [(each.x, each.score, each.state) for each in kept] == [
        (30.0, 0.9, SuggestionState.ACCEPTED),
        (60.0, 0.6, SuggestionState.REJECTED),
        (30.0, 0.3, SuggestionState.OPEN),
        (90.0, 0.4, SuggestionState.OPEN),
    ]
    assert third.id not in {each.id for each in kept}


def test_that_suggestions_of_two_models_stand_side_by_side(project: Project, fov_id: FovId) -> None:
    suggest(project, fov_id, [(30.0, 30.0, 0.5)], run_id=OTHER)
    assert len(project.suggestions.list(fov_id)) == 4
    assert [each.score for each in project.suggestions.list(fov_id, OTHER)] == [0.5]
    assert set(project.suggestions.runs()) == {MODEL, OTHER}
    assert set(project.suggestions.runs(fov_id)) == {MODEL, OTHER}
    assert project.suggestions.runs(project.fovs.list()[1].id) == []
    assert [each.score for each in project.suggestions.of_run(OTHER)[fov_id]] == [0.5]


def test_that_an_accepted_suggestion_becomes_an_annotation_that_tells_its_origin(
    project: Project, fov_id: FovId
) -> None:
    first = project.suggestions.list(fov_id)[0]
    other_class = project.classes.list()[1].id
    stored, told = accept(project, [first.id], author="ada", as_class={first.id: other_class})
    (mark,) = project.annotations.list(fov_id)
    assert stored == [mark]
    assert (mark.source, mark.author, mark.class_id) == (AnnotationSource.SUGGESTED, "ada", other_class)
    assert mark.box == first.box
    origin = project.suggestions.of_annotation(mark.id)
    assert origin is not None
    assert (origin.run_id, origin.score, origin.judged_by) == (MODEL, 0.9, "ada")
    assert origin.judged_at
    assert told.kinds >= {"suggestions", "annotations", "fovs"}
    assert project.fovs.get(fov_id).state is AnnotationState.PARTIAL


def test_that_what_is_judged_is_not_judged_again(project: Project, fov_id: FovId) -> None:
    first = project.suggestions.list(fov_id)[0]
    reject(project, [first.id], author="ada")
    assert accept(project, [first.id], author="bob")[0] == []
    assert project.annotations.list(fov_id) == []
    assert project.suggestions.list(fov_id)[0].judged_by == "ada"
    assert project.suggestions.judged_runs() == {fov_id: {MODEL}}


def test_that_deleting_an_accepted_annotation_and_undoing_it_keeps_the_origin(project: Project, fov_id: FovId) -> None:
    stored, _ = accept(project, [project.suggestions.list(fov_id)[0].id], author="ada")
    project.annotations.remove(stored)
    assert project.suggestions.list(fov_id)[0].state is SuggestionState.ACCEPTED
    project.annotations.add(stored)
    assert project.suggestions.of_annotation(stored[0].id) is not None


def test_that_all_is_accepted_that_counts_and_is_not_annotated_yet(project: Project, fov_id: FovId) -> None:
    assert [each.score for each in list_counting(project, MODEL, fov_id)] == [0.9, 0.6]
    first = project.suggestions.list(fov_id)[0]
    project.annotations.add([dataclasses.replace(first.to_annotation(), source=AnnotationSource.MANUAL)])
    stored, _ = accept_all(project, MODEL, [fov_id], author="ada")
    assert [each.x for each in stored] == [60.0]
    assert project.suggestions.counts_by_class(MODEL) == {first.class_id: SuggestionCounts(2, 1, 0)}
    assert project.suggestions.counts_by_class(MODEL, []) == {}


def test_that_nothing_is_accepted_where_suggestions_are_hidden(project: Project, fov_id: FovId) -> None:
    write_guard(project, Guard(1.0))
    with pytest.raises(UserError, match="without suggestions"):
        accept_all(project, MODEL, [fov_id], author="ada")
    assert project.annotations.list(fov_id) == []
    project.fovs.set_state(fov_id, AnnotationState.EXHAUSTIVE)
    assert len(accept_all(project, MODEL, [fov_id], author="ada")[0]) == 2


def test_that_rejected_suggestions_become_artifacts_once(project: Project, fov_id: FovId) -> None:
    dirt = project.classes.add("fibre", role=Role.ARTIFACT).id
    marks = project.suggestions.list(fov_id)
    reject(project, [marks[0].id], author="ada")
    now = project.suggestions.list(fov_id)
    added, _ = make_artifacts(project, now, dirt, author="ada")
    assert [(each.class_id, each.x, each.source) for each in added] == [(dirt, 30.0, AnnotationSource.SUGGESTED)]
    assert make_artifacts(project, now, dirt, author="ada")[0] == []
    assert project.suggestions.list(fov_id)[0].state is SuggestionState.REJECTED
    with pytest.raises(UserError, match="class of objects"):
        make_artifacts(project, now, marks[0].class_id, author="ada")


def test_that_removed_fovs_and_classes_take_their_suggestions_along_and_bring_them_back(
    project: Project, fov_id: FovId
) -> None:
    reject(project, [project.suggestions.list(fov_id)[0].id], author="ada")
    before = project.suggestions.list(fov_id)
    removed = remove_fovs(project, [fov_id])
    assert project.suggestions.runs() == []
    put_back(project, removed)
    assert project.suggestions.list(fov_id) == before
    assert project.suggestions.runs(fov_id) == [MODEL]
    thresholds = project.suggestions.thresholds(MODEL)
    removed = remove_class(project, before[0].class_id)
    assert project.suggestions.list(fov_id) == []
    put_back(project, removed)
    assert project.suggestions.list(fov_id) == before
    assert project.suggestions.thresholds(MODEL) == thresholds


def test_that_a_search_of_other_pixels_or_of_a_removed_fov_is_not_entered(project: Project, fov_id: FovId) -> None:
    search = build_search(project, fov_id, [(10.0, 10.0, 0.9)])
    record_search(project, search.model_copy(update={"content_key": "other"}), job_id=JOB)
    record_search(project, search.model_copy(update={"fov_id": 999}), job_id=JOB)
    assert len(project.suggestions.list(fov_id)) == len(FOUND)


def test_that_what_is_judged_while_a_search_is_entered_is_not_suggested_again(
    project: Project, fov_id: FovId, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = project.suggestions.list(fov_id)[0]
    sizes = recorded_searches.class_sizes

    def judge_meanwhile(*arguments: object) -> object:
        monkeypatch.setattr(recorded_searches, "class_sizes", sizes)
        reject(project, [first.id], author="ada")
        return sizes(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(recorded_searches, "class_sizes", judge_meanwhile)
    suggest(project, fov_id, FOUND)
    kept = project.suggestions.list(fov_id)
    assert [each.state for each in kept if each.x == first.x and each.y == first.y] == [SuggestionState.REJECTED]
    assert len(kept) == len(FOUND)


def test_that_pieces_give_all_suggestions_once_and_in_order(
    project: Project, fov_id: FovId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suggestions, "_PIECE", 2)
    pieces = list(project.suggestions.iter_pieces(fov_id, MODEL))
    assert [len(piece) for piece in pieces] == [2, 1]
    assert [each for piece in pieces for each in piece] == project.suggestions.list(fov_id, MODEL)
    assert list(project.suggestions.iter_pieces(fov_id, OTHER)) == []
