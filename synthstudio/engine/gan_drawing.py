"""A trained GAN that is asked for images by their maps; it needs no torch where its graph lies beside its weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from synthstudio.core.imaging import ImageArray
from synthstudio.core.synthesis.semantic_maps import MapCoding, to_input
from synthstudio.core.synthesis.streams import draw_noise
from synthstudio.core.training.gan_card import ONNX_NAME, GanCard, read_gan_card
from synthstudio.core.training.map_card import coding_of
from synthstudio.domain.errors import UserError
from synthstudio.domain.maps import MapRequest
from synthstudio.engine.gan_session import GeneratorSession


@dataclass(frozen=True, slots=True)
class GanArtist:
    """Makes the image of any map that its GAN knows; the same on the same platform for request, seed and index."""

    card: GanCard
    coding: MapCoding
    session: GeneratorSession

    @property
    def provider(self) -> str:
        """What computes, as headers of sets name it."""
        return self.session.provider

    def draw(self, request: MapRequest, *, seed: int, index: int = 0) -> ImageArray:
        """Return the (S, S, 3) uint8 RGB image; seed and index are those of the noise, where the GAN has any.

        Raises:
            UserError: The map has another side, or names a condition or tone that the GAN does not know.
        """
        if request.side != self.card.side:
            raise UserError(
                f"The GAN makes images of {self.card.side} px, not of {request.side} px.",
                "Draw the map at that size, or choose another GAN.",
            )
        maps = to_input(self.coding.draw(request))[None]
        n = self.card.network.noise
        noise = draw_noise(n, seed=seed, index=index)[None] if n else None
        image: ImageArray = self.session.make(maps, noise)[0]
        return image


def open_gan(folder: Path, *, scratch: Path, device: str = "auto", threads: int = 0) -> GanArtist:
    """Load the GAN in a run's folder.

    Args:
        scratch: Folder for its graph where the run's has none; that of the run is left as it is.
        device: "auto" takes a GPU where there is one.
        threads: Of the processor; 0 for all.

    Raises:
        UserError: There is no GAN, it is damaged, or the device cannot be used.
    """
    card = read_gan_card(folder)
    path = folder / ONNX_NAME
    if not path.is_file():
        path = scratch / ONNX_NAME
        if not path.is_file():
            _export(folder, path)
    session = GeneratorSession(path, device=device, threads=threads)
    return GanArtist(card, coding_of(card), session)


def _export(folder: Path, path: Path) -> None:
    """Make the graph of a run's weights, which takes some seconds."""
    # Only here: what draws from a graph that is there need not wait for torch.
    import torch  # noqa: PLC0415

    from synthstudio.engine.gan_onnx import export_generator  # noqa: PLC0415
    from synthstudio.engine.gan_weights import load_gan  # noqa: PLC0415

    trained = load_gan(folder, torch.device("cpu"))
    export_generator(trained.generator, trained.card, path)
