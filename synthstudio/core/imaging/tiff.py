"""TIFF: the first page, as long as it is one plain image.

tifffile judges the structure; OpenCV decodes most pages and tifffile the rest (with imagecodecs, where that is
installed, also the compressed ones).
"""

import contextlib
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.imaging.files import translate_os_error
from synthstudio.core.imaging.formats import damaged
from synthstudio.domain.errors import UserError

if TYPE_CHECKING:
    import tifffile

# What tifffile raises on damaged files, beside OSError; its own TiffFileError is among RuntimeError or ValueError.
TIFF_ERRORS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)

ORIENTATION_TAG = 274
X_RESOLUTION_TAG = 282
RESOLUTION_UNIT_TAG = 296
PHOTOMETRIC_MINISBLACK = 1
PHOTOMETRIC_RGB = 2


@dataclass(frozen=True, slots=True)
class TiffScale:
    """What a TIFF says about its scale, as it says it.

    Attributes:
        description: The image description (OME, Aperio and ImageJ put theirs there).
        px_per_unit: Horizontal resolution.
        unit: 1 none, 2 inch, 3 centimetre.
    """

    description: str
    px_per_unit: float | None
    unit: int


def read_tiff_scale(path: Path) -> TiffScale:
    """Return the statements of the first page about its scale.

    Raises:
        UserError: The file cannot be read, is damaged, or holds a stack.
    """
    with _first_page(path) as page:
        resolution = page.tags.valueof(X_RESOLUTION_TAG)
        unit = page.tags.valueof(RESOLUTION_UNIT_TAG)
        is_ratio = isinstance(resolution, tuple) and len(resolution) == 2 and bool(resolution[1])
        px_per_unit = resolution[0] / resolution[1] if is_ratio else None
        return TiffScale(str(page.description), px_per_unit, int(unit) if isinstance(unit, int) else 2)


def read_tiff_header(path: Path) -> tuple[int, int, int]:
    """Return stored width, stored height and orientation (1-8) of the first page.

    Raises:
        UserError: The file is damaged, or holds a stack instead of one image.
    """
    with _first_page(path) as page:
        orientation = page.tags.valueof(ORIENTATION_TAG)
        known = isinstance(orientation, int) and 1 <= orientation <= 8
        return int(page.imagewidth), int(page.imagelength), int(orientation) if known else 1


def read_tiff_pixels(path: Path, data: bytes) -> NDArray[np.generic]:
    """Return the first page as stored, `(H, W)` or `(H, W, C)` in OpenCV's BGR(A) order.

    Args:
        path: The file, already judged by `read_tiff_header`.
        data: Its bytes.
    """
    with _first_page(path) as page:
        ends = [start + count for start, count in zip(page.dataoffsets, page.databytecounts, strict=False)]
        if not ends or max(ends) > len(data):
            raise damaged(path, "it ends before its last pixels")
        shape = (int(page.imagelength), int(page.imagewidth))
        pixels = _decode_with_opencv(_without_orientation(data, page))
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


def _decode_with_opencv(data: bytes) -> NDArray[np.generic] | None:
    flags = cv2.IMREAD_UNCHANGED
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        return None


def _decode_with_tifffile(page: "tifffile.TiffPage", path: Path) -> NDArray[np.generic]:
    if page.photometric not in (PHOTOMETRIC_MINISBLACK, PHOTOMETRIC_RGB) or page.samplesperpixel > 4:
        raise _unreadable(path, str(getattr(page.photometric, "name", page.photometric)))
    try:
        pixels: NDArray[np.generic] = page.asarray()
    except TIFF_ERRORS as error:
        raise _unreadable(path, str(getattr(page.compression, "name", page.compression))) from error
    if page.axes == "SYX":
        pixels = np.moveaxis(pixels, 0, -1)
    if pixels.ndim == 3 and pixels.shape[2] >= 3:
        pixels = pixels[:, :, [2, 1, 0, *range(3, pixels.shape[2])]]
    return pixels


def _unreadable(path: Path, encoding: str) -> UserError:
    return UserError(
        f"{path} is a TIFF whose pixels ({encoding}) cannot be decoded here.",
        "Save it as an uncompressed or LZW-compressed RGB TIFF, or as PNG.",
    )


@contextlib.contextmanager
def _first_page(path: Path) -> Iterator["tifffile.TiffPage"]:
    """Open the first page of a TIFF that holds one image, perhaps with smaller copies of it."""
    import tifffile  # noqa: PLC0415 - 60 ms that a start without a TIFF should not pay

    try:
        # _multifile: an OME-TIFF may name other files, which a stranger's file must not make us open.
        with tifffile.TiffFile(path, _multifile=False) as tiff:
            page = tiff.pages[0]
            if not isinstance(page, tifffile.TiffPage):
                raise damaged(path, "its first page cannot be read")
            _refuse_stack(tiff, page, path)
            yield page
    except OSError as error:
        raise translate_os_error(error, path) from error
    except (*TIFF_ERRORS, tifffile.TiffFileError) as error:
        raise damaged(path, f"its TIFF structure is wrong ({error})") from error


def _refuse_stack(tiff: "tifffile.TiffFile", page: "tifffile.TiffPage", path: Path) -> None:
    # The smaller copies of a pyramid differ in size, the planes of a stack do not.
    is_stack = page.imagedepth > 1 or (len(tiff.pages) > 1 and tiff.pages[1].shape == page.shape)
    if is_stack:
        raise UserError(
            f"{path} is a stack of {max(len(tiff.pages), page.imagedepth)} images, not one image.",
            "Save the plane or the projection that you want as a single image.",
        )
