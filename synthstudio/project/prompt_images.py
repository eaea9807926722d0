"""The images of a set that were made from prompts, while it is being written and afterwards."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from synthstudio.core.imaging import read_bytes
from synthstudio.core.synthesis.manifest import MANIFEST_NAME
from synthstudio.core.synthesis.set_header import read_set_header
from synthstudio.core.synthesis.sets import unfinished_folder
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import Generator
from synthstudio.project.project import Project


@dataclass(frozen=True, slots=True)
class PromptImage:
    """An image as it lies on the disk; `index` is its number in the set."""

    index: int
    prompt: str
    path: Path


@dataclass(frozen=True, slots=True)
class PromptImages:
    """What there is of a set, in the order in which it was made; `is_complete`: it is all of it."""

    images: tuple[PromptImage, ...]
    is_complete: bool

    @property
    def prompts(self) -> tuple[str, ...]:
        """Each prompt once, in the order of the images."""
        return tuple(dict.fromkeys(each.prompt for each in self.images))


def list_prompt_images(project: Project, set_name: str) -> PromptImages:
    """Return the images of a set; of one that is being written, those that are there; none where there is no set.

    Raises:
        UserError: Its manifest cannot be read, or is damaged.
    """
    folder = project.set_folder(set_name)
    is_complete = (folder / MANIFEST_NAME).is_file()
    if not is_complete:
        folder = unfinished_folder(folder)
    if not (folder / MANIFEST_NAME).is_file():
        return PromptImages((), is_complete=False)
    data = read_bytes(folder / MANIFEST_NAME)
    whole = data[: data.rfind(b"\n") + 1]  # the line that is just being written has no end yet
    try:
        images = tuple(_to_image(folder, line) for line in whole.splitlines())
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"The manifest of the set {set_name} is damaged: {error}.", "Verify the set.") from error
    return PromptImages(images, is_complete=is_complete)


def list_prompt_sets(project: Project) -> list[str]:
    """Names of the sets that were made from prompts, the newest first. Raises UserError where one is damaged."""
    made = [each.name for each in project.sets.list() if each.generator is Generator.DIFFUSION]
    return [name for name in reversed(made) if _has_prompts(project.set_folder(name))]


def _has_prompts(folder: Path) -> bool:
    entries = read_set_header(folder).generators.values()
    return any(entry.get("asked_by") == "prompts" for entry in entries)


def _to_image(folder: Path, line: bytes) -> PromptImage:
    entry = json.loads(line)
    return PromptImage(int(entry["index"]), str(entry.get("prompt", "")), folder / str(entry["file"]))
