"""The patch bank: every usable patch of the annotated training images, cut once and kept small.

A patch keeps enough of its surroundings to be turned by any angle without empty corners; only the window in its middle
is ever pasted. Pixels lie in one flat array, which worker processes can map from a file instead of copying it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.imaging import ImageArray, ImageSource
from synthstudio.core.patches.background import BLACK, WHITE, Background, estimate_background
from synthstudio.core.patches.foreground import find_foreground
from synthstudio.core.patches.fov_pixels import FovPixels, LargeFov, ReadFov, WholeFov
from synthstudio.core.patches.windows import N_CHANNELS, PlannedPatch, plan_windows, thin_out
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import AnnotationId, ClassId, FovId
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import Annotation, FieldOfView, ObjectClass, Role
from synthstudio.settings.compose import PatchSettings

N_LIGHT_SAMPLES = 5
DARK_FIELD_GREY = 56.0  # a background darker than this in its median colour is dark field: light adds, not multiplies


@dataclass(frozen=True, slots=True)
class Patch:
    """One cut-out. All lengths in px of the working scale.

    Attributes:
        background: Index of the FOV's background in `PatchBank.backgrounds`.
        width, height: Mean window, without jitter.
        center: `x, y` of the object's centre within the crop.
        offset, rows, columns: Where the crop `(rows, columns, 4)` lies in `PatchBank.pixels`.
        inside: Share of the window that lies inside the FOV.
    """

    annotation_id: AnnotationId
    fov_id: FovId
    class_id: ClassId
    background: int
    width: float
    height: float
    center: tuple[float, float]
    offset: int
    rows: int
    columns: int
    inside: float


@dataclass(frozen=True, slots=True)
class PatchBank:
    """All patches, and the backgrounds of the FOVs that they come from.

    Attributes:
        classes: Classes in the order in which the caller gave them, also those without a patch.
        patches: Sorted by class, FOV and annotation.
        pixels: Flat uint8, RGB and opacity (255 everywhere without a foreground; OpenCV turns four channels twice as
            fast as three anyway). The crops are evened: their empty background is `WHITE` (`BLACK` in dark field).
        backgrounds: One for each FOV of `fov_ids`.
        scale: Working scale against the original images.
        is_transmitted: Bright field: objects multiply the light.
        n_left_out: Annotations left out: too far outside the image, or thinned out for memory.
        has_foreground: The opacity tells the objects from what lies around them.
    """

    classes: tuple[ObjectClass, ...]
    patches: tuple[Patch, ...]
    pixels: NDArray[np.uint8] = field(repr=False)
    fov_ids: tuple[FovId, ...]
    backgrounds: tuple[Background, ...] = field(repr=False)
    scale: float
    is_transmitted: bool
    n_left_out: int = 0
    has_foreground: bool = False

    def crop(self, index: int) -> ImageArray:
        """View of the crop of patch `index`, `(rows, columns, 3)` RGB, evened."""
        return self.padded_crop(index)[..., :3]

    def padded_crop(self, index: int) -> NDArray[np.uint8]:
        """The same with its opacity, `(rows, columns, 4)`, contiguous."""
        patch = self.patches[index]
        end = patch.offset + patch.rows * patch.columns * N_CHANNELS
        return self.pixels[patch.offset : end].reshape(patch.rows, patch.columns, N_CHANNELS)

    def count_by_class(self) -> dict[ClassId, int]:
        """Number of patches of each class, 0 included."""
        counts = {item.id: 0 for item in self.classes}
        for patch in self.patches:
            counts[patch.class_id] += 1
        return counts

    @property
    def label_classes(self) -> tuple[ObjectClass, ...]:
        """Classes that give labels, in order: objects, not artifacts."""
        return tuple(item for item in self.classes if item.role is Role.OBJECT)


def scaled(image: ImageArray, scale: float) -> ImageArray:
    """Resize an image to the working scale; training and evaluation must bring real images to it the same way."""
    if scale == 1.0:
        return image
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    interpolation = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, size, interpolation=interpolation), np.uint8)


def build_patch_bank(
    fovs: Sequence[FieldOfView],
    annotations: Sequence[Annotation],
    classes: Sequence[ObjectClass],
    *,
    settings: PatchSettings,
    read: ReadFov,
    tick: Tick = no_tick,
) -> PatchBank:
    """Cut a patch around every annotation of the given FOVs.

    Args:
        fovs: The training images, and no others: whatever is given here ends up in composites.
        annotations: Annotations; those of other FOVs are ignored.
        classes: All classes, in the order of the label vector.
        settings: Scale, window and memory.
        read: Returns the full-resolution pixels of an FOV, `(H, W, 3)` uint8 RGB, or a source to read parts of it.
        tick: Called once per FOV.

    Raises:
        UserError: No patch could be cut, or a class has no size.
    """
    ordered = sorted(fovs, key=lambda fov: fov.id)
    planned, n_outside = plan_windows(ordered, annotations, classes, settings=settings)
    kept = thin_out(planned, budget_bytes=settings.memory_mb * 1_000_000)
    if not kept and n_outside:
        raise UserError(
            f"No patch can be cut: the windows of all {n_outside} annotations lie too far outside their images.",
            "Check the mean sizes of the classes: they are sides in micrometres or full-resolution pixels.",
        )
    if not kept:
        raise UserError(
            f"No patch can be cut: {len(ordered)} training images with {len(annotations)} annotations.",
            "Click the centres of some objects on images of the training split first.",
        )
    used = {item.fov_id for item in kept}
    sources = [fov for fov in ordered if fov.id in used]
    is_transmitted = _is_bright_field(sources, settings=settings, read=read)
    cutter = _Cutter(kept, settings=settings, is_transmitted=is_transmitted)
    for done, fov in enumerate(sources):
        tick(done, len(sources))
        cutter.cut(done, fov, _open_fov(fov, settings=settings, read=read))
    tick(len(sources), len(sources))
    return PatchBank(
        classes=tuple(classes),
        patches=tuple(patch for patch in cutter.patches if patch is not None),
        pixels=cutter.pixels,
        fov_ids=tuple(fov.id for fov in sources),
        backgrounds=tuple(cutter.backgrounds),
        scale=settings.scale,
        is_transmitted=is_transmitted,
        n_left_out=n_outside + len(planned) - len(kept),
        has_foreground=settings.foreground != "none",
    )


def _open_fov(fov: FieldOfView, *, settings: PatchSettings, read: ReadFov) -> FovPixels:
    pixels = read(fov)
    size = (pixels.width, pixels.height) if isinstance(pixels, ImageSource) else (pixels.shape[1], pixels.shape[0])
    if size != (fov.width, fov.height):
        raise UserError(
            f"The image {fov.name} is now {size[0]} x {size[1]} px, but was imported with"
            f" {fov.width} x {fov.height} px.",
            "Put the original file back, or import the image anew.",
        )
    if isinstance(pixels, ImageSource):
        return LargeFov(pixels, settings.scale)
    return WholeFov(scaled(pixels, settings.scale))


def _is_bright_field(sources: Sequence[FieldOfView], *, settings: PatchSettings, read: ReadFov) -> bool:
    """Decided once for all, by a few FOVs: patches of both kinds of light cannot lie on one canvas."""
    few = sources[:: max(1, len(sources) // N_LIGHT_SAMPLES)][:N_LIGHT_SAMPLES]
    pictures = (_open_fov(fov, settings=settings, read=read).picture() for fov in few)  # one at a time in memory
    return float(np.median([np.median(estimate_background(each).color) for each in pictures])) >= DARK_FIELD_GREY


class _Cutter:
    """Fills the flat pixel array FOV by FOV, so that only one FOV is in memory at a time."""

    def __init__(self, planned: Sequence[PlannedPatch], *, settings: PatchSettings, is_transmitted: bool) -> None:
        self._settings = settings
        self._is_transmitted = is_transmitted
        self._by_fov: dict[FovId, list[int]] = {}
        self._planned = planned
        sizes = [item.n_bytes for item in planned]
        self._offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        for index, item in enumerate(planned):
            self._by_fov.setdefault(item.fov_id, []).append(index)
        self.pixels = np.empty(int(self._offsets[-1]), np.uint8)
        self.patches: list[Patch | None] = [None] * len(planned)
        self.backgrounds: list[Background] = []

    def cut(self, number: int, fov: FieldOfView, pixels: FovPixels) -> None:
        """Cut all patches of one FOV, given at the working scale."""
        indices = self._by_fov[fov.id]
        boxes = [self._planned[index].window for index in indices]
        background = pixels.background(boxes)
        if not self._settings.even_light:
            flat = np.zeros_like(background.field)
            flat[0] = 1.0
            background = dataclasses.replace(background, field=flat)
        self.backgrounds.append(background)
        cut_out = pixels.even_out(background, is_transmitted=self._is_transmitted)
        spread = float(np.sqrt(np.diag(background.noise).max()))
        for index in indices:
            self.patches[index] = self._cut_one(index, number, cut_out, noise=spread)

    def _cut_one(
        self, index: int, number: int, cut_out: Callable[[int, int, int, int], ImageArray], *, noise: float
    ) -> Patch:
        item = self._planned[index]
        left, top = item.left, item.top
        inner = cut_out(left, top, left + item.side, top + item.side)
        below, right = item.side - inner.shape[0] - max(0, -top), item.side - inner.shape[1] - max(0, -left)
        crop = cv2.copyMakeBorder(
            inner, max(0, -top), max(0, below), max(0, -left), max(0, right), cv2.BORDER_REFLECT_101
        )
        offset = int(self._offsets[index])
        opacity = find_foreground(
            np.asarray(crop, np.uint8),
            item.window.moved(-left, -top),
            method=self._settings.foreground,
            level=WHITE if self._is_transmitted else BLACK,
            noise=noise,
            margin=self._settings.foreground_margin,
        )
        self.pixels[offset : offset + item.n_bytes] = np.dstack([crop, opacity]).reshape(-1)
        x, y = item.window.center
        return Patch(
            annotation_id=item.annotation_id,
            fov_id=item.fov_id,
            class_id=item.class_id,
            background=number,
            width=round(item.window.width, 3),  # a square stays one after subtracting floats
            height=round(item.window.height, 3),
            center=(x - left, y - top),
            offset=offset,
            rows=item.side,
            columns=item.side,
            inside=item.inside,
        )
