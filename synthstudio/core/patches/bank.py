"""The patch bank: every usable patch of the annotated training images, cut once and kept small.

A patch keeps enough of its surroundings to be turned by any angle without empty corners; only the window in its middle
is ever pasted. Pixels lie in one flat array, which worker processes can map from a file instead of copying it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.imaging import ImageArray, ImageSource
from synthstudio.core.patches.background import Background, estimate_background, evened_level, flattened
from synthstudio.core.patches.foreground import find_foreground
from synthstudio.core.patches.fov_pixels import FovPixels, LargeFov, ReadFov, WholeFov
from synthstudio.core.patches.generated import GeneratedPlace, GeneratedSource, is_generated
from synthstudio.core.patches.turning import sharpened
from synthstudio.core.patches.windows import N_CHANNELS, PlannedPatch, plan_windows, thin_out
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import AnnotationId, ClassId, FovId
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import Annotation, Box, FieldOfView, ObjectClass, Role
from synthstudio.domain.scale import WorkingScale
from synthstudio.settings.compose import ForegroundMethod, PatchSettings

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

    @property
    def window(self) -> Box:
        """The mean window within the crop."""
        (x, y), half_x, half_y = self.center, self.width / 2, self.height / 2
        return Box(x - half_x, y - half_y, x + half_x, y + half_y)


@dataclass(frozen=True, slots=True)
class Plate:
    """The background of one FOV, or of its middle, without its objects: film calls that a clean plate.

    Attributes:
        background: That of the whole FOV.
        window: Which part of the FOV the plate shows, x0, y0, x1, y1 in -1..1 coordinates.
        offset, rows, columns: Where its pixels `(rows, columns, 4)` lie in `PatchBank.pixels`.
    """

    fov_id: FovId
    background: Background
    window: tuple[float, float, float, float]
    offset: int
    rows: int
    columns: int


@dataclass(frozen=True, slots=True, eq=False)
class PatchBank:
    """All patches, and the backgrounds of the FOVs that they come from. Equal to itself alone: it is large.

    Attributes:
        classes: Classes in the order in which the caller gave them, also those without a patch.
        patches: Sorted by class, FOV and annotation.
        pixels: Flat uint8, RGB and opacity (255 everywhere without a foreground; OpenCV turns four channels twice as
            fast as three anyway). The crops are evened: their empty background is `WHITE` (`BLACK` in dark field).
        backgrounds: One for each FOV of `fov_ids`.
        scale: The working scale.
        is_transmitted: Bright field: objects multiply the light.
        n_left_out: Annotations left out: too far outside the image, or thinned out for memory.
        foreground_classes: Classes in whose patches the opacity tells the object from what lies around it.
        plates: Emptied backgrounds of FOVs, where they were asked for (`plates.add_plates`).
        generated: Which generated image each id below 0 stands for, where patches were cut from any.
        generated_sets: The sets that these are from.
    """

    classes: tuple[ObjectClass, ...]
    patches: tuple[Patch, ...]
    pixels: NDArray[np.uint8] = field(repr=False)
    fov_ids: tuple[FovId, ...]
    backgrounds: tuple[Background, ...] = field(repr=False)
    scale: WorkingScale
    is_transmitted: bool
    n_left_out: int = 0
    foreground_classes: frozenset[ClassId] = frozenset()
    plates: tuple[Plate, ...] = field(default=(), repr=False)
    generated: Mapping[FovId, GeneratedPlace] = field(default_factory=dict, repr=False)
    generated_sets: tuple[GeneratedSource, ...] = ()

    def crop(self, index: int) -> ImageArray:
        """View of the crop of patch `index`, `(rows, columns, 3)` RGB, evened."""
        return self.padded_crop(index)[..., :3]

    def padded_crop(self, index: int) -> NDArray[np.uint8]:
        """The same with its opacity, `(rows, columns, 4)`, contiguous."""
        patch = self.patches[index]
        end = patch.offset + patch.rows * patch.columns * N_CHANNELS
        return self.pixels[patch.offset : end].reshape(patch.rows, patch.columns, N_CHANNELS)

    def plate_pixels(self, number: int) -> NDArray[np.uint8]:
        """View of a plate, `(rows, columns, 4)`: RGB, evened, and 255 where the pixel is the FOV's own."""
        plate = self.plates[number]
        end = plate.offset + plate.rows * plate.columns * N_CHANNELS
        return self.pixels[plate.offset : end].reshape(plate.rows, plate.columns, N_CHANNELS)

    def count_by_class(self) -> dict[ClassId, int]:
        """Number of patches of each class, 0 included."""
        counts = {item.id: 0 for item in self.classes}
        for patch in self.patches:
            counts[patch.class_id] += 1
        return counts

    def without(self, rejected: Collection[AnnotationId]) -> PatchBank:
        """Return the bank that cutting with these `rejected` gives, except that it shares the pixels of this one.

        Composites of both are the same to the byte. Where nothing is left, it has no patch.
        """
        kept = [patch for patch in self.patches if patch.annotation_id not in rejected]
        if len(kept) == len(self.patches):
            return self
        used = sorted({patch.background for patch in kept})
        number = {former: now for now, former in enumerate(used)}
        return dataclasses.replace(
            self,
            patches=tuple(dataclasses.replace(patch, background=number[patch.background]) for patch in kept),
            fov_ids=tuple(self.fov_ids[former] for former in used),
            backgrounds=tuple(self.backgrounds[former] for former in used),
        )

    @property
    def ground_numbers(self) -> list[int]:
        """Numbers of the backgrounds that canvases are made of: those of real images, where there are any."""
        real = [number for number, fov_id in enumerate(self.fov_ids) if not is_generated(fov_id)]
        return real or list(range(len(self.fov_ids)))

    @property
    def level(self) -> int:
        """Grey of the empty background of the crops."""
        return evened_level(is_transmitted=self.is_transmitted)

    @property
    def has_foreground(self) -> bool:
        """Whether any class has a foreground."""
        return bool(self.foreground_classes)

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
    rejected: Collection[AnnotationId] = (),
    tick: Tick = no_tick,
) -> PatchBank:
    """Cut a patch around every annotation of the given FOVs.

    Args:
        fovs: The training images, and no others: whatever is given here ends up in composites.
        annotations: Annotations; those of other FOVs are ignored.
        classes: All classes, in the order of the label vector.
        settings: Scale, window and memory.
        read: Returns the full-resolution pixels of an FOV, `(H, W, 3)` uint8 RGB, or a source to read parts of it.
        rejected: Annotations that give no patch. They still count where sizes, light and background are measured,
            and where patches are thinned out: rejecting one changes none of the others.
        tick: Called once per FOV.

    Raises:
        UserError: No patch could be cut, or a class has no size.
    """
    ordered = sorted(fovs, key=lambda fov: fov.id)
    planned, n_outside = plan_windows(ordered, annotations, classes, settings=settings)
    fitting = thin_out(planned, budget_bytes=settings.memory_mb * 1_000_000)
    barred = frozenset(rejected)
    kept = [item for item in fitting if item.annotation_id not in barred]
    if not kept:
        raise _no_patch(n_fovs=len(ordered), n_marks=len(annotations), n_outside=n_outside, n_rejected=len(fitting))
    annotated = {item.fov_id for item in fitting}
    own = [fov for fov in ordered if fov.id in annotated and not is_generated(fov.id)]
    lit = own or [fov for fov in ordered if fov.id in annotated]
    is_transmitted = _is_bright_field(lit, settings=settings, read=read)
    used = {item.fov_id for item in kept}
    sources = [fov for fov in ordered if fov.id in used]
    methods = {each.id: settings.foreground_of(each.name) for each in classes}
    cutter = _Cutter(kept, windows_by_fov(fitting), methods, settings=settings, is_transmitted=is_transmitted)
    for done, fov in enumerate(sources):
        tick(done, len(sources))
        cutter.cut(done, fov, open_pixels(fov, settings=settings, read=read))
    tick(len(sources), len(sources))
    return PatchBank(
        classes=tuple(classes),
        patches=tuple(patch for patch in cutter.patches if patch is not None),
        pixels=cutter.pixels,
        fov_ids=tuple(fov.id for fov in sources),
        backgrounds=tuple(cutter.backgrounds),
        scale=settings.working_scale,
        is_transmitted=is_transmitted,
        n_left_out=n_outside + len(planned) - len(fitting),
        foreground_classes=frozenset(class_id for class_id, method in methods.items() if method != "none"),
    )


def _no_patch(*, n_fovs: int, n_marks: int, n_outside: int, n_rejected: int) -> UserError:
    if n_rejected:
        return UserError(
            f"No patch is left: all {n_rejected} were rejected.", "Restore some of them under Generate, Patches."
        )
    if n_outside:
        return UserError(
            f"No patch can be cut: the windows of all {n_outside} annotations lie too far outside their images.",
            "Check the mean sizes of the classes: they are sides in micrometres or full-resolution pixels.",
        )
    return UserError(
        f"No patch can be cut: {n_fovs} training images with {n_marks} annotations.",
        "Click the centres of some objects on images of the training split first.",
    )


def windows_by_fov(planned: Sequence[PlannedPatch]) -> dict[FovId, list[Box]]:
    """Windows of planned patches, in px of the working scale."""
    windows: dict[FovId, list[Box]] = {}
    for item in planned:
        windows.setdefault(item.fov_id, []).append(item.window)
    return windows


def open_pixels(fov: FieldOfView, *, settings: PatchSettings, read: ReadFov) -> FovPixels:
    """Open an FOV at the working scale. Raises UserError where its image is not of the size it was imported with."""
    pixels = read(fov)
    size = (pixels.width, pixels.height) if isinstance(pixels, ImageSource) else (pixels.shape[1], pixels.shape[0])
    if size != (fov.width, fov.height):
        raise UserError(
            f"The image {fov.name} is now {size[0]} x {size[1]} px, but was imported with"
            f" {fov.width} x {fov.height} px.",
            "Put the original file back, or import the image anew.",
        )
    if isinstance(pixels, ImageSource):
        return LargeFov(pixels, settings.working_scale.of(fov))
    return WholeFov(scaled(pixels, settings.working_scale.of(fov)))


def _is_bright_field(sources: Sequence[FieldOfView], *, settings: PatchSettings, read: ReadFov) -> bool:
    """Decided once for all, by a few FOVs: patches of both kinds of light cannot lie on one canvas."""
    few = sources[:: max(1, len(sources) // N_LIGHT_SAMPLES)][:N_LIGHT_SAMPLES]
    pictures = (open_pixels(fov, settings=settings, read=read).picture() for fov in few)  # one at a time in memory
    return float(np.median([np.median(estimate_background(each).color) for each in pictures])) >= DARK_FIELD_GREY


def measure_background(
    pixels: FovPixels, objects: Sequence[Box], settings: PatchSettings, *, is_transmitted: bool
) -> Background:
    """Background of an FOV beside its objects, with even light where the settings do not want it evened out."""
    background = pixels.background(objects, is_transmitted=is_transmitted)
    return background if settings.even_light else flattened(background)


def noise_spread(background: Background) -> float:
    """Standard deviation of the noise of an FOV's background in grey levels: that of its noisiest colour."""
    return float(np.sqrt(np.diag(background.noise).max()))


class _Cutter:
    """Fills the flat pixel array FOV by FOV, so that only one FOV is in memory at a time.

    `windows` are those of all annotations of each FOV, also of the rejected ones: the background is measured beside
    them. `methods` tell how the foreground of each class is found.
    """

    def __init__(
        self,
        planned: Sequence[PlannedPatch],
        windows: Mapping[FovId, Sequence[Box]],
        methods: Mapping[ClassId, ForegroundMethod],
        *,
        settings: PatchSettings,
        is_transmitted: bool,
    ) -> None:
        self._settings = settings
        self._is_transmitted = is_transmitted
        self._by_fov: dict[FovId, list[int]] = {}
        self._planned = planned
        self._windows = windows
        self._methods = methods
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
        windows = self._windows[fov.id]
        background = measure_background(pixels, windows, self._settings, is_transmitted=self._is_transmitted)
        self.backgrounds.append(background)
        cut_out = pixels.even_out(background, is_transmitted=self._is_transmitted)
        spread = noise_spread(background)
        for index in indices:
            self.patches[index] = self._cut_one(index, number, cut_out, noise=spread)

    def _cut_one(
        self, index: int, number: int, cut_out: Callable[[int, int, int, int], ImageArray], *, noise: float
    ) -> Patch:
        item = self._planned[index]
        left, top = item.left, item.top
        inner = cut_out(left, top, left + item.side, top + item.side)
        below, right = item.side - inner.shape[0] - max(0, -top), item.side - inner.shape[1] - max(0, -left)
        mirrored = cv2.copyMakeBorder(
            inner, max(0, -top), max(0, below), max(0, -left), max(0, right), cv2.BORDER_REFLECT_101
        )
        crop = sharpened(np.asarray(mirrored, np.uint8), self.backgrounds[number].sharpening)
        offset = int(self._offsets[index])
        x, y = item.window.center
        patch = Patch(
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
        opacity = find_foreground(
            crop,
            patch.window,
            method=self._methods[item.class_id],
            level=evened_level(is_transmitted=self._is_transmitted),
            noise=noise,
            margin=self._settings.foreground_margin,
        )
        self.pixels[offset : offset + item.n_bytes] = np.dstack([crop, opacity]).reshape(-1)
        return patch
