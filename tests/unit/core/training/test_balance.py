"""The content of splits adds up, and a missing class is named."""

from __future__ import annotations

from pathlib import Path

from synthstudio.core.training.balance import SampleContent, sample_contents, split_contents, split_warnings
from synthstudio.domain.ids import ClassId, SampleId
from synthstudio.domain.records import ObjectClass, Role, Split
from synthstudio.project import Project
from tests.support.cell_projects import make_cell_project

RBC, WBC, DUST = ClassId(1), ClassId(2), ClassId(3)
S1, S2, S3 = SampleId(1), SampleId(2), SampleId(3)
CONTENTS = {
    S1: SampleContent(2, {RBC: 10, DUST: 1}),
    S2: SampleContent(1, {RBC: 4, WBC: 1}),
    S3: SampleContent(3, {RBC: 7}),
}


def object_class(class_id: ClassId, name: str, role: Role = Role.OBJECT) -> ObjectClass:
    return ObjectClass(class_id, name, "#000000", "", role, None, 20.0)


CLASSES = [object_class(RBC, "RBC"), object_class(WBC, "WBC"), object_class(DUST, "dust", Role.ARTIFACT)]


def test_that_splits_add_up_their_samples() -> None:
    parts = split_contents(CONTENTS, {S1: Split.TRAIN, S2: Split.TEST, S3: Split.TRAIN})
    assert (parts[Split.TRAIN].n_samples, parts[Split.TRAIN].n_fovs) == (2, 5)
    assert parts[Split.TRAIN].n_objects == {RBC: 17, DUST: 1}
    assert parts[Split.TEST].n_objects == {RBC: 4, WBC: 1}
    assert parts[Split.VAL].n_samples == parts[None].n_samples == 0


def test_that_a_class_missing_in_a_used_split_is_named_and_artifacts_and_empty_splits_are_not() -> None:
    parts = split_contents(CONTENTS, {S1: Split.TRAIN, S2: Split.TEST, S3: Split.VAL})
    assert split_warnings(parts, CLASSES) == ["No WBC in train and val."]
    parts = split_contents(CONTENTS, {S1: Split.TRAIN, S2: Split.TRAIN, S3: None})
    assert split_warnings(parts, CLASSES) == []


def test_that_the_contents_of_a_project_are_all_its_fields_and_annotations(tmp_path: Path) -> None:
    project: Project = make_cell_project(tmp_path / "study")
    fovs, counts = project.fovs.list(), project.annotations.counts()
    contents = sample_contents(fovs, counts)
    assert sum(each.n_fovs for each in contents.values()) == len(fovs)
    totals = project.annotations.totals()
    for class_id, n in totals.items():
        assert sum(each.n_objects.get(class_id, 0) for each in contents.values()) == n
    project.close()
