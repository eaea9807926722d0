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
from synthstudio.core.synthesis.augmentation import MIRROR_NUMBER, ImageAugmenter, mirror_code
from synthstudio.core.synthesis.canvases import Canvases
from synthstudio.core.synthesis.pasting import Extent, Paster
from synthstudio.core.synthesis.placing import PlannedObject
from synthstudio.core.synthesis.plan import CompositePlan, Planner
from synthstudio.domain.ids import AnnotationId, ClassId, FovId
from synthstudio.domain.records import Box, ObjectClass
from synthstudio.settings.compose import CompositionSettings


class PlacedObject(NamedTuple):
    """One pasted patch. A named tuple of plain numbers because hundreds of thousands are made.

    Attributes:
        x0, y0, x1, y1: Extent of what was pasted, within the canvas, in px: of the window's shape, or, with a
            foreground, of the object.
        x, y: Middle of that extent before the edge cuts it, in px; may lie outside the canvas.
        visible: Share of the window that is seen.
        has_label: Counts in labels and boxes: an object, not an artifact, and visible enough.
    """

    class_id: ClassId
    annotation_id: AnnotationId
    fov_id: FovId
    x0: int
    y0: int
    x1: int
    y1: int
    x: float
    y: float
    visible: float
    is_artifact: bool
    has_label: bool

    @property
    def box(self) -> Box:
        """The extent as a box."""
        return Box(self.x0, self.y0, self.x1, self.y1)


@dataclass(frozen=True, slots=True)
class Composite:
    """One made image and all that is known about it.

    Attributes:
        image: `(h, w, 3)` uint8 RGB.
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
        self._sources = [
            (patch.class_id, patch.annotation_id, patch.fov_id, patch.class_id not in self._column)
            for patch in bank.patches
        ]
        self._is_cut_out = [patch.class_id in bank.foreground_classes for patch in bank.patches]
        self._least_visible = settings.min_visible
        self._planner = Planner(bank, settings, seed=seed)
        self._canvases = Canvases(bank, settings, seed=seed)
        self._paster = Paster(bank, settings, own_colors=not self._canvases.is_matched)
        self._augmenter = ImageAugmenter(settings.image, size=settings.size, seed=seed)
        self._width, self._height = settings.size
        self._mirror = np.empty((self._height, self._width, 3), np.uint8)

    def with_settings(self, settings: CompositionSettings) -> Composer:
        """Return a composer of the same bank and seed with other settings; this one must not be used any more.

        It goes on with the canvases and the noise of this one where nothing that they depend on has changed: they
        take 50 ms a tile to draw, which at each move of a slider would be nine tenths of the wait.
        """
        composer = Composer(self.bank, settings, seed=self.seed)
        if (settings.canvas, settings.size) == (self.settings.canvas, self.settings.size):
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
        return self._paster.cache_bytes

    def plan(self, index: int) -> CompositePlan:
        """What image `index` will hold."""
        return self._planner.plan(index)

    def compose(
        self, index: int, out: NDArray[np.uint8] | None = None, owners: NDArray[np.uint16] | None = None
    ) -> Composite:
        """Make image `index` with its objects.

        Args:
            index: Number of the image.
            out: `(h, w, 3)` uint8, C-contiguous, to be filled; a new array otherwise.
            owners: `(h, w)` uint16, filled with which object is seen at each pixel, 1 for the first and 0 for none.
        """
        plan = self._planner.plan(index)
        # A fresh array costs its page faults, a third of the whole work: loops hand in a buffer.
        image = np.empty((self._height, self._width, 3), np.uint8) if out is None else out
        extents = self._render(plan, image, owners)
        columns = self._label_columns(plan, extents)
        presence = np.zeros(len(self.label_classes), np.bool_)
        _mark(presence, columns)
        _, canvas_fov_id = self._canvases.choose(plan.canvas)
        return Composite(index, image, self._describe(plan, extents, columns), presence, canvas_fov_id, plan.n_wanted)

    def compose_batch(
        self, indices: Sequence[int], out: NDArray[np.uint8] | None = None
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Make several images for a training.

        Args:
            indices: Numbers of the images.
            out: `(N, h, w, 3)` uint8, C-contiguous, to be filled; a new array otherwise.

        Returns:
            The images `(N, h, w, 3)`, and the presence `(N, n)` of each of `label_classes`.
        """
        images = np.empty((len(indices), self._height, self._width, 3), np.uint8) if out is None else out
        presence = np.zeros((len(indices), len(self.label_classes)), np.bool_)
        for row, index in enumerate(indices):
            plan = self._planner.plan(index)
            extents = self._render(plan, images[row])
            _mark(presence[row], self._label_columns(plan, extents))
        return images, presence

    def render(self, plan: CompositePlan) -> ImageArray:
        """Draw a plan, also one that no lot has drawn; `(h, w, 3)` uint8 RGB."""
        image = np.empty((self._height, self._width, 3), np.uint8)
        self._render(plan, image)
        return image

    def _render(self, plan: CompositePlan, out: ImageArray, owners: NDArray[np.uint16] | None = None) -> list[Extent]:
        """Draw a plan into `out`, and who owns each pixel; return the extent of each object within its window."""
        canvas, _ = self._canvases.choose(plan.canvas)
        self._canvases.lay(canvas, plan.grain, out)
        if owners is not None:
            owners[:] = 0
        extents = self._paster.paste(plan.objects, out, owners)
        if self._canvases.is_matched:
            self._canvases.shine(canvas, out)
        self._augmenter.augment(out, plan.augmentation)
        left_right, top_bottom = self._mirroring(plan)
        code = mirror_code(left_right=left_right, top_bottom=top_bottom)
        if code is not None:
            cv2.flip(out, code, self._mirror)
            np.copyto(out, self._mirror)
            if owners is not None:
                np.copyto(owners, cv2.flip(owners, code))
        return extents

    def _label_columns(self, plan: CompositePlan, extents: Sequence[Extent]) -> list[int]:
        """Of each object its column of the presence, or -1 where it gives no label."""
        columns, is_cut_out, is_seen = self._columns, self._is_cut_out, self._is_object_seen
        least = self._least_visible
        return [
            columns[item[0]]
            if item[5] >= least and item[5] > 0.0 and (not is_cut_out[item[0]] or is_seen(item, extent))
            else -1
            for item, extent in zip(plan.objects, extents, strict=True)
        ]

    def _is_object_seen(self, item: PlannedObject, extent: Extent) -> bool:
        """Whether enough of an object can be seen of whose window enough is: its empty part alone may be on canvas."""
        least = self._least_visible
        x0, y0, x1, y1 = item.left + extent[0], item.top + extent[1], item.left + extent[2], item.top + extent[3]
        width, height = min(x1, self._width) - max(x0, 0), min(y1, self._height) - max(y0, 0)
        full = min((x1 - x0) * (y1 - y0), self._width * self._height)
        return width > 0 and height > 0 and width * height >= least * full

    def _mirroring(self, plan: CompositePlan) -> tuple[bool, bool]:
        if not self.settings.image.flip:
            return False, False
        choice = int(plan.augmentation[MIRROR_NUMBER] * 4)
        return choice % 2 == 1, choice >= 2

    def _describe(
        self, plan: CompositePlan, extents: Sequence[Extent], label_columns: Sequence[int]
    ) -> tuple[PlacedObject, ...]:
        left_right, top_bottom = self._mirroring(plan)
        sources, right, bottom = self._sources, self._width, self._height
        described = []
        new = tuple.__new__  # half of the time of calling the class
        for (number, _, left, top, _, visible), extent, column in zip(
            plan.objects, extents, label_columns, strict=True
        ):
            x0, y0, x1, y1 = left + extent[0], top + extent[1], left + extent[2], top + extent[3]
            if left_right:
                x0, x1 = right - x1, right - x0
            if top_bottom:
                y0, y1 = bottom - y1, bottom - y0
            x, y = (x0 + x1) / 2, (y0 + y1) / 2
            if x0 < 0 or y0 < 0 or x1 > right or y1 > bottom:  # seldom, and min and max are slow
                x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, right), min(y1, bottom)
                x0, y0, x1, y1 = min(x0, right), min(y0, bottom), max(x1, 0), max(y1, 0)
            class_id, annotation_id, fov_id, is_artifact = sources[number]
            values = (class_id, annotation_id, fov_id, x0, y0, x1, y1, x, y, visible, is_artifact, column >= 0)
            described.append(new(PlacedObject, values))
        return tuple(described)


def _mark(presence: NDArray[np.bool_], columns: Iterable[int]) -> None:
    """Set the columns, of which -1 is none."""
    for column in set(columns):
        if column >= 0:
            presence[column] = True


def compose_preview(composer: Composer, indices: Iterable[int]) -> list[Composite]:
    """Make a few images to be looked at; the same that a set or a training of this seed would hold."""
    return [composer.compose(index) for index in indices]
