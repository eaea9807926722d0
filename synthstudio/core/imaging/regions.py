"""Which reader cuts parts out of a file."""

from pathlib import Path

from synthstudio.core.imaging.formats import ImageKind
from synthstudio.core.imaging.slides import SlideSource
from synthstudio.core.imaging.source import ImageSource
from synthstudio.core.imaging.tiff_source import TiffSource


def open_regions(path: Path, kind: ImageKind, page: int) -> ImageSource:
    """Open a file whose header says that it can be read in parts; `page` of a stack, from 0.

    Raises:
        UserError: The file cannot be read, is damaged, or has no such page.
    """
    return SlideSource(path) if kind == "slide" else TiffSource(path, page)
