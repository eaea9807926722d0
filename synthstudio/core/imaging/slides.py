"""Whole-slide formats by way of OpenSlide, an extra that is loaded when such a file is opened.

OpenSlide is LGPL: it is never a requirement, and only used through its Python binding.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from synthstudio.core.imaging.formats import damaged
from synthstudio.core.imaging.source import ImageSource, PixelBox, make_levels
from synthstudio.domain.errors import UserError

if TYPE_CHECKING:
    import openslide

SLIDE_SUFFIXES = frozenset({".mrxs", ".vms", ".vmu", ".svslide", ".czi"})
"""Formats that only OpenSlide reads."""
PREFERRED_SUFFIXES = frozenset({".ndpi", ".scn", ".bif"})
"""TIFFs with habits of their own: read by OpenSlide where it is installed, else as far as a TIFF goes."""
PART_PX = 1024
INSTALL_HINT = 'Install the extra: pip install "synthstudio[slides]"; synthstudio doctor shows whether it works.'


def has_openslide() -> bool:
    """Whether the extra is installed; nothing is loaded for the answer."""
    return importlib.util.find_spec("openslide") is not None


def is_for_openslide(path: Path) -> bool:
    """Whether a file is to be read by OpenSlide, going by its suffix."""
    suffix = path.suffix.lower()
    return suffix in SLIDE_SUFFIXES or (suffix in PREFERRED_SUFFIXES and has_openslide())


def open_slide(path: Path) -> openslide.OpenSlide:
    """Open a slide.

    Raises:
        UserError: The extra is not installed or does not load, or the file is not a slide or damaged.
    """
    try:
        import openslide  # noqa: PLC0415 - an extra
    except (ImportError, OSError) as error:
        raise UserError(f"{path} is a whole slide of a format that needs OpenSlide.", INSTALL_HINT) from error
    try:
        return openslide.OpenSlide(path)
    except (openslide.OpenSlideError, OSError) as error:
        raise damaged(path, f"OpenSlide cannot open it ({error})") from error


def read_slide_scale(path: Path) -> float | None:
    """Return the micrometres per pixel that a slide states.

    Raises:
        UserError: See `open_slide`.
    """
    with open_slide(path) as slide:
        try:
            return float(slide.properties.get("openslide.mpp-x", ""))
        except ValueError:
            return None


class SlideSource(ImageSource):
    """A whole slide with its levels.

    Raises:
        UserError: See `open_slide`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._slide = open_slide(path)
        self.levels = make_levels([(int(w), int(h)) for w, h in self._slide.level_dimensions])
        self.n_pages = 1
        self.dtype, self.n_channels, self.full_scale = np.dtype(np.uint8), 4, 255.0
        profile = self._slide.color_profile
        self._profile = profile.tobytes() if profile is not None else b""

    @override
    def part_size(self, level: int) -> tuple[int, int]:
        return min(PART_PX, self.levels[level].width), min(PART_PX, self.levels[level].height)

    @override
    def _read_stored(self, level: int, box: PixelBox) -> NDArray[np.generic]:
        import openslide  # noqa: PLC0415 - an extra

        x0, y0, x1, y1 = box
        factor_x, factor_y = self.width / self.levels[level].width, self.height / self.levels[level].height
        try:
            picture = self._slide.read_region((round(x0 * factor_x), round(y0 * factor_y)), level, (x1 - x0, y1 - y0))
        except openslide.OpenSlideError as error:
            raise damaged(self.path, f"OpenSlide cannot read a part of it ({error})") from error
        return np.asarray(picture, dtype=np.uint8)
