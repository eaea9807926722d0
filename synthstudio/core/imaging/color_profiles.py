"""Embedded colour profiles (ICC.1): pixels of an RGB profile other than sRGB are brought to sRGB, as viewers do."""

import io
import struct
import zlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from synthstudio.core.imaging.formats import PNG_SIGNATURE, ImageArray, ImageKind
from synthstudio.core.imaging.webp import scan_webp

if TYPE_CHECKING:
    from PIL import ImageCms

JPEG_PROFILE_LEAD = b"ICC_PROFILE\0"
MAX_PROFILE_BYTES = 4 << 20
"""A profile is a few kB; a larger claim is a decompression bomb."""


def find_profile(data: bytes, kind: ImageKind) -> bytes:
    """Return the ICC profile in the bytes of a PNG, JPEG or WebP file, or nothing; damaged ones count as absent."""
    try:
        if kind == "png":
            return _find_in_png(data)
        if kind == "jpeg":
            return _find_in_jpeg(data)
        if kind == "webp":
            return scan_webp(io.BytesIO(data), Path(), limit_bytes=MAX_PROFILE_BYTES).profile
    except (struct.error, zlib.error):
        return b""
    return b""


def _find_in_png(data: bytes) -> bytes:
    position = len(PNG_SIGNATURE)
    while position + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, position)
        if name == b"IDAT":
            return b""
        if name == b"iCCP":
            body = data[position + 8 : position + 8 + length]
            compressed = body[body.index(b"\0") + 2 :] if b"\0" in body else b""
            return zlib.decompressobj().decompress(compressed, MAX_PROFILE_BYTES)
        position += 12 + length
    return b""


def _find_in_jpeg(data: bytes) -> bytes:
    """Join the numbered parts that stand before the first scan."""
    parts: dict[int, bytes] = {}
    position = 2
    while position + 4 <= len(data) and data[position] == 0xFF and data[position + 1] != 0xDA:
        if data[position + 1] == 0xFF:  # fill byte
            position += 1
            continue
        (length,) = struct.unpack_from(">H", data, position + 2)
        body = data[position + 4 : position + 2 + length]
        if data[position + 1] == 0xE2 and body.startswith(JPEG_PROFILE_LEAD) and len(body) > 14:
            parts[body[12]] = body[14:]
        position += 2 + length
    return b"".join(parts[number] for number in sorted(parts))


def to_srgb(image: ImageArray, profile: bytes) -> ImageArray:
    """Return an `(H, W, 3)` RGB image in sRGB; without a usable RGB profile, or with sRGB itself, it comes back as is.

    Each pixel is converted by itself, so that a part of an image is converted as the whole is.
    """
    if not profile:
        return image
    transform = _transform_from(profile)
    if transform is None:
        return image
    from PIL import Image, ImageCms  # noqa: PLC0415 - only images with a profile of their own pay for it

    turned = ImageCms.applyTransform(Image.fromarray(np.ascontiguousarray(image)), transform)
    return np.asarray(turned, dtype=np.uint8) if turned is not None else image


@lru_cache(maxsize=8)
def _transform_from(profile: bytes) -> "ImageCms.ImageCmsTransform | None":
    """Build the way from a profile to sRGB; None where it is sRGB already, or not for RGB, or broken."""
    from PIL import ImageCms  # noqa: PLC0415

    try:
        source = ImageCms.getOpenProfile(io.BytesIO(profile))
        name = ImageCms.getProfileDescription(source)
        if source.profile.xcolor_space.strip() != "RGB" or "srgb" in name.casefold():
            return None
        return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), "RGB", "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
