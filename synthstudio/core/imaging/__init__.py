"""Reading and writing images: the one place that knows file formats, orientation, depth and damage.

Data convention of the whole program: images are `(H, W, 3)` uint8 RGB, masks `(H, W)` bool, boxes float64
`x0, y0, x1, y1` in px with the origin at the top left corner and an exclusive end.
"""

from synthstudio.core.imaging.coarse_levels import LayeredSource, build_levels, cache_key, find_levels, find_unpacked
from synthstudio.core.imaging.decoding import decode_image, read_image
from synthstudio.core.imaging.deep import DeepSamples, read_deep_samples
from synthstudio.core.imaging.encoding import encode_jpeg, encode_labels, encode_png, encode_webp, write_png
from synthstudio.core.imaging.files import (
    read_bytes,
    save_array,
    sha256_of_file,
    sync_folder,
    write_bytes_atomically,
    writing_atomically,
)
from synthstudio.core.imaging.formats import ImageArray
from synthstudio.core.imaging.headers import (
    IMAGE_SUFFIXES,
    LARGE_PIXELS,
    MAX_PIXELS,
    ImageHeader,
    read_image_header,
    read_image_size,
)
from synthstudio.core.imaging.levels import Channel, Histogram, Levels, apply_levels, auto_range, count_samples
from synthstudio.core.imaging.preview import has_small_copy, read_overview, read_preview
from synthstudio.core.imaging.slides import has_openslide, read_slide_scale
from synthstudio.core.imaging.source import ImageSource, SourceLevel, WholeSource, read_shrunken, read_shrunken_samples
from synthstudio.core.imaging.sources import open_image_source, read_or_open
from synthstudio.core.imaging.tiff import TiffScale, read_tiff_scale
from synthstudio.domain.os_errors import translate_os_error

__all__ = [
    "IMAGE_SUFFIXES",
    "LARGE_PIXELS",
    "MAX_PIXELS",
    "Channel",
    "DeepSamples",
    "Histogram",
    "ImageArray",
    "ImageHeader",
    "ImageSource",
    "LayeredSource",
    "Levels",
    "SourceLevel",
    "TiffScale",
    "WholeSource",
    "apply_levels",
    "auto_range",
    "build_levels",
    "cache_key",
    "count_samples",
    "decode_image",
    "encode_jpeg",
    "encode_labels",
    "encode_png",
    "encode_webp",
    "find_levels",
    "find_unpacked",
    "has_openslide",
    "has_small_copy",
    "open_image_source",
    "read_bytes",
    "read_deep_samples",
    "read_image",
    "read_image_header",
    "read_image_size",
    "read_or_open",
    "read_overview",
    "read_preview",
    "read_shrunken",
    "read_shrunken_samples",
    "read_slide_scale",
    "read_tiff_scale",
    "save_array",
    "sha256_of_file",
    "sync_folder",
    "translate_os_error",
    "write_bytes_atomically",
    "write_png",
    "writing_atomically",
]
