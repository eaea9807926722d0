"""WebP files (RFC 9649): what the chunks of the container say, before anything is decoded."""

import struct
from pathlib import Path
from typing import BinaryIO, NamedTuple

from synthstudio.core.imaging.formats import damaged
from synthstudio.domain.errors import UserError

WEBP_BYTES = 12  # "RIFF", the length of what follows, "WEBP"
MAX_CHUNKS = 64  # a still image has at most seven kinds; more would only cost time
EXIF_LEAD = b"Exif\0\0"  # some programs write it here, too, as in a JPEG
_ANIMATED = 0x02
_SIDE = 0x3FFF


class WebpParts(NamedTuple):
    """What stands around the pixels.

    Attributes:
        width, height: In px, as stored; 0 where no chunk gives them.
        exif: TIFF-structured EXIF block, or nothing.
        profile: ICC profile, or nothing.
    """

    width: int
    height: int
    exif: bytes
    profile: bytes


def is_webp(start: bytes) -> bool:
    """Tell a WebP file by its first `WEBP_BYTES` bytes."""
    return start[:4] == b"RIFF" and start[8:WEBP_BYTES] == b"WEBP"


def scan_webp(stream: BinaryIO, path: Path, *, limit_bytes: int) -> WebpParts:
    """Read the chunks of a WebP file.

    Args:
        stream: The file; any place in it.
        path: What it is called where it is refused.
        limit_bytes: Longest EXIF block or profile that is believed.

    Raises:
        UserError: It is animated.
        struct.error: It ends within a chunk.
    """
    stream.seek(WEBP_BYTES)
    width = height = 0
    exif = profile = b""
    for _ in range(MAX_CHUNKS):
        lead = stream.read(8)
        if len(lead) < 8:
            break
        name, length = struct.unpack("<4sI", lead)
        begin = stream.tell()
        match name:
            case b"VP8X":
                flags, across, down = struct.unpack("<B3x3s3s", stream.read(10))
                if flags & _ANIMATED:
                    raise UserError(
                        f"{path} is an animation; only still WebP images can be read.",
                        "Save the image that is meant as PNG, or leave it out.",
                    )
                width, height = (int.from_bytes(side, "little") + 1 for side in (across, down))
            case b"VP8 " if not width:
                across, down = struct.unpack("<6xHH", stream.read(10))
                width, height = across & _SIDE, down & _SIDE
            case b"VP8L" if not width:
                (bits,) = struct.unpack("<xI", stream.read(5))
                width, height = (bits & _SIDE) + 1, (bits >> 14 & _SIDE) + 1
            case b"EXIF" if length <= limit_bytes:
                exif = stream.read(length).removeprefix(EXIF_LEAD)
            case b"ICCP" if length <= limit_bytes:
                profile = stream.read(length)
        stream.seek(begin + length + length % 2)
    return WebpParts(width, height, exif, profile)


def check_webp_length(data: bytes, path: Path) -> None:
    """Raise UserError where a WebP file is shorter than it says."""
    (length,) = struct.unpack_from("<I", data, 4)
    if 8 + length > len(data):
        raise damaged(path, "it ends before its last pixels")
