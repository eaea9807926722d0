"""Diffusion models of patches in a project that nobody has trained: the real network with random weights."""

from __future__ import annotations

from synthstudio.core.training.patch_diffusion_card import PatchDiffusionCard, write_patch_card
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import Role, RunStatus, Split
from synthstudio.project import Project
from synthstudio.project.runs import new_run_id
from synthstudio.settings.train_patch_diffusion import TrainPatchDiffusionSettings

QUICK = TrainPatchDiffusionSettings.model_validate({"network": {"base_channels": 8}, "sampling": {"sampler_steps": 2}})


def add_trained_patches(project: Project, *, seed: int = 0) -> RunId:
    """Enter a finished training from scratch on all training images, with a denoiser of random weights."""
    from synthstudio.engine.networks.patch_denoiser import build_patch_denoiser
    from synthstudio.engine.patch_artist import save_denoiser

    names = tuple(each.name for each in project.classes.list() if each.role is Role.OBJECT)
    card = PatchDiffusionCard(
        class_names=names,
        tone_levels=(),
        has_unknown_tone=True,
        side=32,
        network=QUICK.network,
        noise=QUICK.noise,
        sampling=QUICK.sampling,
        crops=QUICK.crops,
        seed=seed,
        step=0,
        train_fov_ids=tuple(fov.id for fov in project.fovs.list(split=Split.TRAIN)),
        validation_fov_ids=tuple(fov.id for fov in project.fovs.list(split=Split.VAL)),
        versions={},
        threads=1,
    )
    run_id = new_run_id("train-patch-diffusion")
    folder = project.run_folder(run_id)
    folder.mkdir(parents=True)
    project.runs.add(run_id, kind="train-patch-diffusion", title="Patches", settings_json=QUICK.model_dump_json())
    write_patch_card(folder, card)
    network = build_patch_denoiser(card.network, side=card.side, n_classes=len(names), n_tones=0, seed=seed)
    save_denoiser(folder, network, step=0)
    project.runs.set_ended(run_id, RunStatus.FINISHED)
    return run_id
