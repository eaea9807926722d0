"""Files to pixels: every odd mode becomes `(H, W, 3)` uint8 RGB; a damaged file becomes a clear refusal.

OpenCV fills the missing part of a file that ends early with grey and says nothing, so the end of the file is checked
here before it decodes.
"""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.imaging.color_profiles import find_profile, to_srgb
from synthstudio.core.imaging.files import read_bytes
from synthstudio.core.imaging.formats import PNG_SIGNATURE, ImageArray, ImageKind, damaged
from synthstudio.core.imaging.headers import LARGE_PIXELS, ImageHeader, read_image_header, refuse_too_large
from synthstudio.core.imaging.pixels import to_rgb, turn_upright
from synthstudio.core.imaging.regions import open_regions
from synthstudio.core.imaging.tiff import read_tiff_profile
from synthstudio.core.imaging.tiff_whole import read_tiff_pixels
from synthstudio.core.imaging.webp import check_webp_length

# OpenCV would write its own complaint to stderr beside the refusal that is raised here.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

PNG_FORMAT_AT, PNG_PLAIN_RGB = 24, bytes((8, 2, 0, 0, 0))
"""Place in the file of bit depth, colour type, compression, filter and interlacing; 8-bit RGB, row by row."""
WRONG_SUM = "a checksum does not fit its content"
BMP_HEADER_BYTES = 34  # up to the field of the compression


def read_image(path: Path, *, page: int | None = None) -> ImageArray:
    """Return the image as `(H, W, 3)` uint8 RGB, turned upright as its EXIF orientation says.

    Grey becomes three equal channels. Transparent pixels are laid over white: so does every viewer and page, and white
    is the empty background of a bright field. 16 bit is scaled by one fixed factor for the smallest usual camera depth
    (8, 10, 12, 14, 16 bit) that holds the brightest pixel, never stretched to the image's own range: brightness must
    stay comparable between images of one camera. Floating point is taken as 0-1 or, where it goes beyond, as 0-255.
    An embedded RGB profile other than sRGB is applied.

    Args:
        path: The file.
        page: Which image of a stack, from 0; without it a stack is refused.

    Raises:
        UserError: The file cannot be read, is no image, is damaged or cut short, or is too large.
    """
    header = read_image_header(path, page=page)
    refuse_too_large(header, path)
    if is_read_in_parts(header, page):
        return read_by_regions(path, header.kind, page or 0)
    return decode_image(read_bytes(path), path, header, page=page)


def is_read_in_parts(header: ImageHeader, page: int | None) -> bool:
    """Whether an image is read in parts also when all of it is wanted: slides, large ones, and pages of a stack.

    Which of two decoders a file goes through depends on nothing else, so that a patch of a large image has the very
    pixels of the whole.
    """
    is_special = header.kind == "slide" or header.n_pages > 1 or bool(page)
    return header.has_regions and (header.n_pixels > LARGE_PIXELS or is_special)


def read_by_regions(path: Path, kind: ImageKind, page: int) -> ImageArray:
    """Return a whole image by way of the reader of its parts."""
    source = open_regions(path, kind, page)
    return source.read_region(0, (0, 0, source.width, source.height))


def decode_image(data: bytes, path: Path, header: ImageHeader, *, page: int | None = None) -> ImageArray:
    """Return the pixels of a file whose header was judged already; see `read_image`."""
    refuse_too_large(header, path)
    if is_read_in_parts(header, page):
        return read_by_regions(path, header.kind, page or 0)
    rgb = _decode_to_rgb(data, path, header, page or 0)
    if rgb.shape[:2] != (header.height, header.width):
        raise damaged(path, "its pixels do not fit the size in its header")
    profile = read_tiff_profile(path) if header.kind == "tiff" else find_profile(data, header.kind)
    return np.ascontiguousarray(turn_upright(to_srgb(rgb, profile), header.orientation), dtype=np.uint8)


def _decode_to_rgb(data: bytes, path: Path, header: ImageHeader, page: int) -> ImageArray:
    """Return the pixels as stored, not turned, as `(H, W, 3)` uint8 RGB."""
    if header.kind == "tiff":
        return to_rgb(read_tiff_pixels(path, data, page), path)
    if header.kind == "png":
        is_plain = data[PNG_FORMAT_AT : PNG_FORMAT_AT + 5] == PNG_PLAIN_RGB
        names = _check_png_chunks(data, path, checks_pixels=not is_plain)
        if is_plain and b"tRNS" not in names:
            return _decode_plain_png(data, path)
    _refuse_cut_short(data, header, path)
    return to_rgb(_decode_with_opencv(data, path), path)


def _decode_plain_png(data: bytes, path: Path) -> ImageArray:
    """Decode an RGB PNG of 8 bit by libpng with a faster inflate, which checks the pixels' checksums as it goes.

    Measured on 4072 x 3072 px with grain: 142 ms of CPU instead of OpenCV's 188 and 30 for checksums and order.
    """
    import imagecodecs  # noqa: PLC0415 - only who reads such a file pays for it

    try:
        return np.asarray(imagecodecs.png_decode(data), np.uint8)
    except RuntimeError as error:
        is_sum = "CRC" in str(error)
        raise damaged(path, WRONG_SUM if is_sum else "its pixels cannot be decoded") from error


def _decode_with_opencv(data: bytes, path: Path) -> NDArray[np.generic]:
    # UNCHANGED keeps depth and alpha, and leaves the orientation to us: then size and pixels follow one parser.
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise damaged(path, "its pixels cannot be decoded") from error
    if pixels is None:
        raise damaged(path, "its pixels cannot be decoded")
    return pixels


def _refuse_cut_short(data: bytes, header: ImageHeader, path: Path) -> None:
    if header.kind == "jpeg" and data.rfind(b"\xff\xd9") < header.pixels_at:
        # Inside the compressed data 0xFF is always escaped, so the end mark cannot occur there by chance.
        raise damaged(path, "it ends before its last pixels (no JPEG end mark)")
    if header.kind == "webp":
        check_webp_length(data, path)
    if header.kind == "bmp":
        _check_bmp_length(data, path)


def _check_png_chunks(data: bytes, path: Path, *, checks_pixels: bool) -> set[bytes]:
    """Refuse a PNG whose chunks are not all there with the right checksums; return their names.

    Without `checks_pixels` the checksums of the pixels are left to the decoder.
    """
    view = memoryview(data)
    position = len(PNG_SIGNATURE)
    name = b""
    names: set[bytes] = set()
    while name != b"IEND":
        if position + 12 > len(data):
            raise damaged(path, "it ends before its last pixels")
        length, name = struct.unpack_from(">I4s", data, position)
        end = position + 8 + length
        if end + 4 > len(data):
            raise damaged(path, "it ends before its last pixels")
        (checksum,) = struct.unpack_from(">I", data, end)
        is_checked = checks_pixels or name != b"IDAT"
        if is_checked and zlib.crc32(view[position + 4 : end]) != checksum:
            raise damaged(path, WRONG_SUM)
        names.add(name)
        position = end + 4
    return names


def _check_bmp_length(data: bytes, path: Path) -> None:
    """Refuse an uncompressed BMP that has fewer bytes than rows."""
    if len(data) < BMP_HEADER_BYTES:
        raise damaged(path, "it ends before its last pixels")
    offset, info_size = struct.unpack_from("<II", data, 10)
    if info_size == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        compression = 0
    else:
        width, height, _, bits, compression = struct.unpack_from("<iiHHI", data, 18)
    row_bytes = (width * bits + 31) // 32 * 4
    if compression in (0, 3) and offset + row_bytes * abs(height) > len(data):
        raise damaged(path, "it ends before its last pixels")
