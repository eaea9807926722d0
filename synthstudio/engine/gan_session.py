"""An exported generator that makes images by onnxruntime, without torch: it starts in a fraction of a second."""

from __future__ import annotations

import ctypes
import logging
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as states

from synthstudio.core.synthesis.semantic_maps import from_output
from synthstudio.domain.errors import UserError

MAPS, NOISE, IMAGES = "maps", "noise", "images"
"""Names in the file: maps `(N, 3, S, S)` and noise `(N, Z)` go in, images `(N, 3, S, S)` come out; all float32, maps
and images from -1 to 1, RGB."""
CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
# onnxruntime's errors share no base class of their own.
_REFUSALS = (
    states.Fail,
    states.InvalidArgument,
    states.InvalidGraph,
    states.InvalidProtobuf,
    states.NotImplemented,
    states.RuntimeException,
)
_log = logging.getLogger(__name__)


class GeneratorSession:
    """Makes images from maps with an exported generator.

    Args:
        source: The file, or its bytes. Nothing outside of it is read.
        device: "cpu"; "cuda" or "cuda:N"; "auto" for a GPU where onnxruntime can use one.
        threads: Of the processor; 0 for all.

    Raises:
        UserError: The file cannot be read, is no exported generator, or the GPU that was asked for cannot be used.
    """

    def __init__(self, source: Path | bytes, *, device: str = "cpu", threads: int = 0) -> None:
        name, data = _read(source)
        try:
            self._session = _open_session(data, device=device, threads=threads)
        except _REFUSALS as error:
            raise UserError(
                f"{name} cannot be run ({error}).", "Delete it: it is made again from the trained generator."
            ) from error
        inputs = {each.name: tuple(each.shape) for each in self._session.get_inputs()}
        outputs = [each.name for each in self._session.get_outputs()]
        if MAPS not in inputs or outputs != [IMAGES] or not isinstance(inputs[MAPS][-1], int):
            raise UserError(f"{name} is no exported generator.", "Delete it, or choose another GAN.")
        self.side = int(inputs[MAPS][-1])
        """Of maps and images, in px."""
        self.noise = int(inputs[NOISE][-1]) if NOISE in inputs else 0
        """Numbers that enter with each map."""

    @property
    def provider(self) -> str:
        """What really computes, `CPU` or `CUDA`: onnxruntime names a GPU among its providers even without one."""
        return str(self._session.get_providers()[0])

    def run(self, maps: NDArray[np.float32], noise: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
        """Images `(N, 3, S, S)` float32 from -1 to 1 for maps `(N, 3, S, S)` and, where it takes any, noise `(N, Z)`.

        Raises:
            ValueError: The maps have another side; there is noise for a generator without any, or the reverse.
            UserError: Memory ran out.
        """
        if maps.shape[1:] != (3, self.side, self.side):
            raise ValueError(f"this generator takes maps of 3 x {self.side} x {self.side}, not {maps.shape[1:]}")
        if (noise.shape[1:] if noise is not None else (0,)) != (self.noise,):
            raise ValueError(f"this generator takes {self.noise} numbers of noise with each map")
        feeds = {MAPS: maps} if noise is None else {MAPS: maps, NOISE: noise}
        try:
            (images,) = self._session.run([IMAGES], feeds)
        except _REFUSALS as error:
            raise UserError(
                f"The generator could not make {len(maps)} images at once ({error}).",
                "Free some memory, or make them on the processor.",
            ) from error
        return np.asarray(images, np.float32)

    def make(self, maps: NDArray[np.float32], noise: NDArray[np.float32] | None = None) -> NDArray[np.uint8]:
        """The same as pixels: `(N, S, S, 3)` uint8 RGB."""
        return np.stack([from_output(each) for each in self.run(maps, noise)])


def _read(source: Path | bytes) -> tuple[str, bytes]:
    if isinstance(source, bytes):
        return "The exported generator", source
    try:
        return str(source), source.read_bytes()
    except OSError as error:
        raise UserError(f"{source} cannot be read ({error}).", "Choose another GAN, or export this one.") from error


def _open_session(data: bytes, *, device: str, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # A thread that waits for the others, or for the next image, would spin, and hold the core that the window or the
    # slowest of them needs. On two busy cores 95 % of the map editor's images, at 64 base channels, then come within
    # 101 to 125 ms, without spinning within 91 to 95 ms (three runs each, in turn); at 32 there is no difference.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if device == "cpu" or (device == "auto" and not has_gpu()):
        return onnxruntime.InferenceSession(data, options, providers=[CPU])
    if CUDA in onnxruntime.get_available_providers():
        if hasattr(onnxruntime, "preload_dlls"):  # from 1.21 on: finds the libraries that torch has brought
            onnxruntime.preload_dlls()
        # Full float32, and no trial of algorithms whose winner would change from start to start.
        exact = {"device_id": _index(device), "use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"}
        session = onnxruntime.InferenceSession(data, options, providers=[(CUDA, exact), CPU])
        if session.get_providers()[0] == CUDA:
            return session
    if device != "auto":
        raise UserError(f"onnxruntime cannot use the device {device}.", "Choose cpu, or mend its CUDA and cuDNN.")
    _log.warning("onnxruntime cannot use the GPU; the processor makes the images.")
    return onnxruntime.InferenceSession(data, options, providers=[CPU])


def _index(device: str) -> str:
    return device.partition(":")[2] or "0"


def has_gpu() -> bool:
    """Whether the driver knows a CUDA device; asked of the driver itself, since torch takes seconds to load."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    count = ctypes.c_int(0)
    return driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0
