"""Images of a set that a diffusion model makes from prompts: in batches on a GPU, one by one on the processor."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
import torch

from synthstudio.core.imaging import ImageArray, read_or_open
from synthstudio.core.synthesis.generated import (
    PROMPT_LIBRARIES,
    GeneratedFacts,
    GeneratedImage,
    encode_generated,
    generated_header,
)
from synthstudio.core.synthesis.manifest import SetFiles
from synthstudio.core.synthesis.origins import PromptOrigin
from synthstudio.core.synthesis.prompt_requests import PromptPlanner
from synthstudio.core.synthesis.sets import check_room, write_image_files
from synthstudio.core.synthesis.square_crops import cut_square
from synthstudio.core.training.montage import montage
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import FovId
from synthstudio.domain.prompts import PromptPlace, PromptRequest
from synthstudio.domain.records import CropSquare, FieldOfView
from synthstudio.engine.device import device_words
from synthstudio.engine.diffusion_sampling import PromptArtist
from synthstudio.engine.memory_limits import is_out_of_memory, release_memory
from synthstudio.settings.generate import GenerateSettings

PREVIEW_PX = 256
_PREVIEW_EVERY_S = 0.5
_LARGE_PREVIEWS = 4
_IMAGE_BYTES_AT_512 = 1.5e9
"""Of a GPU, for one more image of 512 px at once, in fp16 with guidance: a cautious guess, mended by trying."""
_MOST_AT_ONCE = 16


class GroundReader:
    """Cuts the real pictures that images start from; each once, since many variants share a place.

    Args:
        fovs: Where they are cut out.
    """

    def __init__(self, fovs: Mapping[FovId, FieldOfView]) -> None:
        self._fovs = fovs
        self._cut: dict[tuple[PromptPlace, int], ImageArray] = {}

    def read(self, request: PromptRequest) -> ImageArray | None:
        """The `(side, side, 3)` uint8 RGB window of a request; None where it starts from noise alone.

        Raises:
            UserError: The FOV is gone, or its file is missing, damaged or smaller than when it was imported.
        """
        place = request.place
        if place is None:
            return None
        key = place, request.side
        if key not in self._cut:
            fov = self._fovs.get(place.fov_id)
            if fov is None:
                raise UserError(f"The image with id {place.fov_id} is not in the project any more.", "")
            window = CropSquare(int(place.window.x0), int(place.window.y0), int(place.window.width))
            image = read_or_open(Path(fov.path), page=fov.page)
            self._cut[key] = cut_square(image, window, side=request.side, name=fov.name)
        return self._cut[key]


def batch_size(wanted: int, device: torch.device, *, side: int) -> int:
    """How many images to try at once; the processor gains nothing by it."""
    if device.type != "cuda":
        return 1
    if wanted:
        return wanted
    free, _ = torch.cuda.mem_get_info(device)
    return max(1, min(_MOST_AT_ONCE, int(0.8 * free / (_IMAGE_BYTES_AT_512 * (side / 512) ** 2))))


def draw_within_memory(
    artist: PromptArtist,
    requests: Sequence[PromptRequest],
    *,
    seed: int,
    indices: Sequence[int],
    grounds: Sequence[ImageArray] | None,
) -> list[ImageArray]:
    """Make images at once, or in halves where memory is too small for all.

    Raises:
        UserError: It is too small for one.
    """
    try:
        return artist.draw_batch(requests, seed=seed, indices=indices, grounds=grounds)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        if len(requests) == 1:
            raise UserError(
                f"The memory is too small for one image of {requests[0].side} px.",
                "Choose a smaller side or the precision fp16, close other programs, or take the processor.",
            ) from error
    # Outside of the handler, whose traceback would keep the tensors of the failed batch.
    release_memory(artist.device)
    half = len(requests) // 2
    return [
        image
        for part in (slice(0, half), slice(half, None))
        for image in draw_within_memory(
            artist,
            requests[part],
            seed=seed,
            indices=indices[part],
            grounds=grounds[part] if grounds is not None else None,
        )
    ]


@dataclass(slots=True)
class PromptSetSource:
    """Makes the images of a set; on the processor none depends on another.

    Attributes:
        preview: Shows images as they come.
    """

    settings: GenerateSettings
    origin: PromptOrigin
    artist: PromptArtist
    planner: PromptPlanner
    grounds: GroundReader
    preview: Callable[[ImageArray, str], None]
    _at_once: int = 0
    _shown_at: float = field(default=float("-inf"))

    @property
    def files(self) -> SetFiles:
        return SetFiles(self.settings.format, self.settings.quality)

    def begun_bytes(self, indices: range) -> bytes:
        """The header but for what changes nothing, and the pixels that images start from."""
        digest = hashlib.sha256()
        # By place, in the order of the images: another process must come to the same.
        for place, request in {each.place: each for each in map(self.planner.plan, indices) if each.place}.items():
            ground = self.grounds.read(request)
            digest.update(repr(place).encode() + (ground.tobytes() if ground is not None else b""))
        alone = self.settings.model_copy(update={"threads": 0, "batch": 0})
        return self._header(alone, indices, manifest_sha256="") + json.dumps({"grounds": digest.hexdigest()}).encode()

    def header_bytes(self, indices: range, *, manifest_sha256: str) -> bytes:
        return self._header(self.settings, indices, manifest_sha256=manifest_sha256)

    def _header(self, settings: GenerateSettings, indices: range, *, manifest_sha256: str) -> bytes:
        device = self.artist.device
        facts = GeneratedFacts(
            files=self.files,
            side=self.planner.side,
            classes=(self.origin.class_name,),
            settings=settings.model_dump(mode="json"),
            project_state="",
            provider=provider_words(device),
            versions=library_versions(),
            generator=self.origin.generator,
            threads=torch.get_num_threads() if device.type == "cpu" else 0,
        )
        generators = {self.origin.key: self.origin.to_json()}
        return generated_header(facts, generators, indices=indices, manifest_sha256=manifest_sha256)

    def iter_lines(self, folder: Path, indices: range, *, scratch: Path) -> Generator[list[str], None, None]:
        at_once = batch_size(self.settings.batch, self.artist.device, side=self.planner.side)
        n_bytes = 0
        for start in range(0, len(indices), at_once):
            chunk = indices[start : start + at_once]
            made = self._make(chunk)
            lines = []
            for index, each in zip(chunk, made, strict=True):
                encoded = encode_generated(each, self.origin, self.files, index)
                write_image_files(folder, encoded)
                n_bytes = max(n_bytes, sum(map(len, encoded.files.values())))
                lines.append(encoded.line)
            self._show(made, chunk)
            yield lines
            check_room(folder, n_images=len(indices) - start - len(chunk), bytes_each=n_bytes)

    def _make(self, indices: range) -> list[GeneratedImage]:
        seed = self.settings.seed
        requests = [self.planner.plan(index) for index in indices]
        found = [ground for request in requests if (ground := self.grounds.read(request)) is not None]
        images = draw_within_memory(self.artist, requests, seed=seed, indices=indices, grounds=found or None)
        return [
            GeneratedImage(image, request, (seed, index))
            for image, request, index in zip(images, requests, indices, strict=True)
        ]

    def _show(self, made: Sequence[GeneratedImage], indices: range) -> None:
        """Show what has just been made, unless something was shown a moment ago."""
        moment = time.monotonic()
        if moment - self._shown_at < _PREVIEW_EVERY_S:
            return
        self._shown_at = moment
        side = min(PREVIEW_PX if len(made) <= _LARGE_PREVIEWS else PREVIEW_PX // 2, self.planner.side)
        small = [cv2.resize(each.image, (side, side), interpolation=cv2.INTER_AREA) for each in made]
        words = f"Image {indices[-1]}: {made[-1].request.prompt}" if isinstance(made[-1].request, PromptRequest) else ""
        self.preview(montage(np.stack(small)) if len(small) > 1 else np.asarray(small[0], np.uint8), words)


def provider_words(device: torch.device) -> str:
    """What computes, as headers of sets name it."""
    return "torch CPU" if device.type == "cpu" else f"torch {device_words(device)}"


def library_versions() -> dict[str, str]:
    """Versions of what images from prompts depend on."""
    return {name: version(name) for name in PROMPT_LIBRARIES}
