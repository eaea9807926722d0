"""Other foregrounds for patches that were cut: no image has to be read for that."""

from __future__ import annotations

import dataclasses

import numpy as np

from synthstudio.core.patches.bank import PatchBank, noise_spread
from synthstudio.core.patches.foreground import find_foreground
from synthstudio.domain.ids import ClassId
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import ObjectClass
from synthstudio.settings.compose import PatchSettings

FOREGROUND_SETTINGS = frozenset({"foreground", "foreground_by_class", "foreground_margin"})
TICK_EVERY = 32


def differ_in_foreground_alone(former: PatchSettings, settings: PatchSettings) -> bool:
    """Whether patches that were cut by `former` can be made those of `settings` by `with_foregrounds`."""
    fields = set(FOREGROUND_SETTINGS)
    return former.model_dump(exclude=fields) == settings.model_dump(exclude=fields)


def with_foregrounds(
    bank: PatchBank, former: PatchSettings, settings: PatchSettings, *, tick: Tick = no_tick
) -> PatchBank:
    """Return the bank that cutting anew with `settings` gives, to the byte.

    Args:
        bank: Cut with `former`; it stays as it is.
        former: Differ in the foreground alone.
        settings: What is wanted.
        tick: Called every few patches.
    """
    changed = {each.id for each in bank.classes if _is_changed(each, former, settings)}
    methods = {each.id: settings.foreground_of(each.name) for each in bank.classes}
    foregrounds = frozenset(class_id for class_id, method in methods.items() if method != "none")
    made = dataclasses.replace(bank, foreground_classes=foregrounds, pixels=bank.pixels.copy())
    spreads = [noise_spread(each) for each in bank.backgrounds]
    wanted = [number for number, patch in enumerate(bank.patches) if patch.class_id in changed]
    for done, number in enumerate(wanted):
        if done % TICK_EVERY == 0:
            tick(done, len(wanted))
        patch = bank.patches[number]
        made.padded_crop(number)[..., 3] = find_foreground(
            np.ascontiguousarray(bank.crop(number)),
            patch.window,
            method=methods[ClassId(patch.class_id)],
            level=bank.level,
            noise=spreads[patch.background],
            margin=settings.foreground_margin,
        )
    return made


def _is_changed(item: ObjectClass, former: PatchSettings, settings: PatchSettings) -> bool:
    method = settings.foreground_of(item.name)
    if former.foreground_of(item.name) != method:
        return True
    return method == "threshold" and former.foreground_margin != settings.foreground_margin
