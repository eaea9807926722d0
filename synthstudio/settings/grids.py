"""Grids of values for settings: "setting=value, value" lines, and the combinations that they stand for."""

from __future__ import annotations

import difflib
import itertools
import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ValidationError

from synthstudio.settings.complaints import complaint
from synthstudio.settings.schema import SettingSpec

Choices = tuple[tuple[str, str], ...]
"""What tells a combination from the others: (path of the setting, its value in words) pairs, in the grid's order."""


@dataclass(frozen=True, slots=True)
class GridAxis:
    """One setting, and the values to be tried for it."""

    path: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GridRules:
    """What may be varied.

    Attributes:
        model: Settings that the values become a part of.
        specs: The settings that may be varied.
        what: What they are settings of, in words.
        fixed: Further settings of the model, refused because scores at different values cannot be compared.
    """

    model: type[BaseModel]
    specs: Callable[[], Sequence[SettingSpec]]
    what: str
    fixed: Collection[str] = ()

    def read(self, lines: Sequence[str], *, at_most: int) -> tuple[GridAxis, ...]:
        """Return the axes of a grid. Raises ValueError where one cannot be read, or there are too many combinations."""
        axes = [self.parse(text) for text in lines]
        twice = {axis.path for axis in axes if sum(each.path == axis.path for each in axes) > 1}
        if twice:
            raise ValueError(f'{", ".join(sorted(twice))} stands there twice; put all its values behind one "="')
        n_found = math.prod(len(axis.values) for axis in axes)
        if n_found > at_most:
            raise ValueError(f"these are {n_found} combinations, {at_most} are allowed; try fewer values at once")
        return tuple(axes)

    def parse(self, text: str) -> GridAxis:
        """Return one axis. Raises ValueError where it cannot be read."""
        path, equals, words = text.partition("=")
        path = path.strip()
        values = tuple(dict.fromkeys(word for word in (part.strip() for part in words.split(",")) if word))
        if not equals or not values:
            raise ValueError(f'"{text}" is not of the form setting=value,value')
        if path in self.fixed:
            raise ValueError(f"{path} cannot be varied: scores at different values cannot be compared")
        known = [spec.name for spec in self.specs()]
        if path not in known:
            close = difflib.get_close_matches(path, known, n=1, cutoff=0.5)
            raise ValueError(
                f"{path} is not a setting of {self.what}" + (f" (did you mean {close[0]}?)" if close else "")
            )
        for value in values:
            self._refuse_wrong_value(path, value)
        return GridAxis(path, values)

    def _refuse_wrong_value(self, path: str, value: str) -> None:
        """Raise ValueError where a value is wrong by itself, not only in combination with others that may vary too."""
        settings: dict[str, object] = {}
        put_value(settings, path, value)
        try:
            self.model.model_validate(settings)
        except ValidationError as error:
            for each in error.errors():
                if ".".join(str(part) for part in each["loc"]) == path:
                    raise ValueError(f"{path}={value}: {complaint(each)}") from error


def combinations(axes: Sequence[GridAxis]) -> tuple[Choices, ...]:
    """Every combination of a grid, the last setting varying fastest."""
    return tuple(
        tuple(zip((axis.path for axis in axes), values, strict=True))
        for values in itertools.product(*(axis.values for axis in axes))
    )


def put_value(values: dict[str, object], path: str, value: str) -> None:
    """Put a value into nested settings, by the path of its setting."""
    *groups, name = path.split(".")
    for group in groups:
        inner = values.setdefault(group, {})
        assert isinstance(inner, dict)  # the path is that of a known setting
        values = inner
    values[name] = value


def grid_lines(specs: Sequence[SettingSpec]) -> tuple[tuple[str, str], ...]:
    """Lines that a grid may have, and words for them: a choice with all its values, a number with its default."""
    return tuple((f"{spec.name}={_values_to_try(spec)}", f"{spec.group}: {spec.title}") for spec in specs)


def _values_to_try(spec: SettingSpec) -> str:
    if spec.kind == "bool":
        return "true, false"
    if spec.kind == "choice":
        return ", ".join(spec.choices)
    return f"{spec.default:g}" if isinstance(spec.default, int | float) else str(spec.default)
