"""Trainings on fields of different magnification, brought to one pixel size."""

from pathlib import Path

import numpy as np
import pytest
import torch

from synthstudio.core.explanation.records import EXPLAIN_FOLDER, read_explanation
from synthstudio.core.training.model_card import read_model_card
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import Split
from synthstudio.domain.scale import WorkingScale
from synthstudio.engine.data.fields import MarkedReader
from synthstudio.engine.jobs import compose, evaluate, explain, train_classifier, train_detector
from synthstudio.project import Project
from synthstudio.settings.compose import ComposeSettings
from synthstudio.settings.evaluate import EvaluateSettings
from synthstudio.settings.explain import ExplainSettings
from synthstudio.settings.train_classifier import TrainClassifierSettings
from synthstudio.settings.train_detector import TrainDetectorSettings
from tests.support.engine_project import DISC_PX, SQUARE_PX, UM_PER_PX, RecordingContext, build_engine_project

SCALE = WorkingScale(um_per_px=UM_PER_PX)


@pytest.fixture
def mixed(tmp_path: Path) -> Project:
    """Every second field is magnified three times."""
    torch.set_num_threads(1)
    return build_engine_project(tmp_path / "mixed", magnifications=(1, 3))


def training_settings(*, steps: int) -> TrainClassifierSettings:
    return TrainClassifierSettings.model_validate(
        {
            "optimization": {"steps": steps, "batch_size": 16, "evaluate_every": steps // 2, "workers": 0},
            "composition": {"canvas_px": 64, "n_objects_max": 5},
            "patches": {"um_per_px": UM_PER_PX},
            "network": {"stride": "4"},
        }
    )


def test_that_magnified_fields_are_read_as_the_others_are(mixed: Project, tmp_path: Path) -> None:
    plain = build_engine_project(tmp_path / "plain")
    sizes = [DISC_PX, SQUARE_PX]
    one = MarkedReader(plain, plain.classes.list(), sizes_px=sizes, scale=WorkingScale(), side=64)
    other = MarkedReader(mixed, mixed.classes.list(), sizes_px=sizes, scale=SCALE, side=64)
    for fov, magnified in zip(plain.fovs.list(), mixed.fovs.list(), strict=True):
        wanted, found = one.read(fov), other.read(magnified)
        assert np.array_equal(wanted.image, found.image)
        assert np.allclose(wanted.extents, found.extents)
        assert np.array_equal(wanted.labels, found.labels)


@pytest.mark.slow
def test_that_a_training_on_both_magnifications_finds_the_objects_on_both(mixed: Project) -> None:
    training = RecordingContext(mixed, "train-classifier")
    train_classifier.run(training_settings(steps=80), training)
    training.finish()
    card = read_model_card(training.run_dir)
    assert card.working_scale == SCALE
    assert [each.size_px for each in card.classes] == pytest.approx([DISC_PX, SQUARE_PX])
    result = evaluate.run(EvaluateSettings(), RecordingContext(mixed, "evaluate"))
    assert (result.classification.macro_f1 or 0) > 0.85
    assert min(each.pointing_accuracy or 0 for each in result.localization.per_class.values()) > 0.9
    context = RecordingContext(mixed, "explain")
    explained = explain.run(ExplainSettings(split=Split.TEST), context)
    sides = {}
    for fov in explained.fovs:
        written, _ = read_explanation(context.run_dir / EXPLAIN_FOLDER / str(fov.fov))
        sides[written.width] = written.classes[0].size_px
    small, large = sorted(sides)
    assert large == 3 * small
    assert sides[large] == pytest.approx(3 * sides[small])


def test_that_a_detector_and_a_set_are_made_at_the_pixel_size(mixed: Project) -> None:
    settings = TrainDetectorSettings.model_validate(
        {
            "optimization": {"steps": 2, "batch_size": 2, "evaluate_every": 2, "workers": 0},
            "composition": {"canvas_px": 64, "n_objects_max": 5},
            "patches": {"um_per_px": UM_PER_PX},
        }
    )
    train_detector.run(settings, RecordingContext(mixed, "train-detector"))
    made = ComposeSettings.model_validate(
        {"set_name": "even", "count": 2, "patches": {"um_per_px": UM_PER_PX}, "composition": {"canvas_px": 64}}
    )
    context = RecordingContext(mixed, "compose")
    compose.run(made, context)
    assert f'"um_per_px":{UM_PER_PX}' in (mixed.set_folder("even") / "set.json").read_text().replace(" ", "")
    assert not context.warnings


def test_that_different_magnifications_without_a_pixel_size_are_warned_of(mixed: Project) -> None:
    context = RecordingContext(mixed, "compose")
    compose.run(ComposeSettings.model_validate({"set_name": "uneven", "count": 1}), context)
    assert any("give a pixel size" in warning for warning in context.warnings)


def test_that_a_field_without_calibration_stops_the_training_with_its_name(mixed: Project) -> None:
    first = mixed.fovs.list(split=Split.TRAIN)[0]
    mixed.fovs.set_calibration([first.id], None)
    with pytest.raises(UserError, match=f"{first.name} is not calibrated"):
        train_classifier.run(training_settings(steps=2), RecordingContext(mixed, "train-classifier"))
