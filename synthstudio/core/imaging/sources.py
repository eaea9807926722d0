"""Opening an image to read parts of it, whatever its format."""

from pathlib import Path

from synthstudio.core.imaging.decoding import read_image
from synthstudio.core.imaging.headers import read_image_header
from synthstudio.core.imaging.source import ImageSource, WholeSource
from synthstudio.core.imaging.tiff_source import TiffSource


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
        return TiffSource(path, page)
    return WholeSource(path, read_image(path, page=page))
