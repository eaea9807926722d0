"""Reads pages of a written set for the browser, and proves a set. Pure; runs in the background."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from synthstudio.core.imaging import read_image
from synthstudio.core.synthesis.composer import Composer
from synthstudio.core.synthesis.manifest import MANIFEST_NAME
from synthstudio.core.synthesis.verification import Finding, verify_set
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import AnnotationId, FovId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import SyntheticSet
from synthstudio.gui.widgets.image_grid import GridBox, GridImage, to_qimage
from synthstudio.project import Project
from synthstudio.project.patches import build_project_bank
from synthstudio.settings.compose import ComposeSettings

UNKNOWN_COLOR = "#8A8A8A"


def read_page(folder: Path, *, first: int, count: int, colors: Mapping[str, str], tick: Tick) -> list[GridImage]:
    """Read images `first` to `first + count` of a set with their boxes.

    Args:
        folder: Folder of the set.
        first: Number of the first image.
        count: How many at most.
        colors: Class name -> `#RRGGBB`.
        tick: Called once per image.

    Raises:
        UserError: Manifest or image is missing or damaged.
    """
    try:
        with (folder / MANIFEST_NAME).open(encoding="utf-8") as manifest:
            lines = list(itertools.islice(manifest, first, first + count))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"The manifest of the set {folder.name} cannot be read: {error}.", "Verify the set.") from error
    images = []
    for number, line in enumerate(lines):
        tick(number, len(lines))
        images.append(_read_image(folder, line, colors, number=first + number))
    return images


def _read_image(folder: Path, line: str, colors: Mapping[str, str], *, number: int) -> GridImage:
    try:
        entry = json.loads(line)
        boxes = tuple(
            _box(
                item["box"],
                colors.get(item["class"], UNKNOWN_COLOR),
                has_label=item["labelled"],
                source=(FovId(item["fov"]), AnnotationId(item["annotation"])),
            )
            for item in entry["objects"]
        )
        path, caption = folder / entry["file"], ", ".join(entry["labels"])
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"Line {number + 1} of the manifest of the set {folder.name} is damaged.", "Verify the set."
        ) from error
    return GridImage(to_qimage(read_image(path)), boxes, caption)


def _box(
    corners: tuple[float, float, float, float], color: str, *, has_label: bool, source: tuple[FovId, AnnotationId]
) -> GridBox:
    x0, y0, x1, y1 = (float(each) for each in corners)
    return GridBox(x0, y0, x1, y1, color, is_quiet=not has_label, source=source)


@dataclass(frozen=True, slots=True)
class Proof:
    """What is wrong with a set, and whether its images were made again to find that out."""

    findings: tuple[Finding, ...]
    is_remade: bool


def prove_set(project: Project, item: SyntheticSet, tick: Tick) -> Proof:
    """Compare a set with its manifest, and make every image again where the project is as it was.

    Raises:
        UserError: The set cannot be read.
    """
    is_remade = project.training_state() == item.project_state
    composer = None
    if is_remade:
        settings = ComposeSettings.model_validate_json(item.settings_json)
        bank = build_project_bank(project, settings.patches, with_plates=settings.composition.needs_plates)
        composer = Composer(bank, settings.composition, seed=settings.seed)
    folder = project.set_folder(item.name)
    findings = verify_set(folder, composer, manifest_sha256=item.manifest_sha256, tick=tick)
    return Proof(tuple(findings), is_remade)
