"""The words that the image modules share: the array type, the kinds of file and how trouble is told."""

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from synthstudio.domain.errors import UserError

ImageArray = NDArray[np.uint8]
"""Image `(H, W, 3)`, RGB, 0-255."""

ImageKind = Literal["png", "jpeg", "webp", "bmp", "tiff", "slide"]

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def damaged(path: Path, reason: str) -> UserError:
    """Say that a file is an image, but broken."""
    return UserError(f"{path} is damaged: {reason}.", "Copy it again from its source, or leave it out.")
