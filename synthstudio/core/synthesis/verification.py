"""Proof that a set is what its manifest says, and that it can be made again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from pydantic import ValidationError

from synthstudio.core.imaging import read_bytes
from synthstudio.core.synthesis.composer import Composer
from synthstudio.core.synthesis.manifest import (
    HEADER_NAME,
    MANIFEST_NAME,
    SetFiles,
    bank_digest,
    make_image,
    recorded_hashes,
)
from synthstudio.domain.errors import UserError
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.settings.compose import ComposeSettings


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
    files = _files_of(header)
    findings += _check_count(folder, header, files, indices)
    for done, (index, line) in enumerate(zip(indices, lines, strict=True)):
        tick(done, len(lines))
        findings += _check_image(folder, files, index, line, composer)
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


def _files_of(header: dict[str, object]) -> SetFiles:
    """Which files the set says to have; images alone, as PNG, where it does not say."""
    try:
        return SetFiles.wanted_by(ComposeSettings.model_validate(header.get("settings")))
    except ValidationError:
        return SetFiles()


def _check_count(folder: Path, header: dict[str, object], files: SetFiles, indices: range) -> Iterator[Finding]:
    if header.get("n_images") != len(indices):
        yield Finding(MANIFEST_NAME, f"{len(indices)} lines for {header.get('n_images')} images")
    expected = {name for index in indices for name in files.names(index)} | {HEADER_NAME, MANIFEST_NAME}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not (name in expected or (path.is_dir() and name in files.folders)):
            yield Finding(name, "does not belong to the set")


def _check_image(folder: Path, files: SetFiles, index: int, line: str, composer: Composer | None) -> Iterator[Finding]:
    try:
        recorded = recorded_hashes(json.loads(line), files, index)
    except ValueError:
        recorded = None
    if recorded is None:
        yield Finding(MANIFEST_NAME, f"the line of image {index} is damaged", index)
    made = make_image(composer, files, index) if composer is not None else None
    for name in files.names(index):
        try:
            data = read_bytes(folder / name)
        except UserError as error:
            yield Finding(name, f"cannot be read: {error.message}", index)
            continue
        if recorded is not None and hashlib.sha256(data).hexdigest() != recorded[name]:
            yield Finding(name, "the image was changed: its hash is not the one in the manifest", index)
        if made is not None and made.files[name] != data:
            yield Finding(name, "made again, the image comes out different", index)
    if made is not None and made.line != line:
        yield Finding(MANIFEST_NAME, f"made again, the line of image {index} comes out different", index)
