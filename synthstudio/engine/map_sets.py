"""Images of a set that a generator makes from semantic maps: a GAN, or a diffusion model of patches."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import numpy as np

from synthstudio.core.imaging import ImageArray
from synthstudio.core.synthesis.generated import GeneratedFacts, GeneratedImage, encode_generated, generated_header
from synthstudio.core.synthesis.manifest import SetFiles
from synthstudio.core.synthesis.origins import MapOrigin
from synthstudio.core.synthesis.requests import RequestMaterial, RequestPlanner
from synthstudio.core.synthesis.sets import write_image_files
from synthstudio.core.training.map_card import MapCard
from synthstudio.core.training.montage import montage
from synthstudio.domain import records
from synthstudio.domain.maps import MapRequest
from synthstudio.settings.generate import GenerateSettings


class MapArtist(Protocol):
    """What makes the image of a map."""

    @property
    def card(self) -> MapCard: ...

    @property
    def provider(self) -> str:
        """What computes, as headers of sets name it."""

    def draw(self, request: MapRequest, *, seed: int, index: int = 0) -> ImageArray:
        """Return the (S, S, 3) uint8 RGB image."""


@dataclass(frozen=True, slots=True)
class OpenedArtist:
    """What makes images, and what their bytes depend on besides its weights.

    Attributes:
        versions: Of what computes.
        threads: Of the processor, where the bytes depend on their number; 0 where they do not.
    """

    artist: MapArtist
    versions: dict[str, str]
    threads: int


def open_map_artist(
    folder: Path, generator: records.Generator, *, scratch: Path, device: str, threads: int = 0
) -> OpenedArtist:
    """Load the generator in a run's folder.

    Args:
        scratch: Folder for the graph of a GAN where the run's has none.
        device: "auto" takes a GPU where there is one.
        threads: Of the processor; 0 for all, or as many as there are now.

    Raises:
        UserError: There is none, it is damaged, or the device cannot be used.
    """
    # Only what is needed: a GAN is asked without torch, a diffusion model without onnxruntime.
    if generator is records.Generator.GAN:
        import onnxruntime  # noqa: PLC0415

        from synthstudio.engine.gan_drawing import open_gan  # noqa: PLC0415

        gan = open_gan(folder, scratch=scratch, device=device, threads=threads)
        return OpenedArtist(gan, {"onnxruntime": str(onnxruntime.__version__)}, 0)
    import torch  # noqa: PLC0415

    from synthstudio.engine.patch_artist import open_patch_artist  # noqa: PLC0415

    artist = open_patch_artist(folder, device=device, threads=threads)
    return OpenedArtist(artist, {"torch": version("torch")}, torch.get_num_threads())


@dataclass(frozen=True, slots=True)
class MapSetSource:
    """Makes each image alone: neither its neighbours nor the number of the first one change its bytes."""

    settings: GenerateSettings
    origin: MapOrigin
    opened: OpenedArtist
    planner: RequestPlanner
    material: RequestMaterial
    state: str

    @property
    def files(self) -> SetFiles:
        return SetFiles.wanted_by(self.settings)

    def make(self, index: int) -> GeneratedImage:
        """Make one image."""
        request, seed = self.planner.plan(index), self.settings.seed
        return GeneratedImage(self.opened.artist.draw(request, seed=seed, index=index), request, (seed, index))

    def sheet(self, indices: Sequence[int]) -> ImageArray:
        """The images side by side, to be looked at."""
        return montage(np.stack([self.make(index).image for index in indices]))

    def begun_bytes(self, indices: range) -> bytes:
        """The header, and what the requests were drawn from."""
        digest = hashlib.sha256(repr(self.material).encode()).hexdigest()
        alone = dataclasses.replace(self, settings=self.settings.model_copy(update={"threads": 0}))
        return alone.header_bytes(indices, manifest_sha256="") + json.dumps({"material": digest}).encode()

    def header_bytes(self, indices: range, *, manifest_sha256: str) -> bytes:
        facts = GeneratedFacts(
            files=self.files,
            side=self.origin.side,
            classes=self.origin.class_names,
            settings=self.settings.model_dump(mode="json"),
            project_state=self.state,
            provider=self.opened.artist.provider,
            versions=self.opened.versions,
            generator=self.origin.generator,
            threads=self.opened.threads,
        )
        generators = {self.origin.key: self.origin.to_json()}
        return generated_header(facts, generators, indices=indices, manifest_sha256=manifest_sha256)

    def iter_lines(self, folder: Path, indices: range, *, scratch: Path) -> Generator[list[str], None, None]:
        for index in indices:
            made = encode_generated(self.make(index), self.origin, self.files, index)
            write_image_files(folder, made)
            yield [made.line]
