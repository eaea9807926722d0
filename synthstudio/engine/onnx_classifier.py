"""A trained classifier as an ONNX model: pixels in, probabilities and class activation maps out."""

from __future__ import annotations

import copy
import warnings
from pathlib import Path
from typing import cast

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from typing_extensions import override

from synthstudio.engine.inference import TrainedClassifier
from synthstudio.engine.networks.base import LsePool

OPSET = 17
INPUT, PROBABILITIES, MAPS = "images", "probabilities", "maps"
CARD_KEY = "synthstudio.card"
Answers = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Probabilities `(N, C)` and class maps `(N, C, h, w)`."""


class ExportedClassifier(nn.Module):
    """The network with everything around it that a user of the file would otherwise have to copy.

    Images `(N, H, W, 3)` uint8 RGB at the card's scale, their sides multiples of the network's alignment, become
    probabilities `(N, C)` in 0-1 and class maps `(N, C, H / stride, W / stride)`.
    """

    def __init__(self, classifier: TrainedClassifier) -> None:
        super().__init__()
        self.network = copy.deepcopy(classifier.network)
        self.network.pool = AnySizePool(self.network.pool)
        self.register_buffer("mean", torch.tensor(classifier.card.mean).reshape(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(classifier.card.std).reshape(1, 3, 1, 1))

    @override
    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        pixels = images.permute(0, 3, 1, 2).float()
        logits, maps = self.network((pixels - cast(Tensor, self.mean)) / cast(Tensor, self.std))
        return torch.sigmoid(logits), maps


class AnySizePool(nn.Module):
    """The same as another pooling, in terms that hold for maps of any size.

    A size that Python computes with becomes a constant of the exported file, and its answers wrong for other sizes.
    """

    def __init__(self, pool: nn.Module) -> None:
        super().__init__()
        self.pool = pool

    @override
    def forward(self, maps: Tensor) -> Tensor:
        if not isinstance(self.pool, LsePool):
            pooled: Tensor = self.pool(maps)
            return pooled
        flat, sharpness = maps.flatten(2), self.pool.sharpness
        greatest = flat.amax(dim=2, keepdim=True)
        return greatest[..., 0] + torch.log(torch.exp(sharpness * (flat - greatest)).mean(dim=2)) / sharpness


def build_onnx(classifier: TrainedClassifier, scratch: Path) -> bytes:
    """Return the bytes of a single ONNX file with the model's card among its metadata.

    Args:
        classifier: What is exported.
        scratch: Name for a file that is written and removed again.
    """
    side = classifier.network.alignment * 8
    with warnings.catch_warnings():
        # The newer exporter wants another package and fixes the sizes of some of these networks.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            ExportedClassifier(classifier).cpu().eval(),
            (torch.zeros((1, side, side, 3), dtype=torch.uint8),),
            str(scratch),
            dynamo=False,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=[PROBABILITIES, MAPS],
            dynamic_axes={
                INPUT: {0: "n", 1: "height", 2: "width"},
                PROBABILITIES: {0: "n"},
                MAPS: {0: "n", 2: "map_height", 3: "map_width"},
            },
        )
    model = onnx.load(scratch)
    scratch.unlink()
    model.metadata_props.add(key=CARD_KEY, value=classifier.card.model_dump_json())
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


class OnnxClassifier:
    """Runs an exported classifier.

    Args:
        data: Bytes of the file.
        device: "cpu", or "cuda" where onnxruntime can use it; it falls back to the processor where it cannot.
    """

    def __init__(self, data: bytes, *, device: str = "cpu") -> None:
        available = onnxruntime.get_available_providers()
        wanted = ["CUDAExecutionProvider"] if device.startswith("cuda") else []
        self._session = onnxruntime.InferenceSession(
            data, providers=[*(each for each in wanted if each in available), "CPUExecutionProvider"]
        )

    @property
    def provider(self) -> str:
        """What computes: "CUDAExecutionProvider" or "CPUExecutionProvider"."""
        return str(self._session.get_providers()[0])

    def predict(self, images: NDArray[np.uint8]) -> Answers:
        """Answers for images `(N, H, W, 3)` uint8 RGB."""
        probabilities, maps = self._session.run([PROBABILITIES, MAPS], {INPUT: images})
        return np.asarray(probabilities, np.float32), np.asarray(maps, np.float32)


@torch.inference_mode()
def predict_with_torch(classifier: TrainedClassifier, images: NDArray[np.uint8]) -> Answers:
    """The same answers by the network itself: its own pooling and normalisation, not the exported ones."""
    logits, maps = classifier.network(classifier.normalization.apply(torch.from_numpy(images), classifier.device))
    return torch.sigmoid(logits).float().cpu().numpy(), maps.float().cpu().numpy()
