"""GANs in a project that nobody has trained: the real network with random weights, and its card."""

from __future__ import annotations

import json

import numpy as np

from synthstudio.client.recording import Recorder
from synthstudio.core.imaging import sha256_of_file, write_png
from synthstudio.core.training.gan_card import ONNX_NAME, WEIGHTS_NAME, GanCard, write_gan_card
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import Role, RunStatus, Split
from synthstudio.project import Project
from synthstudio.project.region_crops import list_region_crops, read_region_crops
from synthstudio.project.runs import new_run_id
from synthstudio.project.tones import find_tone_scale
from synthstudio.protocol.messages import JobFinished
from synthstudio.protocol.results import GenerateResult
from synthstudio.settings.generate import GenerateSettings
from synthstudio.settings.train_gan import GanNetworkSettings, RegionCropSettings, TrainGanSettings
from tests.support.engine_project import RecordingContext

BASE_CHANNELS = 8


def make_card(project: Project, *, noise: int = 0, seed: int = 0) -> GanCard:
    """The card of a GAN that has learned from all training images of a project."""
    scale = find_tone_scale(project)
    fovs = project.fovs.list()
    train = [fov for fov in fovs if fov.split is Split.TRAIN]
    return GanCard(
        class_names=tuple(each.name for each in project.classes.list() if each.role is Role.OBJECT),
        tone_levels=scale.levels if scale is not None else (),
        has_unknown_tone=any(fov.tone is None for fov in train),
        side=64,
        network=GanNetworkSettings(base_channels=BASE_CHANNELS, noise=noise),
        crops=RegionCropSettings(side="64"),
        seed=seed,
        step=0,
        train_fov_ids=tuple(fov.id for fov in train),
        validation_fov_ids=tuple(fov.id for fov in fovs if fov.split is Split.VAL),
        versions={},
        threads=1,
    )


def add_card(project: Project, card: GanCard) -> RunId:
    """Enter a finished training whose weights are no network: enough where nothing is drawn."""
    run_id = new_run_id("train-gan")
    folder = project.run_folder(run_id)
    folder.mkdir(parents=True)
    settings = TrainGanSettings(network=card.network, crops=card.crops, seed=card.seed)
    project.runs.add(run_id, kind="train-gan", title="GAN", settings_json=settings.model_dump_json())
    write_gan_card(folder, card)
    (folder / WEIGHTS_NAME).write_bytes(b"weights")
    project.runs.set_ended(run_id, RunStatus.FINISHED)
    return run_id


def add_trained_gan(project: Project, *, noise: int = 0, seed: int = 0) -> RunId:
    """Enter a finished training with a generator of random weights, and its graph."""
    from synthstudio.engine.gan_onnx import export_generator
    from synthstudio.engine.gan_weights import save_generator
    from synthstudio.engine.networks.gan import build_generator

    card = make_card(project, noise=noise, seed=seed)
    run_id = add_card(project, card)
    folder = project.run_folder(run_id)
    generator = build_generator(card.network, side=card.side, seed=seed).eval()
    save_generator(folder, generator, step=0)
    export_generator(generator, card, folder / ONNX_NAME)
    return run_id


def write_generated(project: Project, settings: GenerateSettings) -> GenerateResult:
    """Run the job in this process and record its set, as the host does."""
    from synthstudio.engine.jobs import generate

    context = RecordingContext(project, "generate", seed=settings.seed)
    result = generate.run(settings, context)
    with Recorder(project, project.runs.get(RunId(context.run_id))) as recorder:
        recorder.finish(JobFinished(result=result))
    return result


def put_crops_in_place(project: Project, run: RunId, name: str, *, n: int | None = None) -> None:
    """Put training crops, with a little noise, in place of the first `n` images of a set, or of all."""
    folder = project.set_folder(name)
    training = TrainGanSettings.model_validate_json(project.runs.get(run).settings_json)
    plans = list_region_crops(project, training, split="train")
    lines = (folder / "manifest.jsonl").read_text().splitlines()
    rng = np.random.default_rng(1)
    for number, crop in enumerate(read_region_crops(project, plans.crops[: len(lines) if n is None else n])):
        noisy = np.clip(crop.image + rng.normal(0, 0.6, crop.image.shape), 0, 255).astype(np.uint8)
        path = folder / f"images/{number:06d}.png"
        write_png(path, noisy)
        lines[number] = lines[number].replace(json.loads(lines[number])["sha256"], sha256_of_file(path))
    (folder / "manifest.jsonl").write_text("\n".join(lines) + "\n")
