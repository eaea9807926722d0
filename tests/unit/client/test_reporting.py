from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from synthstudio.client.reporting.building import build_report
from synthstudio.core.evaluation.cases import list_cases
from synthstudio.core.export.report.document import Block, Charts, Document, Listing, Pictures, Source, Table
from synthstudio.core.export.report.html import render_html
from synthstudio.core.imaging import sha256_of_file, write_png
from synthstudio.domain.errors import NotFound, UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import AnnotationState, Metric, RunStatus, Split, Storage
from synthstudio.project import Project
from synthstudio.protocol.results import TrainResult
from synthstudio.settings.train_classifier import TrainClassifierSettings
from tests.support.evaluations import add_detector_evaluation, add_evaluation, add_explanation, make_predictions

REAL, SYNTHETIC = RunId("real-1"), RunId("synthetic-1")


def add_training(project: Project, run_id: RunId, *, title: str, source: str) -> None:
    settings = {"kind": "train-classifier", "source": source, "network": {"weights": "/home/ann/secret/a.safetensors"}}
    TrainClassifierSettings.model_validate(settings)
    project.run_folder(run_id).mkdir(parents=True)
    project.runs.add(run_id, kind="train-classifier", title=title, settings_json=json.dumps(settings))
    project.runs.add_metrics([Metric(run_id, step, "loss/train", 1 / step) for step in (10, 20, 30)])
    result = TrainResult(run=run_id, status="finished", seconds=90, best={"f1/macro": 0.8}, device="CPU, 2 threads")
    project.runs.set_ended(run_id, RunStatus.FINISHED, summary_json=result.model_dump_json())


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = Project.create(tmp_path / "study <b>")
    add_training(project, REAL, title="Real <i>cells</i>", source="real-crops")
    add_training(project, SYNTHETIC, title="", source="synthetic")
    yield project
    project.close()


def sections(document: Document) -> dict[str, tuple[Block, ...]]:
    return {section.title: section.blocks for section in document.sections if section.blocks}


def tables(blocks: tuple[Block, ...]) -> list[Table]:
    return [block for block in blocks if isinstance(block, Table)]


def test_that_a_report_holds_scores_comparison_and_provenance(project: Project) -> None:
    for seed, run_id in enumerate((REAL, SYNTHETIC)):
        add_evaluation(project, run_id, make_predictions(seed=seed))
    add_explanation(project, REAL)
    before = project.runs.list()
    found = sections(build_report(project, [REAL, SYNTHETIC], split=Split.TEST))
    assert project.runs.list() == before
    runs = tables(found["Runs"])[0]
    assert [row[:3] for row in runs.rows] == [
        ("A", "Real <i>cells</i>", "classifier"),
        ("B", "synthetic, small-cam", "classifier"),
    ]
    assert "CPU, 2 threads" in runs.rows[0]
    scores, means = tables(found["Presence of classes on crops"])
    assert [row[:2] for row in scores.rows] == [
        (name, letter) for name in ("red cell", "Blutplättchen") for letter in "AB"
    ]
    assert means.rows[0][0] == "A  Real <i>cells</i>"
    compared = tables(found["Paired comparison"])[0]
    assert [row[1:3] for row in compared.rows] == [
        (name, measure) for name in ("red cell", "Blutplättchen", "mean") for measure in ("F1", "average precision")
    ]
    assert compared.rows[0][0] == "A, B"
    assert [len(block.drawings) for block in found["Curves"] if isinstance(block, Charts)] == [2, 2, 2]
    assert isinstance(found["Confusion"][0], Charts)
    pictures = found["Examples of class activation maps"][0]
    assert isinstance(pictures, Pictures)
    assert [each.caption for each in pictures.pictures] == ["image 1: red cell", "image 1: Blutplättchen"]
    assert tables(found["Settings"])[0].rows == (("source", "real-crops", "synthetic"),)
    assert isinstance(found["Training"][0], Charts)


def test_that_the_most_wrong_answers_are_shown_where_their_images_are_left(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "study")
    add_training(project, REAL, title="Real", source="real-crops")
    for number in range(2):
        path = tmp_path / f"Ann Other {number}.png"
        write_png(path, np.full((64, 64 * 120, 3), 90, np.uint8))
        project.fovs.add(
            sample_id=project.samples.get_or_add(f"s{number}", split=Split.TEST).id,
            name=path.name,
            stored_path=str(path),
            storage=Storage.REFERENCE,
            sha256=sha256_of_file(path),
            width=64 * 120,
            height=64,
            state=AnnotationState.EXHAUSTIVE,
        )
    path.unlink()
    predictions = make_predictions(n_samples=2)
    add_evaluation(project, REAL, predictions)
    document = build_report(project, [REAL], split=Split.TEST)
    shown = next(block for block in sections(document)["Most wrong answers"] if isinstance(block, Pictures))
    first = next(case for case in list_cases(predictions) if case.fov_id == 1)
    assert shown.pictures[0].caption.startswith(f"{first.class_name} {first.kind.value} ({first.score:.2f})")
    assert len(shown.pictures) == sum(case.fov_id == 1 for case in list_cases(predictions, limit=6))
    assert shown.pictures[0].width_px == 64
    assert "Ann Other" not in render_html(document)
    project.close()


def test_that_a_report_gives_no_folder_and_no_file_name_away(project: Project) -> None:
    add_evaluation(project, REAL, make_predictions())
    document = build_report(project, [REAL], split=Split.TEST)
    text = render_html(document)
    assert "secret" not in text
    assert "a.safetensors" in text
    assert str(project.folder.parent) not in text
    assert "<i>cells" not in text


def test_that_what_is_missing_is_said(project: Project) -> None:
    add_evaluation(project, SYNTHETIC, None)
    found = sections(build_report(project, [REAL, SYNTHETIC], split=Split.TEST))
    remarks = next(block for block in found["Runs"] if isinstance(block, Listing)).lines
    assert any(line == "A: It has not been evaluated on the test split." for line in remarks)
    assert any(line.startswith("A: The run real-1 has no trained model") for line in remarks)
    assert "Presence of classes on crops" in found
    assert "Curves" not in found
    assert "Paired comparison" not in found


def test_that_runs_that_cannot_be_paired_are_named_with_the_reason(project: Project) -> None:
    add_evaluation(project, REAL, make_predictions())
    add_evaluation(project, SYNTHETIC, make_predictions(truth_seed=9))
    found = sections(build_report(project, [REAL, SYNTHETIC], split=Split.TEST))
    (remark,) = next(block for block in found["Paired comparison"] if isinstance(block, Listing)).lines
    assert remark.startswith("A and B: The runs were scored on different")


def test_that_few_samples_are_said_to_be_unreliable(project: Project) -> None:
    for seed, run_id in enumerate((REAL, SYNTHETIC)):
        add_evaluation(project, run_id, make_predictions(seed=seed, n_samples=5))
    found = sections(build_report(project, [REAL, SYNTHETIC], split=Split.TEST))
    (remark,) = next(block for block in found["Paired comparison"] if isinstance(block, Listing)).lines
    assert "interval unreliable, only 5 samples" in remark


def test_that_detectors_have_their_own_part(project: Project) -> None:
    for number in range(2):
        run_id = RunId(f"boxes-{number}")
        project.runs.add(run_id, kind="train-detector", title="", settings_json='{"kind": "train-detector"}')
        add_detector_evaluation(project, run_id, seed=1)
    found = sections(build_report(project, [RunId("boxes-0"), RunId("boxes-1"), REAL], split=Split.TEST))
    blocks = found["Detection of objects"]
    assert tables(blocks)[0].rows[-1][0] == "macro"
    assert len([block for block in blocks if isinstance(block, Charts)]) == 3
    assert tables(found["Paired comparison"])[0].caption == "Boxes at IoU .5"
    assert len([block for block in found["Settings"] if isinstance(block, Source)]) == 3


def test_that_an_evaluation_stands_for_its_training_and_is_not_told_twice(project: Project) -> None:
    job = add_evaluation(project, REAL, make_predictions())
    found = sections(build_report(project, [job, REAL], split=Split.TEST))
    assert len(tables(found["Runs"])[0].rows) == 1


def test_that_only_trainings_can_be_reported(project: Project) -> None:
    project.runs.add(RunId("set-1"), kind="compose", title="", settings_json='{"kind": "compose"}')
    with pytest.raises(UserError, match="reports are of classifiers"):
        build_report(project, [RunId("set-1")], split=Split.TEST)
    with pytest.raises(NotFound):
        build_report(project, [RunId("absent")], split=Split.TEST)
    with pytest.raises(UserError, match="No run was named"):
        build_report(project, [], split=Split.TEST)
