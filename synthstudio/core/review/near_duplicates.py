"""The same picture more than once, also stored again, brightened, resized, turned or mirrored.

Equal pixels are certain. Else a hash of the low frequencies says which pairs are worth comparing, and the correlation
of their detail proves it: in fields of scattered cells most pairs of near hashes are different images.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.review.image_facts import SMALL_PX, ImageFacts, SmallPicture
from synthstudio.domain.progress import Tick, no_tick

HASH_SIDE = 8
"""Of the square of low frequencies whose signs are the bits."""
_DCT_PX = 32
_DETAIL_SIGMA_PX = 6.0
_SHIFT_PX = 2
"""Two small pictures are tried at all shifts up to this: a cut edge moves everything."""
_FLAT = 1.5
"""Grey levels: with less spread of detail there is nothing to compare."""
MOST_COMPARED = 64
"""Of the images with near hashes, so many of the nearest are compared by their pixels: a thousand empty fields would be
half a million pairs."""
_ORIENTATIONS = 8

Hashes = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class SamePicture:
    """Images that show one picture.

    Attributes:
        members: Their places in the sequence that was searched, rising.
        correlation: Least correlation of detail that joined them; 1 where all are equal pixel for pixel.
    """

    members: tuple[int, ...]
    correlation: float

    @property
    def is_exact(self) -> bool:
        """Whether they are equal pixel for pixel."""
        return self.correlation >= 1.0


def find_same_pictures(
    facts: Sequence[ImageFacts], *, hash_distance: int, correlation: float, tick: Tick = no_tick
) -> list[SamePicture]:
    """Find groups of images that show the same picture.

    Args:
        facts: Of the images.
        hash_distance: Pairs of hashes that differ by at most so many of 64 bits are compared.
        correlation: Of detail, above which two are the same.
        tick: Is told about the comparisons.
    """
    first = _first_of_digest(facts)
    unique = sorted(set(first))
    groups = _Groups(len(facts))
    for number, leader in enumerate(first):
        groups.join(number, leader, 1.0)
    pictures = [facts[number].picture for number in unique]
    for a, b, turn in _candidates(pictures, hash_distance=hash_distance, tick=tick):
        found = detail_correlation(pictures[a], _turned(pictures[b], turn))
        if found > correlation:
            groups.join(unique[a], unique[b], min(found, 1.0 - 1e-6))  # not pixel for pixel
    return groups.found()


def hash_picture(picture: SmallPicture) -> int:
    """64 bits of an image's low frequencies, by the discrete cosine transform (after Zauner 2010)."""
    small = cv2.resize(picture, (_DCT_PX, _DCT_PX), interpolation=cv2.INTER_AREA)
    low = np.asarray(cv2.dct(np.asarray(small, np.float32)), np.float32)[:HASH_SIDE, :HASH_SIDE].ravel()
    bits = low > np.median(low[1:])  # the first is the mean brightness, which would drown the others
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def detail_correlation(a: SmallPicture, b: SmallPicture) -> float:
    """Highest normalised cross-correlation, -1 to 1, of the detail of two small pictures over small shifts."""
    first, second = _detail(a), _detail(b)
    inner = second[_SHIFT_PX : SMALL_PX - _SHIFT_PX, _SHIFT_PX : SMALL_PX - _SHIFT_PX]
    if first.std() < _FLAT or inner.std() < _FLAT:
        return 0.0
    return float(np.max(cv2.matchTemplate(first, inner, cv2.TM_CCOEFF_NORMED)))


def _detail(picture: SmallPicture) -> NDArray[np.float32]:
    plane = np.asarray(picture, np.float32)
    return np.asarray(plane - cv2.GaussianBlur(plane, (0, 0), _DETAIL_SIGMA_PX), np.float32)


def _turned(picture: SmallPicture, turn: int) -> SmallPicture:
    """One of the eight orientations; 0 is as it is."""
    flipped = picture[:, ::-1] if turn >= 4 else picture
    return np.ascontiguousarray(np.rot90(flipped, turn % 4))


def _candidates(pictures: Sequence[SmallPicture], *, hash_distance: int, tick: Tick) -> Iterator[tuple[int, int, int]]:
    """Pairs `(a, b, orientation of b)`, a < b, whose hashes are near; each pair once, in its nearest orientation."""
    n = len(pictures)
    hashes = np.zeros((n, _ORIENTATIONS), np.uint64)
    for number, picture in enumerate(pictures):
        tick(number, 2 * n)
        hashes[number] = [hash_picture(_turned(picture, turn)) for turn in range(_ORIENTATIONS)]
    for a in range(n):
        tick(n + a, 2 * n)
        distances = np.bitwise_count(hashes[a + 1 :] ^ hashes[a, 0])  # (n, 8)
        least = distances.min(axis=1, initial=64)
        near = np.flatnonzero(least <= hash_distance)
        for row in near[np.argsort(least[near], kind="stable")][:MOST_COMPARED]:
            yield a, a + 1 + int(row), int(distances[row].argmin())
    tick(2 * n, max(1, 2 * n))


def _first_of_digest(facts: Sequence[ImageFacts]) -> list[int]:
    """For each image the first one with the same pixels, often itself."""
    first: dict[str, int] = {}
    return [first.setdefault(each.digest, number) for number, each in enumerate(facts)]


class _Groups:
    """Numbers that are joined two by two, with the weakest bond of each group."""

    def __init__(self, n: int) -> None:
        self._leader = list(range(n))
        self._bond = [1.0] * n

    def _find(self, number: int) -> int:
        while self._leader[number] != number:
            self._leader[number] = self._leader[self._leader[number]]
            number = self._leader[number]
        return number

    def join(self, a: int, b: int, bond: float) -> None:
        """Put two into one group; nothing happens where they are in one already."""
        first, second = sorted((self._find(a), self._find(b)))
        if first != second:
            self._leader[second] = first
            self._bond[first] = min(self._bond[first], self._bond[second], bond)

    def found(self) -> list[SamePicture]:
        """The groups of more than one."""
        members: dict[int, list[int]] = {}
        for number in range(len(self._leader)):
            members.setdefault(self._find(number), []).append(number)
        return [SamePicture(tuple(each), self._bond[leader]) for leader, each in members.items() if len(each) > 1]
