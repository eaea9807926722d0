"""A page of a TIFF decoded whole: most by OpenCV, which is fast, the rest by tifffile with imagecodecs."""

import struct
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.imaging.formats import damaged
from synthstudio.core.imaging.tiff import ORIENTATION_TAG, TIFF_ERRORS, key_of, open_tiff, unreadable
from synthstudio.core.imaging.tiff_source import APERIO_YCBCR, from_ycbcr, is_plain

if TYPE_CHECKING:
    import tifffile

# None, CCITT, LZW, JPEG, Deflate, PackBits. Of what it does not know, OpenCV makes a black image and says nothing; the
# same of a tile of no bytes, which a sparse file leaves out.
OPENCV_COMPRESSIONS = frozenset({1, 2, 3, 4, 5, 7, 8, 32773, 32946})


def read_tiff_pixels(path: Path, data: bytes, number: int = 0) -> NDArray[np.generic]:
    """Return an image as stored, `(H, W)` or `(H, W, C)` in OpenCV's BGR(A) order.

    Args:
        path: The file, already judged by its header.
        data: Its bytes.
        number: Which of its images of the first one's size, from 0.

    Raises:
        UserError: It has no such image, or it is damaged or encoded in an unknown way.
    """
    with open_tiff(path) as plan:
        page = key_of(plan.page(number))
        ends = [start + count for start, count in zip(page.dataoffsets, page.databytecounts, strict=False)]
        if not ends or max(ends) > len(data):
            raise damaged(path, "it ends before its last pixels")
        shape = (int(page.imagelength), int(page.imagewidth))
        pixels = None
        if int(page.compression) in OPENCV_COMPRESSIONS and all(page.databytecounts):
            pixels = _decode_with_opencv(_without_orientation(data, page), page.index)
        if pixels is None or pixels.shape[:2] != shape:
            pixels = _decode_with_tifffile(page, path)
    return pixels


def _without_orientation(data: bytes, page: "tifffile.TiffPage") -> bytes:
    """Return the file with orientation 1: libtiff would turn the pixels for some orientations and not for others."""
    tag = page.tags.get(ORIENTATION_TAG)
    if tag is None or tag.value == 1 or tag.valueoffset + 2 > len(data):
        return data
    upright = struct.pack(f"{page.parent.byteorder}H", 1)
    return data[: tag.valueoffset] + upright + data[tag.valueoffset + 2 :]


def _decode_with_opencv(data: bytes, index: int) -> NDArray[np.generic] | None:
    """Decode the page at this place in the file; None where OpenCV cannot."""
    buffer = np.frombuffer(data, np.uint8)
    try:
        if index == 0:
            return cv2.imdecode(buffer, cv2.IMREAD_UNCHANGED)
        _, pages = cv2.imdecodemulti(buffer, cv2.IMREAD_UNCHANGED, range=(index, index + 1))
    except cv2.error:
        return None
    return pages[0] if len(pages) == 1 else None


def _decode_with_tifffile(page: "tifffile.TiffPage", path: Path) -> NDArray[np.generic]:
    if not is_plain(page):
        raise unreadable(path, str(getattr(page.photometric, "name", page.photometric)))
    try:
        pixels: NDArray[np.generic] = page.asarray()
    except TIFF_ERRORS as error:
        raise unreadable(path, str(getattr(page.compression, "name", page.compression))) from error
    if page.axes == "SYX":
        pixels = np.moveaxis(pixels, 0, -1)
    if int(page.compression) == APERIO_YCBCR:
        pixels = from_ycbcr(pixels)
    if int(page.photometric) == 0:
        pixels = np.invert(pixels.astype(np.uint8, copy=False) if pixels.dtype == np.uint8 else pixels.astype(np.bool_))
    if pixels.ndim == 3 and pixels.shape[2] >= 3:
        pixels = pixels[:, :, [2, 1, 0, *range(3, pixels.shape[2])]]
    return pixels
