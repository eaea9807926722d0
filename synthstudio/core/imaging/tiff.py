"""The structure of a TIFF, as tifffile reads it: images, their smaller copies, orientation, scale, profile."""

import contextlib
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, cast

from synthstudio.core.imaging.formats import damaged
from synthstudio.domain.errors import UserError
from synthstudio.domain.os_errors import translate_os_error

if TYPE_CHECKING:
    import tifffile

# What tifffile raises on damaged files, beside OSError; its own TiffFileError is among RuntimeError or ValueError.
TIFF_ERRORS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)

ICC_TAG = 34675
ORIENTATION_TAG = 274
X_RESOLUTION_TAG = 282
RESOLUTION_UNIT_TAG = 296


@dataclass(frozen=True, slots=True)
class TiffScale:
    """What a TIFF says about its scale, as it says it.

    Attributes:
        description: The image description (OME, Aperio and ImageJ put theirs there).
        px_per_unit: Horizontal resolution.
        unit: 1 none, 2 inch, 3 centimetre.
    """

    description: str
    px_per_unit: float | None
    unit: int


def key_of(page: "tifffile.TiffPage | tifffile.TiffFrame") -> "tifffile.TiffPage":
    """Return the page that describes this one: itself, or the one that it is like."""
    return cast("tifffile.TiffPage", page.keyframe)


@dataclass(frozen=True, slots=True)
class TiffPlan:
    """The images in an open TIFF.

    Attributes:
        tiff: The open file.
        places: Of the images of the size of the first, in file order; a stack has more than one.
    """

    tiff: "tifffile.TiffFile"
    places: tuple[int, ...]

    @property
    def keyframe(self) -> "tifffile.TiffPage":
        """The first image."""
        return key_of(self.tiff.pages[0])

    @property
    def n_pages(self) -> int:
        return max(len(self.places), int(self.keyframe.imagedepth))

    def page(self, number: int) -> "tifffile.TiffPage | tifffile.TiffFrame":
        """Return one of the images, counted from 0.

        Raises:
            UserError: The file has no such image.
        """
        if not 0 <= number < len(self.places):
            raise UserError(
                f"{self.tiff.filehandle.path} has no image {number + 1}; it holds {len(self.places)}.",
                "Import it again, or choose one of its images.",
            )
        return self.tiff.pages[self.places[number]]

    def levels_of(self, page: int) -> "list[tifffile.TiffPage | tifffile.TiffFrame]":
        """Return an image and its smaller copies, largest first.

        Raises:
            UserError: The file has no such image.
        """
        full = self.page(page)
        candidates: list[tifffile.TiffPage | tifffile.TiffFrame] = list(full.pages or ()) if full.subifds else []
        if len(self.places) == 1:
            candidates += list(self.tiff.pages)[1:]
        levels = [full]
        for each in sorted(candidates, key=lambda each: -key_of(each).imagewidth):
            if _is_smaller_copy(key_of(each), key_of(levels[-1]), self.keyframe):
                levels.append(each)
        return levels


def _is_smaller_copy(page: "tifffile.TiffPage", above: "tifffile.TiffPage", full: "tifffile.TiffPage") -> bool:
    """Whether a page shows the same image in fewer pixels; a slide's label and overview have other proportions."""
    if page.imagewidth >= above.imagewidth or page.dtype != full.dtype or page.samplesperpixel != full.samplesperpixel:
        return False
    factor = full.imagewidth / page.imagewidth
    return abs(full.imagelength / factor - page.imagelength) <= 1.0 + 0.001 * page.imagelength


@dataclass(frozen=True, slots=True)
class TiffHeader:
    """Size in px as stored, orientation (1-8), and number of images of that size."""

    width: int
    height: int
    orientation: int
    n_pages: int


def read_tiff_scale(path: Path) -> TiffScale:
    """Return the statements of the first page about its scale.

    Raises:
        UserError: The file cannot be read or is damaged.
    """
    with open_tiff(path) as plan:
        page = plan.keyframe
        resolution = page.tags.valueof(X_RESOLUTION_TAG)
        unit = page.tags.valueof(RESOLUTION_UNIT_TAG)
        is_ratio = isinstance(resolution, tuple) and len(resolution) == 2 and bool(resolution[1])
        px_per_unit = resolution[0] / resolution[1] if is_ratio else None
        return TiffScale(str(page.description), px_per_unit, int(unit) if isinstance(unit, int) else 2)


def header_of(plan: TiffPlan) -> TiffHeader:
    """Return what the first page says about its size."""
    page = plan.keyframe
    return TiffHeader(int(page.imagewidth), int(page.imagelength), orientation_of(page), plan.n_pages)


def orientation_of(page: "tifffile.TiffPage") -> int:
    """Return the orientation (1-8) of a page; 1 where it says none."""
    orientation = page.tags.valueof(ORIENTATION_TAG)
    return int(orientation) if isinstance(orientation, int) and 1 <= orientation <= 8 else 1


def refuse_stack(n_pages: int, path: Path) -> NoReturn:
    """Say that a file holds several images and that none of them was chosen."""
    raise UserError(
        f"{path} is a stack of {n_pages} images, not one image.",
        "Import it as images: each of its pages becomes a field. Or save the page that you want as a single image.",
    )


def read_tiff_profile(path: Path) -> bytes:
    """Return the ICC profile of the first page, or nothing."""
    with open_tiff(path) as plan:
        profile = plan.keyframe.tags.valueof(ICC_TAG)
        return bytes(profile) if isinstance(profile, bytes) else b""


def unreadable(path: Path, encoding: str) -> UserError:
    """Say that a TIFF's way of storing pixels is not known here."""
    return UserError(
        f"{path} is a TIFF whose pixels ({encoding}) cannot be decoded here.",
        "Save it as an uncompressed or LZW-compressed RGB TIFF, or as PNG.",
    )


@contextlib.contextmanager
def open_tiff(path: Path) -> Iterator[TiffPlan]:
    """Open a TIFF for as long as its structure is looked at.

    Raises:
        UserError: The file cannot be read or is damaged; also for what tifffile raises within.
    """
    import tifffile  # noqa: PLC0415 - 60 ms that a start without a TIFF should not pay

    try:
        # _multifile: an OME-TIFF may name other files, which a stranger's file must not make us open.
        with tifffile.TiffFile(path, _multifile=False) as tiff:
            first = tiff.pages[0]
            if not isinstance(first, tifffile.TiffPage):
                raise damaged(path, "its first page cannot be read")
            facts = os.fstat(tiff.filehandle.fileno())
            places = _find_images(path, facts.st_size, facts.st_mtime_ns) if len(tiff.pages) > 1 else (0,)
            yield TiffPlan(tiff, places)
    except OSError as error:
        raise translate_os_error(error, path) from error
    except (*TIFF_ERRORS, tifffile.TiffFileError) as error:
        raise damaged(path, f"its TIFF structure is wrong ({error})") from error


@lru_cache(maxsize=16)
def _find_images(path: Path, _n_bytes: int, _changed_ns: int) -> tuple[int, ...]:
    """Return the places of the images of the first one's size.

    Remembered as long as the file stays what it is: in a stack of a thousand pages, to look at each takes 0.1 s.
    """
    import tifffile  # noqa: PLC0415 - see `open_tiff`

    with tifffile.TiffFile(path, _multifile=False) as tiff:
        sizes = [(key_of(each).imagewidth, key_of(each).imagelength) for each in tiff.pages]
    return tuple(place for place, size in enumerate(sizes) if size == sizes[0])
