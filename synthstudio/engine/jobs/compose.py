"""Writes a set of composited images."""

from __future__ import annotations

import json
import math
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import cv2
import numpy as np

from synthstudio.core.imaging import ImageArray
from synthstudio.core.patches.bank import PatchBank
from synthstudio.core.synthesis.composer import Composer
from synthstudio.core.synthesis.manifest import HEADER_NAME, MANIFEST_NAME, SetOrigin
from synthstudio.core.synthesis.sets import write_set
from synthstudio.engine.context import JobContext
from synthstudio.project.generated_patches import describe_losses, patch_state
from synthstudio.project.patches import build_project_bank
from synthstudio.protocol.results import ComposeResult
from synthstudio.settings.compose import ComposeSettings

SAME_SCALE = 1.02  # pixel sizes that differ by less come from rounding
_SHEET_IMAGES = 6
_SHEET_COLUMNS = 3
_THUMBNAIL_PX = 192
_GAP_PX = 4
_GAP_GREY = 128


def run(settings: ComposeSettings, context: JobContext) -> ComposeResult:
    """Cut the patches of the training FOVs, compose the images, write the set into the project.

    Raises:
        UserError: There is a set of this name already, there are no patches, a class has no size, the disk is full.
        Cancelled: By the tick; nothing of the set stays behind.
    """
    project = context.project
    folder = project.set_folder(settings.set_name)
    _clear_orphan(folder, is_recorded=project.sets.find(settings.set_name) is not None)
    # Taken before the first image is read: a click made meanwhile must not pass for a part of the set.
    state = patch_state(project, settings.patches)
    context.stage("Cutting patches")
    bank = build_project_bank(
        project, settings.patches, with_plates=settings.composition.needs_plates, tick=context.tick
    )
    for loss in describe_losses(bank):
        context.warn(loss)
    if bank.n_left_out:
        context.warn(
            f"{bank.n_left_out} annotations were left out: too far outside their image, or for lack of memory."
        )
    composer = Composer(bank, settings.composition, seed=settings.seed)
    indices = range(settings.first_index, settings.first_index + settings.count)
    context.preview(_sheet(composer, indices[:_SHEET_IMAGES]), "First images")
    context.stage("Composing")
    summary = write_set(
        folder,
        composer,
        settings.count,
        origin=SetOrigin(settings, state, _pixel_size(bank, context)),
        workers=settings.workers,
        tick=context.tick,
    )
    context.preview(_sheet(composer, indices[-_SHEET_IMAGES:]), "Last images")
    context.records_changed("sets")
    return ComposeResult(
        set=settings.set_name,
        n_images=summary.n_images,
        n_objects=_count_objects(folder / MANIFEST_NAME),
        seconds=round(summary.seconds, 3),
        sha256=summary.sha256,
        project_state=state,
    )


def _pixel_size(bank: PatchBank, context: JobContext) -> float | None:
    """Size of a pixel of the composites in um; warns where the images that the patches are cut from differ in it."""
    if bank.scale.um_per_px:
        return bank.scale.um_per_px
    sources = set(bank.fov_ids)
    sizes = {fov.um_per_px for fov in context.project.fovs.list() if fov.id in sources}
    known = [size for size in sizes if size]
    if not known:
        return None
    if len(known) < len(sizes) or max(known) > SAME_SCALE * min(known):
        context.warn(
            "The training images differ in their calibration, or some have none: objects of different magnification"
            " lie side by side on the composites. Calibrate all and give a pixel size under Patches, or leave those of"
            " another magnification out."
        )
        return None
    return bank.scale.pixel_size(median(known))


def _clear_orphan(folder: Path, *, is_recorded: bool) -> None:
    """Remove a complete set whose row was never written because the program was killed in between."""
    if not is_recorded and (folder / HEADER_NAME).is_file():
        shutil.rmtree(folder)


def _sheet(composer: Composer, indices: Sequence[int]) -> ImageArray:
    """Return the images as thumbnails side by side, `(H, W, 3)` uint8 RGB."""
    columns = min(_SHEET_COLUMNS, len(indices))
    rows = math.ceil(len(indices) / columns)
    step = _THUMBNAIL_PX + _GAP_PX
    sheet = np.full((rows * step - _GAP_PX, columns * step - _GAP_PX, 3), _GAP_GREY, np.uint8)
    for place, index in enumerate(indices):
        top, left = place // columns * step, place % columns * step
        image = composer.compose(index).image
        shrink = _THUMBNAIL_PX / max(image.shape[:2])
        height, width = (max(1, round(side * shrink)) for side in image.shape[:2])
        thumbnail = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        sheet[top : top + height, left : left + width] = thumbnail
    return sheet


def _count_objects(manifest: Path) -> dict[str, int]:
    """Count the labelled objects of a set per class name."""
    counts: Counter[str] = Counter()
    with manifest.open(encoding="utf-8") as lines:
        for line in lines:
            counts.update(entry["class"] for entry in json.loads(line)["objects"] if entry["labelled"])
    return dict(sorted(counts.items()))
