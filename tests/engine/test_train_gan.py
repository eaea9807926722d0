"""Training a semantic-map GAN on drawn objects: it learns, resumes, stops, and keeps away from the test split."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
import torch

from synthstudio.core.imaging import read_image
from synthstudio.core.training.gan_card import CARD_NAME, ONNX_NAME, WEIGHTS_NAME, read_gan_card
from synthstudio.core.training.gan_samples import GAP_PX, find_samples
from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.domain.records import Split
from synthstudio.domain.tones import FITZPATRICK, ToneScale
from synthstudio.engine import gan_loop
from synthstudio.engine.checkpoints import load_checkpoint
from synthstudio.engine.gan_losses import GanLosses
from synthstudio.engine.gan_samples import HeldOut
from synthstudio.engine.gan_weights import load_gan
from synthstudio.engine.jobs import train_gan
from synthstudio.engine.loops import Validation
from synthstudio.engine.networks.gan import UNetGenerator
from synthstudio.engine.processes import Processes
from synthstudio.engine.region_loop import RegionLoop
from synthstudio.project import Project
from synthstudio.project.tones import set_tone_scale
from synthstudio.protocol.messages import PreviewReady
from synthstudio.settings.train_gan import TrainGanSettings
from tests.support.engine_project import RecordingContext, build_engine_project

STEPS, SHORT = 40, 12
QUICK: dict[str, dict[str, object]] = {
    "crops": {"side": "64", "crops_per_fov": 2},
    "network": {"base_channels": 8, "discriminator_layers": 2, "noise": 4},
    "losses": {},
    "optimization": {"steps": STEPS, "sample_every": 20, "batch_size": 2, "generator_rate": 1e-3},
}
CPU = torch.device("cpu")
JOB = "train-gan"


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = build_engine_project(tmp_path)
    set_tone_scale(made, FITZPATRICK)
    made.fovs.set_tones({fov.id: 1 + number % 2 for number, fov in enumerate(made.fovs.list())})
    return made


def settings(**changes: dict[str, object]) -> TrainGanSettings:
    groups = {name: {**group, **changes.pop(name, {})} for name, group in QUICK.items()}
    return TrainGanSettings.model_validate({**groups, **changes})


def trained(project: Project, **changes: dict[str, object]) -> RecordingContext:
    context = RecordingContext(project, JOB)
    train_gan.run(settings(**changes), context)
    return context


def assert_same_end(first: RecordingContext, second: RecordingContext) -> None:
    for name in (WEIGHTS_NAME, ONNX_NAME, CARD_NAME, f"samples/{SHORT:06d}.png"):
        assert (first.run_dir / name).read_bytes() == (second.run_dir / name).read_bytes(), name
    states = [load_checkpoint(each.run_dir / "checkpoints" / "last.safetensors") for each in (first, second)]
    assert states[0].tensors.keys() == states[1].tensors.keys()
    assert all(torch.equal(value, states[1].tensors[name]) for name, value in states[0].tensors.items())
    assert {k: v for k, v in states[0].facts.items() if k != "seconds"} == {
        k: v for k, v in states[1].facts.items() if k != "seconds"
    }


def test_that_a_gan_learns_and_leaves_what_is_asked_for_images(project: Project) -> None:
    context = RecordingContext(project, JOB)
    result = train_gan.run(settings(), context)
    for name in ("loss/image", "loss/region"):
        losses = [value for _, value in context.metrics(name)]
        assert losses[-1] < 0.8 * losses[0], name
    for name in ("loss/adversarial", "loss/features", "loss/discriminator"):
        assert [step for step, _ in context.metrics(name)] == [10, 20, 30, 40]
    shares = [value for name in ("real", "synthetic") for _, value in context.metrics(f"discriminator/{name}")]
    assert all(0.0 <= value <= 1.0 for value in shares)
    judged = context.metrics("validation/image")
    assert [step for step, _ in judged] == [20, 40]
    assert judged[1][1] < judged[0][1]
    assert result.best["step"] in (20.0, 40.0)
    assert (result.step, result.classes, result.tones) == (STEPS, ("disc", "square"), FITZPATRICK.levels)
    assert result.validation["validation/image"] == judged[1][1]
    assert result.device == "CPU, 1 thread"
    assert result.onnx == ONNX_NAME
    assert (context.run_dir / ONNX_NAME).is_file()
    assert not (context.run_dir / "cache").exists()
    assert any("the tone III, IV, V, VI" in text for text in result.warnings)


def test_that_the_samples_show_the_same_maps_and_crops_at_every_step(project: Project) -> None:
    context = trained(project)
    samples = find_samples(context.run_dir)
    assert [step for step, _ in samples] == [20, 40]
    early, late = (read_image(path) for _, path in samples)
    step = 64 + GAP_PX
    assert early.shape == (3 * step - GAP_PX, 8 * step - GAP_PX, 3)
    assert np.array_equal(early[: 2 * step], late[: 2 * step])
    assert not np.array_equal(early[2 * step :], late[2 * step :])
    assert sorted(set(early[0, ::step, 0].tolist())) == [42, 85]  # both tones have their turn
    assert sum(isinstance(each, PreviewReady) for each in context.events) == 2


def test_that_the_card_tells_what_was_learned_and_the_test_split_is_locked(project: Project) -> None:
    context = trained(project, optimization={"steps": 2})
    card = read_gan_card(context.run_dir)
    by_split = {split: {fov.id for fov in project.fovs.list(split=split)} for split in Split}
    assert set(card.train_fov_ids) <= by_split[Split.TRAIN]
    assert set(card.validation_fov_ids) <= by_split[Split.VAL]
    assert (card.side, card.step, card.has_unknown_tone, card.threads) == (64, 2, False, 1)
    loaded = load_gan(context.run_dir, CPU)
    assert loaded.generator.noise == 4
    assert not loaded.generator.training


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"network": {"spectral_norm": True}}, id="spectral-norm"),
        pytest.param(
            {"optimization": {"augmentation": "color,translation,cutout", "balance": "sampling", "keep": "best"}},
            id="augmented",
        ),
    ],
)
def test_that_a_resumed_training_ends_as_an_uninterrupted_one(
    project: Project, changes: dict[str, dict[str, object]]
) -> None:
    changes = {**changes, "optimization": {"steps": SHORT, "sample_every": 5, **changes.get("optimization", {})}}
    straight = trained(project, **changes)
    broken = RecordingContext(project, JOB)
    broken.stop_at = (8, SHORT)
    with pytest.raises(Cancelled):
        train_gan.run(settings(**changes), broken)
    assert load_checkpoint(broken.run_dir / "checkpoints" / "last.safetensors").facts["step"] == 8
    is_last_kept = settings(**changes).optimization.keep == "last"
    assert read_gan_card(broken.run_dir).step == (
        8 if is_last_kept else 5
    )  # what was stopped early can be asked for images
    resumed = RecordingContext(project, JOB, run_dir=broken.run_dir)
    train_gan.run(settings(**changes), resumed)
    assert resumed.warnings == straight.warnings
    assert_same_end(straight, resumed)


def test_that_a_checkpoint_is_written_when_it_is_asked_for(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    save_last = RegionLoop._save_last
    saved: list[int] = []

    def note(loop: RegionLoop[UNetGenerator]) -> None:
        saved.append(loop.state.step)
        save_last(loop)

    monkeypatch.setattr(RegionLoop, "_save_last", note)
    context = RecordingContext(project, JOB)
    context._save_checkpoint.set()
    train_gan.run(settings(optimization={"steps": 4}), context)
    assert saved == [1, 4]


def test_that_a_loss_that_is_no_number_ends_the_training_and_leaves_the_last_good_state(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward_passes = gan_loop.gan_losses
    taken: list[GanLosses] = []

    def break_later(*args: object, **kwargs: object) -> GanLosses:
        losses = forward_passes(*args, **kwargs)  # type: ignore[arg-type]
        taken.append(losses)
        if len(taken) > 22:
            losses.terms["region"] = torch.tensor(float("nan"))
        return losses

    monkeypatch.setattr(gan_loop, "gan_losses", break_later)
    context = RecordingContext(project, JOB)
    with pytest.raises(UserError, match=r"loss/region became nan by step 30; the training was stopped"):
        train_gan.run(settings(), context)
    assert load_checkpoint(context.run_dir / "checkpoints" / "last.safetensors").facts["step"] == 20


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_that_terms_without_weight_leave_no_curve_and_without_both_no_discriminator_is_trained(
    project: Project, precision: str
) -> None:
    bare, steps = {"adversarial": 0.0, "features": 0.0}, {"steps": 10, "precision": precision}
    context = trained(project, losses=bare, network={"noise": 0}, optimization=steps)
    logged = {each.name for each in context.events if hasattr(each, "name")}
    assert logged == {"loss/image", "loss/region", "validation/image", "validation/region", "kid/held-out"}


def test_that_the_best_generator_is_kept_where_that_is_wanted(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = iter([0.5, 0.9, 0.7, 0.1])
    monkeypatch.setattr(HeldOut, "judge", lambda *_: Validation(next(scores), {"validation/image": 1.0}))
    context = RecordingContext(project, JOB)
    result = train_gan.run(settings(optimization={"steps": 4, "sample_every": 1, "keep": "best"}), context)
    assert (result.step, result.best["step"]) == (2, 2.0)
    assert load_checkpoint(context.run_dir / WEIGHTS_NAME).facts["step"] == 2
    assert read_gan_card(context.run_dir).step == 2


def test_that_a_training_without_val_split_sets_samples_aside(tmp_path: Path) -> None:
    project = build_engine_project(tmp_path, n_val=0)
    context = trained(project, optimization={"steps": 1})
    card = read_gan_card(context.run_dir)
    train, held_out = set(card.train_fov_ids), set(card.validation_fov_ids)
    assert train
    assert held_out
    assert not train & held_out
    assert train | held_out <= {fov.id for fov in project.fovs.list(split=Split.TRAIN)}
    assert card.has_unknown_tone


def test_that_one_image_of_one_condition_and_one_held_out_crop_will_do(tmp_path: Path) -> None:
    project = build_engine_project(tmp_path, n_train=1, n_val=1)
    changes: dict[str, dict[str, object]] = {"crops": {"crops_per_fov": 1}, "optimization": {"steps": 1}}
    chosen = settings(**changes).model_copy(update={"classes": ("square",)})
    context = RecordingContext(project, JOB)
    result = train_gan.run(chosen, context)
    assert (result.classes, result.n_crops, result.n_validation_crops) == (("square",), 1, 1)
    assert any('Only one image shows "square"' in text for text in result.warnings)
    assert set(result.best) == {"step", "validation/image", "validation/region"}


def test_that_a_project_without_regions_is_told_what_to_do(tmp_path: Path) -> None:
    project = build_engine_project(tmp_path)
    for marks in project.annotations.by_fov().values():
        project.annotations.remove(marks)
    with pytest.raises(UserError, match="nothing to learn"):
        trained(project)


def test_that_several_processes_are_refused(project: Project) -> None:
    context = RecordingContext(project, JOB)
    context.processes = Processes(0, 2)
    with pytest.raises(UserError, match="one process"):
        train_gan.run(settings(), context)


def test_that_changed_annotations_are_noticed_by_a_resumed_training(project: Project) -> None:
    first = trained(project, optimization={"steps": 2})
    fov = project.fovs.list(split=Split.TRAIN)[0]
    project.fovs.set_tones({fov.id: 5})
    again = RecordingContext(project, JOB, run_dir=first.run_dir)
    result = train_gan.run(settings(optimization={"steps": 2}), again)
    assert any("have changed since this training began" in text for text in result.warnings)
    assert (result.step, bool(result.validation)) == (2, True)  # nothing was left to train: it is judged again


def test_that_an_image_that_leaves_the_training_later_is_still_told_of(project: Project) -> None:
    first = trained(project, optimization={"steps": 2})
    fov = project.fovs.list(split=Split.TRAIN)[0]
    project.samples.set_split([fov.sample_id], Split.TEST)
    train_gan.run(settings(optimization={"steps": 2}), RecordingContext(project, JOB, run_dir=first.run_dir))
    assert fov.id in read_gan_card(first.run_dir).train_fov_ids


def test_that_a_training_is_not_resumed_where_its_maps_mean_something_else_now(project: Project) -> None:
    first = trained(project, optimization={"steps": 2})
    set_tone_scale(project, ToneScale(("light", "dark")))
    with pytest.raises(UserError, match="would mean something else"):
        train_gan.run(settings(), RecordingContext(project, JOB, run_dir=first.run_dir))


def test_that_rates_fall_to_nothing_from_where_they_should() -> None:
    chosen = settings(optimization={"steps": 100, "decay_from": 0.5}).optimization
    factors = [gan_loop.rate_factor(step, chosen) for step in (0, 49, 50, 75, 99)]
    assert factors == pytest.approx([1.0, 1.0, 1.0, 0.5, 0.02])
    constant = settings(optimization={"steps": 100, "decay_from": 1.0}).optimization
    assert gan_loop.rate_factor(99, constant) == 1.0


def test_that_a_failed_export_is_told_in_the_result(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> NoReturn:
        raise UserError("It differs.", "Tell us.")

    monkeypatch.setattr(train_gan, "export_generator", fail)
    context = RecordingContext(project, JOB)
    result = train_gan.run(settings(optimization={"steps": 2, "sample_every": 2}), context)
    told = "The generator was not exported: It differs. Tell us."
    assert result.onnx == ""
    assert told in context.warnings
    assert told in result.warnings
