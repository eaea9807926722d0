"""The trained GAN of a run as what stands behind its images."""

from __future__ import annotations

from pathlib import Path

from synthstudio.core.imaging import sha256_of_file
from synthstudio.core.synthesis.generated import GanOrigin
from synthstudio.core.training.gan_card import WEIGHTS_NAME, GanCard, read_gan_card
from synthstudio.domain.errors import UserError


def read_gan_origin(folder: Path) -> GanOrigin:
    """Read the card in a run's folder and hash its weights.

    Raises:
        UserError: The run has no trained GAN, or its files are missing or damaged.
    """
    weights = folder / WEIGHTS_NAME
    card = read_gan_card(folder)
    if not weights.is_file():
        raise UserError(
            f"The run {folder.name} has made no images yet, so it has no generator.",
            "Let it train until its first samples, or choose another run.",
        )
    return gan_origin(card, run=folder.name, weights_sha256=sha256_of_file(weights))


def gan_origin(card: GanCard, *, run: str, weights_sha256: str) -> GanOrigin:
    """What a card says about images of its GAN."""
    return GanOrigin(
        run=run,
        weights_sha256=weights_sha256,
        class_names=card.class_names,
        tone_levels=card.tone_levels,
        has_unknown=card.has_unknown_tone,
        side=card.side,
        source_fovs=tuple(sorted(card.train_fov_ids)),
    )
