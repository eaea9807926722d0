"""Walks a settings model into rows from which forms, flags and the manual are made."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from synthstudio.settings.base import JobSettings, SettingsGroup, Tier

SettingKind = Literal["bool", "int", "float", "text", "choice", "list", "lines"]
SettingValue = bool | int | float | str | tuple[str | int | float, ...] | None


@dataclass(frozen=True, slots=True)
class SettingSpec:
    """One setting.

    Attributes:
        path: Place in the model, for example ("composition", "canvas_px").
        kind: Which control edits it; "lines" is a list of long entries.
        default: Its default; None for an optional setting that is unset, or one that must be given.
        required: It has no default.
        optional: None is allowed and means "unset".
        minimum, maximum: Inclusive bounds, None where open.
        choices: Allowed values of a choice, or what a text may hold among other things.
        unit: "px", "um", "s", "%" or "".
        title: Short label.
        help: Full sentences.
        zero: What 0 means, where it is no quantity: "as trained".
    """

    path: tuple[str, ...]
    kind: SettingKind
    default: SettingValue
    required: bool
    optional: bool
    minimum: float | None
    maximum: float | None
    choices: tuple[str, ...]
    unit: str
    tier: Tier
    title: str
    help: str
    group: str
    zero: str = ""

    @property
    def name(self) -> str:
        """The path as one word, for example `composition.canvas_px`."""
        return ".".join(self.path)


def setting_specs(model: type[BaseModel]) -> tuple[SettingSpec, ...]:
    """Return all settings of a model in the order of their declaration; `kind` is left out."""
    return tuple(_walk(model, (), ""))


def _walk(model: type[BaseModel], prefix: tuple[str, ...], group: str) -> Iterator[SettingSpec]:
    for name, info in model.model_fields.items():
        if name == "kind":
            continue
        annotation, optional = _without_none(info.annotation)
        path = (*prefix, name)
        if isinstance(annotation, type) and issubclass(annotation, SettingsGroup):
            title = info.title or _words(name)
            if group and issubclass(model, JobSettings):  # a job inside a plan: its groups have names like its twin's
                title = f"{group}: {title[:1].lower()}{title[1:]}"
            inner = _walk(annotation, path, title)
            left_out = {(*path, each) for each in _left_out(info)}
            yield from (spec for spec in inner if spec.path not in left_out)
        else:
            yield _spec(path, info, annotation=annotation, optional=optional, group=group)


def _left_out(info: FieldInfo) -> tuple[str, ...]:
    """Settings of a group that follow from others, and so are nobody's to choose."""
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, Mapping) else {}
    names = extra.get("leave_out", ())
    return tuple(str(name) for name in names) if isinstance(names, tuple | list) else ()


def _spec(path: tuple[str, ...], info: FieldInfo, *, annotation: object, optional: bool, group: str) -> SettingSpec:
    kind, choices = _kind(annotation)
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, Mapping) else {}
    if kind == "list" and extra.get("entries") == "lines":
        kind = "lines"
    suggestions = extra.get("suggestions", ())
    if kind == "text" and isinstance(suggestions, list | tuple):
        choices = tuple(str(each) for each in suggestions)
    default = None if info.is_required() else info.get_default(call_default_factory=True)
    if isinstance(default, Enum):
        default = default.value
    return SettingSpec(
        path=path,
        kind=kind,
        default=default,
        required=info.is_required(),
        optional=optional,
        minimum=_bound(info, lower=True),
        maximum=_bound(info, lower=False),
        choices=choices,
        unit=str(extra.get("unit", "")),
        tier="basic" if extra.get("tier") == "basic" else "advanced",
        title=info.title or _words(path[-1]),
        help=" ".join((info.description or "").split()),
        group=group,
        zero=str(extra.get("zero", "")),
    )


def _without_none(annotation: object) -> tuple[object, bool]:
    """Strip `Annotated` and `| None`; tell whether None was allowed."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        inner = [each for each in get_args(annotation) if each is not types.NoneType]
        if len(inner) == 1:
            return _without_none(inner[0])[0], True
    return annotation, False


def _kind(annotation: object) -> tuple[SettingKind, tuple[str, ...]]:
    if get_origin(annotation) is Literal:
        return "choice", tuple(str(each) for each in get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return "choice", tuple(str(each.value) for each in annotation)
    if get_origin(annotation) in (tuple, list, frozenset):
        return "list", ()
    plain: dict[object, SettingKind] = {bool: "bool", int: "int", float: "float", str: "text"}
    try:
        return plain[annotation], ()
    except KeyError:
        raise TypeError(f"A setting of type {annotation} has no control") from None


def _bound(info: FieldInfo, *, lower: bool) -> float | None:
    for each in info.metadata:
        if lower and isinstance(each, annotated_types.Ge | annotated_types.Gt):
            return float(str(each.ge if isinstance(each, annotated_types.Ge) else each.gt))
        if not lower and isinstance(each, annotated_types.Le | annotated_types.Lt):
            return float(str(each.le if isinstance(each, annotated_types.Le) else each.lt))
    return None


def _words(name: str) -> str:
    for suffix in ("_px", "_um", "_s", "_bytes"):
        name = name.removesuffix(suffix)
    return name.replace("_", " ").capitalize()
