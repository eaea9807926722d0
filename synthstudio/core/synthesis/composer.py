"""Composites: images whose labels and boxes follow from what was pasted.

Image `index` depends on (settings, seed, index, bank) alone: not on the worker, the order, or what a cache holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.imaging import ImageArray
from synthstudio.core.patches.bank import PatchBank
from synthstudio.core.synthesis.augmentation import ImageAugmenter, mirror_code
from synthstudio.core.synthesis.canvases import Canvases
from synthstudio.core.synthesis.masks import MaskCache
from synthstudio.core.synthesis.memory import ByteCache
from synthstudio.core.synthesis.plan import FRESH, CompositePlan, PlannedObject, Planner
from synthstudio.core.synthesis.rendering import PatchRenderer
from synthstudio.domain.ids import AnnotationId, ClassId, FovId
from synthstudio.domain.records import Box, ObjectClass
from synthstudio.settings.compose import CompositionSettings

ONE_IN_8_BITS = 1.0 / 255.0


class Layers(NamedTuple):
    """What is needed to paste a patch.

    Attributes:
        premultiplied: `(height, width, 3)` uint8, the patch times its opacity.
        inverse: `(height, width, 3)` uint8, what is left of the canvas below.
        extent: `x0, y0, x1, y1` of what can be seen of it, in px of the window.
    """

    premultiplied: NDArray[np.uint8]
    inverse: NDArray[np.uint8]
    extent: tuple[int, int, int, int]


class PlacedObject(NamedTuple):
    """One pasted patch. A named tuple because hundreds of thousands are made.

    Attributes:
        box: Extent of what was pasted, within the canvas, in px: of the window's shape, or, with a foreground, of the
            object.
        x, y: Middle of that extent before the edge cuts it, in px; may lie outside the canvas.
        visible: Share of the window that is seen.
        has_label: Counts in labels and boxes: an object, not an artifact, and visible enough.
    """

    class_id: ClassId
    annotation_id: AnnotationId
    fov_id: FovId
    box: Box
    x: float
    y: float
    visible: float
    is_artifact: bool
    has_label: bool


@dataclass(frozen=True, slots=True)
class Composite:
    """One made image and all that is known about it.

    Attributes:
        image: `(c, c, 3)` uint8 RGB.
        objects: From bottom to top.
        presence: `(n,)` bool in the order of `Composer.label_classes`.
        canvas_fov_id: FOV whose background was taken, or None for a flat canvas.
        n_wanted: Objects drawn; the rest found no place.
    """

    index: int
    image: ImageArray = field(repr=False)
    objects: tuple[PlacedObject, ...]
    presence: NDArray[np.bool_]
    canvas_fov_id: FovId | None
    n_wanted: int

    @property
    def source_fov_ids(self) -> tuple[FovId, ...]:
        """FOVs that any pixel comes from, sorted."""
        used = {item.fov_id for item in self.objects}
        if self.canvas_fov_id is not None:
            used.add(self.canvas_fov_id)
        return tuple(sorted(used))


class Composer:
    """Makes images from a bank. Building one is cheap; it is not safe to share between threads.

    Args:
        bank: Patches of the training FOVs.
        settings: Everything else that decides the images.
        seed: 0 to 2^63 - 1.

    Raises:
        UserError: No chosen class has a patch, or a class name is unknown.
    """

    def __init__(self, bank: PatchBank, settings: CompositionSettings, *, seed: int) -> None:
        self.bank = bank
        self.settings = settings
        self.seed = seed
        self.label_classes: tuple[ObjectClass, ...] = bank.label_classes
        self._column = {item.id: number for number, item in enumerate(self.label_classes)}
        self._columns = [self._column.get(patch.class_id, -1) for patch in bank.patches]
        self._planner = Planner(bank, settings, seed=seed)
        self._canvases = Canvases(bank, settings, seed=seed)
        self._renderer = PatchRenderer(bank, own_colors=not self._canvases.is_matched)
        self._masks = MaskCache(settings.mask)
        self._augmenter = ImageAugmenter(settings.image, side=settings.canvas_px, seed=seed)
        self._variants: ByteCache[tuple[int, int], Layers] = ByteCache(settings.cache_mb * 1_000_000)
        side = settings.canvas_px
        self._evened = np.empty((side, side, 3), np.uint8)
        self._mirror = np.empty((side, side, 3), np.uint8)

    def with_settings(self, settings: CompositionSettings) -> Composer:
        """Return a composer of the same bank and seed with other settings; this one must not be used any more.

        It goes on with the canvases and the noise of this one where nothing that they depend on has changed: they
        take 50 ms a tile to draw, which at each move of a slider would be nine tenths of the wait.
        """
        composer = Composer(self.bank, settings, seed=self.seed)
        if (settings.canvas, settings.canvas_px) == (self.settings.canvas, self.settings.canvas_px):
            composer._canvases = self._canvases
            composer._augmenter.adopt_noise(self._augmenter)
        return composer

    @property
    def n_variants(self) -> int:
        """Prepared variants per patch; 0 in continuous rendering."""
        return self._planner.n_variants

    @property
    def cache_bytes(self) -> int:
        """Memory of the prepared variants at present."""
        return self._variants.n_bytes

    def plan(self, index: int) -> CompositePlan:
        """What image `index` will hold."""
        return self._planner.plan(index)

    def compose(self, index: int, out: NDArray[np.uint8] | None = None) -> Composite:
        """Make image `index` with its objects, in `out` (`(c, c, 3)`, C-contiguous) where it is given."""
        plan = self._planner.plan(index)
        # A fresh array costs its page faults, a third of the whole work: loops hand in a buffer.
        image = np.empty((self.settings.canvas_px,) * 2 + (3,), np.uint8) if out is None else out
        extents = self._render(plan, image)
        presence = np.zeros(len(self.label_classes), np.bool_)
        self._mark_presence(plan, extents, presence)
        _, canvas_fov_id = self._canvases.choose(plan.canvas)
        return Composite(index, image, self._describe(plan, extents), presence, canvas_fov_id, plan.n_wanted)

    def compose_batch(
        self, indices: Sequence[int], out: NDArray[np.uint8] | None = None
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Make several images for a training.

        Args:
            indices: Numbers of the images.
            out: `(N, c, c, 3)` uint8, C-contiguous, to be filled; a new array otherwise.

        Returns:
            The images `(N, c, c, 3)`, and the presence `(N, n)` of each of `label_classes`.
        """
        side = self.settings.canvas_px
        images = np.empty((len(indices), side, side, 3), np.uint8) if out is None else out
        presence = np.zeros((len(indices), len(self.label_classes)), np.bool_)
        for row, index in enumerate(indices):
            plan = self._planner.plan(index)
            extents = self._render(plan, images[row])
            self._mark_presence(plan, extents, presence[row])
        return images, presence

    def _render(self, plan: CompositePlan, out: ImageArray) -> list[tuple[int, int, int, int]]:
        """Draw a plan into `out`; return the extent of each object within its window."""
        canvas, _ = self._canvases.choose(plan.canvas)
        target = self._evened if self._canvases.is_matched else out
        self._canvases.lay(canvas, plan.grain, target)
        extents = [self._paste(item, target) for item in plan.objects]
        if self._canvases.is_matched:
            self._canvases.shine(canvas, target, out)
        self._augmenter.augment(out, plan.augmentation)
        left_right, top_bottom = self._mirroring(plan)
        code = mirror_code(left_right=left_right, top_bottom=top_bottom)
        if code is not None:
            cv2.flip(out, code, self._mirror)
            np.copyto(out, self._mirror)
        return extents

    def _paste(self, item: PlannedObject, target: ImageArray) -> tuple[int, int, int, int]:
        """Blend one patch in: `target = target * (1 - alpha) + patch * alpha`, in 8 bits, in place."""
        left, top, look = item.left, item.top, item.look
        premultiplied, inverse, extent = self._layers(item)
        right, bottom, side = left + look.width, top + look.height, self.settings.canvas_px
        if left < 0 or top < 0 or right > side or bottom > side:
            inner = np.s_[max(0, -top) : side - top, max(0, -left) : side - left]
            premultiplied, inverse = premultiplied[inner], inverse[inner]
            left, top = max(0, left), max(0, top)
        region = target[top:bottom, left:right]
        # Exact for all pairs: a * b / 255 is never within 1/510 of a half.
        cv2.multiply(region, inverse, region, ONE_IN_8_BITS)
        cv2.add(region, premultiplied, region)
        return extent

    def _layers(self, item: PlannedObject) -> Layers:
        if item.variant == FRESH:
            return self._draw(item, keep=False)
        key = (item.patch, item.variant)
        found = self._variants.find(key)
        if found is None:
            found = self._draw(item, keep=True)
            n_bytes = found.premultiplied.nbytes + (found.inverse.nbytes if self.bank.has_foreground else 0)
            self._variants.add(key, found, n_bytes)
        return found

    def _draw(self, item: PlannedObject, *, keep: bool) -> Layers:
        """Draw the layers of an object, in arrays of their own where they are to be kept."""
        look = item.look
        mask = self._masks.get(look.width, look.height, look.feather)
        drawn, warped = self._renderer.render(item.patch, look)
        premultiplied = np.empty_like(drawn) if keep else drawn
        if not self.bank.has_foreground:
            cv2.multiply(drawn, mask.alpha, premultiplied, ONE_IN_8_BITS)
            return Layers(premultiplied, mask.inverse, (0, 0, look.width, look.height))
        solid = np.ascontiguousarray(warped[..., 3])
        opacity = np.asarray(cv2.multiply(solid, mask.alpha[..., 0], scale=ONE_IN_8_BITS), np.uint8)
        alpha = np.asarray(cv2.merge([opacity, opacity, opacity]), np.uint8)
        cv2.multiply(drawn, alpha, premultiplied, ONE_IN_8_BITS)
        return Layers(premultiplied, 255 - alpha, _extent(opacity))

    def _mark_presence(
        self, plan: CompositePlan, extents: Sequence[tuple[int, int, int, int]], presence: NDArray[np.bool_]
    ) -> None:
        for item, extent in zip(plan.objects, extents, strict=True):
            column = self._columns[item.patch]
            if column >= 0 and self._is_seen(item, extent):
                presence[column] = True

    def _is_seen(self, item: PlannedObject, extent: tuple[int, int, int, int]) -> bool:
        """Whether enough of an object can be seen to count in labels and boxes."""
        least = self.settings.min_visible
        if item.visible < least or item.visible <= 0.0:
            return False
        if not self.bank.has_foreground:
            return True
        # The window may lie on the canvas with its empty part alone.
        side = self.settings.canvas_px
        x0, y0, x1, y1 = item.left + extent[0], item.top + extent[1], item.left + extent[2], item.top + extent[3]
        width, height = min(x1, side) - max(x0, 0), min(y1, side) - max(y0, 0)
        full = min((x1 - x0) * (y1 - y0), side**2)
        return width > 0 and height > 0 and width * height >= least * full

    def _mirroring(self, plan: CompositePlan) -> tuple[bool, bool]:
        if not self.settings.image.flip:
            return False, False
        choice = int(plan.augmentation[-1] * 4)
        return choice % 2 == 1, choice >= 2

    def _describe(self, plan: CompositePlan, extents: Sequence[tuple[int, int, int, int]]) -> tuple[PlacedObject, ...]:
        left_right, top_bottom = self._mirroring(plan)
        return tuple(
            self._describe_object(item, extent, left_right=left_right, top_bottom=top_bottom)
            for item, extent in zip(plan.objects, extents, strict=True)
        )

    def _describe_object(
        self, item: PlannedObject, extent: tuple[int, int, int, int], *, left_right: bool, top_bottom: bool
    ) -> PlacedObject:
        patch, side = self.bank.patches[item.patch], self.settings.canvas_px
        x0, y0 = item.left + extent[0], item.top + extent[1]
        width, height = extent[2] - extent[0], extent[3] - extent[1]
        if left_right:
            x0 = side - x0 - width
        if top_bottom:
            y0 = side - y0 - height
        x1, y1 = x0 + width, y0 + height
        column = self._columns[item.patch]
        if x0 >= 0 and y0 >= 0 and x1 <= side and y1 <= side:  # nearly always, and min and max take a third of all this
            box = Box(x0, y0, x1, y1)
        else:
            box = Box(*(min(max(value, 0), side) for value in (x0, y0, x1, y1)))
        return PlacedObject(
            patch.class_id,
            patch.annotation_id,
            patch.fov_id,
            box,
            x0 + width / 2,
            y0 + height / 2,
            item.visible,
            is_artifact=column < 0,
            has_label=column >= 0 and self._is_seen(item, extent),
        )


def _extent(opacity: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """Bounding box of what is at least half opaque; the whole window where that is nothing."""
    left, top, width, height = cv2.boundingRect((opacity > 127).astype(np.uint8))
    if not width:
        return 0, 0, opacity.shape[1], opacity.shape[0]
    return left, top, left + width, top + height


def compose_preview(composer: Composer, indices: Iterable[int]) -> list[Composite]:
    """Make a few images to be looked at; the same that a set or a training of this seed would hold."""
    return [composer.compose(index) for index in indices]
