"""What `quality` says of its findings."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthstudio.cli.found import print_findings
from synthstudio.core.review.findings import Finding, FoundImage, FoundPlace, found
from synthstudio.domain.ids import AnnotationId, ClassId, FovId
from synthstudio.domain.records import Annotation, Box
from synthstudio.protocol.results import QualityResult

IMAGE = FoundImage(fov=1, name="a.png")
BOX = Annotation(AnnotationId(7), FovId(1), ClassId(1), 0.0, 0.0).with_box(Box(12, 34.5, 68, 112.5))


def _result(*findings: Finding) -> QualityResult:
    return QualityResult(
        n_images=1,
        n_reused=0,
        n_annotations=1,
        fail_on="error",
        is_sound=True,
        n_by_severity={"warning": len(findings)},
        n_by_check={each.check: 1 for each in findings},
        findings=findings,
        file="findings.jsonl",
        seconds=1.0,
    )


def test_that_a_data_set_with_problems_while_reading_is_not_called_sound(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    print_findings(_result(), tmp_path)
    assert "\nsound (fails on error): 0 errors, 0 warnings, 0 notes\n" in capsys.readouterr().out
    print_findings(_result(), tmp_path, n_unread=2)
    told = "not sound (fails on error): 2 problems while reading: what they name was left out and not checked; 0 errors"
    assert f"\n{told}," in capsys.readouterr().out


def test_that_a_finding_tells_where_its_marks_lie(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    click = Annotation(AnnotationId(8), FovId(1), ClassId(1), 5.0, 6.0)
    twice = found("duplicate-annotation", "Two marks.", images=[IMAGE], marks=[BOX, click])
    free = found("label-missing", "A cell.", images=[IMAGE], places=[FoundPlace.of_box(Box(1, 2, 3, 5))])
    print_findings(_result(twice, free), tmp_path)
    told = capsys.readouterr().out
    assert "Two marks. [a.png, annotation 7 at 12, 34.5 (56 x 78 px), annotation 8 at 5, 6]" in told
    assert "A cell. [a.png, at 1, 2 (2 x 3 px)]" in told
    assert [each.model_dump() for each in twice.places] == [
        {"annotation": 7, "x": 12, "y": 34.5, "w": 56, "h": 78},
        {"annotation": 8, "x": 5, "y": 6, "w": None, "h": None},
    ]
