"""Size and orientation of an image from its header, before anything is allocated.

A few hundred bytes can claim to be 60000 x 60000 pixels, so the size is judged first. The kind of file is told from its
content, never from its suffix. Formats: PNG (ISO/IEC 15948), JPEG (ITU-T T.81), WebP
(RFC 9649), BMP, TIFF 6.0, EXIF 2.3.
"""

import errno
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from synthstudio.core.imaging.formats import PNG_SIGNATURE, ImageKind, damaged
from synthstudio.core.imaging.slides import PREFERRED_SUFFIXES, SLIDE_SUFFIXES, is_for_openslide, open_slide
from synthstudio.core.imaging.tiff import header_of, open_tiff, refuse_stack
from synthstudio.core.imaging.tiff_source import can_read_regions, is_plain
from synthstudio.core.imaging.webp import is_webp, scan_webp
from synthstudio.domain.errors import UserError
from synthstudio.domain.os_errors import translate_os_error

IMAGE_SUFFIXES = (
    frozenset({".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".dib", ".tif", ".tiff", ".svs"})
    | SLIDE_SUFFIXES
    | PREFERRED_SUFFIXES
)
"""Lower-case suffixes of the files that are worth opening when a folder is searched."""

MAX_PIXELS = 500_000_000
"""Largest image that is read whole, unless the user allows more: 1.5 GB as RGB."""
LIMIT_VARIABLE = "SYNTHSTUDIO_MAX_MEGAPIXELS"
"""Environment variable that allows a known file beyond `MAX_PIXELS`."""
LARGE_PIXELS = 64_000_000
"""Beyond this an image is shown and cut in parts, where its format allows that."""

# Start-of-frame markers carry the size: 0xC0-0xCF without DHT, JPG and DAC.
JPEG_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
JPEG_SCAN_MARKER = 0xDA
EXIF_MARKER = 0xE1
PNG_GREY, PNG_RGB = 0, 2
EXIF_ORIENTATION_TAG = 0x0112
# An orientation stands in the first hundred bytes or so; a longer block is a thumbnail or a lie.
EXIF_LIMIT_BYTES = 65536


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """What the first bytes of an image file say.

    Attributes:
        width: Stored columns, before the orientation is applied.
        height: Stored rows.
        orientation: EXIF orientation, 1 (as stored) to 8.
        pixels_at: Byte at which the compressed pixels of a JPEG begin; 0 for other kinds.
        n_pages: Images of this size in the file; more than one in a stack.
        has_regions: Whether parts can be read without decoding all of it.
        is_deep: Whether it holds 16-bit samples without transparency.
    """

    kind: ImageKind
    width: int
    height: int
    orientation: int = 1
    pixels_at: int = 0
    n_pages: int = 1
    has_regions: bool = False
    is_deep: bool = False

    @property
    def n_pixels(self) -> int:
        return self.width * self.height

    @property
    def is_large(self) -> bool:
        """Whether it is shown and cut in parts instead of being held in memory."""
        return self.has_regions and self.n_pixels > LARGE_PIXELS

    @property
    def is_solid(self) -> bool:
        """Whether it is as large, but can only be decoded whole; those with 16 bit are held for the sake of levels."""
        return not self.has_regions and not self.is_deep and self.n_pixels > LARGE_PIXELS

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the image as it is shown, in px."""
        return (self.height, self.width) if self.orientation >= 5 else (self.width, self.height)


def read_image_size(path: Path, *, page: int | None = None) -> tuple[int, int]:
    """Return (width, height) in px of the image as `read_image` gives it, from its header alone.

    Raises:
        UserError: The file cannot be read, is no image, or is too large to be read whole and cannot be read in parts.
    """
    return read_image_header(path, page=page).size


def read_image_header(path: Path, *, page: int | None = None) -> ImageHeader:
    """Return kind, stored size and orientation of an image file without decoding its pixels.

    Args:
        path: The file.
        page: Which image of a stack is meant, from 0; without it a stack is refused.

    Raises:
        UserError: The file cannot be read, is no image, or is too large to be read whole and cannot be read in parts.
    """
    try:
        with path.open("rb") as stream:
            header = _parse_slide(path) if is_for_openslide(path) else _parse_header(stream, path)
    except OSError as error:
        # Windows calls a folder that is opened as a file a missing permission.
        raise translate_os_error(IsADirectoryError(errno.EISDIR, "") if path.is_dir() else error, path) from error
    except struct.error as error:
        raise damaged(path, "it ends inside its header") from error
    if header.width < 1 or header.height < 1:
        raise damaged(path, "its header gives no size")
    if page is None and header.n_pages > 1:
        refuse_stack(header.n_pages, path)
    if not header.has_regions:
        refuse_too_large(header, path)
    return header


def refuse_too_large(header: ImageHeader, path: Path) -> None:
    """Raise UserError where an image has too many pixels to be held in memory."""
    limit = max_pixels()
    if header.n_pixels > limit:
        raise UserError(
            f"{path} has {header.width} x {header.height} pixels; the limit is {limit // 1_000_000} megapixels.",
            "Cut it into smaller images, or check whether the file is damaged. If you know the file and have the "
            f"memory, set the environment variable {LIMIT_VARIABLE} to {-(-header.n_pixels // 1_000_000)}.",
        )


def max_pixels() -> int:
    """Return how many pixels an image may have to be read whole."""
    allowed = os.environ.get(LIMIT_VARIABLE, "")
    return max(MAX_PIXELS, int(allowed) * 1_000_000) if allowed.isdecimal() else MAX_PIXELS


def _parse_header(stream: BinaryIO, path: Path) -> ImageHeader:
    start = stream.read(16)
    if not start:
        raise UserError(f"{path} is empty (0 bytes).", "Copy it again from its source, or leave it out.")
    if start.startswith(PNG_SIGNATURE):
        return _parse_png(stream, path)
    if start.startswith(b"\xff\xd8\xff"):
        return _parse_jpeg(stream, path)
    if is_webp(start):
        return _parse_webp(stream, path)
    if start.startswith(b"BM"):
        return _parse_bmp(stream)
    if start[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return _parse_tiff(path)
    raise UserError(
        f"{path} is not an image that can be read (PNG, JPEG, WebP, BMP or TIFF), whatever its name says.",
        "Open it in the program it comes from and save it as PNG or TIFF, or leave it out.",
    )


def _parse_tiff(path: Path) -> ImageHeader:
    with open_tiff(path) as plan:
        found = header_of(plan)
        return ImageHeader(
            "tiff",
            found.width,
            found.height,
            found.orientation,
            n_pages=found.n_pages,
            has_regions=can_read_regions(plan),
            is_deep=is_plain(plan.keyframe)
            and plan.keyframe.dtype == "uint16"
            and plan.keyframe.samplesperpixel in (1, 3),
        )


def _parse_slide(path: Path) -> ImageHeader:
    with open_slide(path) as slide:
        width, height = slide.dimensions
        return ImageHeader("slide", width, height, has_regions=True)


def _parse_png(stream: BinaryIO, path: Path) -> ImageHeader:
    stream.seek(len(PNG_SIGNATURE))
    length, name = struct.unpack(">I4s", stream.read(8))
    if name != b"IHDR" or length != 13:
        raise damaged(path, "it has no PNG header")
    width, height, bits, color_type = struct.unpack(">IIBB", stream.read(10))
    is_deep = bits == 16 and color_type in (PNG_GREY, PNG_RGB)
    stream.seek(7, os.SEEK_CUR)
    # An orientation after the pixels is ignored, here and so in decoding: walking there would cost a seek per chunk.
    while len(lead := stream.read(8)) == 8:
        length, name = struct.unpack(">I4s", lead)
        if name == b"eXIf":
            orientation = find_exif_orientation(stream.read(min(length, EXIF_LIMIT_BYTES)))
            return ImageHeader("png", width, height, orientation, is_deep=is_deep)
        if name in (b"IDAT", b"IEND"):
            break
        stream.seek(length + 4, os.SEEK_CUR)
    return ImageHeader("png", width, height, is_deep=is_deep)


def _parse_jpeg(stream: BinaryIO, path: Path) -> ImageHeader:
    width = height = 0
    orientation = 1
    stream.seek(2)
    while True:
        marker = _next_jpeg_marker(stream)
        if marker is None:
            raise damaged(path, "it ends inside its header")
        if marker == JPEG_SCAN_MARKER:
            return ImageHeader("jpeg", width, height, orientation, stream.tell())
        if marker == 0x01 or 0xD0 <= marker <= 0xD9:  # these stand alone
            continue
        body = stream.read(max(struct.unpack(">H", stream.read(2))[0] - 2, 0))
        if marker in JPEG_FRAME_MARKERS:
            height, width = struct.unpack(">HH", body[1:5])
        elif marker == EXIF_MARKER and body.startswith(b"Exif\0\0"):
            orientation = find_exif_orientation(body[6:])


def _next_jpeg_marker(stream: BinaryIO) -> int | None:
    """Read up to the next marker and return its code, or None at the end of the file."""
    byte = stream.read(1)
    while byte and byte != b"\xff":
        byte = stream.read(1)
    while byte == b"\xff":
        byte = stream.read(1)
    return byte[0] if byte else None


def _parse_webp(stream: BinaryIO, path: Path) -> ImageHeader:
    found = scan_webp(stream, path, limit_bytes=EXIF_LIMIT_BYTES)
    return ImageHeader("webp", found.width, found.height, find_exif_orientation(found.exif))


def _parse_bmp(stream: BinaryIO) -> ImageHeader:
    stream.seek(14)
    (info_size,) = struct.unpack("<I", stream.read(4))
    if info_size == 12:  # OS/2
        width, height = struct.unpack("<HH", stream.read(4))
    else:
        width, height = struct.unpack("<ii", stream.read(8))
    return ImageHeader("bmp", width, abs(height))  # a negative height means that the top row comes first


def find_exif_orientation(exif: bytes) -> int:
    """Return the orientation (1-8) that stands in a TIFF-structured EXIF block; 1 where there is none."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return 1
    try:
        (offset,) = struct.unpack_from(f"{order}I", exif, 4)
        (n_entries,) = struct.unpack_from(f"{order}H", exif, offset)
        for index in range(n_entries):
            tag, _, _, value = struct.unpack_from(f"{order}HHIH", exif, offset + 2 + 12 * index)
            if tag == EXIF_ORIENTATION_TAG:
                return value if 1 <= value <= 8 else 1
    except struct.error:
        return 1
    return 1
