from pathlib import Path

import numpy as np
import pytest
import torch

from synthstudio.core.explanation.records import read_explanation
from synthstudio.core.imaging import read_image
from synthstudio.core.training.model_card import read_model_card
from synthstudio.domain.errors import NotFound, UserError
from synthstudio.engine.data.fields import read_fov
from synthstudio.engine.inference import load_classifier, predict_cams
from synthstudio.engine.jobs import explain, train_classifier
from synthstudio.project import Project
from synthstudio.settings.explain import ExplainSettings
from synthstudio.settings.train_classifier import TrainClassifierSettings
from tests.support.engine_project import SIDE, RecordingContext, build_engine_project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    torch.set_num_threads(1)
    project = build_engine_project(tmp_path_factory.mktemp("explain"))
    settings = TrainClassifierSettings.model_validate(
        {
            "optimization": {"steps": 8, "batch_size": 8, "evaluate_every": 8, "workers": 0},
            "composition": {"canvas_px": 64, "n_objects_max": 5},
            "patches": {"auto_scale": False, "scale": 0.8},
        }
    )
    context = RecordingContext(project, "train-classifier")
    train_classifier.run(settings, context)
    context.finish()
    return project


def test_that_every_image_of_the_split_gets_maps_pictures_and_peaks(project: Project) -> None:
    context = RecordingContext(project, "explain")
    result = explain.run(ExplainSettings(), context)
    assert len(result.fovs) == 4
    folder = context.run_dir / result.fovs[0].folder
    explanation, cams = read_explanation(folder)
    assert (explanation.width, explanation.height) == (SIDE, SIDE)
    assert [each.name for each in explanation.classes] == ["disc", "square"]
    assert cams.shape[0] == 2
    assert cams.shape[2] * explanation.stride_px >= SIDE
    for each in explanation.classes:
        assert read_image(folder / each.overlay).shape == (SIDE, SIDE, 3)
        assert all(0 <= x <= SIDE and 0 <= y <= SIDE for x, y, _ in each.peaks)
        assert all(value >= each.threshold for _, _, value in each.centers)


def test_that_the_maps_are_those_of_the_network(project: Project) -> None:
    context = RecordingContext(project, "explain")
    fov = project.fovs.list()[0]
    result = explain.run(ExplainSettings(fovs=(fov.name,)), context)
    assert [each.fov for each in result.fovs] == [fov.id]
    _, cams = read_explanation(context.run_dir / result.fovs[0].folder)
    classifier = load_classifier(
        project.run_folder(project.runs.list(kind="train-classifier")[-1].id), torch.device("cpu")
    )
    from synthstudio.core.patches.bank import scaled

    expected = predict_cams(classifier, scaled(read_fov(fov), classifier.card.scale))
    assert np.allclose(cams, expected, atol=0.01, rtol=1e-3)


def test_that_an_unknown_image_is_named(project: Project) -> None:
    with pytest.raises(NotFound, match=r"nowhere\.png"):
        explain.run(ExplainSettings(fovs=("nowhere.png",)), RecordingContext(project, "explain"))


def test_that_a_run_without_a_model_is_refused(project: Project, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no trained model"):
        read_model_card(tmp_path)
    with pytest.raises(NotFound, match="no run"):
        explain.run(ExplainSettings(run="never"), RecordingContext(project, "explain"))


def test_that_a_damaged_explanation_is_refused(tmp_path: Path) -> None:
    (tmp_path / "explanation.json").write_text("{}")
    (tmp_path / "cams.npy").write_bytes(b"x")
    with pytest.raises(UserError, match="damaged"):
        read_explanation(tmp_path)
