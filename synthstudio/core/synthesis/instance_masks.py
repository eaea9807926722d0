"""The instance mask beside an image of a set: which object of its manifest line is seen at each pixel."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.imaging import read_bytes
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import AnnotationId


@dataclass(frozen=True, slots=True)
class InstanceMask:
    """A mask on disk, and who is who in it.

    Attributes:
        path: A 16-bit PNG file.
        sha256: Of its bytes, as the manifest gives it.
        numbers: Which number the pixels of each annotation's object have, from 1 from bottom to top.
    """

    path: Path
    sha256: str
    numbers: Mapping[AnnotationId, int]

    def read(self) -> NDArray[np.uint16]:
        """Return the numbers of the objects that are seen, `(H, W)`, 0 for none.

        Raises:
            UserError: The file is gone, was changed, or is no mask.
        """
        data = read_bytes(self.path)
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise UserError(
                f"{self.path} was changed: its hash is not the one in the manifest.", "Write the set again."
            )
        labels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        if labels is None or labels.ndim != 2:
            raise UserError(f"{self.path} is damaged: it is no mask.", "Write the set again.")
        return labels.astype(np.uint16, copy=False)
