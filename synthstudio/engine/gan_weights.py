"""The generator of a training, in its run's folder: what samples, is measured and exported."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from synthstudio.core.training.gan_card import WEIGHTS_NAME, GanCard, read_gan_card
from synthstudio.domain.errors import UserError
from synthstudio.engine.checkpoints import load_checkpoint, restore_network, save_checkpoint
from synthstudio.engine.networks.gan import UNetGenerator, build_generator

NETWORK = "network"


@dataclass(frozen=True, slots=True)
class TrainedGan:
    """A generator with its card, in eval mode."""

    card: GanCard
    generator: UNetGenerator
    device: torch.device


def save_generator(folder: Path, generator: UNetGenerator, *, step: int) -> None:
    """Write the weights into a run's folder, whole or not at all. Raises UserError where that fails."""
    save_checkpoint(folder / WEIGHTS_NAME, {NETWORK: generator.state_dict()}, {"step": step})


def load_gan(folder: Path, device: torch.device) -> TrainedGan:
    """Load the GAN of a run.

    Raises:
        UserError: The run has no trained GAN, or its files are damaged.
    """
    card = read_gan_card(folder)
    path = folder / WEIGHTS_NAME
    if not path.is_file():
        raise UserError(
            f"The run {folder.name} has made no images yet, so it has no generator.",
            "Let it train until its first samples, or choose another run.",
        )
    generator = build_generator(card.network, side=card.side, seed=0)
    restore_network(generator, load_checkpoint(path).part(NETWORK), source=str(path))
    return TrainedGan(card, generator.to(device).eval(), device)
