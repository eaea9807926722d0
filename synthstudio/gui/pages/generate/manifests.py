"""Reads pages of a written set for the browser, and proves a set. Pure; runs in the background."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from synthstudio.client.remaking import REMADE, open_remaker
from synthstudio.core.imaging import read_image
from synthstudio.core.synthesis.manifest import MANIFEST_NAME
from synthstudio.core.synthesis.verification import Finding, verify_set
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import AnnotationId, FovId
from synthstudio.domain.os_errors import translate_os_error
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import SyntheticSet
from synthstudio.gui.widgets.image_grid import GridBox, GridImage, to_qimage
from synthstudio.project import Project

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
    path = folder / MANIFEST_NAME
    try:
        with path.open(encoding="utf-8") as manifest:
            lines = list(itertools.islice(manifest, first, first + count))
    except OSError as error:
        raise translate_os_error(error, path) from error
    except UnicodeDecodeError as error:
        raise UserError(f"The manifest of the set {folder.name} is damaged.", "Verify the set.") from error
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
                source=_source(item["fov"], item["annotation"]),
            )
            for item in entry["objects"]
        )
        path, caption = folder / entry["file"], _caption(entry["labels"], entry.get("tone"))
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"Line {number + 1} of the manifest of the set {folder.name} is damaged.", "Verify the set."
        ) from error
    return GridImage(to_qimage(read_image(path)), boxes, caption)


def _caption(labels: Sequence[str], tone: str | None) -> str:
    words = ", ".join(labels)
    return f"{words} · tone {tone}" if tone else words


def _source(fov: int | None, annotation: int | None) -> tuple[FovId, AnnotationId] | None:
    """What a pasted object was cut from; an object that a GAN made has no such thing."""
    return (FovId(fov), AnnotationId(annotation)) if fov is not None and annotation is not None else None


def _box(
    corners: tuple[float, float, float, float],
    color: str,
    *,
    has_label: bool,
    source: tuple[FovId, AnnotationId] | None,
) -> GridBox:
    x0, y0, x1, y1 = (float(each) for each in corners)
    return GridBox(x0, y0, x1, y1, color, is_quiet=not has_label, source=source)


@dataclass(frozen=True, slots=True)
class Proof:
    """What is wrong with a set, and in words whether its images were made again to find that out."""

    findings: tuple[Finding, ...]
    remade: str

    @property
    def is_remade(self) -> bool:
        return self.remade == REMADE


def prove_set(project: Project, item: SyntheticSet, tick: Tick) -> Proof:
    """Compare a set with its manifest, and make every image again where that can be.

    Raises:
        UserError: The set cannot be read.
    """
    with open_remaker(project, item) as (maker, remade):
        findings = verify_set(project.set_folder(item.name), maker, manifest_sha256=item.manifest_sha256, tick=tick)
    return Proof(tuple(findings), remade)
