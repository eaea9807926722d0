"""Captions and prompts: one sentence of clinical detail, made of fields and taken apart into them again.

What the published recipe asks of a caption (Kularathne et al. 2024): stage, colour, size, number and place of what is
seen, an identifier that nothing else is called by, and the name of the class.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType

MAX_TOKENS = 77
"""A text encoder of the CLIP family reads so many, the two at the ends included; the rest of a caption is not seen."""

DEFAULT_VIEW = "photo"

_END_TOKENS = 2
_WORD_CHARS = 7
"""Longer words are usually several tokens of the CLIP vocabulary, as clinical ones are."""
_WORDS = re.compile(r"[^\W\d_]+|\d|[^\s\w]|_")

_FRAMES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "stage": ("in the ", " stage"),
        "color": ("", " in colour"),
        "size": ("", " in size"),
        "number": ("", " in number"),
        "place": ("on the ", ""),
    }
)
"""What stands before and after the words of a field, in the order of the sentence."""

FIELDS = tuple(_FRAMES)
"""Names of the fields that describe what is seen."""


@dataclass(frozen=True, slots=True)
class CaptionFields:
    """What is seen, field by field; a field that is empty is not spoken of.

    Attributes:
        view: What kind of picture it is: "photo", "close-up photo", "micrograph".
        stage: How far the condition has come: "pustular".
        color: "red with a yellow centre".
        size: "5 mm".
        number: "several".
        place: "back of the hand".
    """

    view: str = DEFAULT_VIEW
    stage: str = ""
    color: str = ""
    size: str = ""
    number: str = ""
    place: str = ""


def write_caption(described: CaptionFields, subject: str) -> str:
    """Return the sentence for these fields.

    Args:
        described: The fields. Commas in them become semicolons, since commas part the fields in the sentence.
        subject: Identifier and class name: `GuideSet.subject`.
    """
    tidy = tidy_fields(described)
    article = "an" if tidy.view[:1].casefold() in set("aeiou") else "a"
    parts = [" ".join(f"{article} {tidy.view} of {subject}".split())]
    for name, (before, after) in _FRAMES.items():
        if words := getattr(tidy, name):
            parts.append(f"{before}{words}{after}")
    return ", ".join(parts)


def parse_caption(caption: str, subject: str) -> CaptionFields | None:
    """Return the fields of a caption that `write_caption` wrote; None where it was written otherwise."""
    head, *parts = (part.strip() for part in " ".join(caption.split()).split(","))
    ending = " ".join(f" of {subject}".split())
    opening = re.fullmatch(rf"an? (?P<view>.+) {re.escape(ending)}", head)
    if opening is None:
        return None
    found = CaptionFields(view=opening["view"])
    for part in parts:
        name = _field_of(part)
        if name is None:
            return None
        before, after = _FRAMES[name]
        found = replace(found, **{name: part[len(before) : len(part) - len(after)]})
    # A sentence in another order, or with a field twice, would come out changed.
    return found if write_caption(found, subject) == " ".join(caption.split()) else None


def tidy_fields(described: CaptionFields) -> CaptionFields:
    """Return the fields as a sentence can hold them: one line, no commas, a kind of picture."""
    words = {
        each.name: " ".join(str(getattr(described, each.name)).replace(",", ";").split()).strip("; ")
        for each in fields(described)
    }
    return CaptionFields(**words | {"view": words["view"] or DEFAULT_VIEW})


def has_words(caption: str, words: str) -> bool:
    """Whether a caption holds these words as words, in any case of letters; empty words are always there."""
    return not words.split() or _words_pattern(words).search(caption) is not None


def with_subject(caption: str, *, old: str, new: str) -> str:
    """Return a caption with another identifier and class name where it holds the old ones as words."""
    if not old.split():
        return caption
    return _words_pattern(old).sub(lambda _: new, caption)


def estimate_tokens(caption: str) -> int:
    """About how many tokens a text encoder makes of a caption, the two at its ends included.

    The vocabulary itself belongs to the model. A common word, a digit and a mark are one token each; long words, as
    clinical ones are, are several.
    """
    return _END_TOKENS + sum(math.ceil(len(word) / _WORD_CHARS) for word in _WORDS.findall(caption))


def _words_pattern(words: str) -> re.Pattern[str]:
    pattern = r"\s+".join(re.escape(word) for word in words.split())
    return re.compile(rf"(?<!\w){pattern}(?!\w)", re.IGNORECASE)


def _field_of(part: str) -> str | None:
    """The field that a part of a sentence speaks of."""
    for name, (before, after) in _FRAMES.items():
        if part.startswith(before) and part.endswith(after) and len(part) > len(before) + len(after):
            return name
    return None
