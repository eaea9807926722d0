"""Pasting: a planned object becomes layers, which are blended into the canvas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.imaging import ImageArray
from synthstudio.core.patches.bank import PatchBank
from synthstudio.core.synthesis.looks import Gradients
from synthstudio.core.synthesis.masks import MaskCache
from synthstudio.core.synthesis.memory import ByteCache
from synthstudio.core.synthesis.placing import PlannedObject
from synthstudio.core.synthesis.plan import FRESH
from synthstudio.core.synthesis.poisson import blend_gradients
from synthstudio.core.synthesis.rendering import PatchRenderer
from synthstudio.settings.compose import CompositionSettings

ONE_IN_8_BITS = 1.0 / 255.0
OPAQUE_BELOW = 128  # of what is left of the canvas: more than half of the pixel is the object's
CLEAR = 255  # all of the canvas is left

Extent = tuple[int, int, int, int]
"""x0, y0, x1, y1 of what can be seen of an object, in px of its window."""


class Layers(NamedTuple):
    """What is needed to paste a patch.

    Attributes:
        premultiplied: `(height, width, 3)` uint8, the patch times its opacity; the patch itself where its gradients
            are carried over.
        inverse: `(height, width, 3)` uint8, what is left of the canvas below.
        extent: What can be seen of it.
    """

    premultiplied: NDArray[np.uint8]
    inverse: NDArray[np.uint8]
    extent: Extent


class Paster:
    """Draws objects into a canvas, and keeps prepared variants of patches.

    Args:
        bank: The patches.
        settings: How they are drawn and blended.
        own_colors: Give every patch back the colours of its FOV (flat canvases).
    """

    def __init__(self, bank: PatchBank, settings: CompositionSettings, *, own_colors: bool) -> None:
        self._bank = bank
        self._is_cut_out = [patch.class_id in bank.foreground_classes for patch in bank.patches]
        self._width, self._height = settings.size
        self._renderer = PatchRenderer(bank, own_colors=own_colors, elastic=settings.patch.elastic)
        self._masks = MaskCache(settings.mask)
        self._variants: ByteCache[tuple[int, int], Layers] = ByteCache(settings.cache_mb * 1_000_000)

    @property
    def cache_bytes(self) -> int:
        """Memory of the prepared variants at present."""
        return self._variants.n_bytes

    def paste(
        self, objects: Sequence[PlannedObject], target: ImageArray, owners: NDArray[np.uint16] | None = None
    ) -> list[Extent]:
        """Blend objects in, one on top of the other: `target * (1 - alpha) + patch * alpha`, in 8 bits, in place.

        One loop without calls that can be spared: what is computed takes half of its time.

        Args:
            objects: From bottom to top.
            target: `(h, w, 3)` uint8.
            owners: `(h, w)` uint16, set to the number of the object (1 for the first) whose outline the pixel lies in:
                of a foreground what is more than half opaque, else the shape of the patch with its soft rim. Their
                extents are the boxes.

        Returns:
            The extent of each object within its window.
        """
        width, height = self._width, self._height
        multiply, add, no_gradients = cv2.multiply, cv2.add, Gradients.NONE
        extents = []
        find_variant = self._variants.find
        for number, item in enumerate(objects, start=1):
            patch, variant, left, top, look, _ = item
            premultiplied, inverse, extent = find_variant((patch, variant)) or self._draw(item)
            extents.append(extent)
            if look.gradients is not no_gradients:
                premultiplied = self._carry_gradients(item, premultiplied, inverse, target)
            right, bottom = left + look.width, top + look.height
            if left < 0 or top < 0 or right > width or bottom > height:
                inner = np.s_[max(0, -top) : height - top, max(0, -left) : width - left]
                premultiplied, inverse = premultiplied[inner], inverse[inner]
                left, top = max(0, left), max(0, top)
            region = target[top:bottom, left:right]
            # Exact for all pairs: a * b / 255 is never within 1/510 of a half.
            multiply(region, inverse, region, ONE_IN_8_BITS)
            add(region, premultiplied, region)
            if owners is not None:
                bound = OPAQUE_BELOW if self._is_cut_out[patch] else CLEAR
                owners[top:bottom, left:right][inverse[..., 0] < bound] = number
        return extents

    def _carry_gradients(
        self, item: PlannedObject, drawn: NDArray[np.uint8], inverse: NDArray[np.uint8], target: ImageArray
    ) -> NDArray[np.uint8]:
        """Solve for the patch on what lies below it; what lies beyond the edge of the canvas is mirrored."""
        x0, y0, x1, y1 = item.left - 1, item.top - 1, item.left + item.look.width + 1, item.top + item.look.height + 1
        below = cv2.copyMakeBorder(
            target[max(0, y0) : y1, max(0, x0) : x1],
            max(0, -y0),
            max(0, y1 - self._height),
            max(0, -x0),
            max(0, x1 - self._width),
            cv2.BORDER_REFLECT,
        )
        alpha = 255 - inverse
        solved = blend_gradients(
            drawn,
            np.asarray(below, np.uint8),
            alpha[..., 0] > 0,
            keep_stronger=item.look.gradients is Gradients.STRONGER,
        )
        return np.asarray(cv2.multiply(solved, alpha, scale=ONE_IN_8_BITS), np.uint8)

    def _draw(self, item: PlannedObject) -> Layers:
        """Draw the layers of an object: anew each time, or to be kept with the prepared variants."""
        if item.variant == FRESH:
            return self._draw_layers(item, keep=False)
        layers = self._draw_layers(item, keep=True)
        n_bytes = layers.premultiplied.nbytes + (layers.inverse.nbytes if self._is_cut_out[item.patch] else 0)
        self._variants.add((item.patch, item.variant), layers, n_bytes)
        return layers

    def _draw_layers(self, item: PlannedObject, *, keep: bool) -> Layers:
        """Draw the layers of an object, in arrays of their own where they are to be kept."""
        look = item.look
        mask = self._masks.get(look.width, look.height, look.feather)
        drawn, warped = self._renderer.render(item.patch, look)
        premultiplied = np.empty_like(drawn) if keep else drawn
        has_gradients = look.gradients is not Gradients.NONE
        if has_gradients:
            np.copyto(premultiplied, drawn)
        if not self._is_cut_out[item.patch]:
            if not has_gradients:
                cv2.multiply(drawn, mask.alpha, premultiplied, ONE_IN_8_BITS)
            return Layers(premultiplied, mask.inverse, mask.extent)
        solid = np.ascontiguousarray(warped[..., 3])
        opacity = np.asarray(cv2.multiply(solid, mask.alpha[..., 0], scale=ONE_IN_8_BITS), np.uint8)
        alpha = np.asarray(cv2.merge([opacity, opacity, opacity]), np.uint8)
        if not has_gradients:
            cv2.multiply(drawn, alpha, premultiplied, ONE_IN_8_BITS)
        return Layers(premultiplied, 255 - alpha, _extent(opacity))


def _extent(opacity: NDArray[np.uint8]) -> Extent:
    """Bounding box of what is at least half opaque; the whole window where that is nothing."""
    left, top, width, height = cv2.boundingRect((opacity > 127).astype(np.uint8))
    if not width:
        return 0, 0, opacity.shape[1], opacity.shape[0]
    return left, top, left + width, top + height
