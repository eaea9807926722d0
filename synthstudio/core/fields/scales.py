"""Micrometres per pixel from what an image file says about itself."""

import re
import struct
from pathlib import Path

from synthstudio.core.imaging import (
    TiffScale,
    read_image_header,
    read_slide_scale,
    read_tiff_scale,
    translate_os_error,
)

# Outside these limits a "resolution" describes a printed page (72 dpi are 353 um/px), not a microscope.
MIN_UM_PER_PX = 0.005
MAX_UM_PER_PX = 20.0

UM_PER_UNIT = {"nm": 0.001, "µm": 1.0, "μm": 1.0, "um": 1.0, "micron": 1.0, "microns": 1.0, "mm": 1e3, "cm": 1e4}
INCH, CENTIMETER = 2, 3
UM_PER_RESOLUTION_UNIT = {INCH: 25400.0, CENTIMETER: 10000.0}

APERIO_SCALE = re.compile(r"\|\s*MPP\s*=\s*([0-9.]+)")
OME_SCALE = re.compile(r'PhysicalSizeX="([0-9.eE+-]+)"')
OME_UNIT = re.compile(r'PhysicalSizeXUnit="([^"]+)"')
IMAGEJ_UNIT = re.compile(r"^unit=(\S+)", re.MULTILINE)


def read_um_per_px(path: Path) -> float | None:
    """Return the micrometres per pixel that a TIFF (OME, Aperio, ImageJ, resolution tags) or PNG states credibly.

    Raises:
        UserError: The file cannot be read or is no image.
    """
    kind = read_image_header(path, page=0).kind  # of a stack all pages have one scale
    if kind == "tiff":
        scale = _scale_of_tiff(read_tiff_scale(path))
    elif kind == "slide":
        scale = read_slide_scale(path)
    elif kind == "png":
        scale = _scale_of_png(path)
    else:
        scale = None
    return scale if scale is not None and MIN_UM_PER_PX <= scale <= MAX_UM_PER_PX else None


def _scale_of_tiff(stated: TiffScale) -> float | None:
    if found := APERIO_SCALE.search(stated.description):
        return _to_float(found.group(1))
    if found := OME_SCALE.search(stated.description):
        unit = OME_UNIT.search(stated.description)
        um = UM_PER_UNIT.get(unit.group(1) if unit else "µm")
        size = _to_float(found.group(1))
        return size * um if size is not None and um is not None else None
    if not stated.px_per_unit:
        return None
    um_per_unit = UM_PER_RESOLUTION_UNIT.get(stated.unit)
    if stated.description.startswith("ImageJ=") and (named := IMAGEJ_UNIT.search(stated.description)):
        # ImageJ writes the micro sign as the escape \\u00B5.
        um_per_unit = UM_PER_UNIT.get(named.group(1).replace("\\u00B5", "µ"))
    return um_per_unit / stated.px_per_unit if um_per_unit is not None else None


def _to_float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _scale_of_png(path: Path) -> float | None:
    """Read the pHYs chunk, which stands before the pixels."""
    try:
        with path.open("rb") as stream:
            stream.seek(8)
            while len(lead := stream.read(8)) == 8:
                length, name = struct.unpack(">I4s", lead)
                if name == b"pHYs" and length == 9:
                    px_per_m, _, unit = struct.unpack(">IIB", stream.read(9))
                    return 1e6 / px_per_m if unit == 1 and px_per_m else None
                if name == b"IDAT":
                    return None
                stream.seek(length + 4, 1)
    except OSError as error:
        raise translate_os_error(error, path) from error
    except struct.error:
        return None
    return None
