"""What describes images when they are measured: a network from a local file, or the built-in descriptor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from synthstudio.core.evaluation.descriptor import DESCRIPTOR_NAME, describe_images
from synthstudio.core.evaluation.frechet import FeatureArray
from synthstudio.core.evaluation.nearest import PictureArray, image_digest, small_pictures
from synthstudio.core.imaging import ImageArray, sha256_of_file
from synthstudio.domain.errors import UserError
from synthstudio.engine.checkpoints import load_weights
from synthstudio.engine.data.measured_images import ImageFacts, MeasuredImage
from synthstudio.engine.device import choose_device
from synthstudio.engine.networks.feature_networks import FeatureNetwork, known_networks, recognise_network

BATCH = 16


@dataclass(frozen=True, slots=True)
class BuiltInFeatures:
    """The built-in descriptor, see `core/evaluation/descriptor.py`.

    Attributes:
        name: What it is, for the user.
        sha256: Of its file; it has none.
        is_published: Figures are comparable with published FIDs.
    """

    name: str = DESCRIPTOR_NAME
    sha256: str = ""
    is_published: bool = False

    def extract(self, images: Sequence[ImageArray]) -> FeatureArray:
        """Describe a few images, `(H, W, 3)` uint8 RGB of any size, as `(N, D)` float64."""
        return describe_images(images)


@dataclass(frozen=True, slots=True)
class NetworkFeatures:
    """A network from a file; attributes as of `BuiltInFeatures`."""

    name: str
    sha256: str
    is_published: bool
    network: FeatureNetwork
    device: torch.device

    @torch.no_grad()
    def extract(self, images: Sequence[ImageArray]) -> FeatureArray:
        """As the built-in descriptor does, by the network."""
        known = self.network
        mean, std = (np.array(each, np.float32) for each in (known.mean, known.std))
        pixels = np.stack([(resized(each, known.side) / np.float32(255.0) - mean) / std for each in images])
        tensor = torch.from_numpy(pixels).permute(0, 3, 1, 2).to(self.device)  # (N, 3, S, S)
        features: FeatureArray = known.network(tensor).flatten(1).double().cpu().numpy()
        return features


class Extractor(Protocol):
    """What describes a few images, `(H, W, 3)` uint8 RGB of any size, as `(N, D)` float64."""

    def extract(self, images: Sequence[ImageArray]) -> FeatureArray: ...


FeatureExtractor = BuiltInFeatures | NetworkFeatures


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """Images without their pixels, which may be more than the memory holds.

    Attributes:
        images: What is known of each; exact repeats are left out.
        features: `(N, D)`.
        pictures: `(N, P)` small pictures, see `core/evaluation/nearest.py`.
        n_duplicates: Exact repeats.
    """

    images: Sequence[ImageFacts]
    features: FeatureArray
    pictures: PictureArray
    n_duplicates: int = 0

    def __len__(self) -> int:
        return len(self.images)

    def those(self, is_wanted: Callable[[ImageFacts], bool]) -> Described:
        """Part of them."""
        rows = [row for row, each in enumerate(self.images) if is_wanted(each)]
        return Described([self.images[row] for row in rows], self.features[rows], self.pictures[rows])


def describe(images: Iterable[MeasuredImage], extractor: Extractor) -> Described:
    """Describe images as they come, a few at a time."""
    facts: list[ImageFacts] = []
    features: list[FeatureArray] = []
    pictures: list[PictureArray] = []
    seen: set[bytes] = set()
    n_all = 0
    waiting = iter(images)
    while batch := list(islice(waiting, BATCH)):
        n_all += len(batch)
        fresh: list[MeasuredImage] = []
        for image, known in batch:
            digest = image_digest(image)
            if digest not in seen:
                seen.add(digest)
                fresh.append((image, known))
        if fresh:
            pixels = [image for image, _ in fresh]
            facts += [known for _, known in fresh]
            features.append(extractor.extract(pixels))
            pictures.append(small_pictures(pixels))
    if not facts:
        return Described((), np.empty((0, 0)), np.empty((0, 0), np.float32), n_all)
    return Described(facts, np.concatenate(features), np.concatenate(pictures), n_all - len(facts))


def resized(image: ImageArray, side: int) -> NDArray[np.float32]:
    """Bring an image to `(side, side, 3)` float32, 0-255: bicubic over the area of the px when it shrinks.

    Without antialiasing, or rounded in between, FIDs differ by more than trainings do (Parmar et al. 2022).
    """
    planes = [
        Image.fromarray(np.ascontiguousarray(image[..., channel], np.float32), mode="F").resize(
            (side, side), Image.Resampling.BICUBIC
        )
        for channel in range(3)
    ]
    return np.stack([np.asarray(each, np.float32) for each in planes], axis=-1).clip(0, 255)


def open_features(path: str, device: str) -> FeatureExtractor:
    """Open a file of weights; the built-in descriptor where the path is empty.

    Raises:
        UserError: There is no such file, it is damaged, or of no network that is known.
    """
    if not path:
        return BuiltInFeatures()
    file = Path(path).expanduser()
    found = recognise_network(load_weights(file))
    if found is None:
        raise UserError(
            f"The tensors in {file} are those of no network that is known here.",
            f"Networks that can describe images: {', '.join(known_networks())}.",
        )
    chosen = choose_device(device)
    found.network.to(chosen)
    return NetworkFeatures(
        name=f"{found.name} ({file.name})",
        sha256=sha256_of_file(file),
        is_published=found.is_published,
        network=found,
        device=chosen,
    )
