"""The formats that can be exported, by the name that `--format` takes."""

from collections.abc import Mapping
from types import MappingProxyType

from synthstudio.core.export.centers import write_centers
from synthstudio.core.export.coco import write_coco
from synthstudio.core.export.datasets import Writer
from synthstudio.core.export.geojson import write_geojson
from synthstudio.core.export.imagefolder import write_imagefolder
from synthstudio.core.export.labelme import write_labelme
from synthstudio.core.export.tables import write_csv
from synthstudio.core.export.voc import write_voc
from synthstudio.core.export.yolo import write_yolo

WRITERS: Mapping[str, Writer] = MappingProxyType(
    {
        "coco": write_coco,
        "yolo": write_yolo,
        "voc": write_voc,
        "labelme": write_labelme,
        "csv": write_csv,
        "geojson": write_geojson,
        "centers": write_centers,
        "imagefolder": write_imagefolder,
    }
)
