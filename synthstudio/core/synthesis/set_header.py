"""The header of a set on disk, whatever generator has made it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from synthstudio.core.imaging import read_bytes
from synthstudio.core.synthesis.manifest import HEADER_NAME, SetFiles
from synthstudio.core.synthesis.origins import read_origin_entries
from synthstudio.domain.errors import UserError
from synthstudio.settings.compose import ComposeSettings


@dataclass(frozen=True, slots=True)
class SetHeader:
    """What the header of a set says.

    Attributes:
        values: All of it, as it was read.
        size: Width and height of the images in px; None where it does not tell.
        um_per_px: Size of a pixel of the images; None where it is not known.
        generators: Of a set of generated images: the entry of each that made some of them, by its key, see `origins`.
    """

    values: Mapping[str, object]
    size: tuple[int, int] | None
    um_per_px: float | None
    generators: Mapping[str, Mapping[str, object]]

    @property
    def first_index(self) -> int:
        """Number of the first image."""
        first = self.values.get("first_index", 0)
        return first if isinstance(first, int) else 0

    @property
    def files(self) -> SetFiles:
        """Which files each image comes in; images alone, as PNG, where the header does not say."""
        found = self.values.get("files")
        try:
            if not isinstance(found, dict):
                return SetFiles.wanted_by(ComposeSettings.model_validate(self.values.get("settings")))
            return SetFiles(found["format"], int(found["quality"]), bool(found["masks"]), bool(found["maps"]))
        except (ValidationError, KeyError, TypeError, ValueError):
            return SetFiles()

    @property
    def enlargement(self) -> int:
        """How many times larger the images are than those that they were made from; 1 where they were not enlarged."""
        found = self._upscaler.get("factor", 1)
        return found if isinstance(found, int) and found > 0 else 1

    @property
    def upscaler_fovs(self) -> frozenset[int]:
        """FOVs that the upscaler of the images learned from; none where they were not enlarged. Raises TypeError."""
        found = self._upscaler.get("source_fovs", [])
        if not isinstance(found, list):
            raise TypeError("source_fovs of the upscaler is no list")
        return frozenset(int(each) for each in found)

    @property
    def _upscaler(self) -> Mapping[str, object]:
        upscaling = self.values.get("upscaling")
        found = upscaling.get("upscaler") if isinstance(upscaling, dict) else None
        return found if isinstance(found, dict) else {}

    def fovs_behind(self, set_name: str) -> frozenset[int]:
        """FOVs behind a set that patches of composites were cut from. Raises as `source_fovs`."""
        sets = self.values.get("generated_sets")
        if not isinstance(sets, dict):
            raise TypeError("generated_sets is missing")
        return frozenset(int(each) for each in sets[set_name]["source_fovs"])

    def source_fovs(self, key: str) -> frozenset[int]:
        """FOVs that a generator learned from. Raises KeyError, TypeError or ValueError where that is not told."""
        found = self.generators[key]["source_fovs"]
        if not isinstance(found, list):
            raise TypeError("source_fovs is no list")
        return frozenset(int(each) for each in found)


def read_set_header(folder: Path) -> SetHeader:
    """Read the header of a set. Raises UserError where it is missing or damaged."""
    path = folder / HEADER_NAME
    try:
        values = json.loads(read_bytes(path))
    except ValueError as error:
        raise UserError(f"{path} is damaged: {error}.", "Write the set again.") from error
    if not isinstance(values, dict):
        raise UserError(f"{path} is damaged: it holds no set header.", "Write the set again.")
    um_per_px = values.get("um_per_px")
    return SetHeader(
        values,
        _size(values),
        float(um_per_px) if isinstance(um_per_px, int | float) and um_per_px else None,
        read_origin_entries(values),
    )


def _size(values: Mapping[str, object]) -> tuple[int, int] | None:
    size, settings = values.get("size"), values.get("settings")
    try:
        if isinstance(size, list):
            return int(size[0]), int(size[1])
        composition = settings["composition"] if isinstance(settings, dict) else {}
        width = int(composition["canvas_px"])
        return width, int(composition.get("canvas_height_px", 0)) or width
    except (KeyError, IndexError, TypeError, ValueError):
        return None
