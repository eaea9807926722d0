"""A written set, opened at any image: which boxes it has and what it was made from. Runs in any thread."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.imaging import read_bytes
from synthstudio.core.synthesis.manifest import MANIFEST_NAME
from synthstudio.core.synthesis.set_header import read_set_header
from synthstudio.domain.errors import UserError
from synthstudio.domain.os_errors import translate_os_error
from synthstudio.domain.records import Box


@dataclass(frozen=True, slots=True)
class SourceObject:
    """What an object of an image was cut from; both are None where a generator has made it."""

    class_name: str
    box: Box
    is_labelled: bool
    fov: int | None
    annotation: int | None


@dataclass(frozen=True, slots=True)
class ImageLine:
    """One line of a manifest, as far as a reviewer needs it.

    Attributes:
        path: Of the image.
        map_path: Of its semantic map; None where it has none.
        prompt: That it was made from; empty for none.
        ground: FOV, and box of it in px, that it was painted upon; None for none.
    """

    index: int
    path: Path
    labels: tuple[str, ...]
    tone: str
    objects: tuple[SourceObject, ...]
    map_path: Path | None
    prompt: str = ""
    ground: tuple[int, Box] | None = None


class SetBook:
    """The lines of a manifest by the numbers of their images; only the places of the lines are kept in memory.

    Args:
        folder: Of the set.
        first_index: Number of its first image.
        starts: `(N + 1,)` where each line begins in the file, and where the last one ends.
        has_maps: Its images were asked for by semantic maps.
        is_generated: A GAN or a diffusion model has made its images.
    """

    def __init__(
        self, folder: Path, first_index: int, starts: NDArray[np.int64], *, has_maps: bool, is_generated: bool
    ) -> None:
        self.folder = folder
        self.is_generated = is_generated
        self.first_index = first_index
        self._starts = starts
        self._has_maps = has_maps

    @property
    def indices(self) -> range:
        """Numbers of all images."""
        return range(self.first_index, self.first_index + len(self._starts) - 1)

    def read_lines(self, indices: Sequence[int]) -> list[ImageLine]:
        """Read what is known about some images. Raises UserError where the manifest is gone or damaged."""
        path = self.folder / MANIFEST_NAME
        lines = []
        try:
            with path.open("rb") as manifest:
                for index in indices:
                    place = index - self.first_index
                    manifest.seek(int(self._starts[place]))
                    lines.append(self._parse(manifest.read(int(self._starts[place + 1] - self._starts[place]))))
        except OSError as error:
            raise translate_os_error(error, path) from error
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise UserError(f"The manifest of the set {self.folder.name} is damaged.", "Verify the set.") from error
        return lines

    def _parse(self, line: bytes) -> ImageLine:
        entry = json.loads(line)
        index = int(entry["index"])
        objects = tuple(
            SourceObject(
                str(item["class"]),
                Box(*(float(each) for each in item["box"])),
                bool(item["labelled"]),
                item["fov"],
                item["annotation"],
            )
            for item in entry["objects"]
        )
        return ImageLine(
            index,
            self.folder / str(entry["file"]),
            tuple(str(each) for each in entry["labels"]),
            str(entry.get("tone") or ""),
            objects,
            self.folder / "maps" / f"{index:06d}.png" if self._has_maps else None,
            str(entry.get("prompt") or ""),
            _ground_of(entry.get("place")),
        )


def _ground_of(place: object) -> tuple[int, Box] | None:
    if not isinstance(place, dict):
        return None
    return int(place["fov"]), Box(*(float(each) for each in place["window"]))


def open_set_book(folder: Path) -> SetBook:
    """Find the lines of a set's manifest. Raises UserError where it is missing or damaged."""
    header = read_set_header(folder)
    data = np.frombuffer(read_bytes(folder / MANIFEST_NAME), np.uint8)
    ends = np.flatnonzero(data == ord("\n")) + 1
    starts = np.concatenate([np.zeros(1, np.int64), ends.astype(np.int64)])
    return SetBook(
        folder, header.first_index, starts, has_maps=header.files.has_maps, is_generated=bool(header.generators)
    )
