"""Fine-tuned diffusion models in a project that nobody has tuned: two random tiny ones, the second as if tuned."""

from __future__ import annotations

from pathlib import Path

import torch

from synthstudio.core.training.diffusion_card import DiffusionCard, write_diffusion_card
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import RunStatus, Split
from synthstudio.project import Project
from synthstudio.project.runs import new_run_id
from synthstudio.settings.train_diffusion import LoraSettings
from tests.support.tiny_diffusion import write_tiny_diffusion

MODEL = "tiny"
CAPTIONS = ("photo of pox lesion red", "photo of pox lesion on skin")


def add_local_model(project: Project, folder: Path, *, seed: int = 0) -> str:
    """Write a tiny Stable Diffusion into a folder and bring it in; return its name in the project."""
    return project.models.add(write_tiny_diffusion(folder, seed=seed), name=MODEL).name


def add_tuned_model(
    project: Project,
    folder: Path,
    *,
    class_name: str,
    steps: tuple[int, ...] = (10, 20),
    lora: LoraSettings | None = None,
) -> RunId:
    """Enter a finished training on guide images of the local model; its checkpoints have other random weights.

    Args:
        folder: Where files may be written that are no part of the project.
        class_name: A class of the project.
        steps: Of the checkpoints.
        lora: Where additions alone are stored.
    """
    from synthstudio.engine.diffusion_lora import DENOISER_LAYERS, TEXT_LAYERS, add_lora, lora_weights
    from synthstudio.engine.diffusion_models import load_components
    from synthstudio.engine.diffusion_weights import save_tuned

    base = project.models.get(MODEL)
    run_id = new_run_id("train-diffusion")
    run = project.run_folder(run_id)
    run.mkdir(parents=True)
    project.runs.add(run_id, kind="train-diffusion", title="Diffusion", settings_json="{}")
    card = DiffusionCard(
        method="lora" if lora is not None else "dreambooth",
        lora=lora,
        base_model=MODEL,
        base_sha256=base.sha256,
        prediction_type="epsilon",
        guide_set="guides",
        class_name=class_name,
        identifier="zxq",
        captions=CAPTIONS,
        side=64,
        has_text_encoder=True,
        steps=steps,
        train_fov_ids=tuple(fov.id for fov in project.fovs.list(split=Split.TRAIN)[:2]),
        seed=0,
        versions={},
        threads=1,
    )
    write_diffusion_card(run, card)
    for step in steps:
        source = base.path if lora is not None else write_tiny_diffusion(folder / str(step), seed=step)
        tuned = load_components(source, device=torch.device("cpu"))
        if lora is not None:
            for network, layers in ((tuned.unet, DENOISER_LAYERS), (tuned.text_encoder, TEXT_LAYERS)):
                add_lora(network, lora, layers=layers, seed=step)
                for number, weight in enumerate(lora_weights(network).values()):  # as if they had learned something
                    noise = torch.Generator().manual_seed(number + step)
                    weight.data += 0.1 * torch.randn(weight.shape, generator=noise)
        save_tuned(run, step, tuned, has_text_encoder=True, lora=lora)
    project.runs.set_ended(run_id, RunStatus.FINISHED)
    return run_id
