"""What a training of a classifier is made of: mixes, stored sets, and the lock of the test split."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from synthstudio.core.patches.bank import PatchBank
from synthstudio.core.training.class_weights import sampling_weights
from synthstudio.core.training.detector_card import read_detector_card
from synthstudio.core.training.model_card import read_model_card
from synthstudio.domain.errors import NotFound, UserError
from synthstudio.domain.ids import SetName
from synthstudio.domain.records import ReviewRule, Split, Verdict, VerdictKind
from synthstudio.engine.data.batches import CompositeBatches, CropBatches, MixBatches, StepBatches
from synthstudio.engine.data.material import choose_material
from synthstudio.engine.data.stored_sets import StoredImages, StoredReader, choose_stored_images
from synthstudio.engine.jobs import train_classifier, train_detector
from synthstudio.project import Project
from synthstudio.project.set_images import list_set_sources
from synthstudio.settings.compose import ComposeSettings, CompositionSettings, PatchSettings
from synthstudio.settings.train_classifier import TrainClassifierSettings
from synthstudio.settings.train_detector import TrainDetectorSettings
from tests.support.engine_project import RecordingContext, build_engine_project
from tests.support.sets import add_set

COUNT = 5
COMPOSITION = CompositionSettings(canvas_px=64, n_objects_min=1, n_objects_max=5, min_visible=0.5)
COMPOSE = ComposeSettings(
    set_name="made", count=COUNT, patches=PatchSettings(scale=1.0, um_per_px=0.0), composition=COMPOSITION
)


def _settings(source: str, **changes: object) -> TrainClassifierSettings:
    return TrainClassifierSettings.model_validate(
        {
            "source": source,
            "set_name": "made" if source == "stored-set" else "",
            "optimization": {"steps": 2, "batch_size": 8, "evaluate_every": 2, "workers": 0},
            "composition": {"canvas_px": 64, "n_objects_max": 5},
            "patches": {"auto_scale": False},
            **changes,
        }
    )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    torch.set_num_threads(1)
    return build_engine_project(tmp_path, n_train=4, n_val=2, n_test=2)


def _batches(project: Project, settings: TrainClassifierSettings) -> StepBatches:
    return train_classifier._Training(settings, RecordingContext(project, "train-classifier"))._build_batches()


def _stored(project: Project, *, min_visible: float = 0.5, review: ReviewRule = "accepted") -> StoredImages:
    material = choose_material(project, _settings("stored-set"))
    return choose_stored_images(project, "made", material, min_visible=min_visible, side=64, review=review)


def _move(project: Project, fov_id: int, split: Split) -> None:
    project.samples.set_split([project.fovs.get(fov_id).sample_id], split)


@pytest.mark.parametrize("share", [0.1, 0.4, 0.75])
def test_that_a_mix_holds_the_wanted_share_and_every_crop_once_a_pass(project: Project, share: float) -> None:
    mix = _batches(project, _settings("mix", real_share=share))
    assert isinstance(mix, MixBatches)
    seen: dict[type[StepBatches], list[int]] = {CropBatches: [], CompositeBatches: []}
    for source in (mix._real, mix._synthetic):
        make, kind = source.make, type(source)

        def noted(step, rows, numbers, make=make, kind=kind):  # type: ignore[no-untyped-def]
            seen[kind] += numbers
            return make(step, rows, numbers)

        source.make = noted  # type: ignore[method-assign]
    for step in range(5):
        mix[step]
    assert len(seen[CropBatches]) == int(40 * share)
    for numbers in seen.values():
        assert numbers == list(range(len(numbers)))


@pytest.mark.parametrize("source", ["synthetic", "real-crops", "stored-set", "mix"])
def test_that_a_part_of_a_batch_is_what_it_is_within_the_whole(project: Project, source: str) -> None:
    add_set(project, COMPOSE)
    batches = _batches(project, _settings(source, real_share=0.4))
    images, labels = batches[3]
    halves = [batches.part(3, range(start, start + 4)) for start in (0, 4)]
    assert torch.equal(torch.cat([each[0] for each in halves]), images)
    assert torch.equal(torch.cat([each[1] for each in halves]), labels)


def test_that_sampling_shows_crops_as_often_as_their_rarest_class_is_due(project: Project) -> None:
    plain = _batches(project, _settings("real-crops"))
    balanced = _batches(project, _settings("real-crops", loss={"balance": "sampling"}))
    assert isinstance(plain, CropBatches)
    assert isinstance(balanced, CropBatches)
    count = len(plain.presence)
    numbers = list(range(3 * count))
    assert all(plain.choose(numbers).count(crop) == 3 for crop in range(count))
    weights = sampling_weights(plain.presence)
    due = 3 * count * weights / weights.sum()
    shown = [balanced.choose(numbers).count(crop) for crop in range(count)]
    assert np.abs(np.array(shown) - due).max() <= 3.0, "up to one in each of three passes"
    images, labels = balanced[3]
    halves = [balanced.part(3, range(start, start + 4)) for start in (0, 4)]
    assert torch.equal(torch.cat([each[0] for each in halves]), images)
    assert torch.equal(torch.cat([each[1] for each in halves]), labels)


def test_that_a_stored_set_teaches_what_its_images_show(project: Project) -> None:
    add_set(project, COMPOSE)
    composer = _batches(project, _settings("synthetic", composition=COMPOSITION.model_dump()))
    batches = _batches(project, _settings("stored-set"))
    assert isinstance(batches, CropBatches)
    made = [composer.make(0, [0], [number]) for number in range(COUNT)]
    assert torch.equal(torch.from_numpy(batches.presence).float(), torch.cat([labels for _, labels in made]))
    pixels = torch.from_numpy(batches._store.open_pixels().copy())
    assert torch.equal(pixels, torch.cat([images for images, _ in made]))


@pytest.mark.parametrize("image_format", ["png", "jpeg", "webp"])
def test_that_a_training_on_a_stored_set_leaves_a_model(project: Project, image_format: str) -> None:
    add_set(project, COMPOSE.model_copy(update={"format": image_format}))
    context = RecordingContext(project, "train-classifier")
    result = train_classifier.run(_settings("stored-set"), context)
    assert result.status == "finished"
    assert read_model_card(context.run_dir).source == "stored-set"


def test_that_a_larger_image_of_a_set_is_cut_into_crops(project: Project) -> None:
    add_set(project, COMPOSE.model_copy(update={"composition": COMPOSITION.model_copy(update={"canvas_px": 128})}))
    batches = _batches(project, _settings("stored-set"))
    assert isinstance(batches, CropBatches)
    assert batches.presence.shape == (4 * COUNT, 2)


def test_that_the_scale_of_a_set_is_brought_to_that_of_the_training(project: Project) -> None:
    double = COMPOSITION.model_copy(update={"canvas_px": 128, "n_objects_min": 3})
    add_set(project, COMPOSE.model_copy(update={"composition": double}))
    settings = _settings("stored-set", patches={"auto_scale": False, "scale": 0.5})
    batches = _batches(project, settings)
    assert isinstance(batches, CropBatches)
    assert batches.presence.shape == (COUNT, 2)
    assert batches.presence.any()


def test_that_an_object_counts_by_the_rule_of_the_training(project: Project) -> None:
    add_set(project, COMPOSE)
    n_marks = [
        sum(len(each) for each in _stored(project, min_visible=share).annotations.values()) for share in (0.0, 0.5, 1.0)
    ]
    assert n_marks[0] > n_marks[2]
    assert n_marks[0] >= n_marks[1] >= n_marks[2]


def test_that_only_accepted_images_of_a_judged_set_are_trained_on(project: Project) -> None:
    add_set(project, COMPOSE)
    for index, kind in ((1, VerdictKind.REJECTED), (2, VerdictKind.ACCEPTED), (3, VerdictKind.UNSURE)):
        project.verdicts.put(Verdict(SetName("made"), index, kind, "", "me", ""))
    assert [fov.id - 1 for fov in _stored(project).fovs] == [2]
    assert [fov.id - 1 for fov in _stored(project, review="not-rejected").fovs] == [0, 2, 3, 4]
    for index in range(COUNT):
        project.verdicts.put(Verdict(SetName("made"), index, VerdictKind.REJECTED, "", "you", ""))
    with pytest.raises(UserError, match="rejected"):
        _stored(project)


@pytest.mark.parametrize("source", ["stored-set", "mix"])
def test_that_a_set_that_shows_a_test_image_is_refused_with_a_count(project: Project, source: str) -> None:
    add_set(project, COMPOSE)
    sources = list_set_sources(project, "made")
    moved = next(iter(sources[min(sources)]))
    n_images = sum(moved in each for each in sources.values())
    _move(project, moved, Split.TEST)
    with pytest.raises(UserError, match=rf"{n_images} of the {COUNT} images .* the test split \(1 of its images\)"):
        train_classifier.run(_settings(source, set_name="made"), RecordingContext(project, "train-classifier"))


def test_that_a_set_that_shows_a_validation_image_is_told(project: Project) -> None:
    add_set(project, COMPOSE)
    assert _stored(project).n_validation == 0
    moved = next(iter(list_set_sources(project, "made").values()))
    _move(project, next(iter(moved)), Split.VAL)
    context = RecordingContext(project, "train-classifier")
    train_classifier._Training(_settings("stored-set"), context)._build_batches()
    assert any("validation are too high" in text for text in context.warnings)


@pytest.mark.parametrize("source", ["synthetic", "real-crops", "stored-set", "mix"])
def test_that_no_source_takes_an_image_of_the_test_split(project: Project, source: str) -> None:
    """Every test image is made unreadable, and what is trained on is listed."""
    add_set(project, COMPOSE)
    locked = {fov.id for fov in project.fovs.list(split=Split.TEST)}
    for fov in project.fovs.list(split=Split.TEST):
        Path(fov.path).unlink()
    training = train_classifier._Training(_settings(source), RecordingContext(project, "train-classifier"))
    batches = training._build_batches()
    parts = [batches._real, batches._synthetic] if isinstance(batches, MixBatches) else [batches]
    for part in parts:
        if isinstance(part, CompositeBatches):
            assert not locked & {patch.fov_id for patch in part._bank.patches}
            assert not locked & set(part._bank.fov_ids)
        if isinstance(part, CropBatches) and source != "stored-set":
            assert not locked & set(part._store.fov_ids.tolist())
    assert not locked & {fov.id for fov in [*training._material.train, *training._material.validation]}
    assert not locked & frozenset().union(*list_set_sources(project, "made").values())


def test_that_a_changed_image_of_a_set_is_noticed(project: Project) -> None:
    add_set(project, COMPOSE)
    stored = _stored(project)
    path = Path(stored.fovs[0].path)
    path.write_bytes(Path(stored.fovs[1].path).read_bytes())
    reader = StoredReader(project, [], sizes_px=[], scale=stored.scale, side=64, annotations=stored.annotations)
    with pytest.raises(UserError, match="not the image that was written"):
        reader.read(stored.fovs[0])


def test_that_a_missing_set_and_other_pixel_sizes_are_told(project: Project) -> None:
    with pytest.raises(NotFound, match="made"):
        _stored(project)
    add_set(project, COMPOSE)
    settings = _settings("stored-set")
    material = choose_material(project, settings)
    wanted = replace(material, scale=type(material.scale)(1.0, um_per_px=0.25))
    with pytest.raises(UserError, match="scale of 1"):
        choose_stored_images(project, "made", wanted, min_visible=0.5, side=64)


def test_that_a_stored_set_must_be_named() -> None:
    with pytest.raises(ValueError, match="needs the set's name"):
        TrainClassifierSettings(source="stored-set")


def _detector_settings(source: str, **changes: object) -> TrainDetectorSettings:
    return TrainDetectorSettings.model_validate(
        {
            "source": source,
            "set_name": "made" if source == "stored-set" else "",
            "optimization": {"steps": 2, "batch_size": 4, "evaluate_every": 2, "workers": 0},
            "composition": {"canvas_px": 64},
            "patches": {"auto_scale": False},
            **changes,
        }
    )


@pytest.mark.parametrize("source", ["synthetic", "real-boxes", "mix", "stored-set"])
def test_that_no_detector_takes_an_image_of_the_test_split(project: Project, source: str) -> None:
    add_set(project, COMPOSE)
    locked = {fov.id for fov in project.fovs.list(split=Split.TEST)}
    for fov in project.fovs.list(split=Split.TEST):
        Path(fov.path).unlink()
    training = train_detector._Training(_detector_settings(source), RecordingContext(project, "train-detector"))
    bank, store = training._prepare()
    assert (bank is not None, store is not None) == (source != "real-boxes", source in ("real-boxes", "mix"))
    if isinstance(bank, PatchBank):
        assert not locked & {patch.fov_id for patch in bank.patches}
    elif bank is not None:
        assert len(bank.shapes) == COUNT
    if store is not None:
        assert len(store.shapes) == len(project.fovs.list(split=Split.TRAIN))
    assert not locked & {fov.id for fov in [*training._material.train, *training._material.validation]}


def test_that_a_detector_trains_on_a_stored_set_and_on_a_mix_with_it(project: Project) -> None:
    add_set(project, COMPOSE)
    for settings in (_detector_settings("stored-set"), _detector_settings("mix", set_name="made", real_share=0.5)):
        context = RecordingContext(project, "train-detector")
        assert train_detector.run(settings, context).status == "finished"
        assert read_detector_card(context.run_dir).source == settings.source


def test_that_a_detector_refuses_a_set_that_shows_a_test_image(project: Project) -> None:
    add_set(project, COMPOSE)
    _move(project, next(iter(next(iter(list_set_sources(project, "made").values())))), Split.TEST)
    with pytest.raises(UserError, match="the test split"):
        train_detector.run(_detector_settings("stored-set"), RecordingContext(project, "train-detector"))
