"""The formats that can be imported, by the name that `--format` takes."""

from collections.abc import Mapping
from types import MappingProxyType

from synthstudio.core.annotations.centers import read_centers
from synthstudio.core.annotations.imagefolder import read_imagefolder
from synthstudio.core.annotations.planning import Reader
from synthstudio.core.annotations.voc import read_voc

READERS: Mapping[str, Reader] = MappingProxyType(
    {"voc": read_voc, "centers": read_centers, "imagefolder": read_imagefolder}
)
