"""Suggestions of trained models: through ONNX the same as by torch, told field by field, entered as they come."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from synthstudio.client.recording import Recorder
from synthstudio.core.explanation.peaks import MapPlace, find_fov_peaks
from synthstudio.core.imaging import ImageArray
from synthstudio.core.suggestions.searched import read_search, search_file
from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.progress import no_tick
from synthstudio.domain.records import AnnotationState, Split
from synthstudio.engine.detection import detect
from synthstudio.engine.inference import BEST_WEIGHTS, predict_cams
from synthstudio.engine.jobs import suggest, train_classifier, train_detector
from synthstudio.engine.networks.yolo import Yolo
from synthstudio.engine.searching import ClassifierSearcher, DetectorSearcher
from synthstudio.project import Project
from synthstudio.protocol.messages import RecordsChanged
from synthstudio.protocol.results import SuggestResult
from synthstudio.settings.suggest import SuggestSettings
from synthstudio.settings.train_classifier import TrainClassifierSettings
from synthstudio.settings.train_detector import DetectorName, TrainDetectorSettings
from tests.support.engine_project import RecordingContext, build_engine_project
from tests.support.random_models import classifier_of, detector_of

N_PARTIAL = 3
_STEPS = {"steps": 40, "batch_size": 8, "evaluate_every": 40, "workers": 0, "learning_rate": 4e-3}
_COMMON = {"optimization": _STEPS, "patches": {"auto_scale": False, "scale": 0.75}}


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def image() -> ImageArray:
    """Two tiles of 1024 px, or several windows, and no whole number of cells."""
    rng = np.random.default_rng(0)
    return np.asarray(rng.integers(0, 256, (75, 1107, 3)), np.uint8)


def _folder_with_weights(folder: Path) -> Path:
    """The export is kept beside the weights, by their hash; random networks have none."""
    (folder / BEST_WEIGHTS).parent.mkdir(parents=True)
    (folder / BEST_WEIGHTS).write_bytes(b"random")
    return folder


@pytest.mark.parametrize(("name", "stride"), [("small-cam", 8), ("mobilenet-v3", 8)])
def test_that_peaks_of_an_exported_classifier_are_those_of_the_network(
    tmp_path: Path, image: ImageArray, name: str, stride: int
) -> None:
    classifier = classifier_of(name, stride=stride)
    searcher = ClassifierSearcher(classifier, _folder_with_weights(tmp_path))
    assert searcher.provider == "CPUExecutionProvider"
    found, expected = searcher.maps(image, no_tick), predict_cams(classifier, image)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 1e-4 * max(1.0, float(np.ptp(expected)))
    place = MapPlace(8, 16, 2 * image.shape[1], 2 * image.shape[0])
    for cam, other in zip(found, expected, strict=True):
        peaks, others = (find_fov_peaks(each - each.min(), place, size_px=20.0) for each in (cam, other))
        assert abs(len(peaks) - len(others)) <= 0.02 * len(others)
        near = np.abs(peaks[:, None, :2] - others[None, :, :2]).max(axis=2).min(axis=1)
        assert (near < 0.1).mean() > 0.95  # what is as flat as rounding may have its top elsewhere


@pytest.mark.parametrize("name", ["small-yolo", "fcos-small"])
def test_that_boxes_of_an_exported_detector_are_those_of_the_network(
    tmp_path: Path, image: ImageArray, name: DetectorName
) -> None:
    detector = detector_of(name)
    if isinstance(detector.network, Yolo):  # a new one believes in nothing
        with torch.no_grad():
            detector.network.head.bias.reshape(len(detector.card.anchors), -1)[:, 4] += 4.0  # type: ignore[operator]
    searcher = DetectorSearcher(detector, _folder_with_weights(tmp_path))
    found, expected = searcher.detect(image, no_tick), detect(detector, image)
    assert len(expected.scores) > 50
    assert abs(len(found.scores) - len(expected.scores)) <= 0.01 * len(expected.scores)
    near = np.abs(found.boxes[:, None] - expected.boxes[None]).max(axis=2)
    nearest = near.argmin(axis=1)
    is_same = near.min(axis=1) < 0.1
    assert is_same.mean() > 0.99
    assert np.abs(found.scores - expected.scores[nearest])[is_same].max() < 1e-3
    assert (found.labels == expected.labels[nearest])[is_same].mean() > 0.99


def test_that_torch_searches_where_onnxruntime_cannot_use_the_gpu(
    tmp_path: Path, image: ImageArray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthstudio.engine.searching._provider", lambda *_: "torch on cuda:0")
    small = image[:, :200]
    classifier, detector = classifier_of("small-cam"), detector_of("fcos-small")
    searcher = ClassifierSearcher(classifier, _folder_with_weights(tmp_path / "a"))
    assert (searcher.maps(small, no_tick) == predict_cams(classifier, small)).all()
    found = DetectorSearcher(detector, _folder_with_weights(tmp_path / "b")).detect(small, no_tick)
    assert (found.boxes == detect(detector, small).boxes).all()


def test_that_a_network_is_exported_once_and_anew_for_other_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _folder_with_weights(tmp_path)
    classifier = classifier_of("small-cam")
    ClassifierSearcher(classifier, folder)
    (kept,) = folder.rglob("*.onnx")

    def refuse(*_: object) -> bytes:
        raise AssertionError("exported again")

    with monkeypatch.context() as patch:
        patch.setattr("synthstudio.engine.searching.build_onnx", refuse)
        ClassifierSearcher(classifier, folder)
    (folder / BEST_WEIGHTS).write_bytes(b"others")
    ClassifierSearcher(classifier, folder)
    (other,) = folder.rglob("*.onnx")
    assert other != kept


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = build_engine_project(tmp_path_factory.mktemp("suggest"))
    settings = {**_COMMON, "source": "real-boxes", "network": {"name": "fcos-small"}, "composition": {"canvas_px": 96}}
    context = RecordingContext(project, "train-detector")
    train_detector.run(TrainDetectorSettings.model_validate(settings), context)
    context.finish()
    settings = {**_COMMON, "source": "real-crops", "composition": {"canvas_px": 64}}
    context = RecordingContext(project, "train-classifier")
    train_classifier.run(TrainClassifierSettings.model_validate(settings), context)
    context.finish()
    for fov in project.fovs.list(split=Split.TRAIN)[:N_PARTIAL]:
        project.fovs.set_state(fov.id, AnnotationState.PARTIAL)
    project.fovs.set_state(project.fovs.list(split=Split.TEST)[0].id, AnnotationState.NONE)
    return project


def _model(project: Project, kind: str) -> RunId:
    return project.runs.list(kind=kind)[-1].id


def _enter(project: Project, context: RecordingContext) -> None:
    """Do with the events what the window and the command do."""
    with Recorder(project, project.runs.get(RunId(context.run_id))) as recorder:
        for event in context.events:
            recorder.record(event)


def _suggest(project: Project, **settings: object) -> tuple[SuggestResult, RecordingContext]:
    context = RecordingContext(project, "suggest")
    result = suggest.run(SuggestSettings.model_validate(settings), context)
    _enter(project, context)
    return result, context


@pytest.mark.parametrize(("kind", "has_boxes"), [("train-detector", True), ("train-classifier", False)])
def test_that_a_model_suggests_on_unfinished_fields_what_is_there(project: Project, kind: str, has_boxes: bool) -> None:
    run_id = _model(project, kind)
    before = project.annotations.by_fov()
    result, context = _suggest(project, run=run_id)
    unfinished = [fov for fov in project.fovs.list(split=Split.TRAIN) if not fov.state.is_complete]
    assert [each.fov for each in result.fovs] == [fov.id for fov in unfinished]  # and none of the test split
    told = [each.fov_ids for each in context.events if isinstance(each, RecordsChanged)]
    assert told == [(fov.id,) for fov in unfinished]
    assert project.annotations.by_fov() == before
    hits = n_true = 0
    thresholds = project.suggestions.thresholds(run_id)
    for fov in unfinished:
        kept = project.suggestions.list(fov.id, run_id)
        assert all((each.box is not None) is has_boxes for each in kept)
        assert all(0.1 <= each.score <= 1 and 0 <= each.x <= fov.width and 0 <= each.y <= fov.height for each in kept)
        # So short a training has learned where objects are before it has learned how sure to be of it.
        shown = [each for each in kept if not has_boxes or each.score >= thresholds[each.class_id]]
        for mark in before[fov.id]:
            n_true += 1
            hits += any(abs(each.x - mark.x) < 9 and abs(each.y - mark.y) < 9 for each in shown)
    # At the size of the training they would lie elsewhere.
    assert hits > 0.6 * n_true
    if not has_boxes:
        assert set(thresholds.values()) == {0.5}


def test_that_a_field_is_searched_again_only_where_that_is_asked_for_or_finds_more(project: Project) -> None:
    name = project.fovs.list(split=Split.VAL)[0].name
    run_id = _model(project, "train-detector")
    assert len(_suggest(project, run=run_id, fovs=(name,), min_score=0.3)[0].fovs) == 1
    again = _suggest(project, run=run_id, fovs=(name,), min_score=0.4)[0]
    assert (again.fovs, again.n_known) == ((), 1)
    assert len(_suggest(project, run=run_id, fovs=(name,), min_score=0.1)[0].fovs) == 1
    assert len(_suggest(project, run=run_id, fovs=(name,), again=True)[0].fovs) == 1


def test_that_a_cancelled_search_leaves_what_was_found_before(project: Project) -> None:
    context = RecordingContext(project, "suggest")
    context.stop_at = (500, 1000)  # before the third field of four
    with pytest.raises(Cancelled):
        suggest.run(SuggestSettings(split=Split.TEST, again=True), context)
    _enter(project, context)
    fovs = project.fovs.list(split=Split.TEST)
    assert list(project.suggestions.searched(_model(project, "train-classifier")))[-2:] == [fov.id for fov in fovs[:2]]
    assert read_search(search_file(context.run_dir, fovs[1].id)).fov_id == fovs[1].id


def test_that_a_file_that_is_gone_stops_no_search_of_others(project: Project) -> None:
    first, second = project.fovs.list(split=Split.VAL)[1:3]
    moved = Path(first.path).rename(Path(first.path).with_suffix(".moved"))
    try:
        result, context = _suggest(project, fovs=(first.name, second.name))
        assert [each.fov for each in result.fovs] == [second.id]
        assert len(result.notes) == len(context.warnings) == 1
        with pytest.raises(UserError):
            _suggest(project, fovs=(first.name,))
    finally:
        moved.rename(first.path)


def test_that_what_can_suggest_nothing_is_refused(project: Project, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="of the kind suggest, not"):
        suggest.find_model(project, project.runs.list(kind="suggest")[0].id)
    empty = build_engine_project(tmp_path, n_train=1, n_val=1, n_test=1)
    with pytest.raises(UserError, match="No classifier or detector"):
        suggest.run(SuggestSettings(), RecordingContext(empty, "suggest"))
