"""Which FOVs of a project to annotate next, and what became of the suggestions on them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from synthstudio.core.suggestions.criteria import Criterion
from synthstudio.core.suggestions.ranking import RANDOM_SHARE, RankingRules
from synthstudio.domain.errors import UserError
from synthstudio.domain.guard import Guard, draw_random_place
from synthstudio.domain.records import AnnotationState, Split
from synthstudio.project import Project
from synthstudio.project.guard import read_guard, write_guard
from synthstudio.project.next_fields import rank_project
from synthstudio.project.suggestion_outcomes import read_outcomes
from tests.support.suggesting_projects import (
    FIRST,
    SECOND,
    build_suggesting_project,
    forget_marks,
    mark_where,
    suggest,
    train_fovs,
)

NO_LOT = RankingRules(random_share=0.0)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = build_suggesting_project(tmp_path)
    yield made
    made.close()


def test_that_only_unfinished_images_that_may_be_learned_from_are_offered(project: Project) -> None:
    first, second, *_ = train_fovs(project)
    forget_marks(project, [first, second, *project.fovs.list(split=Split.TEST)])
    found = rank_project(project, count=9)

    assert {each.fov.id for each in found.fields} == {first.id, second.id}
    assert (found.n_candidates, found.n_searched, found.run_ids) == (2, 0, ())
    assert "novelty" in found.fields[0].pick.standings


def test_that_doubt_and_disagreement_are_read_from_the_two_models_that_searched_last(project: Project) -> None:
    fovs = train_fovs(project)[:3]
    forget_marks(project, fovs)
    for run_id in (SECOND, FIRST):
        for fov in fovs:
            suggest(project, fov.id, 0.95, 0.96, run_id=run_id)
    suggest(project, fovs[1].id, 0.95, 0.5, 0.52)
    found = rank_project(project, count=3, rules=NO_LOT, uses_features=False)

    assert set(found.run_ids) == {FIRST, SECOND}
    assert found.n_searched == 3
    best = found.fields[0]
    assert best.fov.id == fovs[1].id
    assert best.pick.standings[Criterion.DISAGREEMENT] > 0.7
    assert "1 of 3 places differ between the two models" in best.pick.reasons


def test_that_judged_suggestions_are_in_doubt_no_longer(project: Project) -> None:
    fovs = train_fovs(project)[:2]
    forget_marks(project, fovs)
    suggest(project, fovs[0].id, 0.5, 0.5)
    suggest(project, fovs[1].id, 0.4, 0.9)
    judged = [each.rejected(by="ada", at="2026-11-22T10:00:00.000Z") for each in project.suggestions.list(fovs[0].id)]
    project.suggestions.update(judged)
    found = rank_project(project, count=2, rules=NO_LOT, uses_features=False)

    assert found.fields[0].fov.id == fovs[1].id
    assert found.fields[1].pick.facts.n_doubtful == 0


def test_that_places_that_are_marked_or_judged_are_in_doubt_no_longer(project: Project) -> None:
    (fov,) = train_fovs(project)[:1]
    forget_marks(project, [fov])
    suggest(project, fov.id, 0.5, 0.52, 0.48)
    suggest(project, fov.id, 0.9, 0.9, run_id=SECOND)
    mark_where(project, fov.id, 16.0)
    project.fovs.set_state(fov.id, AnnotationState.PARTIAL)
    second = [each for each in project.suggestions.list(fov.id, SECOND) if each.x == 40.0]
    project.suggestions.update([each.rejected(by="ada", at="2026-11-22T10:00:00.000Z") for each in second])
    found = rank_project(project, count=1, run_ids=(FIRST, SECOND), rules=NO_LOT, uses_features=False)

    facts = found.fields[0].pick.facts
    assert (facts.n_doubtful, facts.n_shown, facts.n_differing) == (1, 0, 0), "at 65 alone, below the threshold"


def test_that_a_guarded_field_is_marked_and_shows_no_region(project: Project) -> None:
    forget_marks(project, train_fovs(project))
    write_guard(project, Guard(1.0))

    assert all(each.is_guarded and not each.regions for each in rank_project(project, count=9).fields)


def test_that_a_small_project_has_no_guard_until_one_is_set(project: Project) -> None:
    assert read_guard(project).share == 0.0
    write_guard(project, Guard(0.25, seed=3))
    assert read_guard(project) == Guard(0.25, seed=3)
    with pytest.raises(UserError, match="no share"):
        write_guard(project, Guard(1.5))


def test_that_a_guard_depends_on_seed_and_content_alone_and_ends_with_the_annotation(project: Project) -> None:
    fovs = train_fovs(project)
    held = [fov.id for fov in fovs if Guard(0.5, seed=1).holds(fov)]

    assert held == [fov.id for fov in fovs if Guard(0.5, seed=1).holds(fov)]
    assert set(held) <= {fov.id for fov in fovs if Guard(0.8, seed=1).holds(fov)}, "more guard the same, and others"
    assert not any(Guard(1.0).hides(fov) for fov in fovs), "all are annotated"
    assert len({draw_random_place(fov, seed=0) for fov in fovs}) == len(fovs)


def test_that_suggestions_are_compared_with_what_was_annotated_after_them(project: Project) -> None:
    later, earlier, *_ = train_fovs(project)
    forget_marks(project, [later])
    suggest(project, later.id, 0.9, 0.8, 0.2, 0.7)
    suggest(project, earlier.id, 0.9)
    assert read_outcomes(project, FIRST) == [], "nothing was annotated after the search"
    mark_where(project, later.id, 16.0, 64.0, 90.0)
    outcomes = read_outcomes(project, FIRST)

    assert len(outcomes) == 1
    found = outcomes[0]
    assert found.fov_id == later.id
    # Shown at 15, 40 and 90; the one at 65 is below its threshold.
    assert (found.n_right, found.n_suggested, found.n_left) == (2, 3, 3)
    assert found.was_seen
    assert found.is_random == (draw_random_place(later, seed=0) < RANDOM_SHARE)


def test_that_guarded_fields_count_as_annotated_without_suggestions(project: Project) -> None:
    fov = train_fovs(project)[0]
    forget_marks(project, [fov])
    write_guard(project, Guard(1.0))
    suggest(project, fov.id, 0.9)
    mark_where(project, fov.id, 15.0)
    assert [each.was_seen for each in read_outcomes(project, FIRST)] == [False]
    judged = [each.rejected(by="ada", at="2026-11-22T10:00:00.000Z") for each in project.suggestions.list(fov.id)]
    project.suggestions.update(judged)
    assert read_outcomes(project, FIRST) == [], "it was guarded, and suggestions were judged all the same"


def test_that_what_was_annotated_with_another_models_suggestions_says_nothing_about_this_one(project: Project) -> None:
    fov = train_fovs(project)[0]
    forget_marks(project, [fov])
    suggest(project, fov.id, 0.9)
    suggest(project, fov.id, 0.9, run_id=SECOND)
    mark_where(project, fov.id, 15.0)
    judged = [
        each.rejected(by="ada", at="2026-11-22T10:00:00.000Z") for each in project.suggestions.list(fov.id, SECOND)
    ]
    project.suggestions.update(judged)

    assert read_outcomes(project, FIRST) == []
    assert len(read_outcomes(project, SECOND)) == 1
