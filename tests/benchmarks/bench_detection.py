"""How long a detector takes for a whole field of 4072 x 3072 px, and whether tiles change what it finds.

    PYTHONPATH=. python tests/benchmarks/bench_detection.py PROJECT RUN [RUN ...]

The field is a mosaic of the project's test images at full resolution. It is searched in tiles, as the program does it,
and in one pass; each prints the seconds, the detections at the thresholds of validation, and how many of them the
other way finds too (same class, IoU above .7).
"""

from __future__ import annotations

import json
import math
import sys
import time
from pathlib import Path
from unittest import mock

import cv2
import numpy as np
import torch

from synthstudio.core.evaluation.detection import Detections, match_boxes
from synthstudio.core.imaging import ImageArray, read_image
from synthstudio.core.patches.bank import scaled
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import Split
from synthstudio.engine import detection
from synthstudio.engine.detection import TrainedDetector, detect, load_detector
from synthstudio.engine.networks.tiling import tiled_grid
from synthstudio.project import Project

WIDTH, HEIGHT = 4072, 3072
SAME_IOU = 0.7


def build_mosaic(project: Project) -> ImageArray:
    """Test images side by side, every second one mirrored so that they meet without an edge."""
    fovs = project.fovs.list(split=Split.TEST)
    rows: list[ImageArray] = []
    number = 0
    while sum(len(row) for row in rows) < HEIGHT:
        parts: list[ImageArray] = []
        while sum(part.shape[1] for part in parts) < WIDTH:
            image = read_image(Path(fovs[number % len(fovs)].path))
            parts.append(image[::-1] if number % 2 else image)
            number += 1
        lowest = min(len(part) for part in parts)
        rows.append(np.hstack([part[:lowest] for part in parts])[:, :WIDTH])
    return np.ascontiguousarray(np.vstack(rows)[:HEIGHT])


def search(detector: TrainedDetector, image: ImageArray, *, in_tiles: bool) -> tuple[tuple[float, float], Detections]:
    """Seconds from the field at full resolution to its boxes, by the clock and of all threads; the boxes that count."""
    one = 1 << 20
    began, worked = time.perf_counter(), time.process_time()
    small = scaled(image, detector.card.scale)
    if in_tiles:
        found = detect(detector, small)
    else:
        with (
            mock.patch.object(detection, "WINDOW_PX", one),
            mock.patch.object(detection, "tiled_grid", lambda *args, **more: tiled_grid(*args, tile_px=one, **more)),
        ):
            found = detect(detector, small)
    seconds, worked = time.perf_counter() - began, time.process_time() - worked
    thresholds = np.array([each.threshold for each in detector.card.classes])
    kept = found.scores >= thresholds[found.labels]
    return (seconds, worked), Detections(found.boxes[kept], found.labels[kept], found.scores[kept])


def share_found(first: Detections, second: Detections) -> float:
    """Share of the first's boxes that the second has too."""
    hits = 0
    for label in np.unique(first.labels):
        hits += int(match_boxes(first.of_class(label)[0], second.of_class(label)[0], min_iou=SAME_IOU).sum())
    return hits / len(first.scores) if len(first.scores) else math.nan


def main(folder: Path, runs: list[str]) -> None:
    """Measure; print one line of JSON for each run."""
    project = Project.open(folder, read_only=True)
    image = build_mosaic(project)
    cv2.setNumThreads(torch.get_num_threads())
    for run in runs:
        detector = load_detector(project.run_folder(RunId(run)), torch.device("cpu"))
        search(detector, image[:512, :512], in_tiles=True)  # the first use of a network is slower
        tiles_s, in_tiles = search(detector, image, in_tiles=True)
        pass_s, in_one = search(detector, image, in_tiles=False)
        told = {
            "run": run,
            "network": detector.card.network,
            "scale": detector.card.scale,
            "threads": torch.get_num_threads(),
            "tiles_s": round(tiles_s[0], 2),
            "tiles_cpu_s": round(tiles_s[1], 2),
            "one_pass_s": round(pass_s[0], 2),
            "one_pass_cpu_s": round(pass_s[1], 2),
            "found_in_tiles": len(in_tiles.scores),
            "found_in_one_pass": len(in_one.scores),
            "of_tiles_in_one_pass": round(share_found(in_tiles, in_one), 4),
            "of_one_pass_in_tiles": round(share_found(in_one, in_tiles), 4),
        }
        sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
