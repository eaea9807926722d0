"""Proof that a set is what its manifest says, and that it can be made again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from synthstudio.core.imaging import read_bytes
from synthstudio.core.synthesis.composer import Composer
from synthstudio.core.synthesis.manifest import (
    HEADER_NAME,
    MANIFEST_NAME,
    ImageMaker,
    MadeImage,
    SetFiles,
    bank_digest,
    recorded_hashes,
)
from synthstudio.core.synthesis.set_header import SetHeader, read_set_header
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


class Remaker(Protocol):
    """What makes the images of a set again."""

    def find_differences(self, header: SetHeader) -> Iterator[Finding]:
        """Reasons why the images could not come out the same."""

    def remake(self, entry: Mapping[str, object], files: SetFiles, index: int) -> MadeImage:
        """Make an image again, from its line of the manifest where it needs it.

        Raises:
            UserError: It cannot be made.
            ValueError, TypeError, KeyError: The line is damaged.
        """


@dataclass(frozen=True, slots=True)
class _Recomposer:
    """Composes again."""

    composer: Composer

    def find_differences(self, header: SetHeader) -> Iterator[Finding]:
        yield from version_differences(header, {"opencv": cv2.__version__, "numpy": np.__version__})
        if header.values.get("patches_sha256") != bank_digest(self.composer.bank):
            yield Finding(
                HEADER_NAME, "the patches have changed since: annotations, images or classes are not the same"
            )

    def remake(self, entry: Mapping[str, object], files: SetFiles, index: int) -> MadeImage:
        return ImageMaker(self.composer, files).make(index)


def version_differences(header: SetHeader, versions: Mapping[str, str]) -> Iterator[Finding]:
    """Name what the set was made with another version of than those of today."""
    found = header.values.get("versions")
    then = found if isinstance(found, dict) else {}
    for name, now in versions.items():
        if then.get(name) != now:
            yield Finding(HEADER_NAME, f"made with {name} {then.get(name)}, checked with {now}: bytes may differ")


def verify_set(
    folder: Path,
    composer: Composer | Remaker | None = None,
    *,
    manifest_sha256: str = "",
    tick: Tick = no_tick,
) -> list[Finding]:
    """Check every file of a set; an empty list means that all is well.

    Args:
        folder: Folder of the set.
        composer: What makes each image again to compare its bytes; None compares with the manifest only.
        manifest_sha256: What the project remembers of the manifest, where it does.
        tick: Called once per image.

    Raises:
        UserError: The folder, its header or its manifest cannot be read at all.
    """
    header = read_set_header(folder)
    data = read_bytes(folder / MANIFEST_NAME)
    findings = list(_check_manifest(header.values, data, manifest_sha256))
    maker = _Recomposer(composer) if isinstance(composer, Composer) else composer
    if maker is not None:
        findings += maker.find_differences(header)
    lines = data.decode("utf-8", errors="replace").splitlines()
    indices = range(header.first_index, header.first_index + len(lines))
    files = header.files
    findings += _check_count(folder, header.values, files, indices)
    for done, (index, line) in enumerate(zip(indices, lines, strict=True)):
        tick(done, len(lines))
        findings += _check_image(folder, files, index, line, maker)
    tick(len(lines), len(lines))
    return findings


def _check_manifest(header: Mapping[str, object], data: bytes, remembered: str) -> Iterator[Finding]:
    found = hashlib.sha256(data).hexdigest()
    if found != header.get("manifest_sha256"):
        yield Finding(MANIFEST_NAME, "the manifest was changed: its hash is not the one in the header")
    if remembered and found != remembered:
        yield Finding(MANIFEST_NAME, "the manifest is not the one that the project remembers")


def _check_count(folder: Path, header: Mapping[str, object], files: SetFiles, indices: range) -> Iterator[Finding]:
    if header.get("n_images") != len(indices):
        yield Finding(MANIFEST_NAME, f"{len(indices)} lines for {header.get('n_images')} images")
    expected = {name for index in indices for name in files.names(index)} | {HEADER_NAME, MANIFEST_NAME}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not (name in expected or (path.is_dir() and name in files.folders)):
            yield Finding(name, "does not belong to the set")


def _check_image(folder: Path, files: SetFiles, index: int, line: str, maker: Remaker | None) -> Iterator[Finding]:
    entry, recorded = None, None
    try:
        entry = json.loads(line)
        recorded = recorded_hashes(entry, files, index)
    except ValueError:
        pass
    if recorded is None:
        yield Finding(MANIFEST_NAME, f"the line of image {index} is damaged", index)
    made = None
    if maker is not None:
        try:
            made = maker.remake(entry if isinstance(entry, dict) else {}, files, index)
        except UserError as error:
            yield Finding(MANIFEST_NAME, f"image {index} cannot be made again: {error.message}", index)
        except (ValueError, TypeError, KeyError):
            yield Finding(MANIFEST_NAME, f"the line of image {index} does not tell how it was made", index)
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
