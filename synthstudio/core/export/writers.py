"""The formats that can be exported, by the name that `--format` takes."""

from collections.abc import Mapping
from types import MappingProxyType

from synthstudio.core.export.coco import write_coco
from synthstudio.core.export.datasets import Writer
from synthstudio.core.export.voc import write_voc

WRITERS: Mapping[str, Writer] = MappingProxyType({"coco": write_coco, "voc": write_voc})
