"""Writing a trained classifier, detector or GAN as an ONNX file, checked against the network before it is kept."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.imaging import write_bytes_atomically
from synthstudio.core.patches.bank import scaled
from synthstudio.core.training.detector_card import DetectorCard
from synthstudio.core.training.map_card import coding_of
from synthstudio.core.training.model_card import ModelCard
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import RunStatus
from synthstudio.engine import gan_session
from synthstudio.engine.context import JobContext
from synthstudio.engine.data.fields import read_fov
from synthstudio.engine.detection import TrainedDetector, load_detector
from synthstudio.engine.device import choose_device
from synthstudio.engine.gan_onnx import build_generator_onnx, compare_with_torch
from synthstudio.engine.gan_weights import TrainedGan, load_gan
from synthstudio.engine.inference import TrainedClassifier, load_classifier
from synthstudio.engine.networks.base import round_up
from synthstudio.engine.onnx_classifier import (
    MAPS,
    PROBABILITIES,
    OnnxClassifier,
    build_onnx,
    predict_with_torch,
)
from synthstudio.engine.onnx_detector import (
    BOXES,
    SCORES,
    OnnxDetector,
    build_detector_onnx,
    candidates_with_torch,
    compare_candidates,
)
from synthstudio.engine.onnx_files import INPUT, OPSET, OnnxSession
from synthstudio.project import Project
from synthstudio.protocol.results import ExportOnnxResult
from synthstudio.settings.export_onnx import ExportOnnxSettings

DEFAULT_NAME, SCRATCH = "model.onnx", ".export.onnx"
N_REAL = 3
_WINDOWS = (
    "cells see all of the input: read larger images in windows of {side} px, each half a window beyond the one before,"
    " and average the maps, weighted towards the middle of each window"
)
BOX_TOLERANCE_PX = 0.1
CLASSIFIER_KIND, DETECTOR_KIND, GAN_KIND = "train-classifier", "train-detector", "train-gan"


class _Export(Protocol):
    """A model that can be written, and compared with what was written."""

    @property
    def card(self) -> ModelCard | DetectorCard: ...
    @property
    def alignment(self) -> int: ...
    @property
    def window_px(self) -> int:
        """Side of the windows in which whole images are to be read; 0 where they can be read at once."""

    def build(self, scratch: Path) -> bytes:
        """Bytes of the file; it is what `compare` then runs."""

    @property
    def session(self) -> OnnxSession: ...

    def compare(self, images: NDArray[np.uint8]) -> tuple[float, float]:
        """Greatest difference of the probabilities or scores, and of the maps or boxes."""

    def outputs(self) -> list[str]:
        """What comes out, in words."""

    def figures(self, other: float) -> dict[str, float]:
        """The second difference under the name that the result has for it; raises UserError where it is too great."""


def run(settings: ExportOnnxSettings, context: JobContext) -> ExportOnnxResult:
    """Export, compare, write.

    Raises:
        UserError: There is no trained model, the answers differ, or the file cannot be written.
    """
    began = time.monotonic()
    out = _choose_file(settings, context)
    run_id, kind = _find_run(context.project, settings.run)
    if kind == GAN_KIND:
        return _export_gan(run_id, out, settings, context)
    export = _load(context, run_id, kind)
    context.stage("Exporting")
    data = export.build(context.run_dir / SCRATCH)
    context.stage("Comparing with the network")
    differences = []
    tests = list(_test_images(export, context))
    for done, images in enumerate(tests):
        context.tick(done, len(tests))
        differences.append(export.compare(images))
    context.tick(len(tests), len(tests))
    difference, other = (max(each) for each in zip(*differences, strict=True))
    _check(difference, settings, what="in probability")
    figures = export.figures(other)
    write_bytes_atomically(out, data)
    card = out.with_suffix(".json")
    write_bytes_atomically(card, _card_text(export).encode())
    return ExportOnnxResult(
        run=run_id,
        path=str(out),
        card=str(card),
        n_bytes=len(data),
        difference=difference,
        map_difference=figures.get("map_difference"),
        box_difference_px=figures.get("box_difference_px"),
        provider=export.session.provider,
        seconds=round(time.monotonic() - began, 3),
    )


def _check(difference: float, settings: ExportOnnxSettings, *, what: str) -> None:
    if difference > settings.tolerance:
        raise UserError(
            f"The exported model differs from the trained one by {difference:.1g} {what}, more than the"
            f" {settings.tolerance:.1g} allowed; nothing was written.",
            "Allow a greater difference, or report this network.",
        )


def _export_gan(run_id: RunId, out: Path, settings: ExportOnnxSettings, context: JobContext) -> ExportOnnxResult:
    """Export a generator, folded; see `gan_onnx`."""
    began = time.monotonic()
    gan = load_gan(context.project.run_folder(run_id), choose_device("cpu"))
    context.stage("Exporting")
    data = build_generator_onnx(gan.generator, gan.card, scratch=context.run_dir / SCRATCH)
    context.stage("Comparing with the network")
    session = gan_session.GeneratorSession(data)
    difference = compare_with_torch(gan.generator, session)
    _check(difference, settings, what="in images from -1 to 1")
    write_bytes_atomically(out, data)
    card = out.with_suffix(".json")
    write_bytes_atomically(card, _gan_card_text(gan).encode())
    return ExportOnnxResult(
        run=run_id,
        path=str(out),
        card=str(card),
        n_bytes=len(data),
        difference=difference,
        provider=session.provider,
        seconds=round(time.monotonic() - began, 3),
    )


def _gan_card_text(gan: TrainedGan) -> str:
    """The GAN's card, what its maps are made of, and how to call the file."""
    card, coding = gan.card, coding_of(gan.card)
    side, unknown = card.side, {"unknown": 0} if card.has_unknown_tone else {}
    inputs = {gan_session.MAPS: f"(N, 3, {side}, {side}) float32 in -1 to 1, RGB: value / 127.5 - 1 of a map of bytes"}
    if card.network.noise:
        inputs[gan_session.NOISE] = f"(N, {card.network.noise}) float32 from a standard normal distribution"
    interface = {
        "opset": OPSET,
        "inputs": inputs,
        "outputs": {gan_session.IMAGES: f"(N, 3, {side}, {side}) float32 in -1 to 1, RGB"},
        "red": unknown | {name: coding.tone_value(level) for level, name in enumerate(card.tone_levels, 1)},
        "green_and_blue": dict(zip(card.class_names, coding.codes.tolist(), strict=True)),
    }
    return json.dumps({"interface": interface, "model": card.model_dump(mode="json")}, ensure_ascii=False, indent=2)


def _find_run(project: Project, run: str) -> tuple[RunId, str]:
    """The named training, or the newest finished one. Raises UserError where there is none."""
    if run:
        named = project.runs.get(RunId(run))
        return named.id, named.kind
    kinds = (CLASSIFIER_KIND, DETECTOR_KIND, GAN_KIND)
    finished = [each for each in project.runs.list() if each.kind in kinds and each.status is RunStatus.FINISHED]
    if not finished:
        raise UserError(
            "Nothing has been trained in this project yet.", "Train a classifier, a detector or a GAN first."
        )
    return finished[-1].id, finished[-1].kind


def _load(context: JobContext, run_id: RunId, kind: str) -> _Export:
    folder, device = context.project.run_folder(run_id), choose_device(context.device)
    if kind == DETECTOR_KIND:
        return _DetectorExport(load_detector(folder, device))
    return _ClassifierExport(load_classifier(folder, device))


class _ClassifierExport:
    """A classifier with its class maps."""

    def __init__(self, classifier: TrainedClassifier) -> None:
        self._classifier = classifier
        self.card, self.alignment = classifier.card, classifier.network.alignment
        self.window_px = classifier.network.window_px

    def build(self, scratch: Path) -> bytes:
        data = build_onnx(self._classifier, scratch)
        self.session = OnnxClassifier(data, device=str(self._classifier.device))
        return data

    def compare(self, images: NDArray[np.uint8]) -> tuple[float, float]:
        found, maps = self.session.predict(images)
        expected, expected_maps = predict_with_torch(self._classifier, images)
        span = max(1e-6, float(np.ptp(expected_maps)))
        return float(np.abs(found - expected).max()), float(np.abs(maps - expected_maps).max()) / span

    def outputs(self) -> list[str]:
        card = self.card
        return [
            f"{PROBABILITIES}: (N, {len(card.classes)}) float32 in 0-1, in the order of `classes`"
            + (", each against the strongest other class" if card.task == "single-label" else ""),
            f"{MAPS}: (N, {len(card.classes)}, H / {card.stride}, W / {card.stride}) float32 class activation maps",
        ]

    def figures(self, other: float) -> dict[str, float]:
        return {"map_difference": other}


class _DetectorExport:
    """A detector with all its candidates."""

    def __init__(self, detector: TrainedDetector) -> None:
        self._detector = detector
        self.card, self.alignment = detector.card, detector.network.alignment
        self.window_px = 0

    def build(self, scratch: Path) -> bytes:
        data = build_detector_onnx(self._detector, scratch)
        self.session = OnnxDetector(data, device=str(self._detector.device))
        return data

    def compare(self, images: NDArray[np.uint8]) -> tuple[float, float]:
        return compare_candidates(self.session.predict(images), candidates_with_torch(self._detector, images))

    def outputs(self) -> list[str]:
        card = self.card
        return [
            f"{BOXES}: (N, K, 4) float32 x0, y0, x1, y1 in px of the input, one for each of K candidates",
            f"{SCORES}: (N, K, {len(card.classes)}) float32 in 0-1, in the order of `classes`. A detection is a"
            " candidate whose greatest score reaches the `threshold` of its class; of two of one class that overlap by"
            f" more than {card.overlap:g} (IoU) the better one counts",
        ]

    def figures(self, other: float) -> dict[str, float]:
        if other > BOX_TOLERANCE_PX:
            raise UserError(
                f"Boxes of the exported model differ from those of the trained one by {other:.2g} px; nothing was"
                " written.",
                "Please report this network.",
            )
        return {"box_difference_px": other}


def _choose_file(settings: ExportOnnxSettings, context: JobContext) -> Path:
    if not settings.out:
        return context.run_dir / DEFAULT_NAME
    out = Path(settings.out).expanduser().absolute()
    if out.suffix.lower() != ".onnx":
        raise UserError(f"{out} is not a name for an ONNX file.", "Let it end in .onnx.")
    if not out.parent.is_dir():
        raise UserError(f"There is no folder {out.parent}.", "Make it first, or choose another one.")
    return out


def _test_images(export: _Export, context: JobContext) -> Iterator[NDArray[np.uint8]]:
    """Noise in two sizes and batches, and whole real images: what a file with fixed sizes would fail on."""
    card, alignment = export.card, export.alignment
    side = round_up(card.side, alignment)
    rng = np.random.default_rng(context.seed)
    for shape in ((2, side, side, 3), (1, side + alignment, 2 * side, 3)):
        yield rng.integers(0, 256, shape).astype(np.uint8)
    usable = [fov for fov in context.project.fovs.list() if fov.um_per_px or not card.um_per_px]
    for fov in usable[:N_REAL]:
        image = scaled(read_fov(fov), card.working_scale.of(fov))
        if export.window_px:
            image = image[: export.window_px, : export.window_px]
        height, width = (max(alignment, size // alignment * alignment) for size in image.shape[:2])
        if image.shape[0] >= height and image.shape[1] >= width:
            yield np.ascontiguousarray(image[None, :height, :width])


def _card_text(export: _Export) -> str:
    """The model's card, and how to call the file."""
    card = export.card
    resized = f"brought to {card.um_per_px:g} um per px" if card.um_per_px else f"resized by the factor {card.scale:g}"
    if card.whole_px:
        resized = f"resized as a whole so that its longer side has {card.whole_px} px"
    interface = {
        "opset": OPSET,
        "input": f"{INPUT}: (N, H, W, 3) uint8 RGB, {resized}; H and W multiples of {export.alignment}",
        **({"whole_images": _WINDOWS.format(side=export.window_px)} if export.window_px else {}),
        "outputs": export.outputs(),
    }
    return json.dumps({"interface": interface, "model": card.model_dump(mode="json")}, ensure_ascii=False, indent=2)
