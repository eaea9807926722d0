from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from synthstudio.core.explanation.records import read_explanation
from synthstudio.core.imaging import read_image
from synthstudio.core.training.model_card import read_model_card
from synthstudio.domain.errors import NotFound, UserError
from synthstudio.domain.records import Split
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


def test_that_a_gradient_method_has_a_scale_of_its_own_and_the_same_one_in_every_job(project: Project) -> None:
    first, second = (fov.name for fov in project.fovs.list(split=Split.TEST)[:2])
    found = []
    for name in (first, second):
        context = RecordingContext(project, "explain")
        settings = ExplainSettings(fovs=(name,), method="layer-cam", layer="features.8", sanity_check=True)
        result = explain.run(settings, context)
        assert (result.method, result.layer) == ("layer-cam", "features.8")
        found.append(read_explanation(context.run_dir / result.fovs[0].folder))
    (one, cams), (other, _) = found
    assert (one.method, one.layer) == ("layer-cam", "features.8")
    assert [each.cam_high for each in one.classes] == [each.cam_high for each in other.classes]
    network = read_model_card(project.run_folder(project.runs.list(kind="train-classifier")[-1].id))
    assert one.classes[0].cam_high != network.classes[0].cam_high
    assert one.stride_px == pytest.approx(4 / 0.8, rel=0.02)  # the layer's cells, not those of the class maps
    assert cams.shape[1:] == (20, 20)


def test_that_a_validation_image_that_is_gone_does_not_keep_others_from_being_explained(project: Project) -> None:
    gone = Path(project.fovs.list(split=Split.VAL)[0].path)
    moved = gone.rename(gone.with_suffix(".moved"))
    try:
        settings = ExplainSettings(fovs=(project.fovs.list()[0].name,), method="grad-cam")
        assert len(explain.run(settings, RecordingContext(project, "explain")).fovs) == 1
    finally:
        moved.rename(gone)


def test_that_maps_are_compared_with_those_of_random_weights_where_that_is_asked_for(project: Project) -> None:
    context = RecordingContext(project, "explain")
    result = explain.run(ExplainSettings(sanity_check=True), context)
    assert set(result.random_correlation) == {"disc", "square"}
    assert all(value is not None and -1 <= value < 0.99 for value in result.random_correlation.values())
    explanation, _ = read_explanation(context.run_dir / result.fovs[0].folder)
    assert explanation.classes[0].random_correlation is not None
    again = explain.run(ExplainSettings(sanity_check=True), RecordingContext(project, "explain"))
    assert again.random_correlation == result.random_correlation
    assert explain.run(ExplainSettings(), RecordingContext(project, "explain")).random_correlation == {}


def test_that_progress_is_told_within_a_field_too(project: Project) -> None:
    context = RecordingContext(project, "explain")
    told: list[tuple[int, int]] = []
    context.tick = lambda done, total: told.append((done, total))  # type: ignore[method-assign]
    explain.run(ExplainSettings(fovs=(project.fovs.list()[0].name,), method="grad-cam"), context)
    shares = [done for done, total in told if total == explain.PARTS]
    assert shares == sorted(shares)
    assert 0 in shares
    assert explain.PARTS in shares
    assert len(set(shares)) > 2


def test_that_attention_is_refused_where_there_is_none(project: Project) -> None:
    with pytest.raises(UserError, match="for networks with attention"):
        explain.run(ExplainSettings(method="attention"), RecordingContext(project, "explain"))
    with pytest.raises(ValidationError, match="a layer can be chosen for the gradient methods only"):
        ExplainSettings(method="cam", layer="features.3")


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
