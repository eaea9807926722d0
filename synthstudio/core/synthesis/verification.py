"""Proof that a set is what its manifest says, and that it can be made again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from synthstudio.core.imaging import encode_png, read_bytes
from synthstudio.core.synthesis.composer import Composer
from synthstudio.core.synthesis.manifest import (
    HEADER_NAME,
    IMAGES_FOLDER,
    MANIFEST_NAME,
    bank_digest,
    image_name,
    manifest_line,
)
from synthstudio.domain.errors import UserError
from synthstudio.domain.progress import Tick, no_tick


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with a set: in which file of it, for which image (None: the set as a whole), and what."""

    file: str
    message: str
    index: int | None = None

    def __str__(self) -> str:
        return f"{self.file}: {self.message}"


def verify_set(
    folder: Path,
    composer: Composer | None = None,
    *,
    manifest_sha256: str = "",
    tick: Tick = no_tick,
) -> list[Finding]:
    """Check every file of a set; an empty list means that all is well.

    Args:
        folder: Folder of the set.
        composer: Makes each image again to compare its bytes; None compares with the manifest only.
        manifest_sha256: What the project remembers of the manifest, where it does.
        tick: Called once per image.

    Raises:
        UserError: The folder, its header or its manifest cannot be read at all.
    """
    header = _read_header(folder)
    data = read_bytes(folder / MANIFEST_NAME)
    findings = list(_check_manifest(header, data, manifest_sha256))
    if composer is not None:
        findings += _check_makers(header, composer)
    lines = data.decode("utf-8", errors="replace").splitlines()
    first = header.get("first_index", 0)
    indices = range(first, first + len(lines)) if isinstance(first, int) else range(len(lines))
    findings += _check_count(folder, header, indices)
    for done, (index, line) in enumerate(zip(indices, lines, strict=True)):
        tick(done, len(lines))
        findings += _check_image(folder, index, line, composer)
    tick(len(lines), len(lines))
    return findings


def _read_header(folder: Path) -> dict[str, object]:
    path = folder / HEADER_NAME
    try:
        header = json.loads(read_bytes(path))
    except ValueError as error:
        raise UserError(f"{path} is damaged: {error}.", "Write the set again.") from error
    if not isinstance(header, dict):
        raise UserError(f"{path} is damaged: it holds no set header.", "Write the set again.")
    return header


def _check_manifest(header: dict[str, object], data: bytes, remembered: str) -> Iterator[Finding]:
    found = hashlib.sha256(data).hexdigest()
    if found != header.get("manifest_sha256"):
        yield Finding(MANIFEST_NAME, "the manifest was changed: its hash is not the one in the header")
    if remembered and found != remembered:
        yield Finding(MANIFEST_NAME, "the manifest is not the one that the project remembers")


def _check_makers(header: dict[str, object], composer: Composer) -> Iterator[Finding]:
    """Reasons why the images could not come out the same."""
    versions = header.get("versions")
    then = versions if isinstance(versions, dict) else {}
    for name, now in (("opencv", cv2.__version__), ("numpy", np.__version__)):
        if then.get(name) != now:
            yield Finding(HEADER_NAME, f"made with {name} {then.get(name)}, checked with {now}: bytes may differ")
    if header.get("patches_sha256") != bank_digest(composer.bank):
        yield Finding(HEADER_NAME, "the patches have changed since: annotations, images or classes are not the same")


def _check_count(folder: Path, header: dict[str, object], indices: range) -> Iterator[Finding]:
    if header.get("n_images") != len(indices):
        yield Finding(MANIFEST_NAME, f"{len(indices)} lines for {header.get('n_images')} images")
    expected = {image_name(index) for index in indices} | {HEADER_NAME, MANIFEST_NAME}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not (name in expected or (path.is_dir() and name == IMAGES_FOLDER)):
            yield Finding(name, "does not belong to the set")


def _check_image(folder: Path, index: int, line: str, composer: Composer | None) -> Iterator[Finding]:
    name = image_name(index)
    recorded = _recorded_hash(line, index)
    if recorded is None:
        yield Finding(MANIFEST_NAME, f"the line of image {index} is damaged", index)
    try:
        found = hashlib.sha256(read_bytes(folder / name)).hexdigest()
    except UserError as error:
        yield Finding(name, f"cannot be read: {error.message}", index)
        return
    if recorded is not None and found != recorded:
        yield Finding(name, "the image was changed: its hash is not the one in the manifest", index)
    if composer is not None:
        composite = composer.compose(index)
        made = hashlib.sha256(encode_png(composite.image)).hexdigest()
        if made != found:
            yield Finding(name, "made again, the image comes out different", index)
        if manifest_line(composer, composite, sha256=made) != line:
            yield Finding(MANIFEST_NAME, f"made again, the line of image {index} comes out different", index)


def _recorded_hash(line: str, index: int) -> str | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    if not isinstance(entry, dict) or entry.get("index") != index or entry.get("file") != image_name(index):
        return None
    sha256 = entry.get("sha256")
    return sha256 if isinstance(sha256, str) else None
