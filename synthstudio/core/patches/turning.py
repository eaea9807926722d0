"""What keeps a patch as sharp as its FOV through the turn that is still to come.

A patch is turned with a linear interpolation, which blurs it; a cubic one takes four times as long, at each paste. So
it is sharpened once, when it is cut, by what the turn will take. How much that is, is tried out on the FOV itself: the
noise of JPEG loses less than normal noise of the same spectrum does, at full resolution less than at half.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.imaging import ImageArray
from synthstudio.core.patches.texture import EDGE, measure_grain

TRIED_SHARES = (0.0, 0.5, 1.0)
TRIED_ANGLES_DEG = (17.0, 52.0)
TRIED_SIDE_PX = 256
TAPS_REACH = 3
SHARE_STEP = 0.05
GREATEST_GAIN = 1.5


def find_sharpening(image: ImageArray, gain: NDArray[np.float32]) -> float:
    """How much patches of an FOV have to be sharpened, so that they have its grain when they have been turned.

    Args:
        image: `(H, W, 3)` uint8 RGB, the FOV or a part of it.
        gain: `(3,)`, by which its colours are multiplied in the patches and divided after they were turned.

    Returns:
        0 to 1, see `sharpened`; 0 where the FOV has less grain than what was only turned.
    """
    height, width = image.shape[:2]
    top, left = max(0, (height - TRIED_SIDE_PX) // 2), max(0, (width - TRIED_SIDE_PX) // 2)
    view = np.ascontiguousarray(image[top : top + TRIED_SIDE_PX, left : left + TRIED_SIDE_PX])
    if min(view.shape[:2]) < 2 * TAPS_REACH:
        return 0.0
    gain = np.minimum(gain, GREATEST_GAIN)
    evened = _times(view, gain)
    tried = [_turned_grain(sharpened(evened, share), gain) for share in TRIED_SHARES]
    true = measure_grain(view)[0]
    if true <= tried[0]:
        return 0.0
    share = float(np.interp(true, np.maximum.accumulate(tried), TRIED_SHARES))
    return round(round(share / SHARE_STEP) * SHARE_STEP, 2)


def sharpened(crop: ImageArray, share: float) -> ImageArray:
    """Sharpen `(H, W, 3)` uint8 by this share, in decibels, of what a linear interpolation takes in the mean.

    Brightness alone: cameras and JPEG leave colour no fine grain, and rounding each channel by itself would give it
    some. By a few grey levels at most: hard edges would get a halo.
    """
    if not share:
        return crop
    taps = _sharpening_taps(share)
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    fine = cv2.sepFilter2D(grey, cv2.CV_32F, taps, taps, borderType=cv2.BORDER_REFLECT_101)
    change = np.clip(cv2.subtract(fine, grey, dtype=cv2.CV_16S), -EDGE, EDGE)
    return np.asarray(cv2.add(crop, cv2.merge([change, change, change]), dtype=cv2.CV_8U), np.uint8)


@lru_cache(maxsize=32)
def _sharpening_taps(share: float) -> NDArray[np.float32]:
    """Filter against the loss of a linear interpolation at random places between the pixels.

    At a frequency w it keeps 2/3 + cos(w)/3 of the power in the mean over all places, in each direction.
    """
    frequency = 2.0 * np.pi * np.fft.fftfreq(64)
    response = (2.0 / 3.0 + np.cos(frequency) / 3.0) ** (-share / 2.0)
    taps = np.roll(np.fft.ifft(response).real, TAPS_REACH)[: 2 * TAPS_REACH + 1]
    return np.asarray(taps / taps.sum(), np.float32)


def _turned_grain(evened: ImageArray, gain: NDArray[np.float32]) -> float:
    """Grain after turning and giving the colours back, in the mean over the angles."""
    height, width = evened.shape[:2]
    found = []
    for angle_deg in TRIED_ANGLES_DEG:
        matrix = cv2.getRotationMatrix2D((width / 2 - 0.2, height / 2 - 0.3), angle_deg, 1.0)
        turned = cv2.warpAffine(evened, matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101)
        found.append(measure_grain(_times(np.asarray(turned, np.uint8), 1.0 / gain))[0])
    return float(np.mean(found))


def _times(image: ImageArray, gain: NDArray[np.float32]) -> ImageArray:
    return np.asarray(np.clip(np.rint(image * gain), 0, 255), np.uint8)
