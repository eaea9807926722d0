"""Pixels to files."""

from pathlib import Path

import cv2

from synthstudio.core.imaging.files import write_bytes_atomically
from synthstudio.core.imaging.formats import ImageArray

PNG_COMPRESSION = 3  # measured choice of OpenCV: higher levels cost much time for a few per cent of microscope images


def encode_png(image: ImageArray) -> bytes:
    """Return `(H, W, 3)` uint8 RGB as the bytes of a PNG file; the same image gives the same bytes."""
    options = [cv2.IMWRITE_PNG_COMPRESSION, PNG_COMPRESSION]
    done, data = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise ValueError(f"OpenCV cannot encode an image of shape {image.shape} as PNG")
    return data.tobytes()


def write_png(path: Path, image: ImageArray) -> None:
    """Write `(H, W, 3)` uint8 RGB as a PNG file that is whole or absent.

    Raises:
        UserError: The file cannot be written.
    """
    write_bytes_atomically(path, encode_png(image))
