"""Joining parts of a set that several machines have made, each a range of the images, into the set that one would have.

An image depends on settings, seed, its number and the project's state alone, so that the joined set has the very bytes
of one that was made at once. What the parts tell about themselves must therefore be the same, but for their ranges.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from synthstudio.core.imaging import read_bytes
from synthstudio.core.synthesis.manifest import HEADER_NAME, MANIFEST_NAME, MadeImage, SetFiles, recorded_hashes
from synthstudio.core.synthesis.set_header import SetHeader, read_set_header
from synthstudio.core.synthesis.sets import write_image_files
from synthstudio.domain.errors import UserError

Values = dict[str, object]
_OF_RANGE = frozenset({"n_images", "first_index", "manifest_sha256", "settings"})
_OF_MACHINE = frozenset({"set_name", "first_index", "count", "workers", "threads", "batch"})
"""Settings that change no image: where it lies, which ones there are, and how many are made at once."""
_WORDS = {
    "project_state": "the annotations, classes or images that they were made from are not the same",
    "patches_sha256": "the patches that they were made of are not the same",
    "generators": "what made them is not the same",
    "versions": "they were made with other versions, whose bytes may differ",
    "provider": "other processors computed them, whose bytes may differ",
    "threads": "they were made with another number of threads, whose bytes may differ",
}


@dataclass(frozen=True, slots=True)
class SetPart:
    """A part of a set, as it lies in a folder.

    Attributes:
        lines: Of its manifest, without their ends.
    """

    folder: Path
    header: SetHeader
    lines: tuple[str, ...]

    @property
    def indices(self) -> range:
        return range(self.header.first_index, self.header.first_index + len(self.lines))

    @property
    def settings(self) -> Mapping[str, object]:
        """Of the job that made it; empty where no job did."""
        found = self.header.values.get("settings")
        return found if isinstance(found, dict) else {}


def read_part(folder: Path) -> SetPart:
    """Read what a part says about itself.

    Raises:
        UserError: It is no set, is damaged, or no part of a set that could be made at once.
    """
    if not (folder / HEADER_NAME).is_file():
        raise UserError(f"{folder} holds no synthetic set.", f"Name a folder that holds a {HEADER_NAME}.")
    header, data = read_set_header(folder), read_bytes(folder / MANIFEST_NAME)
    if hashlib.sha256(data).hexdigest() != header.values.get("manifest_sha256"):
        raise UserError(f"The manifest of {folder} was changed: its hash is another one.", "Write that part again.")
    # Split as bytes: a name of a class may hold one of the characters that end a line of text, but none of a file.
    lines = tuple(line.decode("utf-8", errors="replace") for line in data.splitlines())
    part = SetPart(folder, header, lines)
    if not part.settings or not part.lines or header.enlargement != 1:
        raise UserError(
            f"The images of {folder} were kept one by one or enlarged, so that they are no range of a set.",
            "Join what compose or generate have written, and enlarge the joined set.",
        )
    return part


class JoinedSet:
    """Parts as one set: a `SetSource` that copies what is there, and checks it on the way.

    Args:
        parts: In any order.
        name: Of the joined set.

    Raises:
        UserError: There are none, images are missing or made twice, or the parts do not belong together.
    """

    def __init__(self, parts: Sequence[SetPart], *, name: str) -> None:
        if not parts:
            raise UserError("There are no parts to join.", "Name their folders.")
        self.parts = tuple(sorted(parts, key=lambda each: each.indices.start))
        first = self.parts[0]
        for before, after in zip(self.parts, self.parts[1:], strict=False):
            _check_neighbours(before, after)
            _check_alike(first, after)
        self.indices = range(first.indices.start, self.parts[-1].indices.stop)
        self.settings = _joined_settings(self.parts, name=name, n_images=len(self.indices))

    @property
    def values(self) -> Mapping[str, object]:
        """The header of the first part."""
        return self.parts[0].header.values

    @property
    def files(self) -> SetFiles:
        return self.parts[0].header.files

    def begun_bytes(self, indices: range) -> bytes:
        """The header, and the manifests of the parts."""
        hashes = [each.header.values["manifest_sha256"] for each in self.parts]
        return self.header_bytes(indices, manifest_sha256="") + json.dumps(hashes).encode()

    def header_bytes(self, indices: range, *, manifest_sha256: str) -> bytes:
        """The header that the set would have if it had been made at once."""
        header = {
            **self.values,
            "n_images": len(indices),
            "first_index": indices.start,
            "manifest_sha256": manifest_sha256,
            "settings": self.settings,
        }
        return (json.dumps(header, ensure_ascii=False, indent=2) + "\n").encode()

    def iter_lines(self, folder: Path, indices: range, *, scratch: Path) -> Generator[list[str], None, None]:
        """Copy images, each checked by its hash. Raises UserError where one is missing, damaged or has been changed."""
        for part in self.parts:
            for index, line in zip(part.indices, part.lines, strict=True):
                if index in indices:
                    write_image_files(folder, self._read(part, index, line))
                    yield [line]

    def _read(self, part: SetPart, index: int, line: str) -> MadeImage:
        try:
            hashes = recorded_hashes(json.loads(line), self.files, index)
        except ValueError:
            hashes = None
        if hashes is None:
            raise UserError(f"The line of image {index} of {part.folder} is damaged.", "Write that part again.")
        files = {}
        for name, sha256 in hashes.items():
            files[name] = read_bytes(part.folder / name)
            if hashlib.sha256(files[name]).hexdigest() != sha256:
                raise UserError(
                    f"{part.folder / name} was changed: its hash is not the one in the manifest.",
                    "Write that part again.",
                )
        return MadeImage(files, line)


def _check_neighbours(before: SetPart, after: SetPart) -> None:
    if after.indices.start < before.indices.stop:
        raise UserError(
            f"Image {after.indices.start} is in two parts: {before.folder} and {after.folder}.",
            "Give each machine a range of its own by first image and number of images.",
        )
    if after.indices.start > before.indices.stop:
        raise UserError(
            f"The images {before.indices.stop} to {after.indices.start - 1} are missing between {before.folder} and"
            f" {after.folder}.",
            "Name the part that holds them, too.",
        )


def _check_alike(first: SetPart, other: SetPart) -> None:
    ours, theirs = first.header.values, other.header.values
    for key in dict.fromkeys((*ours, *theirs)):
        if key not in _OF_RANGE and ours.get(key) != theirs.get(key):
            reason = _WORDS.get(key, f"they differ in {key}")
            raise UserError(
                f"{first.folder} and {other.folder} are no parts of one set: {reason}.",
                "Make all parts with the same recipe, from copies of the same project, with the same version.",
            )
    for path in _differing(first.settings, other.settings):
        if path[0] not in _OF_MACHINE and path != ("prompts", "variants"):
            raise UserError(
                f"{first.folder} and {other.folder} are no parts of one set: their settings differ in"
                f" {'.'.join(path)}.",
                "Make all parts with the same recipe; only first image, number of images and workers may differ.",
            )


def _differing(ours: Mapping[str, object], theirs: Mapping[str, object]) -> list[tuple[str, ...]]:
    """Paths of the settings that are not the same."""
    found: list[tuple[str, ...]] = []
    for key in dict.fromkeys((*ours, *theirs)):
        one, other = ours.get(key), theirs.get(key)
        if isinstance(one, dict) and isinstance(other, dict):
            found += [(key, *path) for path in _differing(one, other)]
        elif one != other:
            found.append((key,))
    return found


def _joined_settings(parts: Sequence[SetPart], *, name: str, n_images: int) -> Values:
    """The settings that one machine would have been given."""
    first = dict(parts[0].settings)
    joined: Values = {**first, "set_name": name, "first_index": parts[0].indices.start}
    if not all('"prompt":' in part.lines[0] for part in parts):
        return {**joined, "count": n_images}
    # Of images that were asked for by prompts, the number follows from the variants of each.
    prompts = first.get("prompts")
    variants = sum(_variants(part) for part in parts)
    return {**joined, "prompts": {**(prompts if isinstance(prompts, dict) else {}), "variants": variants}}


def _variants(part: SetPart) -> int:
    prompts = part.settings.get("prompts")
    found = prompts.get("variants") if isinstance(prompts, dict) else 0
    return found if isinstance(found, int) else 0
