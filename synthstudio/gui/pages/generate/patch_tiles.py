"""Pictures of patches for the gallery: the window, the outline of what is pasted, or that alone. Runs in any thread."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF
from PySide6.QtGui import QPolygonF

from synthstudio.core.patches.bank import PatchBank
from synthstudio.core.patches.generated import is_generated
from synthstudio.core.patches.ranking import window_slices
from synthstudio.core.synthesis.masks import build_alpha
from synthstudio.gui.pages.generate.bank_loader import Gallery
from synthstudio.gui.widgets.image_grid import to_qimage
from synthstudio.gui.widgets.tile_pictures import Tile
from synthstudio.settings.compose import MaskShape

CHECKER_PX = 6
FINE_PX = 160  # outlines of smaller patches are found on an enlarged mask
GENERATED_MARK = "made"
SOLID = 127  # opacity above which a pixel is within the outline


class MaskView(StrEnum):
    """How the mask of a patch is seen."""

    OUTLINE = "outline"
    CUT_OUT = "cut out"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class TileStyle:
    """How patches are pictured: the view of the mask, and the shape and rim that the composition gives it."""

    view: MaskView = MaskView.OUTLINE
    shape: MaskShape = "ellipse"
    feather: float = 0.0


def patch_tile(bank: PatchBank, number: int, style: TileStyle, color: str) -> Tile:
    """The window of a patch without the margin that it keeps for turning; one that a generator has made says so."""
    inner = window_slices(bank, number)
    crop = bank.padded_crop(number)[inner]
    mark = GENERATED_MARK if is_generated(bank.patches[number].fov_id) else ""
    if style.view is MaskView.HIDDEN:
        return Tile(to_qimage(crop[..., :3]), mark=mark)
    alpha = pasted_alpha(bank, number, shape=style.shape, feather=style.feather)
    if style.view is MaskView.CUT_OUT:
        return Tile(to_qimage(_on_checkers(crop[..., :3], alpha)), mark=mark)
    return Tile(to_qimage(crop[..., :3]), _outlines(alpha), color, mark)


def pasted_alpha(bank: PatchBank, number: int, *, shape: MaskShape, feather: float) -> NDArray[np.uint8]:
    """Opacity `(H, W)` with which a patch of the class's mean size is pasted: its foreground within the shape."""
    opacity = bank.padded_crop(number)[window_slices(bank, number)][..., 3]
    height, width = opacity.shape
    return np.asarray(cv2.multiply(opacity, _shape_alpha(width, height, shape, feather), scale=1 / 255), np.uint8)


@lru_cache(maxsize=256)
def _shape_alpha(width: int, height: int, shape: MaskShape, feather: float) -> NDArray[np.uint8]:
    return build_alpha(width, height, shape=shape, feather=feather)


def _outlines(alpha: NDArray[np.uint8]) -> tuple[QPolygonF, ...]:
    """Outlines of what is more than half opaque; between the pixels of a small patch, which are seen as squares."""
    fine = max(1, round(FINE_PX / max(alpha.shape)))
    larger = cv2.resize(alpha, None, fx=fine, fy=fine, interpolation=cv2.INTER_LINEAR) if fine > 1 else alpha
    found, _ = cv2.findContours((larger > SOLID).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return tuple(
        QPolygonF([QPointF((x + 0.5) / fine, (y + 0.5) / fine) for x, y in each[:, 0].tolist()]) for each in found
    )


def _on_checkers(patch: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay `(H, W, 3)` over a grey chequered ground: what is not pasted is seen as such on any stain."""
    rows, columns = np.indices(patch.shape[:2]) // CHECKER_PX
    ground = np.where((rows + columns) % 2, 236, 214).astype(np.float32)[..., None]
    opacity = alpha[..., None].astype(np.float32) / 255
    return np.asarray(np.rint(patch * opacity + ground * (1 - opacity)), np.uint8)


def patch_tip(gallery: Gallery, number: int) -> str:
    """What is known about a patch, in a few lines."""
    bank, patch = gallery.bank, gallery.bank.patches[number]
    name = next(item.name for item in bank.classes if item.id == patch.class_id)
    fov = gallery.fovs[patch.fov_id]
    size = f"{name}, {patch.width:.0f} × {patch.height:.0f} px"
    if is_generated(patch.fov_id):
        place = bank.generated[patch.fov_id]
        return f"{size}\nGenerated: image {place.index} of the set {place.set_name}"
    lines = [size, f"{fov.name}, sample {fov.sample_name}"]
    if patch.inside < 1.0:
        lines.append(f"{patch.inside:.0%} of it lies inside the image")
    return "\n".join(lines)
