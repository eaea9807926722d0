"""Image files without EXIF, comments, thumbnails or colour profiles, and without loss where the format allows it."""

import dataclasses
import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from synthstudio.core.imaging import (
    ImageArray,
    ImageHeader,
    decode_image,
    encode_png,
    read_bytes,
    read_image,
    read_image_header,
    sha256_of_file,
    translate_os_error,
)
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import FieldOfView

# All that the pixels need; text, time, EXIF, profile and animation go.
PNG_PIXEL_CHUNKS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
PNG_SIGNATURE_BYTES = 8

JPEG_END = 0xD9
JPEG_SCAN = 0xDA
JPEG_COMMENT = 0xFE
JPEG_ADOBE = 0xEE  # tells how the colours are coded, so it stays
JPEG_APPLICATION = frozenset(range(0xE0, 0xF0))
JPEG_RESTARTS = frozenset(range(0xD0, 0xD8))


@dataclass(frozen=True, slots=True)
class CleanImage:
    """An image file that says nothing but its pixels; `suffix` fits its content."""

    data: bytes
    suffix: str


def read_unchanged(fov: FieldOfView) -> bytes:
    """Return the bytes of the FOV's file, metadata and all.

    Raises:
        UserError: The file is gone, or has changed since its annotations were made.
    """
    path = Path(fov.path)
    data = read_bytes(path)
    if hashlib.sha256(data).hexdigest() != fov.sha256:
        raise _changed(path)
    return data


def read_page(fov: FieldOfView) -> ImageArray:
    """Return the pixels of a page of a stack, whose file may hold a thousand others and is hashed but once.

    Raises:
        UserError: The file is gone, or has changed since its annotations were made.
    """
    path = Path(fov.path)
    try:
        facts = path.stat()
    except OSError as error:
        raise translate_os_error(error, path) from error
    if _hash(path, facts.st_size, facts.st_mtime_ns) != fov.sha256:
        raise _changed(path)
    return read_image(path, page=fov.page)


@lru_cache(maxsize=64)
def _hash(path: Path, _n_bytes: int, _changed_ns: int) -> str:
    return sha256_of_file(path)


def _changed(path: Path) -> UserError:
    return UserError(
        f"{path} has changed since it was imported, so its annotations may no longer fit.",
        "Put the original file back, or import the new one.",
    )


def read_clean_image(fov: FieldOfView) -> CleanImage:
    """Return the FOV's image without metadata.

    JPEG and PNG keep their compressed pixels bit for bit, 16-bit PNG too. An image that EXIF turns, and any other
    format, is written anew as an upright 8-bit RGB PNG.

    Raises:
        UserError: The file is gone, or has changed since its annotations were made.
    """
    if fov.page is not None:
        return CleanImage(encode_png(read_page(fov)), ".png")
    path, data = Path(fov.path), read_unchanged(fov)
    header = read_image_header(path)
    pixels = decode_image(data, path, header)
    if header.orientation == 1 and header.kind in ("jpeg", "png"):
        stripped = strip_jpeg(data) if header.kind == "jpeg" else strip_png(data)
        if _shows(stripped, pixels, path, header):
            return CleanImage(stripped, ".jpg" if header.kind == "jpeg" else ".png")
    return CleanImage(encode_png(pixels), ".png")


def _shows(data: bytes, pixels: ImageArray, path: Path, header: ImageHeader) -> bool:
    """Whether a stripped file still shows the same image: files can be odd in ways that the stripping does not know."""
    try:
        return np.array_equal(decode_image(data, path, dataclasses.replace(header, pixels_at=0)), pixels)
    except UserError:
        return False


def strip_png(data: bytes) -> bytes:
    """Return a whole PNG file with only the chunks that its pixels need."""
    kept = [data[:PNG_SIGNATURE_BYTES]]
    position = PNG_SIGNATURE_BYTES
    name = b""
    while name != b"IEND" and position + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if name in PNG_PIXEL_CHUNKS:
            kept.append(data[position:end])
        position = end
    return b"".join(kept)


def strip_jpeg(data: bytes) -> bytes:
    """Return a whole JPEG file without application data (but JFIF and Adobe's) and comments, ending at its end mark."""
    return b"".join((b"\xff\xd8", *_iter_jpeg_parts(data), b"\xff\xd9"))


def _iter_jpeg_parts(data: bytes) -> Iterator[bytes]:
    position = 2
    while (position := data.find(b"\xff", position)) >= 0 and position + 1 < len(data):
        marker = data[position + 1]
        if marker == JPEG_END:
            return
        if marker in (0x00, 0x01, 0xFF) or marker in JPEG_RESTARTS or position + 4 > len(data):
            position += 1
            continue
        end = position + 2 + int(struct.unpack_from(">H", data, position + 2)[0])
        if marker == JPEG_SCAN:
            end = _find_scan_end(data, end)
        if marker == 0xE0 and data[position + 4 : position + 9] == b"JFIF\0":
            yield _without_thumbnail(data[position:end])
        elif marker == JPEG_ADOBE or (marker not in JPEG_APPLICATION and marker != JPEG_COMMENT):
            yield data[position:end]
        position = end


def _find_scan_end(data: bytes, position: int) -> int:
    """Return where the compressed data of a scan end: at the first marker that is neither an escape nor a restart."""
    while (position := data.find(b"\xff", position)) >= 0 and position + 1 < len(data):
        if data[position + 1] != 0x00 and data[position + 1] not in JPEG_RESTARTS and data[position + 1] != 0xFF:
            return position
        position += 1
    return len(data)


def _without_thumbnail(segment: bytes) -> bytes:
    """Return a JFIF header segment with an empty thumbnail (JFIF 1.02: 16 bytes after the marker)."""
    return b"\xff\xe0\x00\x10" + segment[4:16] + b"\0\0"
