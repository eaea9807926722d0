"""YOLO: `data.yaml`, `images/SPLIT/`, `labels/SPLIT/*.txt` with `class x_center y_center width height` a line.

The sides are shares of the image's, with all digits that a float has. `data.yaml` has no `path`: its own folder is
meant then, so that the data set can be moved. Images of no split lie in `unsplit`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from synthstudio.core.export.clean_images import read_clean_image
from synthstudio.core.export.datasets import ExportData, ExportImage, ExportResult, build_result, list_images
from synthstudio.core.export.notes import note_artifacts, note_centers, note_partial
from synthstudio.core.export.staging import make_folder, staged_folder, write_staged
from synthstudio.domain.ids import ClassId
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import ObjectClass, Split

UNSPLIT = "unsplit"
# JSON lets them stand; YAML wants them escaped.
NOT_YAML = re.compile("[\x7f-\x84\x86-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def write_yolo(data: ExportData, out: Path, *, tick: Tick = no_tick) -> ExportResult:
    """Write a YOLO data set; see `Writer`."""
    images = list_images(data)
    numbers = {object_class.id: number for number, object_class in enumerate(data.classes)}
    folders = [split for split in Split if any(image.fov.split is split for image in images)]
    with staged_folder(out) as partial:
        for number, image in enumerate(images):
            tick(number, len(images))
            split = image.fov.split or UNSPLIT
            clean = read_clean_image(image.fov)
            write_staged(make_folder(partial / "images" / split) / f"{image.stem}{clean.suffix}", clean.data)
            write_staged(make_folder(partial / "labels" / split) / f"{image.stem}.txt", encode_labels(image, numbers))
        write_staged(partial / "data.yaml", encode_data_yaml(data.classes, folders))
        tick(len(images), len(images))
    notes = [*note_centers(images), *note_partial(images), *note_artifacts(images), *_note_splits(images, folders)]
    return build_result(data, images, out, notes=notes)


def encode_labels(image: ExportImage, numbers: Mapping[ClassId, int]) -> bytes:
    """Return the label file of an image."""
    width, height = image.fov.width, image.fov.height
    lines: list[str] = []
    for mark in image.marks:
        x, y = mark.box.center
        shares = (x / width, y / height, mark.box.width / width, mark.box.height / height)
        lines.append(" ".join([str(numbers[mark.object_class.id]), *(repr(float(share)) for share in shares)]))
    return "".join(f"{line}\n" for line in lines).encode()


def encode_data_yaml(classes: Sequence[ObjectClass], folders: Sequence[Split]) -> bytes:
    """Return `data.yaml`: trainers want both `train` and `val`, so a missing one points at what there is."""
    train = f"images/{Split.TRAIN if Split.TRAIN in folders else folders[0] if folders else UNSPLIT}"
    val = f"images/{Split.VAL}" if Split.VAL in folders else train
    lines = ["# path is left out: it is the folder of this file", f"train: {train}", f"val: {val}"]
    if Split.TEST in folders:
        lines.append(f"test: images/{Split.TEST}")
    lines += [f"nc: {len(classes)}", "names:"]
    lines += [f"  {number}: {_quote(object_class.name)}" for number, object_class in enumerate(classes)]
    return "".join(f"{line}\n" for line in lines).encode("utf-8", errors="replace")


def _quote(text: str) -> str:
    return NOT_YAML.sub(lambda found: f"\\u{ord(found.group()):04x}", json.dumps(text, ensure_ascii=False))


def _note_splits(images: Sequence[ExportImage], folders: Sequence[Split]) -> list[str]:
    n_unsplit = sum(image.fov.split is None for image in images)
    notes = []
    if n_unsplit and folders:
        notes.append(f"{n_unsplit:,} images of no split lie in images/{UNSPLIT}, which data.yaml does not list.")
    missing = [split for split in (Split.TRAIN, Split.VAL) if split not in folders]
    if images and missing:
        names = " and ".join(missing)
        notes.append(
            f"There is no {names} split; data.yaml points at other images there, so divide them before training."
        )
    return notes
