"""Samples follow from names and folders, as a plan first."""

from __future__ import annotations

import pytest

from synthstudio.core.fields.images import SampleNaming
from synthstudio.core.fields.sample_plans import plan_samples
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import FovId, SampleId
from synthstudio.domain.records import AnnotationState, FieldOfView, Sample, Split, Storage


def fov(number: int, path: str, sample: str, split: Split | None = Split.TRAIN, *, copy: bool = False) -> FieldOfView:
    return FieldOfView(
        FovId(number), SampleId(number), sample, split, path.rpartition("/")[2],
        "/project/images/ab12.png" if copy else path, Storage.COPY if copy else Storage.REFERENCE,
        "0" * 64, 10, 10, None, None, AnnotationState.NONE,
    )  # fmt: skip


def names(rows: object) -> list[str]:
    return [row.sample for row in rows]  # type: ignore[attr-defined]


def test_that_the_group_of_the_pattern_is_the_sample_and_no_match_is_a_sample_of_its_own() -> None:
    fovs = [fov(1, "/d/P1_a.png", "P1_a"), fov(2, "/d/P1_b.png", "P1_b"), fov(3, "/d/other.png", "other")]
    samples = [Sample(SampleId(each.id), each.sample_name, each.split) for each in fovs]
    plan = plan_samples(fovs, samples, SampleNaming("pattern", r"^(P\d+)_"))
    assert names(plan.rows) == ["P1", "P1", "other"]
    assert (plan.n_samples, plan.n_changes) == (2, 2)
    assert plan.new_splits == {"P1": Split.TRAIN}
    assert plan.problems == plan.remarks == ()


def test_that_folders_count_from_the_common_one_and_copies_go_by_their_names() -> None:
    fovs = [fov(1, "/d/p1/a.png", "x"), fov(2, "/d/p2/day1/a.png", "y"), fov(3, "p9.png", "z", copy=True)]
    plan = plan_samples(fovs, [], SampleNaming("folder"))
    assert names(plan.rows) == ["p1", "p2/day1", "p9"]


def test_that_fields_of_two_splits_in_one_sample_are_remarked_and_get_none() -> None:
    fovs = [fov(1, "/d/P1_a.png", "a"), fov(2, "/d/P1_b.png", "b", Split.TEST)]
    plan = plan_samples(fovs, [], SampleNaming("pattern", "(P1)"))
    assert plan.new_splits == {"P1": None}
    assert plan.remarks == ("P1 takes in fields of test and train; it gets no split.",)


def test_that_two_fields_of_one_name_in_one_sample_are_a_problem() -> None:
    fovs = [fov(1, "/d/x/a.png", "x"), fov(2, "/d/y/a.png", "y")]
    plan = plan_samples(fovs, [], SampleNaming("stem"))
    assert len(plan.problems) == 1
    assert "2 fields called a.png" in plan.problems[0]


def test_that_a_broken_pattern_is_refused() -> None:
    with pytest.raises(UserError, match="no regular expression"):
        plan_samples([fov(1, "/d/a.png", "x")], [], SampleNaming("pattern", "(("))
