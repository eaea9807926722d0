"""Training and scoring detectors on drawn objects: they learn, resume, and are scored on what they never saw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from synthstudio.core.evaluation.detected import find_detection_files, read_fov_detections
from synthstudio.core.evaluation.stored_detections import read_detections
from synthstudio.core.training.detector_card import read_detector_card
from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.domain.records import AnnotationState, Split
from synthstudio.domain.scale import WorkingScale
from synthstudio.engine.data.batches import iter_batches
from synthstudio.engine.data.detection_batches import DetectionBatches, build_field_store
from synthstudio.engine.data.fields import MarkedReader
from synthstudio.engine.jobs import evaluate_detector, train_detector
from synthstudio.project import Project
from synthstudio.project.patches import build_project_bank
from synthstudio.settings.compose import PatchSettings
from synthstudio.settings.evaluate_detector import EvaluateDetectorSettings
from synthstudio.settings.train_detector import DetectorCompositionSettings, TrainDetectorSettings
from tests.support.engine_project import SIDE, RecordingContext, build_engine_project

QUICK = {
    "optimization": {"steps": 60, "batch_size": 8, "evaluate_every": 30, "workers": 0, "learning_rate": 4e-3},
    "composition": {"canvas_px": 96, "n_objects_max": 6},
    "patches": {"auto_scale": False, "scale": 1.0},
    "network": {"n_anchors": 2},
}


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return build_engine_project(tmp_path)


def settings(**changes: object) -> TrainDetectorSettings:
    return TrainDetectorSettings.model_validate({**QUICK, **changes})


@pytest.mark.parametrize("source", ["synthetic", "real-boxes", "mix"])
def test_that_a_detector_learns_and_finds_objects_it_never_saw(project: Project, source: str) -> None:
    context = RecordingContext(project, "train-detector")
    result = train_detector.run(settings(source=source, real_share=0.5), context)
    losses = [value for _, value in context.metrics("loss/train")]
    assert np.mean(losses[-2:]) < 0.5 * losses[0]
    assert result.best["f1/macro"] is not None
    assert result.device == "CPU, 1 thread"
    context.finish()
    card = read_detector_card(context.run_dir)
    assert card.class_names == ("disc", "square")
    assert card.source == source
    assert len(card.anchors) == 2
    evaluation = RecordingContext(project, "evaluate-detector")
    scored = evaluate_detector.run(EvaluateDetectorSettings(), evaluation)
    assert scored.run == context.run_id
    stored = read_detections(evaluation.run_dir / scored.detections)
    n_true = stored.count()[..., [0, 2]].sum(axis=(0, 2))  # hits and missed ones
    assert n_true.tolist() == [scored.per_class[name].support for name in stored.class_names]
    assert {fov.id for fov in project.fovs.list(split=Split.TEST)} == set(stored.fov_ids.tolist())
    assert stored.true_boxes.max() <= SIDE
    fields = find_detection_files(evaluation.run_dir)  # what the window shows of each field
    assert set(fields) == set(stored.fov_ids.tolist())
    assert all(read_fov_detections(path).run == context.run_id for path in fields.values())
    assert (scored.n_images, scored.n_groups) == (4, 4)
    # Boxes at random would overlap an object by half in about one of fifty.
    assert scored.macro_f1 is not None
    assert scored.macro_f1 > 0.5
    assert scored.map50 is not None
    assert scored.map is not None
    assert scored.map50 >= scored.map > 0.1
    assert any("unreliable" in note for note in scored.notes)
    assert not (context.run_dir / "cache").exists()


def test_that_a_network_without_anchors_learns_too(project: Project) -> None:
    network = {"name": "fcos-small"}
    context = RecordingContext(project, "train-detector")
    train_detector.run(settings(network=network), context)
    context.finish()
    card = read_detector_card(context.run_dir)
    assert (card.network, card.anchors) == ("fcos-small", ())
    scored = evaluate_detector.run(EvaluateDetectorSettings(), RecordingContext(project, "evaluate-detector"))
    assert scored.macro_f1 is not None
    assert scored.macro_f1 > 0.5
    # Its weights can be the start of another one.
    weights = str(context.run_dir / "checkpoints" / "best.safetensors")
    short = {**QUICK["optimization"], "steps": 2, "evaluate_every": 2, "learning_rate": 1e-6}  # type: ignore[dict-item]
    again = train_detector.run(
        settings(network={**network, "weights": weights}, optimization=short),
        RecordingContext(project, "train-detector"),
    )
    assert (again.best["f1/macro"] or 0.0) > 0.4
    with pytest.raises(UserError, match="do not fit"):
        train_detector.run(settings(network={"weights": weights}), RecordingContext(project, "train-detector"))


def test_that_a_resumed_training_ends_as_an_uninterrupted_one(project: Project) -> None:
    short = settings(optimization={**QUICK["optimization"], "steps": 6, "evaluate_every": 2})  # type: ignore[dict-item]
    straight = RecordingContext(project, "train-detector")
    train_detector.run(short, straight)
    broken = RecordingContext(project, "train-detector")
    broken.stop_at = (3, 6)
    with pytest.raises(Cancelled):
        train_detector.run(short, broken)
    resumed = RecordingContext(project, "train-detector", run_dir=broken.run_dir)
    train_detector.run(short, resumed)
    weights = [(each.run_dir / "checkpoints" / "best.safetensors").read_bytes() for each in (straight, resumed)]
    assert weights[0] == weights[1]
    assert read_detector_card(straight.run_dir) == read_detector_card(resumed.run_dir)


def make_batches(project: Project, scratch: Path, *, with_bank: bool, with_fields: bool) -> DetectionBatches:
    reader = MarkedReader(project, project.classes.list(), sizes_px=[18.0, 14.0], scale=WorkingScale(), side=64)
    fovs = project.fovs.list(split=Split.TRAIN)
    return DetectionBatches(
        build_project_bank(project, PatchSettings()) if with_bank else None,
        build_field_store(reader, fovs, scratch / "f.npy", tick=lambda *_: None) if with_fields else None,
        real_share=0.5,
        settings=DetectorCompositionSettings(canvas_px=64),
        seed=3,
        batch_size=6,
        scratch=scratch,
    )


@pytest.mark.parametrize(("with_bank", "with_fields"), [(True, False), (False, True), (True, True)])
def test_that_batches_depend_on_their_number_alone(
    project: Project, tmp_path: Path, *, with_bank: bool, with_fields: bool
) -> None:
    batches = make_batches(project, tmp_path / "scratch", with_bank=with_bank, with_fields=with_fields)
    expected = [batches[step] for step in range(4)]
    again = make_batches(project, tmp_path / "other", with_bank=with_bank, with_fields=with_fields)
    for found, known in zip(iter_batches(again, start=0, stop=4, workers=1), expected, strict=True):
        assert torch.equal(found[0], known[0])
        assert torch.equal(found[1], known[1])


def test_that_the_boxes_lie_on_the_objects(project: Project, tmp_path: Path) -> None:
    for with_bank, with_fields in ((True, False), (False, True)):
        batches = make_batches(project, tmp_path / str(with_bank), with_bank=with_bank, with_fields=with_fields)
        inside, outside = [], []
        for step in range(6):
            images, marks = batches[step]
            for image, boxes in zip(images.numpy(), marks.numpy(), strict=True):
                mask = np.zeros(image.shape[:2], bool)
                for label, x0, y0, x1, y1 in boxes[boxes[:, 0] >= 0]:
                    assert label in (0, 1)
                    assert 0 <= x0 < x1 <= 64
                    assert 0 <= y0 < y1 <= 64
                    mask[int(y0) : int(np.ceil(y1)), int(x0) : int(np.ceil(x1))] = True
                dark = image.min(axis=2) < 140
                inside.append(dark[mask].mean() if mask.any() else np.nan)
                outside.append(dark[~mask].mean())
        assert np.nanmean(inside) > 0.4
        # Objects of which less than half can be seen give no box.
        assert np.nanmean(outside) < 0.08


def test_that_real_boxes_want_exhaustive_images(project: Project) -> None:
    for fov in project.fovs.list(split=Split.TRAIN):
        project.fovs.set_state(fov.id, AnnotationState.PARTIAL)
    with pytest.raises(UserError, match="No training image is annotated exhaustively"):
        train_detector.run(settings(source="real-boxes"), RecordingContext(project, "train-detector"))
    for fov in project.fovs.list(split=Split.TEST):
        project.fovs.set_state(fov.id, AnnotationState.PARTIAL)
    with pytest.raises(UserError, match="No detector has been trained"):
        evaluate_detector.run(EvaluateDetectorSettings(), RecordingContext(project, "evaluate-detector"))


def test_that_a_detector_is_not_scored_where_objects_may_be_unmarked(project: Project) -> None:
    context = RecordingContext(project, "train-detector")
    short = settings(optimization={**QUICK["optimization"], "steps": 2, "evaluate_every": 2})  # type: ignore[dict-item]
    train_detector.run(short, context)
    context.finish()
    for fov in project.fovs.list(split=Split.TEST):
        project.fovs.set_state(fov.id, AnnotationState.PARTIAL)
    with pytest.raises(UserError, match="may be right"):
        evaluate_detector.run(EvaluateDetectorSettings(), RecordingContext(project, "evaluate-detector"))
