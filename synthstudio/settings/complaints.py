"""What is wrong with the value of a setting, in the user's words: the middle of a sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

NAME_RULE = "a name begins with a letter or a digit and goes on with letters, digits, points, dashes and underscores"
"""In place of a regular expression: every text that has one is the name of something, and such a name always fits."""
_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "greater_than_equal": "it must be {ge} or more",
        "greater_than": "it must be more than {gt}",
        "less_than_equal": "it must be {le} or less",
        "less_than": "it must be less than {lt}",
        "finite_number": "it must be a finite number",
        "int_type": "it must be a whole number",
        "int_parsing": "it must be a whole number",
        "int_from_float": "it must be a whole number",
        "float_type": "it must be a number",
        "float_parsing": "it must be a number",
        "bool_type": "it must be true or false",
        "bool_parsing": "it must be true or false",
        "string_type": "it must be a text",
        "string_too_long": "it must have {max_length} characters or fewer",
        "string_pattern_mismatch": NAME_RULE,
        "tuple_type": "it must be a list",
        "list_type": "it must be a list",
        "dict_type": "it must be a group of settings",
        "model_type": "it must be a group of settings",
        "too_short": "name at least {min_length}",
        "too_long": "name at most {max_length}",
        "literal_error": "it must be {expected}",
        "enum": "it must be {expected}",
        "multiple_of": "it must be a multiple of {multiple_of}",
        "missing": "it is missing",
        "extra_forbidden": "there is no such setting",
    }
)
"""Type of a validation error of pydantic -> words, with what its context tells."""


@dataclass(frozen=True, slots=True)
class Wording:
    """How settings are spoken of where they were written: in a recipe, or as flags.

    Attributes:
        named: Words for a setting, by its dotted path, and its wrong value.
        hint: What to do next, from the paths of all that is wrong.
    """

    named: Callable[[str, object], str]
    hint: Callable[[Sequence[str]], str]


RECIPE_WORDING = Wording(
    named=lambda place, value: f"{place} = {value!r}", hint=lambda _places: "Mend these settings and start again."
)


def complaint(error: ErrorDetails) -> str:
    """Word one error of a `pydantic.ValidationError`; what a validator of ours says is taken as it is."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "string_too_short":
        least = context["min_length"]
        return "it must not be empty" if least == 1 else f"it must have {least} characters or more"
    if kind in _WORDS:
        numbers = {name: f"{value:g}" for name, value in context.items() if isinstance(value, float)}
        return _WORDS[kind].format(**context | numbers)
    text = error["msg"].removeprefix("Value error, ")
    return text[:1].lower() + text[1:]
