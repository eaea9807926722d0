"""A simulator of clinical photographs of skin, with exact ground truth: tone, conditions and their boxes.

For the demo and the tests of the semantic-map GAN: pictures that need a real classifier, yet cost nothing, harm
nobody's privacy and come with every outline known. Patients of six tones show six conditions that differ in colour,
border, surface and size; pictures differ in size, distance, light, and in what else lies in them (hair, freckles,
rulers, ink, cloth). As in a clinic the classes have a long tail: one condition is rare, and never seen on the darkest
tone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.fields.simulator_optics import Plane, expose
from synthstudio.core.fields.skin_simulator_lesions import (
    Lesion,
    draw_brown_waxy,
    draw_dark_irregular,
    draw_pearly_nodule,
    draw_red_ring,
    draw_red_scaly,
    draw_vesicle_cluster,
)
from synthstudio.core.fields.skin_simulator_props import draw_props, put_behind, put_ink, put_ruler, put_sticker
from synthstudio.core.fields.skin_simulator_surface import (
    SkinLook,
    draw_light,
    draw_skin,
    draw_skin_color,
    put_hair,
    put_lesion,
)
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import Box

PHOTO_SIZES_PX = ((480, 360), (640, 480), (800, 600), (960, 720), (1280, 960))
N_TONES = 6
_TONES_OF_A_DOZEN = (1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 5, 6)
"""Each dozen of patients has these tones in another order: the dark ones are few, and none is ever missing."""
_PATIENT_STREAM, _DOZEN_STREAM = 2**32 - 1, 2**32 - 2
"""Stand where the photograph's index stands in the key, for what is shared by a patient's, or by a dozen's."""
_SPREAD = (0.7548776662466927, 0.5698402909980532)
"""Steps of the R2 sequence (Roberts 2018): any stretch of a study holds the conditions in nearly their shares."""
_N_ATTEMPTS = 16
_LEAST_SIDE_PX = 20.0
_MOST_SHARE = 0.42  # of the shorter side of the picture


@dataclass(frozen=True, slots=True)
class SkinCondition:
    """A condition that the simulator draws.

    Attributes:
        key: Digit that selects the class.
        share: Of the photographs that show it first of all.
        size_mm: Mean sides of its regions lie between these.
        counts: Chances of one, two, three ... regions in a photograph.
    """

    name: str
    key: str
    share: float
    size_mm: tuple[float, float]
    counts: tuple[float, ...]
    draw: Callable[[np.random.Generator, float], Lesion]


SKIN_CONDITIONS: tuple[SkinCondition, ...] = (
    SkinCondition("red scaly plate", "1", 0.26, (16.0, 38.0), (0.5, 0.3, 0.2), draw_red_scaly),
    SkinCondition("waxy brown plate", "2", 0.23, (8.0, 18.0), (0.4, 0.25, 0.15, 0.12, 0.08), draw_brown_waxy),
    SkinCondition("blister group", "3", 0.18, (13.0, 26.0), (0.4, 0.3, 0.2, 0.1), draw_vesicle_cluster),
    SkinCondition("red ring", "4", 0.16, (16.0, 36.0), (0.6, 0.25, 0.15), draw_red_ring),
    SkinCondition("pearly nodule", "5", 0.12, (7.0, 14.0), (0.9, 0.1), draw_pearly_nodule),
    SkinCondition("dark irregular spot", "6", 0.05, (8.0, 19.0), (1.0,), draw_dark_irregular),
)
MISSING = ("dark irregular spot", 6)
"""Condition and tone that no photograph of a study shows together; `simulate_photo` draws it when asked for it."""


@dataclass(frozen=True, slots=True)
class SimulatedRegion:
    """One region: `box` in px is tight around its outline."""

    condition: str
    box: Box


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedPhoto:
    """One simulated photograph.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        outlines: (H, W) uint8: 0 for bare skin, n where the n-th region lies.
        tone: 1 to 6, of the patient.
    """

    image: NDArray[np.uint8]
    outlines: NDArray[np.uint8]
    regions: tuple[SimulatedRegion, ...]
    sample: str
    name: str
    tone: int


@dataclass(frozen=True, slots=True)
class _Frame:
    width: int
    height: int
    px_per_mm: float


def simulate_skin_study(
    n_samples: int, photos_per_sample: int, *, seed: int, tick: Tick = no_tick
) -> Iterator[SimulatedPhoto]:
    """Yield the photographs of a study patient by patient; each equals `simulate_photo` with the same indices."""
    total = n_samples * photos_per_sample
    for done in range(total):
        tick(done, total)
        sample_index, photo_index = divmod(done, photos_per_sample)
        yield simulate_photo(seed=seed, sample_index=sample_index, photo_index=photo_index)
    tick(total, total)


def simulate_photo(
    *,
    seed: int,
    sample_index: int,
    photo_index: int,
    tone: int | None = None,
    condition: str | None = None,
    size_px: tuple[int, int] | None = None,
) -> SimulatedPhoto:
    """Draw one photograph; the answer depends on the arguments alone, never on what was drawn before.

    Args:
        seed: Study; 0 to 2**64 - 1.
        sample_index: Patient in the study, from 0; sets the tone, the look of the skin, and the camera.
        photo_index: Photograph of the patient, from 0.
        tone: 1 to 6 instead of the patient's own.
        condition: Name of the one condition to show, instead of what the study has here.
        size_px: Width and height instead of the camera's, at least 96 each.

    Raises:
        ValueError: An index, the tone, the condition or the size is none that can be drawn.
    """
    if not 0 <= seed < 2**64 or not 0 <= sample_index < 2**32 or not 0 <= photo_index < _DOZEN_STREAM:
        raise ValueError(f"Cannot simulate photograph {photo_index} of patient {sample_index} with seed {seed}.")
    if tone is not None and not 1 <= tone <= N_TONES:
        raise ValueError(f"A tone is 1 to {N_TONES}, not {tone}.")
    if size_px is not None and min(size_px) < 96:
        raise ValueError(f"A photograph has at least 96 px each way, not {size_px[0]} x {size_px[1]}.")
    look = _draw_look(_build_rng(seed, sample_index, _PATIENT_STREAM), tone or _tone_of(seed, sample_index), size_px)
    rng = _build_rng(seed, sample_index, photo_index)
    shown = _choose_conditions(rng, look, condition, seed=seed, sample_index=sample_index, photo_index=photo_index)
    image, outlines, regions = _draw_photo(rng, look, shown)
    sample = f"patient-{sample_index + 1:02d}"
    return SimulatedPhoto(image, outlines, regions, sample, f"{sample}-photo-{photo_index + 1}", look.tone)


def find_condition(name: str) -> SkinCondition:
    """The condition of this name. Raises ValueError, with the names that there are, where there is none."""
    for each in SKIN_CONDITIONS:
        if each.name == name:
            return each
    names = ", ".join(each.name for each in SKIN_CONDITIONS)
    raise ValueError(f"There is no condition {name!r}, only {names}.")


def _build_rng(seed: int, index: int, stream: int) -> np.random.Generator:
    key = np.asarray((seed, (index << 32) | stream), dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key))


def _tone_of(seed: int, sample_index: int) -> int:
    dozen, place = divmod(sample_index, len(_TONES_OF_A_DOZEN))
    return int(_build_rng(seed, dozen, _DOZEN_STREAM).permutation(_TONES_OF_A_DOZEN)[place])


def _draw_look(rng: np.random.Generator, tone: int, size_px: tuple[int, int] | None) -> SkinLook:
    size = PHOTO_SIZES_PX[int(rng.choice(len(PHOTO_SIZES_PX), p=(0.2, 0.35, 0.2, 0.15, 0.1)))]
    return SkinLook(
        tone=tone,
        color=draw_skin_color(rng, tone),
        hair=float(rng.uniform(1.0, 7.0)) if rng.random() < 0.5 else 0.0,
        freckles=float(rng.uniform(1.0, 9.0)) if rng.random() < (0.6 if tone <= 3 else 0.2) else 0.0,
        grain=float(rng.uniform(0.7, 1.4)),
        noise=float(rng.uniform(1.2, 3.2)),
        size_px=size_px or size,
    )


def _choose_conditions(
    rng: np.random.Generator,
    look: SkinLook,
    condition: str | None,
    *,
    seed: int,
    sample_index: int,
    photo_index: int,
) -> list[SkinCondition]:
    """One condition for each region of a photograph, in the order in which they are placed."""
    start = float(_build_rng(seed, 0, _DOZEN_STREAM).random())
    level = (start + sample_index * _SPREAD[0] + photo_index * _SPREAD[1]) % 1.0
    limits = np.cumsum([each.share for each in SKIN_CONDITIONS])
    # The last share takes what rounding leaves over.
    drawn = SKIN_CONDITIONS[min(int(np.searchsorted(limits, level, side="right")), len(SKIN_CONDITIONS) - 1)]
    if (drawn.name, look.tone) == MISSING:
        drawn = SKIN_CONDITIONS[1]
    main = find_condition(condition) if condition is not None else drawn
    shown = [main] * (1 + int(rng.choice(len(main.counts), p=main.counts)))
    if rng.random() < 0.08 and condition is None and main is not SKIN_CONDITIONS[1]:
        shown.append(SKIN_CONDITIONS[1])  # what many have, and came for something else
    return shown


def _draw_photo(
    rng: np.random.Generator, look: SkinLook, shown: list[SkinCondition]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], tuple[SimulatedRegion, ...]]:
    width, height = look.size_px if rng.random() < 0.75 else look.size_px[::-1]
    frame = _Frame(width, height, max(width, height) / float(np.exp(rng.uniform(np.log(70.0), np.log(130.0)))))
    light = draw_light(rng, width=width, height=height)
    props = draw_props(rng, width=width, height=height)
    log_light = draw_skin(rng, look, width=width, height=height, px_per_mm=frame.px_per_mm)
    put_behind(log_light, props)
    free = ~props.taken
    if rng.random() < 0.18:
        free &= ~put_ruler(rng, log_light, px_per_mm=frame.px_per_mm)
    outlines = np.zeros((height, width), np.uint8)
    regions: list[SimulatedRegion] = []
    for condition in shown:
        lesion = condition.draw(rng, _draw_size(rng, condition, frame))
        corner = _find_place(rng, free, lesion.body, regions)
        if corner is None:
            continue
        put_lesion(log_light, lesion, light, left=corner[0], top=corner[1])
        regions.append(SimulatedRegion(condition.name, _outline(outlines, free, lesion.body, corner, len(regions) + 1)))
    _put_marks(rng, log_light, free, frame)
    put_hair(rng, log_light, look, px_per_mm=frame.px_per_mm)
    log_light += light.log_strength[:, :, None]
    log_light += np.asarray(rng.normal(0, 0.012, 3), np.float32)  # of the white balance
    return expose(rng, log_light, noise=look.noise), outlines, tuple(regions)


def _draw_size(rng: np.random.Generator, condition: SkinCondition, frame: _Frame) -> float:
    low, high = np.log(condition.size_mm)
    size = float(np.exp(rng.uniform(low, high))) * frame.px_per_mm
    return min(max(size, _LEAST_SIDE_PX), _MOST_SHARE * min(frame.width, frame.height))


def _find_place(
    rng: np.random.Generator, free: NDArray[np.bool_], body: Plane, regions: list[SimulatedRegion]
) -> tuple[int, int] | None:
    """Left and top of a region's plane where it lies on free skin, whole; None where there is no room.

    The first one is near the middle, where whoever takes the picture puts it, the next ones mostly beside it.
    """
    rows, columns = np.nonzero(body >= 0.5)
    middle_x, middle_y = (columns.min() + columns.max() + 1) / 2, (rows.min() + rows.max() + 1) / 2
    radius = max(np.ptp(columns), np.ptp(rows)) / 2
    height, width = free.shape
    for attempt in range(_N_ATTEMPTS):
        if regions and rng.random() < 0.7:
            peer = regions[int(rng.integers(len(regions)))].box
            angle = rng.uniform(0, 2 * np.pi)
            away = radius + max(peer.width, peer.height) / 2 * rng.uniform(1.05, 1.6)
            x, y = peer.center[0] + away * np.cos(angle), peer.center[1] + away * np.sin(angle)
        else:
            spread = 0.12 + 0.03 * attempt
            x, y = width * (0.5 + rng.normal(0, spread)), height * (0.5 + rng.normal(0, spread))
        left, top = int(x - middle_x), int(y - middle_y)
        at_rows, at_columns = rows + top, columns + left
        is_inside = at_rows.min() >= 2 and at_columns.min() >= 2
        is_inside = is_inside and at_rows.max() < height - 2 and at_columns.max() < width - 2
        if is_inside and free[at_rows, at_columns].all():
            return left, top
    return None


def _outline(
    outlines: NDArray[np.uint8], free: NDArray[np.bool_], body: Plane, corner: tuple[int, int], number: int
) -> Box:
    """Enter a region that was drawn; return its box."""
    rows, columns = np.nonzero(body >= 0.5)
    rows, columns = rows + corner[1], columns + corner[0]
    outlines[rows, columns] = number
    box = Box(float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1))
    gap = 4  # so that no two boxes touch, nor does anything lie on a border
    free[max(0, int(box.y0) - gap) : int(box.y1) + gap, max(0, int(box.x0) - gap) : int(box.x1) + gap] = False
    return box


def _put_marks(rng: np.random.Generator, log_light: Plane, free: NDArray[np.bool_], frame: _Frame) -> None:
    """Ink dots and a sticker where there is room for them."""
    kinds = ["ink"] * (int(rng.integers(1, 4)) if rng.random() < 0.15 else 0) + ["sticker"] * int(rng.random() < 0.1)
    for kind in kinds:
        radius = frame.px_per_mm * (rng.uniform(0.8, 1.6) if kind == "ink" else rng.uniform(4, 7))
        room = cv2.distanceTransform(np.asarray(free, np.uint8), cv2.DIST_L2, 3)
        rows, columns = np.nonzero(room > radius + 3)
        if not len(rows):
            continue
        place = int(rng.integers(len(rows)))
        at = (float(columns[place]), float(rows[place]))
        if kind == "ink":
            free &= ~put_ink(log_light, at=at, radius_px=radius)
        else:
            free &= ~put_sticker(rng, log_light, at=at, radius_px=radius)
