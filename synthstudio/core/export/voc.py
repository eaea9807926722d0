"""Pascal VOC: `JPEGImages/`, `Annotations/*.xml`, `ImageSets/Main/SPLIT.txt`.

VOC counts pixels from 1 and includes the last: `xmin = x0 + 1, xmax = x1` (see `core.annotations.voc`). Fractions are
kept, written in decimals that `read_voc` turns back into the very same floats. Two elements are our own, which other
readers pass over: `<annotation_state>`, and the click as `<point>` in an object that was annotated by its centre.
A box of one pixel or less in width or height is no object for `read_voc`.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

from synthstudio.core.annotations.voc import EXACT
from synthstudio.core.export.clean_images import read_clean_image
from synthstudio.core.export.datasets import ExportData, ExportImage, ExportResult, Mark, build_result, list_images
from synthstudio.core.export.notes import note_artifacts, note_centers
from synthstudio.core.export.staging import make_folder, staged_folder, write_staged
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import Split

NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_voc(data: ExportData, out: Path, *, tick: Tick = no_tick) -> ExportResult:
    """Write a Pascal VOC data set; see `Writer`."""
    images = list_images(data)
    with staged_folder(out) as partial:
        image_folder = make_folder(partial / "JPEGImages")
        annotation_folder = make_folder(partial / "Annotations")
        for number, image in enumerate(images):
            tick(number, len(images))
            clean = read_clean_image(image.fov)
            file_name = f"{image.stem}{clean.suffix}"
            write_staged(image_folder / file_name, clean.data)
            write_staged(annotation_folder / f"{image.stem}.xml", encode_annotation(image, file_name))
        _write_splits(make_folder(partial / "ImageSets" / "Main"), images)
        tick(len(images), len(images))
    return build_result(data, images, out, notes=[*note_centers(images), *note_artifacts(images)])


def _write_splits(folder: Path, images: Sequence[ExportImage]) -> None:
    for split in Split:
        stems = [image.stem for image in images if image.fov.split is split]
        if stems:
            write_staged(folder / f"{split}.txt", "".join(f"{stem}\n" for stem in stems).encode("utf-8"))


def encode_annotation(image: ExportImage, file_name: str) -> bytes:
    """Return the annotation file of an image."""
    root = ElementTree.Element("annotation")
    _add(root, "folder", "JPEGImages")
    _add(root, "filename", file_name)
    _add(root, "annotation_state", str(image.fov.state))
    size = ElementTree.SubElement(root, "size")
    _add(size, "width", str(image.fov.width))
    _add(size, "height", str(image.fov.height))
    _add(size, "depth", "3")
    _add(root, "segmented", "0")
    for mark in image.marks:
        _add_object(root, mark)
    ElementTree.indent(root, "\t")
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text


def _add_object(root: ElementTree.Element, mark: Mark) -> None:
    node = ElementTree.SubElement(root, "object")
    _add(node, "name", mark.object_class.name)
    for name, value in (("pose", "Unspecified"), ("truncated", "0"), ("difficult", "0")):
        _add(node, name, value)
    corners = ElementTree.SubElement(node, "bndbox")
    _add(corners, "xmin", _to_text(mark.box.x0, offset=1))
    _add(corners, "ymin", _to_text(mark.box.y0, offset=1))
    _add(corners, "xmax", _to_text(mark.box.x1))
    _add(corners, "ymax", _to_text(mark.box.y1))
    annotation = mark.annotation
    if not annotation.is_box:
        point = ElementTree.SubElement(node, "point")
        _add(point, "x", _to_text(annotation.x))
        _add(point, "y", _to_text(annotation.y))
        if annotation.size_px is not None:
            _add(point, "size", _to_text(annotation.size_px))


def _add(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, name).text = NOT_XML.sub("\ufffd", text)


def _to_text(value: float, *, offset: int = 0) -> str:
    """Return the shortest decimal that means this float, plus the offset, without rounding."""
    exact = EXACT.add(Decimal(repr(float(value))), Decimal(offset))
    return format(EXACT.normalize(exact), "f")
