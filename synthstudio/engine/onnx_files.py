"""Networks as ONNX files: writing one, checked for its form, and running one."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

OPSET = 17
INPUT = "images"
CARD_KEY = "synthstudio.card"
Axes = Mapping[str, Mapping[int, str]]
"""Name of an input or output -> place of an axis whose length may vary -> its name."""


def write_onnx(module: nn.Module, *, side: int, outputs: Axes, card: str, scratch: Path) -> bytes:
    """Return the bytes of a single ONNX file.

    Args:
        module: Takes images `(N, H, W, 3)` uint8 of any size that it can; gives one tensor for each output.
        side: Of the image that it is traced with.
        outputs: In the module's order.
        card: The model's card as JSON, kept among the metadata.
        scratch: Name for a file that is written and removed again.
    """
    return write_graph(
        module,
        (torch.zeros((1, side, side, 3), dtype=torch.uint8),),
        inputs={INPUT: {0: "n", 1: "height", 2: "width"}},
        outputs=outputs,
        card=card,
        scratch=scratch,
    )


def write_graph(
    module: nn.Module, arguments: tuple[Tensor, ...], *, inputs: Axes, outputs: Axes, card: str, scratch: Path
) -> bytes:
    """The same for any inputs; the module is traced with these arguments.

    Args:
        module: Takes and gives one tensor for each input and output.
        arguments: For each input.
        inputs: In the module's order.
        outputs: In the module's order.
        card: The model's card as JSON, kept among the metadata.
        scratch: Name for a file that is written and removed again.
    """
    with warnings.catch_warnings():
        # The newer exporter wants another package and fixes the sizes of some of these networks.
        warnings.simplefilter("ignore", DeprecationWarning)
        # Sizes that layers look at while they are traced do not change what is computed.
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # type: ignore[attr-defined]  # torch lists it not
        # Sizes of paddings are then computed when the file is run, which changes no answer.
        warnings.filterwarnings("ignore", "Constant folding", UserWarning)
        # Instance norms take the statistics of the image that they see, in a training and after it.
        warnings.filterwarnings("ignore", ".*operator 'instance_norm' is set to train=True", UserWarning)
        torch.onnx.export(
            module.cpu().eval(),
            arguments,
            str(scratch),
            dynamo=False,
            opset_version=OPSET,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={name: dict(axes) for name, axes in {**inputs, **outputs}.items()},
        )
    model = onnx.load(scratch)
    scratch.unlink()
    model.metadata_props.add(key=CARD_KEY, value=card)
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


class OnnxSession:
    """Runs an exported network.

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

    def run(self, outputs: Sequence[str], images: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """The named outputs for images `(N, H, W, 3)` uint8 RGB."""
        return [np.asarray(each, np.float32) for each in self._session.run(list(outputs), {INPUT: images})]
