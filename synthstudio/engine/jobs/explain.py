"""Class activation maps of a trained classifier on whole FOVs: arrays, pictures and peaks."""

from __future__ import annotations

import re
import time
from pathlib import Path

import cv2
import numpy as np

from synthstudio.core.explanation.maps import Cam, upsample_cam
from synthstudio.core.explanation.overlay import blend_overlay, cam_overlay
from synthstudio.core.explanation.peaks import find_peaks
from synthstudio.core.explanation.records import EXPLAIN_FOLDER, ExplainedClass, FovExplanation, write_explanation
from synthstudio.core.imaging import ImageArray, write_png
from synthstudio.core.patches.bank import scaled
from synthstudio.domain.errors import NotFound, UserError
from synthstudio.domain.records import FieldOfView
from synthstudio.engine.context import JobContext
from synthstudio.engine.data.fields import read_fov
from synthstudio.engine.device import choose_device
from synthstudio.engine.inference import TrainedClassifier, find_training_run, load_classifier, predict_cams
from synthstudio.protocol.results import ExplainedFov, ExplainResult
from synthstudio.settings.explain import ExplainSettings

PREVIEW_WIDTH_PX = 320
N_PREVIEWS = 4


def run(settings: ExplainSettings, context: JobContext) -> ExplainResult:
    """Explain FOVs.

    Raises:
        UserError: There is no trained classifier, no FOV of that name or split, or an image cannot be read.
    """
    began = time.monotonic()
    run_id = find_training_run(context.project, settings.run)
    classifier = load_classifier(context.project.run_folder(run_id), choose_device(context.device))
    fovs = _choose_fovs(settings, context)
    context.stage("Computing class activation maps")
    explained = []
    for done, fov in enumerate(fovs):
        context.tick(done, len(fovs))
        folder = context.run_dir / EXPLAIN_FOLDER / str(fov.id)
        picture = _explain(fov, classifier, run_id, folder)
        if done < N_PREVIEWS:
            context.preview(picture, fov.name)
        relative = folder.relative_to(context.run_dir).as_posix()
        explained.append(ExplainedFov(fov=fov.id, name=fov.name, folder=relative))
    context.tick(len(fovs), len(fovs))
    return ExplainResult(run=run_id, fovs=tuple(explained), seconds=round(time.monotonic() - began, 3))


def _choose_fovs(settings: ExplainSettings, context: JobContext) -> list[FieldOfView]:
    if settings.fovs:
        return [_find_fov(name, context) for name in settings.fovs]
    fovs = context.project.fovs.list(split=settings.split)
    if not fovs:
        raise UserError(
            f"The {settings.split.value} split has no images.", "Choose another split, or name the images to explain."
        )
    return fovs


def _find_fov(name: str, context: JobContext) -> FieldOfView:
    fov = context.project.fovs.find(name)
    if fov is None:
        known = ", ".join(each.name for each in context.project.fovs.list()[:5])
        raise NotFound(f"There is no image {name} in this project.", f"The first ones are: {known}.")
    return fov


def _explain(fov: FieldOfView, classifier: TrainedClassifier, run_id: str, folder: Path) -> ImageArray:
    """Write all files of one FOV; return a small picture of its first class's map."""
    image = read_fov(fov)
    cams = predict_cams(classifier, scaled(image, classifier.card.scale))
    # The resized image is a whole number of px, so that the scale differs a little from the wanted one.
    stride_px = classifier.card.stride * fov.width / max(1, round(fov.width * classifier.card.scale))
    small_image: ImageArray | None = None
    classes = []
    for number, (known, cam) in enumerate(zip(classifier.card.classes, cams, strict=True)):
        overlay_name = f"{number + 1}-{_safe_name(known.name)}.png"
        pixels = upsample_cam(cam, stride=stride_px, width=fov.width, height=fov.height)
        picture = blend_overlay(image, cam_overlay(pixels, vmin=known.cam_low, vmax=known.cam_high))
        folder.mkdir(parents=True, exist_ok=True)
        write_png(folder / overlay_name, picture)
        small_image = _shrink(picture) if small_image is None else small_image
        classes.append(
            ExplainedClass(
                name=known.name,
                size_px=known.size_px / classifier.card.scale,
                threshold=known.peak_threshold,
                cam_low=known.cam_low,
                cam_high=known.cam_high,
                peaks=_peaks(cam, classifier, number, stride_px=stride_px, fov=fov),
                overlay=overlay_name,
            )
        )
    explanation = FovExplanation(
        run=run_id,
        fov_id=fov.id,
        fov_name=fov.name,
        width=fov.width,
        height=fov.height,
        stride_px=stride_px,
        classes=tuple(classes),
    )
    write_explanation(folder, explanation, cams)
    return small_image if small_image is not None else _shrink(image)


def _peaks(
    cam: Cam, classifier: TrainedClassifier, number: int, *, stride_px: float, fov: FieldOfView
) -> tuple[tuple[float, float, float], ...]:
    size_px, stride = classifier.card.classes[number].size_px, classifier.card.stride
    found = find_peaks(cam, stride=stride, size_px=size_px)
    # The outermost cells may reach beyond the image.
    xs = np.clip(found[:, 0] * stride_px / stride, 0.0, fov.width)
    ys = np.clip(found[:, 1] * stride_px / stride, 0.0, fov.height)
    return tuple(
        (round(x, 2), round(y, 2), round(value, 4))
        for x, y, value in zip(xs.tolist(), ys.tolist(), found[:, 2].tolist(), strict=True)
    )


def _safe_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name)[:40] or "class"


def _shrink(image: ImageArray) -> ImageArray:
    factor = min(1.0, PREVIEW_WIDTH_PX / image.shape[1])
    size = (max(1, round(image.shape[1] * factor)), max(1, round(image.shape[0] * factor)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
