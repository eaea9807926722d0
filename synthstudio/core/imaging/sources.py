"""Opening an image to read parts of it, whatever its format."""

from pathlib import Path

from synthstudio.core.imaging.decoding import read_image
from synthstudio.core.imaging.formats import ImageArray
from synthstudio.core.imaging.headers import read_image_header
from synthstudio.core.imaging.regions import open_regions
from synthstudio.core.imaging.source import ImageSource, WholeSource


def open_image_source(path: Path, page: int = 0) -> ImageSource:
    """Open an image to read parts of it; a format that cannot be read in parts is decoded whole.

    Args:
        path: The file.
        page: Which image of a stack, from 0.

    Raises:
        UserError: The file cannot be read, is no image, is damaged, has no such page, or is too large.
    """
    header = read_image_header(path, page=page)
    if header.has_regions:
        return open_regions(path, header.kind, page)
    return WholeSource(path, read_image(path, page=page))


def read_or_open(path: Path, *, page: int | None = None) -> ImageArray | ImageSource:
    """Return an image whole, `(H, W, 3)` uint8 RGB, or a large one as a source to read parts of it.

    Args:
        path: The file.
        page: Which image of a stack, from 0; without it a stack is refused.

    Raises:
        UserError: See `read_image`.
    """
    header = read_image_header(path, page=page)
    return open_regions(path, header.kind, page or 0) if header.is_large else read_image(path, page=page)
