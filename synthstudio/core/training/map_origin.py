"""The trained generator of a run, that is asked by maps, as what stands behind its images."""

from __future__ import annotations

from pathlib import Path

from synthstudio.core.imaging import sha256_of_file
from synthstudio.core.synthesis.origins import MapOrigin
from synthstudio.core.training import gan_card, patch_diffusion_card
from synthstudio.core.training.gan_card import read_gan_card
from synthstudio.core.training.map_card import MapCard
from synthstudio.core.training.patch_diffusion_card import read_patch_card
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import Generator


def read_map_origin(folder: Path) -> MapOrigin:
    """Read the card in a run's folder and hash its weights.

    Raises:
        UserError: The run has no trained generator, or its files are missing or damaged.
    """
    generator = map_generator(folder)
    weights = weights_path(folder, generator)
    card = read_map_card(folder)
    if not weights.is_file():
        raise UserError(
            f"The run {folder.name} has made no images yet, so it has no generator.",
            "Let it train until its first samples, or choose another run.",
        )
    return MapOrigin(
        run=folder.name,
        weights_sha256=sha256_of_file(weights),
        class_names=card.class_names,
        tone_levels=card.tone_levels,
        has_unknown=card.has_unknown_tone,
        side=card.side,
        source_fovs=tuple(sorted(card.train_fov_ids)),
        generator=generator,
    )


def map_generator(folder: Path) -> Generator:
    """Which kind of generator the run in a folder has trained; a GAN where it has trained none."""
    is_diffusion = (folder / patch_diffusion_card.CARD_NAME).is_file()
    return Generator.DIFFUSION if is_diffusion else Generator.GAN


def read_map_card(folder: Path) -> MapCard:
    """Read the card of a run, of either kind. Raises UserError where there is none, or it is damaged."""
    return read_patch_card(folder) if map_generator(folder) is Generator.DIFFUSION else read_gan_card(folder)


def weights_path(folder: Path, generator: Generator) -> Path:
    """The file, in a run's folder, with the weights that make its images."""
    name = gan_card.WEIGHTS_NAME if generator is Generator.GAN else patch_diffusion_card.WEIGHTS_NAME
    return folder / name
