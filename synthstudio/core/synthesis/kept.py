"""Sets that grow image by image: what somebody has seen in the map editor or a sweep, and kept.

Files are written first, then the manifest, then the header, each aside and renamed. What a killed program leaves in
between is known by the hash in the header, and written over by the next image.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from synthstudio.core.imaging import read_bytes, translate_os_error, write_bytes_atomically
from synthstudio.core.synthesis.generated import GeneratedFacts, GeneratedImage, encode_generated, generated_header
from synthstudio.core.synthesis.manifest import HEADER_NAME, MANIFEST_NAME, SetFiles
from synthstudio.core.synthesis.origins import MapOrigin
from synthstudio.core.synthesis.set_header import SetHeader, read_set_header
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import Generator

KEPT_SETTINGS: Mapping[str, object] = {"kind": "kept"}
"""Stand in the header, and in the project's record, where a job would have its settings."""
FILES = SetFiles("png", 95, has_maps=True)


@dataclass(frozen=True, slots=True)
class KeptSet:
    """What a set of kept images has come to: their number, and the SHA-256 of the manifest."""

    n_images: int
    sha256: str


def append_images(folder: Path, images: Sequence[tuple[GeneratedImage, MapOrigin]]) -> KeptSet:
    """Add images to a set of kept ones, which is made where there is none.

    Raises:
        UserError: The set was written by a job, has images of another size or other files, was changed by another
            program, or cannot be written.
    """
    known = _read(folder) if folder.exists() else None
    lines, generators = (known.lines, dict(known.header.generators)) if known is not None else ([], {})
    kinds = {Generator(str(entry["generator"])) for entry in generators.values()} | {
        each.generator for _, each in images
    }
    if len(kinds) > 1:
        raise UserError(
            f"Images of the set {folder.name} would be made by a GAN and by a diffusion model.",
            "Keep those of each in a set of their own.",
        )
    sides = {origin.side for _, origin in images} | ({known.side} if known is not None else set())
    if len(sides) > 1:
        raise UserError(
            f"The images of the set {folder.name} have another size than the new ones: {_words(sides)} px.",
            "Keep images of each size in a set of their own.",
        )
    lines, start = list(lines), len(lines)
    try:
        for name in FILES.folders:
            (folder / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise translate_os_error(error, folder) from error
    for index, (made, origin) in enumerate(images, start):
        encoded = encode_generated(made, origin, FILES, index)
        for name, data in encoded.files.items():
            write_bytes_atomically(folder / name, data)
        lines.append(f"{encoded.line}\n".encode())
        generators[origin.key] = _checked(origin.to_json(), generators.get(origin.key), folder)
    return _write(folder, lines, generators, side=sides.pop())


def remove_last_images(folder: Path, n_images: int) -> KeptSet:
    """Take back the images that were added last; a set without images is deleted.

    Raises:
        UserError: As `append_images`; or there are not as many.
    """
    known = _read(folder)
    if n_images > len(known.lines):
        raise UserError(f"The set {folder.name} has only {len(known.lines)} images.", "Nothing was taken back.")
    n_left = len(known.lines) - n_images
    try:
        if not n_left:
            shutil.rmtree(folder)
            return KeptSet(0, "")
        kept = _write(folder, known.lines[:n_left], known.header.generators, side=known.side)
        for index in range(n_left, len(known.lines)):
            for name in FILES.names(index):
                (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise translate_os_error(error, folder) from error
    return kept


@dataclass(frozen=True, slots=True)
class _Known:
    header: SetHeader
    lines: list[bytes]
    side: int


def _read(folder: Path) -> _Known:
    header = read_set_header(folder)
    if header.values.get("settings") != KEPT_SETTINGS or header.size is None:
        raise UserError(
            f"The set {folder.name} was written by a job, from its settings alone; nothing can be added to it.",
            "Choose another name.",
        )
    n_images = header.values.get("n_images")
    lines = read_bytes(folder / MANIFEST_NAME).splitlines(keepends=True)
    lines = lines[: n_images if isinstance(n_images, int) else 0]
    if hashlib.sha256(b"".join(lines)).hexdigest() != header.values.get("manifest_sha256"):
        raise UserError(f"The manifest of the set {folder.name} was changed by another program.", "Verify the set.")
    return _Known(header, lines, header.size[0])


def _checked(entry: dict[str, object], former: object, folder: Path) -> dict[str, object]:
    """The entry of a generator, where it is still the one that made the former images."""
    if former is not None and former != entry:
        raise UserError(
            f"The generator has been trained further since the first images of the set {folder.name} were kept.",
            "Keep its images in another set.",
        )
    return entry


def _write(
    folder: Path, lines: Sequence[bytes], generators: Mapping[str, Mapping[str, object]], *, side: int
) -> KeptSet:
    manifest = b"".join(lines)
    sha256 = hashlib.sha256(manifest).hexdigest()
    write_bytes_atomically(folder / MANIFEST_NAME, manifest)
    facts = GeneratedFacts(
        files=FILES,
        side=side,
        classes=_classes(generators),
        settings=KEPT_SETTINGS,
        project_state="",
        provider="",
        versions={"opencv": cv2.__version__, "numpy": np.__version__},
        generator=next(Generator(str(entry["generator"])) for entry in generators.values()),
    )
    header = generated_header(facts, generators, indices=range(len(lines)), manifest_sha256=sha256)
    write_bytes_atomically(folder / HEADER_NAME, header)
    return KeptSet(len(lines), sha256)


def _classes(generators: Mapping[str, Mapping[str, object]]) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for entry in generators.values():
        found = entry.get("classes")
        names |= dict.fromkeys(str(each) for each in found) if isinstance(found, list) else {}
    return tuple(names)


def _words(sides: set[int]) -> str:
    return " and ".join(str(side) for side in sorted(sides))
