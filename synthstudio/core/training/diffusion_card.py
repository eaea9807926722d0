"""What a fine-tuned diffusion model is, in a small file in its run's folder: all that is needed to load it."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from synthstudio.core.training.cards import read_card, write_card
from synthstudio.domain.errors import UserError
from synthstudio.settings.train_diffusion import LoraSettings, Method

CARD_NAME = "diffusion.json"
CHECKPOINTS = "checkpoints"
LORA_NAME = "pytorch_lora_weights.safetensors"
"""In the folder of a checkpoint of LoRA; the name that diffusers looks for."""
DENOISER_FOLDER, TEXT_ENCODER_FOLDER = "unet", "text_encoder"
"""In the folder of a checkpoint of DreamBooth, each a folder of diffusers; the second only where it was trained."""


class DiffusionCard(BaseModel):
    """A fine-tuned diffusion model.

    Attributes:
        method: "dreambooth": a checkpoint holds the whole denoiser; "lora": the additions alone.
        base_model: Name or path of the model that it began as; the other parts come from there.
        base_sha256: Of its files.
        prediction_type: What its denoiser predicts: "epsilon" or "v_prediction".
        guide_set, class_name, identifier: What it learned from, and the words for it.
        captions: Of the guide images that it learned from, each once: prompts that it knows.
        sample_prompts: Of the samples, one row of their picture each.
        side: Of the guide images, in px.
        lora: Of the additions.
        has_text_encoder: The text encoder was trained, too.
        steps: Of the stored checkpoints, rising; the last one is the newest.
        best_step: That with the least loss on held-out images, or on the guide images where none were held out; 0
            before the first.
        train_fov_ids: FOVs that it learned from.
        prior_prompt: Of the prior images; empty without.
        n_prior: Number of prior images; those supplied come first.
        n_prior_supplied: How many of them were supplied.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    method: Method
    base_model: str
    base_sha256: str
    prediction_type: str
    guide_set: str
    class_name: str
    identifier: str
    captions: tuple[str, ...]
    sample_prompts: tuple[str, ...] = ()
    side: int
    lora: LoraSettings | None = None
    has_text_encoder: bool
    steps: tuple[int, ...] = ()
    best_step: int = 0
    train_fov_ids: tuple[int, ...]
    prior_prompt: str = ""
    n_prior: int = 0
    n_prior_supplied: int = 0
    seed: int
    versions: dict[str, str]
    threads: int


def write_diffusion_card(folder: Path, card: DiffusionCard) -> None:
    """Write the card into a run's folder. Raises UserError where that fails."""
    write_card(folder / CARD_NAME, card)


def read_diffusion_card(folder: Path) -> DiffusionCard:
    """Read the card of a run. Raises UserError where there is none, or it is damaged."""
    return read_card(folder / CARD_NAME, DiffusionCard, model="diffusion model")


def checkpoint_folder(folder: Path, step: int) -> Path:
    """Where the checkpoint of a step lies, in the run's folder."""
    return folder / CHECKPOINTS / f"step-{step:06d}"


def find_checkpoint(folder: Path, card: DiffusionCard, *, step: int = 0) -> tuple[int, Path]:
    """Step and folder of a checkpoint of a run.

    Args:
        folder: Of the run.
        card: Of the run.
        step: Of the checkpoint; 0 for the newest.

    Raises:
        UserError: There is none of that step, or none at all.
    """
    if not card.steps:
        raise UserError(
            f"The run {folder.name} has no checkpoint yet.", "Wait until its training has stored one, or resume it."
        )
    chosen = step or card.steps[-1]
    path = checkpoint_folder(folder, chosen)
    if chosen not in card.steps or not path.is_dir():
        known = ", ".join(str(each) for each in card.steps)
        raise UserError(f"The run {folder.name} has no checkpoint of step {chosen}.", f"It has those of: {known}.")
    return chosen, path
