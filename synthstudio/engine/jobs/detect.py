"""Objects on whole FOVs, found by a trained detector: boxes with scores, one file an FOV."""

from __future__ import annotations

import time

import cv2
import numpy as np

from synthstudio.core.evaluation.detected import FovDetections, detection_file, record_detections, write_fov_detections
from synthstudio.core.imaging import ImageArray
from synthstudio.core.patches.bank import scaled
from synthstudio.domain.progress import STEPS, part_of
from synthstudio.engine.context import JobContext
from synthstudio.engine.data.fields import read_fov
from synthstudio.engine.detection import detect, load_detector
from synthstudio.engine.device import choose_device
from synthstudio.engine.fov_choice import choose_fovs
from synthstudio.engine.inference import find_training_run
from synthstudio.protocol.results import DetectedFov, DetectResult
from synthstudio.settings.detect import DetectSettings

PREVIEW_WIDTH_PX = 320
N_PREVIEWS = 4
FRAME_COLOR = (255, 140, 0)


def run(settings: DetectSettings, context: JobContext) -> DetectResult:
    """Detect.

    Raises:
        UserError: There is no trained detector, no FOV of that name or split, or an image cannot be read.
    """
    began = time.monotonic()
    run_id = find_training_run(context.project, settings.run, model="detector")
    detector = load_detector(context.project.run_folder(run_id), choose_device(context.device))
    fovs = choose_fovs(context.project, settings.fovs, settings.split)
    context.stage("Detecting")
    written = []
    for done, fov in enumerate(fovs):
        tick = part_of(context.tick, done / len(fovs), (done + 1) / len(fovs))
        image = read_fov(fov)
        raw = detect(detector, scaled(image, detector.card.working_scale.of(fov)), tick=tick)
        found = record_detections(raw, detector.card, fov, run=run_id, min_score=settings.min_score)
        path = detection_file(context.run_dir, fov.id)
        write_fov_detections(path, found)
        if done < N_PREVIEWS:
            context.preview(_picture(image, found), fov.name)
        counts = {each.name: each.n_counting for each in found.classes}
        file = path.relative_to(context.run_dir).as_posix()
        written.append(DetectedFov(fov=fov.id, name=fov.name, file=file, counts=counts))
    context.tick(STEPS, STEPS)
    return DetectResult(run=run_id, fovs=tuple(written), seconds=round(time.monotonic() - began, 3))


def _picture(image: ImageArray, found: FovDetections) -> ImageArray:
    """A small picture of what counts."""
    factor = min(1.0, PREVIEW_WIDTH_PX / image.shape[1])
    size = (max(1, round(image.shape[1] * factor)), max(1, round(image.shape[0] * factor)))
    picture = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    for each in found.classes:
        for x0, y0, x1, y1, _ in each.boxes[: each.n_counting]:
            corners = [round(value * factor) for value in (x0, y0, x1, y1)]
            cv2.rectangle(picture, (corners[0], corners[1]), (corners[2], corners[3]), FRAME_COLOR, 1)
    return picture
