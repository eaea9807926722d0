"""Trainings of diffusion models as they lie in a project, without an engine; their networks are none."""

from __future__ import annotations

from synthstudio.core.training.diffusion_card import (
    LORA_NAME,
    DiffusionCard,
    checkpoint_folder,
    read_diffusion_card,
    write_diffusion_card,
)
from synthstudio.core.training.patch_diffusion_card import CARD_NAME, WEIGHTS_NAME
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import Metric, RunStatus
from synthstudio.project import Project
from synthstudio.settings.train_diffusion import (
    DiffusionOptimizationSettings,
    DiffusionSampleSettings,
    TrainDiffusionSettings,
)
from synthstudio.settings.train_patch_diffusion import PatchOptimizationSettings, TrainPatchDiffusionSettings
from tests.support.training_runs import N_STEPS, add_sample, add_training_run

PROMPTS = ("a photo of zxq lesion on the arm", "a photo of a lesion")


def add_patch_run(
    project: Project,
    *,
    title: str = "",
    status: RunStatus = RunStatus.FINISHED,
    has_weights: bool = True,
    has_checkpoint: bool = False,
) -> RunId:
    """Enter a training from scratch with sample pictures and curves."""
    return add_training_run(
        project,
        TrainPatchDiffusionSettings(optimization=PatchOptimizationSettings(steps=N_STEPS, sample_every=20)),
        title=title,
        curves={"loss/denoising": 0.5, "validation/denoising": 0.6},
        files={CARD_NAME: b"{}", WEIGHTS_NAME: b"{}"} if has_weights else {},
        status=status,
        has_checkpoint=has_checkpoint,
    )


def add_tuned_run(
    project: Project,
    *,
    title: str = "",
    steps: tuple[int, ...] = (20, 40),
    best_step: int = 20,
    status: RunStatus = RunStatus.FINISHED,
    has_checkpoint: bool = False,
) -> RunId:
    """Enter a fine-tuning by LoRA with checkpoints of these steps, their samples and curves."""
    settings = TrainDiffusionSettings(
        guides="lesions",
        method="lora",
        optimization=DiffusionOptimizationSettings(steps=N_STEPS),
        samples=DiffusionSampleSettings(every=20, per_prompt=4),
    )
    run_id = add_training_run(
        project,
        settings,
        title=title,
        curves={"loss/guides": 0.4, "rate/denoiser": 1e-4},
        files={},
        samples=(),
        status=status,
        has_checkpoint=has_checkpoint,
    )
    card = DiffusionCard(
        method="lora",
        base_model="tiny",
        base_sha256="0" * 64,
        prediction_type="epsilon",
        guide_set="lesions",
        class_name="lesion",
        identifier="zxq",
        captions=PROMPTS[:1],
        side=64,
        lora=settings.lora,
        has_text_encoder=False,
        train_fov_ids=(1,),
        sample_prompts=PROMPTS,
        seed=0,
        versions={},
        threads=1,
    )
    write_diffusion_card(project.run_folder(run_id), card)
    for step in steps:
        add_tuned_checkpoint(project, run_id, card, step=step, best_step=best_step)
    return run_id


def add_tuned_checkpoint(
    project: Project, run_id: RunId, card: DiffusionCard, *, step: int, best_step: int = 0
) -> DiffusionCard:
    """Store a checkpoint with its sample and its loss; return the card as it is now."""
    folder = project.run_folder(run_id)
    target = checkpoint_folder(folder, step)
    target.mkdir(parents=True)
    (target / LORA_NAME).write_bytes(bytes(3_200_000))
    add_sample(project, run_id, step, n_rows=len(PROMPTS))
    project.runs.add_metrics([Metric(run_id, step, "loss/fixed", 0.25 if step == best_step else 0.5)])
    known = read_diffusion_card(folder).steps
    new = card.model_copy(update={"steps": (*known, step), "best_step": best_step})
    write_diffusion_card(folder, new)
    return new
