from pathlib import Path

import pytest
import torch

from synthstudio.core.evaluation.map_scores import read_map_scores
from synthstudio.core.evaluation.predictions import read_predictions
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import FovId
from synthstudio.domain.records import AnnotationState, Split
from synthstudio.engine.jobs import evaluate, train_classifier
from synthstudio.project import Project
from synthstudio.settings.evaluate import EvaluateSettings
from synthstudio.settings.train_classifier import TrainClassifierSettings
from tests.support.engine_project import DISC_PX, SIDE, SQUARE_PX, RecordingContext, build_engine_project


def _train(project: Project, *, steps: int) -> RecordingContext:
    settings = TrainClassifierSettings.model_validate(
        {
            "optimization": {"steps": steps, "batch_size": 16, "evaluate_every": steps // 2, "workers": 0},
            "composition": {"canvas_px": 64, "n_objects_max": 5},
            "patches": {"auto_scale": False},
            "network": {"stride": "4"},
        }
    )
    context = RecordingContext(project, "train-classifier")
    train_classifier.run(settings, context)
    context.finish()
    return context


@pytest.fixture
def project(tmp_path: Path) -> Project:
    torch.set_num_threads(1)
    return build_engine_project(tmp_path)


@pytest.mark.slow
def test_that_a_trained_model_finds_and_points_at_the_objects(project: Project) -> None:
    training = _train(project, steps=80)
    result = evaluate.run(EvaluateSettings(), RecordingContext(project, "evaluate"))
    assert result.run == training.run_id
    assert result.n_images == result.n_groups == 4
    assert (result.classification.macro_f1 or 0) > 0.85
    for name in ("disc", "square"):
        located = result.localization.per_class[name]
        assert (located.pointing_accuracy or 0) > 0.9 > (located.chance or 1)
        assert (located.energy_in_box or 0) > 3 * (located.energy_chance or 1)
        assert (located.center.f1 or 0) > 0.7
        assert result.classification.per_class[name].ci95 is not None
    assert any("unreliable" in note for note in result.notes)


def test_that_an_evaluation_repeats_exactly(project: Project) -> None:
    _train(project, steps=4)
    first, second = (
        evaluate.run(EvaluateSettings(), RecordingContext(project, "evaluate")).model_dump(exclude={"seconds"})
        for _ in range(2)
    )
    assert first == second


def test_that_the_stored_answers_give_the_scores_again(project: Project) -> None:
    _train(project, steps=4)
    context = RecordingContext(project, "evaluate")
    result = evaluate.run(EvaluateSettings(), context)
    predictions = read_predictions(context.run_dir / result.predictions)
    map_scores = read_map_scores(context.run_dir / result.map_scores)
    assert predictions.class_names == map_scores.class_names == ("disc", "square")
    test_fovs = {fov.id: fov for fov in project.fovs.list(split=Split.TEST)}
    assert set(predictions.fov_ids.tolist()) == set(test_fovs)
    for fov_id, sample_id, (x, y, width, height) in zip(
        predictions.fov_ids, predictions.sample_ids, predictions.boxes, strict=True
    ):
        assert test_fovs[fov_id].sample_id == sample_id
        assert width == height > 0
        assert 0 <= x < SIDE
        assert 0 <= y < SIDE
    class_names = {each.id: each.name for each in project.classes.list()}
    for column, name in enumerate(predictions.class_names):
        score = result.classification.per_class[name]
        truth, answers = predictions.truth[:, column], predictions.answers[:, column]
        assert score.support == truth.sum()
        located = result.localization.per_class[name]
        rows = map_scores.of_class(name)
        assert located.n_images == len(rows) == truth.sum()
        assert located.pointing_accuracy == pytest.approx(map_scores.hits[rows].mean())
        for figure, interval in (
            (located.center.f1, located.center.ci95),
            (located.energy_in_box, located.energy_ci95),
            (located.pointing_accuracy, located.ci95),
        ):
            assert interval is not None
            assert interval[0] <= (figure or 0) <= interval[1]
        assert (map_scores.fov_ids[rows] == predictions.fov_ids[truth]).all()
        assert map_scores.boxes is not None
        assert map_scores.tops is not None
        assert (map_scores.boxes[rows] == predictions.boxes[truth]).all()
        within = map_scores.tops[rows] - map_scores.boxes[rows, :2]
        assert ((within >= 0) & (within < map_scores.boxes[rows, 2:])).all()
        half = {"disc": DISC_PX, "square": SQUARE_PX}[name] / 2
        for row in rows:
            marks = project.annotations.list(FovId(int(map_scores.fov_ids[row])))
            away = min(
                max(abs(map_scores.tops[row][0] - mark.x), abs(map_scores.tops[row][1] - mark.y))
                for mark in marks
                if class_names[mark.class_id] == name
            )
            assert (away <= half + 1) if map_scores.hits[row] else (away >= half - 1)
        assert score.f1 == pytest.approx(2 * (truth & answers).sum() / (truth.sum() + answers.sum()))


def test_that_images_that_are_not_exhaustive_give_recall_only(project: Project) -> None:
    _train(project, steps=4)
    for fov in project.fovs.list(split=Split.TEST):
        project.fovs.set_state(fov.id, AnnotationState.PARTIAL)
    result = evaluate.run(EvaluateSettings(intervals=False), RecordingContext(project, "evaluate"))
    center = result.localization.per_class["disc"].center
    assert center.precision is None
    assert center.f1 is None
    assert center.recall is not None
    assert any("exhaustively" in note for note in result.notes)
    assert result.classification.ci95 is None


def test_that_a_split_that_chose_the_thresholds_is_named(project: Project) -> None:
    _train(project, steps=4)
    result = evaluate.run(EvaluateSettings(split=Split.VAL), RecordingContext(project, "evaluate"))
    assert any("chose its thresholds" in note for note in result.notes)


def test_that_there_is_nothing_to_evaluate_before_a_training(project: Project) -> None:
    with pytest.raises(UserError, match="No classifier has been trained"):
        evaluate.run(EvaluateSettings(), RecordingContext(project, "evaluate"))


def test_that_an_empty_split_is_refused(tmp_path: Path) -> None:
    project = build_engine_project(tmp_path, n_test=0)
    _train(project, steps=4)
    with pytest.raises(UserError, match="test split"):
        evaluate.run(EvaluateSettings(), RecordingContext(project, "evaluate"))


def test_that_a_class_that_is_gone_is_named(project: Project) -> None:
    _train(project, steps=4)
    disc = project.classes.find("disc")
    assert disc is not None
    project.database.execute("UPDATE object_class SET name = 'plate' WHERE id = ?", (disc.id,))
    with pytest.raises(UserError, match='"disc"'):
        evaluate.run(EvaluateSettings(), RecordingContext(project, "evaluate"))


def test_that_test_images_that_the_training_saw_are_told(project: Project) -> None:
    _train(project, steps=4)
    notes = evaluate.run(EvaluateSettings(), RecordingContext(project, "evaluate")).notes
    assert not any("saw before" in note for note in notes)
    moved = project.fovs.list(split=Split.TRAIN)[:2]
    project.samples.set_split([fov.sample_id for fov in moved], Split.TEST)
    notes = evaluate.run(EvaluateSettings(), RecordingContext(project, "evaluate")).notes
    assert any(note.startswith("2 of the 6 images") for note in notes)
