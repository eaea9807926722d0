"""What one setting of the augmentation does: a patch at its lowest, middle and highest value, all others at rest.

Works on any field of the two groups of augmentations, by its bounds; nothing about a single field is written here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.imaging import ImageArray
from synthstudio.core.patches.bank import PatchBank
from synthstudio.core.patches.ranking import PatchOrder, score_patches
from synthstudio.core.synthesis.augmentation import N_AUGMENTATION_NUMBERS
from synthstudio.core.synthesis.composer import Composer
from synthstudio.core.synthesis.looks import N_LOOK_NUMBERS, draw_look
from synthstudio.core.synthesis.placing import PlannedObject
from synthstudio.core.synthesis.plan import FRESH, CompositePlan, patches_by_class
from synthstudio.domain.records import Role
from synthstudio.settings.compose import CompositionSettings
from synthstudio.settings.schema import SettingSpec, SettingValue, setting_specs

GROUPS = ("patch", "image")
"""Names of the groups of augmentations within the composition."""
ROOM = 1.7  # side of the picture against that of the patch
MIN_SIDE_PX, MAX_SIDE_PX = 48, 320
N_CANDIDATES = 40
MIN_EFFECT = 0.25  # part of the greatest effect from which another draw is worth showing
MIN_DIFFERENCE = 0.4  # mean difference in grey levels from which two draws are not the same
MAX_DRAWS = 2
NEARLY_ONE = 1.0 - 2.0**-24


@dataclass(frozen=True, slots=True, eq=False)
class Extremes:
    """Pictures of one setting.

    Attributes:
        values: Of the setting, from left to right.
        rows: For each draw, one picture `(side, side, 3)` uint8 RGB for each value; the draw of most effect first.
    """

    values: tuple[SettingValue, ...]
    rows: tuple[tuple[ImageArray, ...], ...] = field(repr=False)


def is_augmentation(spec: SettingSpec) -> bool:
    """Whether a setting of the composition, or of what holds one, belongs to its augmentations."""
    is_inside = len(spec.path) >= 2 and spec.path[-2] in GROUPS
    return is_inside and bool(extreme_values(spec))


def extreme_values(spec: SettingSpec) -> tuple[SettingValue, ...]:
    """Lowest, middle and highest value of a setting, or all of them; empty where it has no such thing."""
    match spec.kind:
        case "bool":
            return False, True
        case "choice":
            return spec.choices
        case "int" | "float" if spec.minimum is not None and spec.maximum is not None:
            middle = (spec.minimum + spec.maximum) / 2
            values = (spec.minimum, middle, spec.maximum)
            return tuple(round(each) for each in values) if spec.kind == "int" else values
        case _:
            return ()


def draw_extremes(bank: PatchBank, settings: CompositionSettings, spec: SettingSpec) -> Extremes:
    """Draw a good patch of the bank at the extremes of one augmentation.

    A jitter goes more than one way, so that several draws are looked at, and those are kept of which most is seen.

    Args:
        bank: Patches; one of them is chosen.
        settings: Which classes are composed, canvas, blending and shape are taken from these.
        spec: An augmentation, see `is_augmentation`.

    Raises:
        UserError: No chosen class has a patch, or a class name is unknown.
    """
    number = choose_patch(bank, settings)
    patch = bank.patches[number]
    alone = bank.without({each.annotation_id for each in bank.patches if each.annotation_id != patch.annotation_id})
    side = min(max(math.ceil(ROOM * max(patch.width, patch.height)), MIN_SIDE_PX), MAX_SIDE_PX)
    values = extreme_values(spec)
    composer: Composer | None = None
    columns: list[list[ImageArray]] = []
    for value in values:
        at_value = _with_value(_at_rest(settings, side), spec.path[-2:], value)
        composer = Composer(alone, at_value, seed=0) if composer is None else composer.with_settings(at_value)
        columns.append([composer.render(_plan(alone, at_value, draw)) for draw in _draws()])
    rows = list(zip(*columns, strict=True))
    return Extremes(values, tuple(rows[place] for place in _most_telling(rows)))


def choose_patch(bank: PatchBank, settings: CompositionSettings) -> int:
    """Number of a patch that nothing is wrong with, among a few spread evenly.

    It is of an object class that is composed: that of most weight, where weights say how often each is drawn, and the
    commonest among equals.

    Raises:
        UserError: No chosen class has a patch, or a class name is unknown.
    """
    classes = {item.id: item for item in bank.classes}
    weights = settings.weight_by_class if settings.class_draw == "weights" else {}
    groups = [(classes[bank.patches[numbers[0]].class_id], numbers) for numbers in patches_by_class(bank, settings)]
    objects = [group for group in groups if group[0].role is Role.OBJECT]
    _, numbers = max(objects or groups, key=lambda group: (weights.get(group[0].name, 1.0), len(group[1])))
    few = numbers[:: max(1, len(numbers) // N_CANDIDATES)]
    return few[int(np.argmax(score_patches(bank, few, PatchOrder.DOUBTFUL)))]


def _at_rest(settings: CompositionSettings, side: int) -> CompositionSettings:
    """The settings with a small canvas and every augmentation at the value at which it does nothing."""
    # The emptied images may be large and show something else at each place; a smooth ground shows the effect alone.
    canvas = "matched" if settings.needs_plates else settings.canvas
    # Which classes are drawn, and how often, has chosen the patch; the only one there is needs no choice any more.
    drawn = {"classes": (), "class_draw": "uniform", "class_weights": ()}
    still = settings.model_copy(
        update={"canvas_px": side, "canvas_height_px": 0, "canvas": canvas, "render": "continuous", **drawn}
    )
    for spec in setting_specs(CompositionSettings):
        if is_augmentation(spec):
            still = _with_value(still, spec.path, extreme_values(spec)[0])
    return still


def _with_value(settings: CompositionSettings, path: Sequence[str], value: SettingValue) -> CompositionSettings:
    group: object = getattr(settings, path[0])
    values: Mapping[str, object] = group.model_dump() if hasattr(group, "model_dump") else {}
    changed = type(group)(**{**values, path[1]: value})
    return settings.model_copy(update={path[0]: changed})


def _draws() -> list[NDArray[np.float64]]:
    """Uniform numbers in [0, 1): all lowest, all highest, and mixtures of both."""
    n_numbers = N_LOOK_NUMBERS + N_AUGMENTATION_NUMBERS
    ends = [np.zeros(n_numbers), np.full(n_numbers, NEARLY_ONE)]
    mixtures = np.random.default_rng(5).integers(0, 2, (4, n_numbers)) * NEARLY_ONE
    return [*ends, *mixtures]


def _plan(bank: PatchBank, settings: CompositionSettings, draw: NDArray[np.float64]) -> CompositePlan:
    """The patch in the middle, looking as the numbers say."""
    look = draw_look(bank.patches[0], draw[:N_LOOK_NUMBERS].tolist(), settings)
    left, top = (settings.canvas_px - look.width) // 2, (settings.canvas_px - look.height) // 2
    return CompositePlan(
        index=0,
        canvas=0.5,
        grain=(0.5, 0.5),
        augmentation=tuple(draw[N_LOOK_NUMBERS:].tolist()),
        objects=(PlannedObject(0, FRESH, left, top, look, 1.0),),
        n_wanted=1,
    )


def _most_telling(rows: Sequence[Sequence[ImageArray]]) -> list[int]:
    """Places of the draws of most effect that differ from one another."""

    def difference(one: ImageArray, other: ImageArray) -> float:
        return float(np.mean(np.abs(one.astype(np.int16) - other)))

    effects = [difference(row[0], row[-1]) for row in rows]
    chosen: list[int] = []
    for place in sorted(range(len(rows)), key=lambda each: -effects[each]):
        is_new = all(difference(rows[place][-1], rows[each][-1]) >= MIN_DIFFERENCE for each in chosen)
        is_seen = effects[place] >= max(MIN_DIFFERENCE, MIN_EFFECT * max(effects))
        if not chosen or (is_seen and is_new and len(chosen) < MAX_DRAWS):
            chosen.append(place)
    return chosen
