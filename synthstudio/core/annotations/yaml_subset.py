"""The part of YAML in which `data.yaml` files are written: keys with a text, a list or a map of texts.

No anchors, tags or references: nothing that can grow or execute. A line that is none of this is named, and passed over.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

KEY = re.compile(r"""^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s:#\[\]{},"'&*!|>-][^:#]*?|-?\d+)\s*:(?:\s+(.*))?$""")
ITEM = re.compile(r"^-(?:\s+(.*))?$")
TOKEN = re.compile(
    r"""\s*("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[\[\]{},]|:(?=\s)|[^\s\[\]{},:"'](?:[^\[\]{},:]|:(?!\s))*)"""
)
BLOCK = re.compile(r":\s*[|>][-+\d]*$")
HEX_ESCAPE = re.compile(r"\\x([0-9A-Fa-f]{2})|\\U([0-9A-Fa-f]{8})")

YamlValue = str | list[str] | dict[str, str]


@dataclass(slots=True)
class YamlDocument:
    """The top level of a document, and what could not be understood, by line."""

    values: dict[str, YamlValue] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)

    def text(self, key: str) -> str:
        """Return the text of a key, or an empty one."""
        value = self.values.get(key)
        return value if isinstance(value, str) else ""

    def texts(self, key: str) -> list[str]:
        """Return the texts of a key: of a list, of a map by its numbers, or the only one."""
        value = self.values.get(key)
        if isinstance(value, dict):
            return [value[name] for name in sorted(value, key=_number_of)]
        return value if isinstance(value, list) else [value] if value else []


def _number_of(name: str) -> tuple[int, str]:
    return (int(name), "") if name.isascii() and name.isdecimal() and len(name) < 10 else (10**9, name)


def parse_yaml(text: str) -> YamlDocument:
    """Return the top-level keys of a document."""
    document = YamlDocument()
    open_key = ""
    for number, line in _join_flows(text):
        content = line.strip()
        indented = line[:1] in " \t"
        if (found := ITEM.match(content)) and open_key:
            _append(document, open_key, _scalar(found.group(1) or ""))
        elif found := KEY.match(content):
            key, value = _scalar(found.group(1)), found.group(2) or ""
            if indented and open_key:
                _put(document, open_key, key, _scalar(value))
            elif value:
                document.values[key] = _value(value)
                open_key = ""
            else:
                document.values[key] = ""
                open_key = key
        elif content not in ("---", "..."):
            document.problems.append((number, f"{content[:60]!r} is not understood; line skipped"))
    return document


def _join_flows(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines without comments; a list or map in brackets that runs over several lines is one."""
    parts: list[str] = []
    start = depth = 0
    in_block = False
    for number, raw in enumerate(text.splitlines(), start=1):
        line = _without_comment(raw)
        in_block = in_block and (not raw.strip() or raw[:1] in " \t")
        if in_block or (not parts and not line.strip()):
            continue
        start = start if parts else number
        parts.append(line.strip() if parts else line.rstrip())
        tokens = TOKEN.findall(line)
        depth += sum(token in ("[", "{") for token in tokens) - sum(token in ("]", "}") for token in tokens)
        if depth <= 0:
            # A text over several lines, as the scripts that download a data set are.
            in_block = BLOCK.search(parts[-1]) is not None
            yield start, BLOCK.sub(": ''", " ".join(parts))
            parts, depth = [], 0
    if parts:
        yield start, " ".join(parts)


def _without_comment(line: str) -> str:
    """Cut a comment off, but no `#` inside quotes or words."""
    quote = ""
    for place, letter in enumerate(line):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'" and (place == 0 or line[place - 1] in " \t[{,:"):
            quote = letter
        elif letter == "#" and (place == 0 or line[place - 1] in " \t"):
            return line[:place]
    return line


def _append(document: YamlDocument, key: str, text: str) -> None:
    known = document.values.get(key)
    if isinstance(known, list):
        known.append(text)
    else:
        document.values[key] = [text]


def _put(document: YamlDocument, key: str, name: str, text: str) -> None:
    known = document.values.get(key)
    if isinstance(known, dict):
        known[name] = text
    else:
        document.values[key] = {name: text}


def _value(text: str) -> YamlValue:
    tokens = TOKEN.findall(text)
    if not tokens or tokens[0] not in ("[", "{"):
        return _scalar(text)
    if tokens[0] == "[":
        return [_scalar(token) for token in tokens if token not in ("[", "]", ",", "{", "}", ":")]
    pairs: dict[str, str] = {}
    for place, token in enumerate(tokens):
        if token == ":" and 0 < place < len(tokens) - 1:
            pairs[_scalar(tokens[place - 1])] = _scalar(tokens[place + 1])
    return pairs


def _scalar(text: str) -> str:
    """Return a text without its quotes and escapes."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    if len(text) > 1 and text[0] == text[-1] == '"':
        plain = HEX_ESCAPE.sub(lambda found: json.dumps(_character(found))[1:-1], text)
        try:
            return str(json.loads(plain, strict=False))
        except ValueError:
            return text[1:-1]
    return text


def _character(found: "re.Match[str]") -> str:
    code = int(found.group(1) or found.group(2), 16)
    return chr(code) if code <= 0x10FFFF else "\ufffd"
