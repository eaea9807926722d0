"""Settings of several runs side by side: each by its dotted name, and which of them are not the same in all."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence

from synthstudio.domain.errors import UserError
from synthstudio.settings.recipe import settings_from_toml

Flat = Mapping[str, object]


def flat_settings(settings_json: str) -> dict[str, object]:
    """All settings of a run by their dotted name; those that an earlier version did not have with today's defaults."""
    values: object = json.loads(settings_json)
    if isinstance(values, dict):
        with contextlib.suppress(UserError):  # of a version that this one cannot read: it is shown as it is
            values = settings_from_toml(values, origin="a run").model_dump(mode="json", exclude_none=True)
    flat: dict[str, object] = {}
    _flatten(values, "", flat)
    return flat


def differing_names(flats: Sequence[Flat]) -> list[str]:
    """Names of the settings that are not the same in all, in the order of their declaration."""
    names = dict.fromkeys(name for flat in flats for name in flat)
    return [name for name in names if len({json.dumps(flat.get(name)) for flat in flats}) > 1]


def _flatten(values: object, prefix: str, flat: dict[str, object]) -> None:
    if isinstance(values, dict):
        for name, value in values.items():
            _flatten(value, f"{prefix}{name}.", flat)
    else:
        flat[prefix.rstrip(".")] = values
