"""Scores in the gallery: of doubtful labels, suggestions and detectors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from synthstudio.client.gallery_scores import list_score_sources, read_scores
from synthstudio.core.evaluation.object_scores import score_objects
from synthstudio.core.evaluation.stored_detections import DETECTIONS_NAME, StoredDetections, write_detections
from synthstudio.core.review.findings import FoundImage, found
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import FovId, RunId
from synthstudio.domain.records import RunStatus
from synthstudio.project import Project
from synthstudio.project.gallery import read_gallery_table
from synthstudio.project.suggestion_verdicts import accept
from synthstudio.protocol.results import EvaluateDetectorResult, QualityResult
from tests.support.engine_project import build_engine_project
from tests.support.suggestions import MODEL, suggest

CHECK, EVALUATION = RunId("20261122-080000-quality-cccc"), RunId("20261122-090000-evaluate-detector-dddd")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = build_engine_project(tmp_path, n_train=3, n_val=0, n_test=0)
    yield project
    project.close()


def add_check(project: Project, *, n_found: int = 1) -> None:
    """A finished check with a doubt about the first object of the project."""
    fov = project.fovs.list()[0]
    mark = project.annotations.list(fov.id)[0]
    finding = found("label-suspect", "odd", images=[FoundImage(fov=fov.id, name=fov.name)], marks=[mark], score=0.75)
    project.run_folder(CHECK).mkdir(parents=True)
    (project.run_folder(CHECK) / "findings.jsonl").write_text(f"{finding.model_dump_json()}\n", encoding="utf-8")
    result = QualityResult(
        n_images=3,
        n_reused=0,
        n_annotations=1,
        fail_on="error",
        is_sound=True,
        n_by_severity={},
        n_by_check={"label-suspect": n_found},
        findings=(),
        file="findings.jsonl",
        seconds=1.0,
    )
    project.runs.add(CHECK, kind="quality", title="", settings_json="{}")
    project.runs.set_ended(CHECK, RunStatus.FINISHED, summary_json=result.model_dump_json())


def add_detector(project: Project) -> StoredDetections:
    """An evaluated detector that has found the first object of the first field alone."""
    fovs, names = project.fovs.list(), [each.name for each in project.classes.list()]
    places = {each.id: place for place, each in enumerate(project.classes.list())}
    marks = [(row, mark) for row, fov in enumerate(fovs) for mark in project.annotations.list(fov.id)]
    boxes = np.array([(m.box.x0, m.box.y0, m.box.x1, m.box.y1) for _row, m in marks if m.box is not None])
    stored = StoredDetections(
        class_names=tuple(names),
        fov_ids=np.array([fov.id for fov in fovs]),
        sample_ids=np.array([fov.sample_id for fov in fovs]),
        found_rows=np.array([0, 0]),
        found_boxes=np.array([boxes[0], boxes[0] + 1.0]),
        found_labels=np.array([places[marks[0][1].class_id]] * 2),
        found_scores=np.array([0.9, 0.4]),
        true_rows=np.array([row for row, _mark in marks]),
        true_boxes=boxes,
        true_labels=np.array([places[mark.class_id] for _row, mark in marks]),
        thresholds=np.full(len(names), 0.5),
    )
    project.run_folder(EVALUATION).mkdir(parents=True)
    write_detections(project.run_folder(EVALUATION) / DETECTIONS_NAME, stored)
    result = EvaluateDetectorResult(
        run=MODEL,
        split="test",
        n_images=3,
        n_groups=3,
        per_class={},
        macro_f1=None,
        map50=None,
        map=None,
        detections=DETECTIONS_NAME,
        seconds=1.0,
    )
    project.runs.add(EVALUATION, kind="evaluate-detector", title="", settings_json="{}")
    project.runs.set_ended(EVALUATION, RunStatus.FINISHED, summary_json=result.model_dump_json())
    return stored


def scores_of(project: Project, key: str) -> tuple[dict[int, float], dict[int, float]]:
    """The known scores of objects and of images, by id."""
    told = []
    for view in ("objects", "images"):
        table = read_gallery_table(project, "", view)
        scores = read_scores(project, table, key)
        assert scores is not None
        told.append({int(each): float(s) for each, s in zip(table.ids, scores, strict=True) if not np.isnan(s)})
    return told[0], told[1]


def test_that_a_project_without_runs_has_no_scores(project: Project) -> None:
    assert list_score_sources(project, "") == ()
    assert read_scores(project, read_gallery_table(project, "", "images"), "") is None
    add_check(project, n_found=0)
    assert list_score_sources(project, "") == ()


def test_that_doubtful_labels_score_objects_and_their_images(project: Project) -> None:
    add_check(project)
    assert list_score_sources(project, "") == (("doubtful labels", f"label-suspect:{CHECK}"),)
    assert list_score_sources(project, "made") == ()
    fov = project.fovs.list()[0]
    mark = project.annotations.list(fov.id)[0]
    assert scores_of(project, f"label-suspect:{CHECK}") == ({mark.id: 0.75}, {fov.id: 0.75})
    (project.run_folder(CHECK) / "findings.jsonl").write_text("{}\n", encoding="utf-8")
    with pytest.raises(UserError, match="damaged"):
        scores_of(project, f"label-suspect:{CHECK}")


def test_that_accepted_suggestions_keep_their_score_and_open_ones_are_of_their_image(project: Project) -> None:
    suggest(project, FovId(1), [(20.0, 20.0, 0.8), (60.0, 60.0, 0.6), (70.0, 20.0, 0.3)])
    key = f"suggested:{MODEL}"
    assert (f"suggestions of {MODEL}", key) in list_score_sources(project, "")
    assert scores_of(project, key) == ({}, {1: pytest.approx(0.8)})
    first = max(project.suggestions.list(FovId(1)), key=lambda each: each.score)
    (made,), _told = accept(project, [first.id], author="Ada")
    assert scores_of(project, key) == ({made.id: pytest.approx(0.8)}, {1: pytest.approx(0.6)})


def test_that_a_detector_scores_what_it_has_found_and_missed(project: Project) -> None:
    stored = add_detector(project)
    assert score_objects(stored).tolist() == [0.9, *[0.0] * (len(stored.true_rows) - 1)]
    key = f"detected:{EVALUATION}"
    assert list_score_sources(project, "") == ((f"detector {MODEL} on test", key),)
    objects, images = scores_of(project, key)
    marks = [mark for fov in project.fovs.list() for mark in project.annotations.list(fov.id)]
    assert objects == {mark.id: (0.9 if mark is marks[0] else 0.0) for mark in marks}
    n_first = len(project.annotations.list(FovId(1)))
    assert images[1] == pytest.approx(0.9 / n_first)
    project.annotations.update([marks[0].moved(9.0, 0.0)])
    assert marks[0].id not in scores_of(project, key)[0]
