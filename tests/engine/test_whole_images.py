"""Classifiers that see whole images: labels of images, real negatives, accepted images of a set as all positives."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from synthstudio.core.annotations.imagefolder import read_imagefolder
from synthstudio.core.annotations.planning import ReadOptions
from synthstudio.core.evaluation.predictions import PREDICTIONS_NAME, read_predictions
from synthstudio.core.imaging import write_png
from synthstudio.core.training.model_card import read_model_card
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import SetName
from synthstudio.domain.records import Box, Split, Verdict, VerdictKind
from synthstudio.engine.data.batches import CropBatches, MixBatches
from synthstudio.engine.jobs import evaluate, explain, export_onnx, train_classifier
from synthstudio.project import Project
from synthstudio.project.imports import apply_import
from synthstudio.settings.compose import ComposeSettings, CompositionSettings, PatchSettings
from synthstudio.settings.evaluate import EvaluateSettings
from synthstudio.settings.explain import ExplainSettings
from synthstudio.settings.export_onnx import ExportOnnxSettings
from synthstudio.settings.train_classifier import TrainClassifierSettings
from tests.support.engine_project import RecordingContext
from tests.support.region_projects import add_photo, draw_photo
from tests.support.sets import add_set

SIDE, COUNT = 32, 8
SPLITS = (Split.TRAIN,) * 8 + (Split.VAL,) * 4 + (Split.TEST,) * 4
RASH = Box(40.0, 20.0, 140.0, 110.0)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def _settings(source: str = "real-crops", **changes: object) -> TrainClassifierSettings:
    return TrainClassifierSettings.model_validate(
        {
            "source": source,
            "view": "whole-images",
            "loss": {"task": "single-label"},
            "optimization": {"steps": 40, "batch_size": 8, "evaluate_every": 20, "workers": 0, "warmup_steps": 2},
            "composition": {"canvas_px": SIDE},
            **changes,
        }
    )


def _boxed_project(folder: Path, *, splits: Sequence[Split] = SPLITS) -> Project:
    """Photographs of one rash in its box, and in turn of plain skin without any box."""
    project = Project.create(folder / "project")
    project.classes.add("rash")
    for number, split in enumerate(splits):
        boxes = {"rash": RASH} if number % 2 else {}
        path = folder / f"photo{number}.png"
        write_png(path, draw_photo(boxes, tone=number // 2 % 3 + 1, width=160 + 8 * number))
        add_photo(project, path, boxes, split=split)
    return project


def _add_judged_set(project: Project, accepted: Sequence[int]) -> None:
    composition = CompositionSettings(canvas_px=96, n_objects_min=1, n_objects_max=1)
    settings = ComposeSettings(
        set_name="made", count=COUNT, patches=PatchSettings(scale=0.5, um_per_px=0.0), composition=composition
    )
    add_set(project, settings)
    for index in range(COUNT):
        kind = VerdictKind.ACCEPTED if index in accepted else VerdictKind.REJECTED
        project.verdicts.put(Verdict(SetName("made"), index, kind, "", "physician", ""))


def _batches(project: Project, settings: TrainClassifierSettings) -> MixBatches:
    batches = train_classifier._Training(settings, RecordingContext(project, "train-classifier"))._build_batches()
    assert isinstance(batches, MixBatches)
    return batches


def test_that_folders_of_photographs_train_and_score_a_classifier_of_two_labels(tmp_path: Path) -> None:
    for number, split in enumerate(SPLITS):
        name = "rash" if number % 2 else "normal"
        path = tmp_path / "photos" / split.value / name / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        boxes = {"rash": RASH} if number % 2 else {}
        write_png(path, draw_photo(boxes, tone=number // 2 % 3 + 1, width=160 + number))
    project = Project.create(tmp_path / "project")
    apply_import(project, read_imagefolder(tmp_path / "photos", ReadOptions(labels_from_folder=True)), copy=False)
    context = RecordingContext(project, "train-classifier")
    assert train_classifier.run(_settings(), context).status == "finished"
    context.finish()
    card = read_model_card(context.run_dir)
    assert (card.class_names, card.task, card.whole_px) == (("normal", "rash"), "single-label", SIDE)
    assert len(card.train_fov_ids) == 8

    evaluation = RecordingContext(project, "evaluate")
    result = evaluate.run(EvaluateSettings(run=context.run_id), evaluation)
    predictions = read_predictions(evaluation.run_dir / PREDICTIONS_NAME)
    assert predictions.truth.tolist() == [[True, False]] * 2 + [[False, True]] * 2
    assert predictions.boxes[:, 2].tolist() == [172, 174, 173, 175], "each photograph is one picture, its whole"
    found = result.classification
    assert (found.accuracy, found.auc, found.macro_f1) == (1.0, 1.0, 1.0)
    assert not any("annotated exhaustively" in note for note in result.notes)

    test = project.fovs.list(split=Split.TEST)
    maps = RecordingContext(project, "explain")
    explain.run(ExplainSettings(run=context.run_id, fovs=(test[0].name,)), maps)
    (cam,) = (np.load(each) for each in maps.run_dir.rglob("*.npy"))
    assert len(cam) == 2
    assert max(cam.shape[1:]) <= SIDE, "a map of the whole photograph"
    out = tmp_path / "whole.onnx"
    exported = export_onnx.run(ExportOnnxSettings(out=str(out)), RecordingContext(project, "export-onnx"))
    assert "its longer side has 32 px" in Path(exported.card).read_text(encoding="utf-8")


def test_that_accepted_synthetic_positives_and_real_negatives_are_what_is_learned(tmp_path: Path) -> None:
    project = _boxed_project(tmp_path)
    _add_judged_set(project, accepted=(1, 2, 5))
    context = RecordingContext(project, "train-classifier")
    settings = _settings("mix", set_name="made", real_part="negatives", real_share=0.5)
    mix = _batches(project, settings)
    assert isinstance(mix._synthetic, CropBatches)
    assert isinstance(mix._real, CropBatches)
    assert mix._synthetic.presence.tolist() == [[True]] * 3, "a rejected image is never trained on"
    assert (mix._synthetic._store.fov_ids - 1).tolist() == [1, 2, 5]
    assert mix._real.presence.tolist() == [[False]] * 4, "and no real positive"
    names = [project.fovs.get(fov_id).name for fov_id in mix._real._store.fov_ids.tolist()]
    assert names == ["photo0.png", "photo2.png", "photo4.png", "photo6.png"]
    assert train_classifier.run(settings, context).status == "finished"
    assert read_model_card(context.run_dir).task == "multi-label", "one class is a question of yes or no"

    context.finish()
    result = evaluate.run(EvaluateSettings(run=context.run_id), RecordingContext(project, "evaluate"))
    rash, absent = result.classification.per_class["rash"], result.classification.absence
    assert absent is not None
    assert (rash.support, absent.support) == (2, 2)
    assert (absent.precision, absent.recall) == (rash.npv, rash.specificity)


def test_that_a_class_may_be_known_from_the_synthetic_images_alone(tmp_path: Path) -> None:
    project = _boxed_project(tmp_path)
    _add_judged_set(project, accepted=range(COUNT))
    shown = [fov for fov in project.fovs.list(split=Split.TRAIN) if project.annotations.list(fov.id)]
    project.fovs.remove([fov.id for fov in shown])
    mix = _batches(project, _settings("mix", set_name="made", real_part="negatives", real_share=0.5))
    assert isinstance(mix._real, CropBatches)
    assert isinstance(mix._synthetic, CropBatches)
    assert (len(mix._real.presence), mix._real.presence.any()) == (4, False)
    assert (len(mix._synthetic.presence), mix._synthetic.presence.all()) == (COUNT, True)


def test_that_only_what_is_known_to_lack_a_class_is_its_negative(tmp_path: Path) -> None:
    project = _boxed_project(tmp_path)
    _add_judged_set(project, accepted=range(COUNT))
    rash = project.classes.list()[0]
    plain = [fov for fov in project.fovs.list(split=Split.TRAIN) if not project.annotations.list(fov.id)]
    project.fovs.set_image_label(plain[0].id, rash.id, present=True)  # the person's word counts before the marks
    boxed = next(fov for fov in project.fovs.list(split=Split.TRAIN) if project.annotations.list(fov.id))
    project.fovs.set_image_label(boxed.id, rash.id, present=False)
    settings = _settings("mix", set_name="made", real_part="negatives")
    real = _batches(project, settings)._real
    assert isinstance(real, CropBatches)
    assert sorted(real._store.fov_ids.tolist()) == sorted([boxed.id, *(fov.id for fov in plain[1:])])
    assert not real.presence.any()
    for fov in (boxed, *plain):
        project.fovs.set_image_label(fov.id, rash.id, present=True)
    with pytest.raises(UserError, match="known to show no rash"):
        _batches(project, settings)


def test_that_the_images_of_the_test_split_are_locked_for_whole_images_too(tmp_path: Path) -> None:
    project = _boxed_project(tmp_path)
    _add_judged_set(project, accepted=range(COUNT))
    shown = next(fov for fov in project.fovs.list(split=Split.TRAIN) if project.annotations.list(fov.id))
    for fov in project.fovs.list(split=Split.TRAIN):
        if project.annotations.list(fov.id) and fov.id != shown.id:
            project.samples.set_split([fov.sample_id], Split.TEST)
    with pytest.raises(UserError, match="show something of the test split"):
        _batches(project, _settings("mix", set_name="made"))


@pytest.mark.parametrize("source", ["synthetic", "mix"])
def test_that_composites_of_whole_images_are_refused(tmp_path: Path, source: str) -> None:
    project = _boxed_project(tmp_path, splits=(Split.TRAIN, Split.TRAIN, Split.VAL, Split.VAL))
    with pytest.raises(UserError, match="Composites are not made of whole images"):
        train_classifier.run(_settings(source), RecordingContext(project, "train-classifier"))


def test_that_photographs_of_any_size_are_seen_whole_and_undistorted(tmp_path: Path) -> None:
    project = _boxed_project(tmp_path, splits=(Split.TRAIN,) * 4 + (Split.VAL,) * 2)
    training = train_classifier._Training(_settings(), RecordingContext(project, "train-classifier"))
    train = training._material.train
    store = training._cut(train, "all.npy")
    assert len(store) == len(train)
    pixels = store.open_pixels()
    for fov, picture in zip(train, pixels, strict=True):
        rows = round(SIDE * fov.height / fov.width)
        edge = picture[rows : 2 * rows][: SIDE - rows]
        assert np.array_equal(edge, picture[2 * rows - SIDE : rows][::-1]), "below the photograph it is mirrored"


def test_that_a_resumed_training_notices_that_labels_of_images_have_changed(tmp_path: Path) -> None:
    project = _boxed_project(tmp_path)
    context = RecordingContext(project, "train-classifier")
    train_classifier.run(
        _settings(optimization={"steps": 2, "batch_size": 4, "evaluate_every": 2, "workers": 0}), context
    )
    for changed in (False, True):
        again = RecordingContext(project, "train-classifier", run_dir=context.run_dir)
        train_classifier._Training(_settings(), again)._check_project_state()
        assert any("have changed since" in text for text in again.warnings) is changed
        fov, rash = project.fovs.list(split=Split.TRAIN)[0], project.classes.list()[0]
        project.fovs.set_image_label(fov.id, rash.id, present=False)
