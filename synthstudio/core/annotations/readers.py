"""The formats that can be imported, by the name that `--format` takes."""

from collections.abc import Mapping
from types import MappingProxyType

from synthstudio.core.annotations.captions import read_captions
from synthstudio.core.annotations.centers import read_centers
from synthstudio.core.annotations.coco import read_coco
from synthstudio.core.annotations.geojson import read_geojson
from synthstudio.core.annotations.imagefolder import read_imagefolder
from synthstudio.core.annotations.labelme import read_labelme
from synthstudio.core.annotations.planning import Reader
from synthstudio.core.annotations.tables import read_csv
from synthstudio.core.annotations.voc import read_voc
from synthstudio.core.annotations.yolo import read_yolo

READERS: Mapping[str, Reader] = MappingProxyType(
    {
        "voc": read_voc,
        "coco": read_coco,
        "yolo": read_yolo,
        "labelme": read_labelme,
        "csv": read_csv,
        "geojson": read_geojson,
        "centers": read_centers,
        "imagefolder": read_imagefolder,
        "captions": read_captions,
    }
)
