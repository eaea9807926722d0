"""Writing a trained classifier as an ONNX file, checked against the network before it is kept."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.imaging import write_bytes_atomically
from synthstudio.core.patches.bank import scaled
from synthstudio.domain.errors import UserError
from synthstudio.engine.context import JobContext
from synthstudio.engine.data.fields import read_fov
from synthstudio.engine.device import choose_device
from synthstudio.engine.inference import TrainedClassifier, find_training_run, load_classifier
from synthstudio.engine.networks.base import round_up
from synthstudio.engine.onnx_classifier import (
    INPUT,
    MAPS,
    OPSET,
    PROBABILITIES,
    OnnxClassifier,
    build_onnx,
    predict_with_torch,
)
from synthstudio.protocol.results import ExportOnnxResult
from synthstudio.settings.export_onnx import ExportOnnxSettings

DEFAULT_NAME, SCRATCH = "model.onnx", ".export.onnx"
N_REAL = 3


def run(settings: ExportOnnxSettings, context: JobContext) -> ExportOnnxResult:
    """Export, compare, write.

    Raises:
        UserError: There is no trained classifier, the answers differ, or the file cannot be written.
    """
    began = time.monotonic()
    out = _choose_file(settings, context)
    run_id = find_training_run(context.project, settings.run)
    classifier = load_classifier(context.project.run_folder(run_id), choose_device(context.device))
    context.stage("Exporting")
    data = build_onnx(classifier, context.run_dir / SCRATCH)
    context.stage("Comparing with the network")
    exported = OnnxClassifier(data, device=str(classifier.device))
    differences = []
    tests = list(_test_images(classifier, context))
    for done, images in enumerate(tests):
        context.tick(done, len(tests))
        differences.append(_compare(exported, classifier, images))
    context.tick(len(tests), len(tests))
    difference, map_difference = (max(each) for each in zip(*differences, strict=True))
    if difference > settings.tolerance:
        raise UserError(
            f"The exported model differs from the trained one by {difference:.1g} in probability, more than the"
            f" {settings.tolerance:.1g} allowed; nothing was written.",
            "Allow a greater difference, or report this network.",
        )
    write_bytes_atomically(out, data)
    card = out.with_suffix(".json")
    write_bytes_atomically(card, _card_text(classifier).encode())
    return ExportOnnxResult(
        run=run_id,
        path=str(out),
        card=str(card),
        n_bytes=len(data),
        difference=difference,
        map_difference=map_difference,
        provider=exported.provider,
        seconds=round(time.monotonic() - began, 3),
    )


def _choose_file(settings: ExportOnnxSettings, context: JobContext) -> Path:
    if not settings.out:
        return context.run_dir / DEFAULT_NAME
    out = Path(settings.out).expanduser().absolute()
    if out.suffix.lower() != ".onnx":
        raise UserError(f"{out} is not a name for an ONNX file.", "Let it end in .onnx.")
    if not out.parent.is_dir():
        raise UserError(f"There is no folder {out.parent}.", "Make it first, or choose another one.")
    return out


def _test_images(classifier: TrainedClassifier, context: JobContext) -> Iterator[NDArray[np.uint8]]:
    """Noise in two sizes and batches, and whole real images: what a file with fixed sizes would fail on."""
    alignment, side = classifier.network.alignment, round_up(classifier.card.side, classifier.network.alignment)
    rng = np.random.default_rng(context.seed)
    for shape in ((2, side, side, 3), (1, side + alignment, 2 * side, 3)):
        yield rng.integers(0, 256, shape).astype(np.uint8)
    for fov in context.project.fovs.list()[:N_REAL]:
        image = scaled(read_fov(fov), classifier.card.scale)
        height, width = (max(alignment, size // alignment * alignment) for size in image.shape[:2])
        if image.shape[0] >= height and image.shape[1] >= width:
            yield np.ascontiguousarray(image[None, :height, :width])


def _compare(exported: OnnxClassifier, classifier: TrainedClassifier, images: NDArray[np.uint8]) -> tuple[float, float]:
    """Greatest difference of the probabilities, and of the maps as a share of their range."""
    found, maps = exported.predict(images)
    expected, expected_maps = predict_with_torch(classifier, images)
    span = max(1e-6, float(np.ptp(expected_maps)))
    return float(np.abs(found - expected).max()), float(np.abs(maps - expected_maps).max()) / span


def _card_text(classifier: TrainedClassifier) -> str:
    """The model's card, and how to call the file."""
    card = classifier.card
    interface = {
        "opset": OPSET,
        "input": f"{INPUT}: (N, H, W, 3) uint8 RGB, resized by the factor `scale` of the card; H and W multiples of"
        f" {classifier.network.alignment}",
        "outputs": [
            f"{PROBABILITIES}: (N, {len(card.classes)}) float32 in 0-1, in the order of `classes`",
            f"{MAPS}: (N, {len(card.classes)}, H / {card.stride}, W / {card.stride}) float32 class activation maps",
        ],
    }
    return json.dumps({"interface": interface, "model": card.model_dump(mode="json")}, ensure_ascii=False, indent=2)
