import json
import shutil
from pathlib import Path

import pytest
import torch
from torch.utils.data import Dataset

from synthstudio.core.training.model_card import read_model_card
from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import Split
from synthstudio.engine.checkpoints import load_checkpoint
from synthstudio.engine.data.batches import Batch, CropBatches, iter_batches
from synthstudio.engine.jobs import train_classifier
from synthstudio.project import Project
from synthstudio.settings.compose import ComposeSettings, CompositionSettings, PatchSettings
from synthstudio.settings.train_classifier import TrainClassifierSettings
from tests.support.engine_project import RecordingContext, build_engine_project
from tests.support.sets import add_set


def quick_settings(source: str = "synthetic", **optimization: object) -> TrainClassifierSettings:
    return TrainClassifierSettings.model_validate(
        {
            "source": source,
            "optimization": {"steps": 6, "batch_size": 4, "evaluate_every": 3, "workers": 0, **optimization},
            "composition": {"canvas_px": 64, "n_objects_max": 5},
            "patches": {"auto_scale": False},
        }
    )


SMALL_SET = ComposeSettings(
    set_name="small",
    count=6,
    patches=PatchSettings(scale=1.0),
    composition=CompositionSettings(canvas_px=64, n_objects_min=1, n_objects_max=5),
)


def set_settings(source: str) -> TrainClassifierSettings:
    """Settings of a training on the small set."""
    settings = quick_settings().model_dump() | {"source": source, "set_name": "small", "real_share": 0.4}
    return TrainClassifierSettings.model_validate(settings)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    torch.set_num_threads(1)
    return build_engine_project(tmp_path)


def _tensors(context: RecordingContext, name: str = "last") -> dict[str, torch.Tensor]:
    return load_checkpoint(context.run_dir / "checkpoints" / f"{name}.safetensors").tensors


@pytest.mark.parametrize("source", ["synthetic", "real-crops"])
def test_that_a_training_leaves_a_usable_model(project: Project, source: str) -> None:
    context = RecordingContext(project, "train-classifier")
    result = train_classifier.run(quick_settings(source), context)
    card = read_model_card(context.run_dir)
    assert result.run == context.run_id
    assert card.class_names == ("disc", "square")
    assert card.source == source
    assert {len(context.metrics(name)) for name in ("f1/disc", "f1/square", "f1/macro")} == {2}
    assert set(result.best) >= {"step", "f1/macro"}
    assert sorted(path.name for path in (context.run_dir / "checkpoints").iterdir()) == [
        "best.safetensors",
        "last.safetensors",
    ]
    assert not (context.run_dir / "cache").exists()
    json.loads((context.run_dir / "model.json").read_text())


def test_that_the_test_split_is_never_read(project: Project) -> None:
    for fov in project.fovs.list(split=Split.TEST):
        Path(fov.path).unlink()
    train_classifier.run(quick_settings(), RecordingContext(project, "train-classifier"))
    train_classifier.run(quick_settings("real-crops"), RecordingContext(project, "train-classifier"))
    add_set(project, SMALL_SET)
    train_classifier.run(set_settings("mix"), RecordingContext(project, "train-classifier"))


@pytest.mark.parametrize("source", ["synthetic", "real-crops", "mix"])
def test_that_a_resumed_training_ends_with_the_same_weights(project: Project, source: str) -> None:
    straight = RecordingContext(project, "train-classifier")
    train_classifier.run(quick_settings(source), straight)
    broken = RecordingContext(project, "train-classifier")
    broken.stop_at = (4, 6)
    with pytest.raises(Cancelled):
        train_classifier.run(quick_settings(source), broken)
    resumed = RecordingContext(project, "train-classifier", run_dir=broken.run_dir)
    train_classifier.run(quick_settings(source), resumed)
    for name in ("best", "last"):
        expected, found = _tensors(straight, name), _tensors(resumed, name)
        assert all(torch.equal(expected[key], found[key]) for key in expected)
    first, second = read_model_card(straight.run_dir), read_model_card(resumed.run_dir)
    assert first == second


@pytest.mark.slow
def test_that_the_batches_do_not_depend_on_the_number_of_workers(project: Project, tmp_path: Path) -> None:
    context = RecordingContext(project, "train-classifier")
    add_set(project, SMALL_SET)
    for settings in (quick_settings("mix"), set_settings("mix")):  # every kind of source takes part
        batches = train_classifier._Training(settings, context)._build_batches()
        streams = [list(iter_batches(batches, start=1, stop=5, workers=workers)) for workers in (0, 1, 2)]
        for other in streams[1:]:
            for (images, labels), (same_images, same_labels) in zip(streams[0], other, strict=True):
                assert torch.equal(images, same_images)
                assert torch.equal(labels, same_labels)
    shutil.rmtree(context.run_dir / "cache")


def test_that_another_seed_gives_other_weights(project: Project) -> None:
    contexts = [RecordingContext(project, "train-classifier", seed=seed) for seed in (0, 1)]
    for context in contexts:
        train_classifier.run(quick_settings(), context)
    first, second = (_tensors(context)["network/head.weight"] for context in contexts)
    assert not torch.equal(first, second)


def test_that_validation_is_set_aside_where_there_is_none(tmp_path: Path) -> None:
    project = build_engine_project(tmp_path, n_train=6, n_val=0, n_test=1)
    context = RecordingContext(project, "train-classifier")
    train_classifier.run(quick_settings(), context)
    train_ids = {fov.id for fov in project.fovs.list(split=Split.TRAIN)}
    chosen = set(read_model_card(context.run_dir).validation_fov_ids)
    assert chosen < train_ids
    assert chosen


def test_that_a_project_without_training_images_is_told_so(tmp_path: Path) -> None:
    project = build_engine_project(tmp_path, n_train=0, n_val=1, n_test=1)
    with pytest.raises(UserError, match="train split"):
        train_classifier.run(quick_settings(), RecordingContext(project, "train-classifier"))


def test_that_a_class_present_on_nearly_every_image_raises_an_alarm(project: Project) -> None:
    context = RecordingContext(project, "train-classifier")
    settings = quick_settings("real-crops")
    composition = settings.composition.model_copy(update={"canvas_px": 96})
    result = train_classifier.run(settings.model_copy(update={"composition": composition}), context)
    assert any("present on" in text for text in context.warnings)
    assert result.warnings == tuple(context.warnings)


def test_that_changed_annotations_are_noticed_on_a_resume(project: Project) -> None:
    broken = RecordingContext(project, "train-classifier")
    broken.stop_at = (4, 6)
    with pytest.raises(Cancelled):
        train_classifier.run(quick_settings(), broken)
    fov = project.fovs.list(split=Split.TRAIN)[0]
    project.annotations.remove(project.annotations.list(fov.id)[:1])
    resumed = RecordingContext(project, "train-classifier", run_dir=project.run_folder(RunId(broken.run_id)))
    train_classifier.run(quick_settings(), resumed)
    assert any("have changed" in text for text in resumed.warnings)


def test_that_a_dead_loader_process_is_told_in_plain_words() -> None:
    class Killing(Dataset[Batch]):
        def __getitem__(self, step: int) -> Batch:
            raise RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed.")

    with pytest.raises(UserError, match="lack of memory"):
        next(iter_batches(Killing(), start=0, stop=1, workers=0))


def test_that_every_crop_is_used_once_per_pass(project: Project) -> None:
    training = train_classifier._Training(quick_settings("real-crops"), RecordingContext(project, "train-classifier"))
    batches = training._build_batches()
    assert isinstance(batches, CropBatches)
    n_steps = len(batches.presence) // 4
    crops = batches.choose(range(n_steps * 4))
    assert sorted(crops) == list(range(len(batches.presence)))
    assert batches.choose(range(8, 12)) == crops[8:12]
