"""YAML as strangers' data sets bring it: texts, lists and maps of texts, and nothing that can grow or execute."""

from __future__ import annotations

from dataclasses import dataclass, field

import yaml
from typing_extensions import override

YamlValue = str | list[str] | dict[str, str]


@dataclass(slots=True)
class YamlDocument:
    """The top level of a document, and where it could not be understood: (line, words)."""

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


class _TextLoader(yaml.BaseLoader):
    """Every scalar stays a text: a class called "no" or "1e3" keeps its name. References are refused: they can grow."""

    @override
    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # the stubs lack it
            raise yaml.composer.ComposerError(None, None, "references are not read", mark)
        return super().compose_node(parent, index)


def parse_yaml(text: str) -> YamlDocument:
    """Return the top-level keys of the first document; what is deeper than a list or a map of texts is left out."""
    try:
        content = next(yaml.load_all(text, Loader=_TextLoader), None)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else 1
        return YamlDocument(problems=[(line, f"is not valid YAML: {error.problem}")])
    except yaml.YAMLError:
        return YamlDocument(problems=[(1, "is not valid YAML: it holds characters that no text has")])
    except RecursionError:
        return YamlDocument(problems=[(1, "is nested too deeply")])
    except (TypeError, ValueError, OverflowError):
        # The parser's own: a list as a key, or an escape beyond the last character, as "\UFFFFFFFF".
        return YamlDocument(problems=[(1, "is not valid YAML: a key or a number in it means nothing")])
    if not isinstance(content, dict):
        return YamlDocument()
    return YamlDocument({key: _plain(value) for key, value in content.items()})


def _plain(value: object) -> YamlValue:
    if isinstance(value, list):
        return [each for each in value if isinstance(each, str)]
    if isinstance(value, dict):
        return {key: each for key, each in value.items() if isinstance(each, str)}
    return str(value)


def _number_of(name: str) -> tuple[int, str]:
    return (int(name), "") if name.isascii() and name.isdecimal() and len(name) < 10 else (10**9, name)
