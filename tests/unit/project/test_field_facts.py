"""What people say about FOVs, put back as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthstudio.domain.ids import FovId
from synthstudio.domain.records import AnnotationState, Storage
from synthstudio.project import Project, field_facts
from synthstudio.project.field_facts import FieldFacts, read_field_facts, write_field_facts


@pytest.mark.parametrize("read_alone", [0, 100])
def test_that_only_what_is_there_is_read_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read_alone: int
) -> None:
    monkeypatch.setattr(field_facts, "MAX_READ_ALONE", read_alone)
    project = Project.create(tmp_path / "study")
    try:
        sample_id = project.samples.get_or_add("one").id
        first, second = (
            project.fovs.add(
                sample_id=sample_id,
                name=name,
                stored_path=name,
                storage=Storage.REFERENCE,
                sha256=name,
                width=9,
                height=9,
            )
            for name in ("a.png", "b.png")
        )
        plain = FieldFacts(AnnotationState.NONE, "", is_flagged=False, um_per_px=None, tone=None)
        said = FieldFacts(AnnotationState.REVIEWED, "cloudy", is_flagged=True, um_per_px=0.25, tone=3)
        assert read_field_facts(project, [first, FovId(99)]) == {first: plain}
        write_field_facts(project, {first: said, FovId(99): said})
        assert read_field_facts(project, [first, second]) == {first: said, second: plain}
        write_field_facts(project, {first: plain})
        assert read_field_facts(project, [first, second]) == {first: plain, second: plain}
    finally:
        project.close()
