"""Maps of a whole 4072 x 3072 field by each method: seconds, seams and memory. Random weights: the work is the same.

python -m tests.benchmarks.bench_cam [--network small-cam] [--threads 2] [--methods cam grad-cam ...]
"""

from __future__ import annotations

import argparse
import resource
import sys
import time

import numpy as np
import torch

from synthstudio.core.training.model_card import ModelCard, ModelClass
from synthstudio.engine.cam_maps import MapMaker
from synthstudio.engine.cam_tiles import TiledGradients
from synthstudio.engine.inference import TrainedClassifier
from synthstudio.engine.networks.registry import build_network
from synthstudio.settings.explain import CamMethod

WIDTH, HEIGHT, SIDE = 4072, 3072, 128
METHODS: tuple[CamMethod, ...] = ("cam", "grad-cam", "grad-cam++", "layer-cam")


def _classifier(name: str, device: torch.device) -> TrainedClassifier:
    network = build_network(name, 3, seed=0, side=SIDE).to(device).eval()
    card = ModelCard.model_construct(
        network=name,
        stride=network.stride,
        classes=tuple(ModelClass(name=str(number), size_px=60.0) for number in range(3)),
        scale=1.0,
        um_per_px=0.0,
        side=SIDE,
        mean=(128.0, 128.0, 128.0),
        std=(64.0, 64.0, 64.0),
    )
    return TrainedClassifier(network, card, device)


def _seam(classifier: TrainedClassifier, image: np.ndarray, method: CamMethod) -> float | None:
    """Greatest difference of tiles of 256 px from one pass on a part of the image, as a share of the map's range."""
    if method in ("cam", "attention") or not classifier.network.is_local:
        return None
    part = classifier.normalization.apply(torch.from_numpy(image[:704, :904].copy())[None], classifier.device)[0]
    maps = [
        TiledGradients(classifier.network, part, method=method, window_px=SIDE, tile_px=tile).run()
        for tile in (256, 4096)
    ]
    return float((maps[0] - maps[1]).abs().max() / maps[1].abs().max())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--network", default="small-cam")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--methods", nargs="+", default=list(METHODS))
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    image = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    classifier = _classifier(given.network, torch.device(given.device))
    for method in given.methods:
        began, cpu = time.perf_counter(), time.process_time()
        cams, stride = MapMaker(classifier, method).make(image)
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        seam = _seam(classifier, image, method)
        words = f", tiles differ by {seam:.1e}" if seam is not None else ""
        sys.stdout.write(
            f"{given.network} {method}: {seconds:.1f} s ({cpu:.1f} s of processor),"
            f" {cams.shape[2]} x {cams.shape[1]} cells of"
            f" {stride} px, peak of the process so far {peak_mb:.0f} MB{words}\n"
        )


if __name__ == "__main__":
    main()
