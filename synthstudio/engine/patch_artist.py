"""A trained diffusion model of patches that is asked for images by their maps, as a GAN is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from synthstudio.core.imaging import ImageArray
from synthstudio.core.synthesis.semantic_maps import MapCoding
from synthstudio.core.synthesis.streams import draw_noise
from synthstudio.core.training.map_card import coding_of
from synthstudio.core.training.patch_diffusion_card import WEIGHTS_NAME, PatchDiffusionCard, read_patch_card
from synthstudio.domain.errors import UserError
from synthstudio.domain.maps import MapRequest
from synthstudio.engine.checkpoints import load_checkpoint, restore_network, save_checkpoint
from synthstudio.engine.data.region_batches import from_network
from synthstudio.engine.device import choose_device
from synthstudio.engine.networks.patch_denoiser import MapReader, PatchDenoiser, build_patch_denoiser
from synthstudio.engine.patch_noise import noise_shape, sample_patches
from synthstudio.settings.train_patch_diffusion import PatchSamplingSettings

NETWORK = "network"


@dataclass(frozen=True, slots=True)
class PatchArtist:
    """Makes the image of any map that its model knows; the same on the same platform for request, seed and index.

    Attributes:
        sampling: How images are made: part of what they depend on.
    """

    card: PatchDiffusionCard
    coding: MapCoding
    network: PatchDenoiser
    device: torch.device
    sampling: PatchSamplingSettings

    @property
    def provider(self) -> str:
        """What computes, as manifests name it."""
        return f"torch {self.device.type.upper()}"

    def draw(self, request: MapRequest, *, seed: int, index: int = 0) -> ImageArray:
        """Return the (S, S, 3) uint8 RGB image; seed and index are those of the noise that it is made of.

        One image at a time: in company its last bits, and so some of its bytes, would depend on its neighbours.

        Raises:
            UserError: The map has another side, or names a class or tone that the model does not know.
        """
        side = self.card.side
        if request.side != side:
            raise UserError(
                f"The diffusion model makes images of {side} px, not of {request.side} px.",
                "Draw the map at that size, or choose another model.",
            )
        maps = torch.from_numpy(self.coding.draw(request))[None]
        shape = noise_shape(side)
        noise = draw_noise(shape[0] * side * side, seed=seed, index=index).reshape(1, *shape)
        made = sample_patches(
            self.network,
            MapReader(self.coding)(maps).to(self.device),
            torch.from_numpy(noise).to(self.device),
            noising=self.card.noise,
            sampling=self.sampling,
        )
        image: ImageArray = from_network(made)[0]
        return image


def open_patch_artist(
    folder: Path, *, device: str = "auto", threads: int = 0, sampling: PatchSamplingSettings | None = None
) -> PatchArtist:
    """Load the diffusion model in a run's folder.

    Args:
        device: "auto" takes a GPU where there is one.
        threads: Of the processor, for this process; 0 leaves them as they are.
        sampling: How images are made; None as the training has said.

    Raises:
        UserError: There is no such model, it is damaged, or the device cannot be used.
    """
    card = read_patch_card(folder)
    chosen = choose_device(device)
    if threads:
        torch.set_num_threads(threads)
    network = load_denoiser(folder, card).to(chosen)
    return PatchArtist(card, coding_of(card), network, chosen, sampling or card.sampling)


def save_denoiser(folder: Path, network: PatchDenoiser, *, step: int) -> None:
    """Write the weights into a run's folder, whole or not at all. Raises UserError where that fails."""
    save_checkpoint(folder / WEIGHTS_NAME, {NETWORK: network.state_dict()}, {"step": step})


def load_denoiser(folder: Path, card: PatchDiffusionCard) -> PatchDenoiser:
    """Load the network of a run onto the CPU, in eval mode.

    Raises:
        UserError: The run has none yet, or its file is damaged.
    """
    path = folder / WEIGHTS_NAME
    if not path.is_file():
        raise UserError(
            f"The run {folder.name} has made no images yet, so it has no denoiser.",
            "Let it train until its first samples, or choose another run.",
        )
    network = build_patch_denoiser(
        card.network, side=card.side, n_classes=len(card.class_names), n_tones=len(card.tone_levels), seed=0
    )
    restore_network(network, load_checkpoint(path).part(NETWORK), source=str(path))
    return network.eval()
