"""How fast composites are made, beside a straightforward design, in the same run.

    PYTHONPATH=. python tests/benchmarks/bench_compositing.py [FOLDER_OF_BCCD]

Each image has about 20 patches of real blood cells on a 384 px canvas; labels and boxes included, image
augmentation off. On a blank canvas both designs do the same; the straightforward one paints a single colour on matched
canvases too, where the application also lays noise and puts light on the whole image.
"""

from __future__ import annotations

import json
import multiprocessing
import statistics
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.synchronize import Barrier
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from synthstudio.core.imaging import ImageArray
from synthstudio.core.patches.bank import PatchBank, build_patch_bank
from synthstudio.core.synthesis.composer import Composer, compose_preview
from synthstudio.core.synthesis.manifest import ImageMaker, SetFiles, SetOrigin
from synthstudio.core.synthesis.plan import Planner
from synthstudio.core.synthesis.sets import write_set
from synthstudio.settings.compose import (
    CanvasKind,
    ComposeSettings,
    CompositionSettings,
    ImageAugmentation,
    PatchAugmentation,
    PatchSettings,
)
from tests.support.blood import blood_classes, load_blood, read_fov

BCCD = Path(__file__).parents[3] / "shared" / "data" / "bccd"
N_FOVS = 12  # about 180 patches, as in the measurements that set the bars
OFF = ImageAugmentation(brightness=0, contrast=0, blur_px=0, noise=0, flip=False)
SETTINGS = CompositionSettings(
    n_objects_min=20,
    n_objects_max=20,
    class_presence=1.0,
    class_draw="empirical",
    image=OFF,
    patch=PatchAugmentation(contrast=0, hue=0),
)
CANVASES: dict[CanvasKind, str] = {
    "mean": "blank canvas",
    "matched": "matched canvas, the straightforward design on one colour",
}


class Straightforward:
    """What one would write first: float patches, a warp and a blurred mask for each, one float canvas."""

    def __init__(self, bank: PatchBank, settings: CompositionSettings) -> None:
        self._bank, self._settings = bank, settings
        self._planner = Planner(bank, settings, seed=0)
        self._crops = [bank.crop(number).astype(np.float32) for number in range(len(bank.patches))]

    def compose(self, index: int) -> tuple[ImageArray, str]:
        plan, side = self._planner.plan(index), self._settings.canvas_px
        color = np.array(self._bank.backgrounds[int(plan.canvas * len(self._bank.backgrounds))].color, np.float32)
        canvas = np.full((side, side, 3), color, np.float32)
        boxes = []
        for item in plan.objects:
            look, patch = item.look, self._bank.patches[item.patch]
            matrix = cv2.getRotationMatrix2D(patch.center, look.angle_deg, look.scale)
            matrix[:, 2] += np.subtract((look.width / 2, look.height / 2), patch.center)
            size = (look.width, look.height)
            drawn = cv2.warpAffine(self._crops[item.patch], matrix, size, borderMode=cv2.BORDER_REFLECT_101)
            drawn = (drawn[:, ::-1] if look.flip else drawn) * (color / 208.0)
            mask = np.zeros((look.height, look.width), np.float32)
            rim = max(1, round(look.feather * look.width / 2))
            mask[rim:-rim, rim:-rim] = 1.0
            alpha = cv2.GaussianBlur(mask, (0, 0), rim / 2)[..., None]
            x0, y0 = max(0, item.left), max(0, item.top)
            x1, y1 = min(side, item.left + look.width), min(side, item.top + look.height)
            inner = np.s_[y0 - item.top : y1 - item.top, x0 - item.left : x1 - item.left]
            canvas[y0:y1, x0:x1] = canvas[y0:y1, x0:x1] * (1 - alpha[inner]) + drawn[inner] * alpha[inner]
            boxes.append((patch.class_id, x0, y0, x1, y1))
        image = np.clip(np.rint(canvas), 0, 255).astype(np.uint8)
        labels = sorted({class_id for class_id, *_ in boxes})
        return image, json.dumps({"index": index, "labels": labels, "boxes": boxes})


def images_per_s(compose: Callable[[int], object], *, count: int) -> float:
    """Rate in processor time, which other work on the machine falsifies least; one thread."""
    started = time.process_time()
    for index in range(count):
        compose(index)
    return count / (time.process_time() - started)


def with_manifest(composer: Composer) -> Callable[[int], object]:
    """Image, presence, boxes and the manifest line: all but the encoding of the file."""
    buffer = np.empty((composer.settings.canvas_px,) * 2 + (3,), np.uint8)
    files = SetFiles()
    maker = ImageMaker(composer, files)
    return lambda index: maker.line(composer.compose(index, buffer), {files.image_name(index): b""})


def in_batches(composer: Composer) -> Callable[[int], object]:
    """As a training takes them: into a buffer that is used again."""
    side = composer.settings.canvas_px
    buffer = np.empty((1, side, side, 3), np.uint8)
    return lambda index: composer.compose_batch([index], buffer)


def measure(bank: PatchBank, settings: CompositionSettings) -> dict[str, float]:
    """Medians of five rounds in which the designs take turns, so that a busy machine slows all of them."""
    continuous = Composer(bank, settings, seed=0)
    cached = Composer(bank, settings.model_copy(update={"render": "cached"}), seed=0)
    for index in range(3000):  # a training or a set fills the cache once
        cached.compose_batch([index])
    straightforward = Straightforward(bank, settings)
    designs = {
        "straightforward": (straightforward.compose, 40),
        "continuous, batch": (in_batches(continuous), 150),
        "continuous, with manifest": (with_manifest(continuous), 150),
        "cached, batch": (in_batches(cached), 500),
        "cached, with manifest": (with_manifest(cached), 500),
    }
    rounds = [{name: images_per_s(make, count=n) for name, (make, n) in designs.items()} for _ in range(5)]
    return {name: statistics.median(item[name] for item in rounds) for name in designs}


CHUNK_IMAGES = 50  # a twentieth of a second
_worker: list[Composer] = []


def _start(bank: PatchBank, settings: CompositionSettings, all_warm: Barrier) -> None:
    cv2.setNumThreads(1)
    _worker.append(Composer(bank, settings, seed=0))
    for index in range(2000):
        _worker[0].compose_batch([index])
    all_warm.wait()  # or a process that is late would warm up within the measured time


def _work(start: int) -> float:
    """Processor time of a chunk of images in s."""
    compose = in_batches(_worker[0])
    started = time.process_time()
    for index in range(start, start + CHUNK_IMAGES):
        compose(index)
    return time.process_time() - started


def measure_processes(bank: PatchBank, settings: CompositionSettings) -> list[tuple[float, float]]:
    """Of one and of two processes that compose for themselves, warm: images/s, and processor time of an image in us.

    The time of the clock says what two processes give beside all else that runs on the machine; the processor time,
    which other work hardly falsifies, how far they slow each other (caches, memory, shared cores). Chunks are small
    for the time, so that the faster process takes what is left, as in a set.
    """
    measured, count = [], 6000
    for workers in (1, 2):
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, context, _start, (bank, settings, context.Barrier(workers))) as pool:
            list(pool.map(_work, range(workers)))  # starts all of them
            started = time.perf_counter()
            used = sum(pool.map(_work, range(0, count, CHUNK_IMAGES)))
            measured.append((count / (time.perf_counter() - started), 1e6 * used / count))
    return measured


def measure_sets(bank: PatchBank) -> list[tuple[int, float, str]]:
    origin = SetOrigin(ComposeSettings(composition=SETTINGS))
    rows = []
    for workers in (0, 1, 2):
        with tempfile.TemporaryDirectory() as folder:
            summary = write_set(
                Path(folder) / "set", Composer(bank, SETTINGS, seed=0), 600, origin=origin, workers=workers
            )
            rows.append((workers, 600 / summary.seconds, summary.sha256[:12]))
    return rows


def measure_preview(bank: PatchBank) -> float:
    """95th percentile in ms from a changed setting to one image of 384 px."""
    times = []
    for step in range(60):
        started = time.perf_counter()
        compose_preview(Composer(bank, CompositionSettings(feather=step / 200), seed=step), [0])
        times.append(1000 * (time.perf_counter() - started))
    return sorted(times)[56]


def measure_growth(bank: PatchBank) -> float:
    """MB by which Python's memory grows over 3000 images after 1000."""
    composer = Composer(bank, SETTINGS.model_copy(update={"render": "cached", "cache_mb": 32}), seed=0)
    compose = in_batches(composer)
    for index in range(1000):
        compose(index)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for index in range(1000, 4000):
        compose(index)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return grown / 1e6


def main() -> None:
    cv2.setNumThreads(1)
    console = Console(width=110)
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else BCCD
    fovs, annotations = load_blood(folder, limit=N_FOVS)
    for title, scale in (("native", 1.0), ("half", 0.5)):
        settings = PatchSettings(scale=scale)
        bank = build_patch_bank(fovs, annotations, blood_classes(), settings=settings, read=read_fov)
        planner = Planner(bank, SETTINGS, seed=0)
        placed = statistics.mean(len(planner.plan(index).objects) for index in range(200))
        for canvas, words in CANVASES.items():
            table = Table(
                "design",
                "images/s",
                "x straightforward",
                title=f"{title}, {words}: {len(bank.patches)} patches, {placed:.1f} on an image",
            )
            rates = measure(bank, SETTINGS.model_copy(update={"canvas": canvas}))
            for name, rate in rates.items():
                table.add_row(name, f"{rate:.0f}", f"{rate / rates['straightforward']:.1f}")
            console.print(table)
        if scale == 0.5:
            for render in ("continuous", "cached"):
                (one, one_us), (two, two_us) = measure_processes(bank, SETTINGS.model_copy(update={"render": render}))
                console.print(
                    f"{render}: 1 process {one:.0f}, 2 processes {two:.0f} images/s: x {two / one:.2f}; "
                    f"processor time of an image {one_us:.0f} and {two_us:.0f} us"
                )
            for workers, rate, sha256 in measure_sets(bank):
                console.print(f"written as PNG, {workers} workers: {rate:.0f} images/s, manifest {sha256}")
            console.print(f"preview after a change, 95 %: {measure_preview(bank):.1f} ms")
            console.print(f"growth over 3000 images: {measure_growth(bank):.2f} MB")


if __name__ == "__main__":
    main()
