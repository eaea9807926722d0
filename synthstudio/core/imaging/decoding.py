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

from synthstudio.core.imaging.files import read_bytes
from synthstudio.core.imaging.formats import PNG_SIGNATURE, ImageArray, damaged
from synthstudio.core.imaging.headers import ImageHeader, read_image_header
from synthstudio.core.imaging.tiff import read_tiff_pixels
from synthstudio.domain.errors import UserError

# OpenCV would write its own complaint to stderr beside the refusal that is raised here.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

CAMERA_DEPTHS_BIT = (8, 10, 12, 14, 16)


def read_image(path: Path) -> ImageArray:
    """Return the image as `(H, W, 3)` uint8 RGB, turned upright as its EXIF orientation says.

    Grey becomes three equal channels. Transparent pixels are laid over white: so does every viewer and page, and white
    is the empty background of a bright field. 16 bit is scaled by one fixed factor for the smallest usual camera depth
    (8, 10, 12, 14, 16 bit) that holds the brightest pixel, never stretched to the image's own range: brightness must
    stay comparable between images of one camera. Floating point is taken as 0-1 or, where it goes beyond, as 0-255.

    Raises:
        UserError: The file cannot be read, is no image, is damaged or cut short, or is too large.
    """
    header = read_image_header(path)
    return decode_image(read_bytes(path), path, header)


def decode_image(data: bytes, path: Path, header: ImageHeader) -> ImageArray:
    """Return the pixels of a file whose header was judged already; see `read_image`."""
    _refuse_cut_short(data, header, path)
    pixels = read_tiff_pixels(path, data) if header.kind == "tiff" else _decode_with_opencv(data, path)
    if pixels.shape[:2] != (header.height, header.width):
        raise damaged(path, "its pixels do not fit the size in its header")
    return np.ascontiguousarray(turn_upright(to_rgb(pixels, path), header.orientation))


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
    if header.kind == "png":
        _check_png_chunks(data, path)
    elif header.kind == "jpeg" and data.rfind(b"\xff\xd9") < header.pixels_at:
        # Inside the compressed data 0xFF is always escaped, so the end mark cannot occur there by chance.
        raise damaged(path, "it ends before its last pixels (no JPEG end mark)")
    elif header.kind == "bmp":
        _check_bmp_length(data, path)


def _check_png_chunks(data: bytes, path: Path) -> None:
    """Refuse a PNG whose chunks are not all there with the right checksums."""
    view = memoryview(data)
    position = len(PNG_SIGNATURE)
    name = b""
    while name != b"IEND":
        if position + 12 > len(data):
            raise damaged(path, "it ends before its last pixels")
        length, name = struct.unpack_from(">I4s", data, position)
        end = position + 8 + length
        if end + 4 > len(data):
            raise damaged(path, "it ends before its last pixels")
        (checksum,) = struct.unpack_from(">I", data, end)
        if zlib.crc32(view[position + 4 : end]) != checksum:
            raise damaged(path, "a checksum does not fit its content")
        position = end + 4


def _check_bmp_length(data: bytes, path: Path) -> None:
    """Refuse an uncompressed BMP that has fewer bytes than rows."""
    offset, info_size = struct.unpack_from("<II", data, 10)
    if info_size == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        compression = 0
    else:
        width, height, _, bits, compression = struct.unpack_from("<iiHHI", data, 18)
    row_bytes = (width * bits + 31) // 32 * 4
    if compression in (0, 3) and offset + row_bytes * abs(height) > len(data):
        raise damaged(path, "it ends before its last pixels")


def to_rgb(pixels: NDArray[np.generic], path: Path) -> ImageArray:
    """Return decoded pixels, `(H, W)` or `(H, W, 1|3|4)` in OpenCV's BGR(A) order, as uint8 RGB.

    `path` only names the file in the `UserError` that unusual pixels raise.
    """
    eight_bit = _to_eight_bit(pixels, path)
    n_channels = 1 if eight_bit.ndim == 2 else eight_bit.shape[2]
    if n_channels == 1:
        return np.repeat(eight_bit.reshape(*eight_bit.shape[:2], 1), 3, axis=2)
    if n_channels == 3:
        return eight_bit[:, :, ::-1]
    if n_channels == 4:
        return _over_white(eight_bit)
    raise UserError(
        f"{path} has {n_channels} channels per pixel; only grey, RGB and RGBA are read.", "Save it as an RGB image."
    )


def _over_white(bgra: NDArray[np.uint8]) -> ImageArray:
    """Lay `(H, W, 4)` BGRA with straight alpha over white."""
    alpha = bgra[:, :, 3:].astype(np.uint16)
    color = bgra[:, :, 2::-1].astype(np.uint16)
    return ((color * alpha + (255 - alpha) * 255 + 127) // 255).astype(np.uint8)


def _to_eight_bit(pixels: NDArray[np.generic], path: Path) -> NDArray[np.uint8]:
    if pixels.dtype == np.uint8:
        return pixels.astype(np.uint8, copy=False)
    if pixels.dtype == np.bool_:
        return pixels.astype(np.uint8) * np.uint8(255)
    if pixels.dtype == np.uint16:
        return _scale_sixteen_bit(pixels.astype(np.uint16, copy=False))
    if (
        pixels.dtype.kind == "f"
        and np.isfinite(pixels).all()
        and float(pixels.min()) >= 0
        and float(pixels.max()) <= 255
    ):
        factor = 255.0 if float(pixels.max()) <= 1 else 1.0
        return np.rint(pixels.astype(np.float64) * factor).astype(np.uint8)
    raise UserError(
        f"{path} has pixels of type {pixels.dtype} that are no brightness in 8 or 16 bit.",
        "Save it as an 8-bit or 16-bit image.",
    )


def _scale_sixteen_bit(pixels: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Scale by the smallest usual camera depth that holds the brightest pixel; alpha is always full scale."""
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        color = _scale_sixteen_bit(np.ascontiguousarray(pixels[:, :, :3]))
        return np.dstack([color, (pixels[:, :, 3] >> 8).astype(np.uint8)])
    brightest = int(pixels.max())
    depth = next(bits for bits in CAMERA_DEPTHS_BIT if brightest < 1 << bits)
    full_scale = np.uint32((1 << depth) - 1)
    return ((pixels.astype(np.uint32) * 255 + full_scale // 2) // full_scale).astype(np.uint8)


def turn_upright(image: ImageArray, orientation: int) -> ImageArray:
    """Undo an EXIF orientation (1-8; EXIF 2.3, tag 0x0112) of an `(H, W, 3)` image."""
    if orientation >= 5:
        image = image.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    return image
