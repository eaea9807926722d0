"""What is written down about a set: one line per image, and a header with all that its bytes depend on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

import cv2
import numpy as np

from synthstudio import __version__
from synthstudio.core.patches.bank import PatchBank
from synthstudio.core.synthesis.composer import Composer, Composite, PlacedObject
from synthstudio.domain.records import Generator
from synthstudio.settings.compose import ComposeSettings

FORMAT_VERSION = 1
HEADER_NAME = "set.json"
MANIFEST_NAME = "manifest.jsonl"
IMAGES_FOLDER = "images"
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class SetOrigin:
    """Where a set comes from, as far as the composer does not know it.

    Attributes:
        settings: The resolved settings of the job.
        project_state: Hash of the project's records that the patches were cut from.
    """

    settings: ComposeSettings
    project_state: str = ""


def image_name(index: int) -> str:
    """Path of an image within its set."""
    return f"{IMAGES_FOLDER}/{index:06d}.png"


def manifest_line(composer: Composer, composite: Composite, *, sha256: str) -> str:
    """One JSON object without its line end: image, hash, labels, and the source of every object."""
    names = {item.id: item.name for item in composer.bank.classes}
    labels = [
        item.name for item, present in zip(composer.label_classes, composite.presence.tolist(), strict=True) if present
    ]
    line = {
        "generator": Generator.COMPOSITED.value,
        "seed": composer.seed,
        "index": composite.index,
        "file": image_name(composite.index),
        "sha256": sha256,
        "labels": labels,
        "canvas": {"kind": composer.settings.canvas, "fov": composite.canvas_fov_id},
        "source_fovs": list(composite.source_fov_ids),
        "n_wanted": composite.n_wanted,
        "objects": [_object_entry(item, names[item.class_id]) for item in composite.objects],
    }
    return _ENCODER.encode(line)


def _object_entry(item: PlacedObject, class_name: str) -> dict[str, object]:
    box = item.box
    return {
        "class": class_name,
        "role": "artifact" if item.is_artifact else "object",
        "labelled": item.has_label,
        "box": (box.x0, box.y0, box.x1, box.y1),
        "center": (item.x, item.y),
        "visible": round(item.visible, 4),
        "annotation": item.annotation_id,
        "fov": item.fov_id,
    }


def header_bytes(composer: Composer, origin: SetOrigin, *, count: int, manifest_sha256: str) -> bytes:
    """The header file: readable JSON. It names the versions because OpenCV's warp differs between releases."""
    header = {
        "format": FORMAT_VERSION,
        "generator": Generator.COMPOSITED.value,
        "n_images": count,
        "first_index": origin.settings.first_index,
        "manifest_sha256": manifest_sha256,
        "seed": composer.seed,
        "classes": [item.name for item in composer.label_classes],
        "settings": origin.settings.model_dump(mode="json"),
        "project_state": origin.project_state,
        "patches_sha256": bank_digest(composer.bank),
        "versions": {"synthstudio": __version__, "opencv": cv2.__version__, "numpy": np.__version__},
    }
    return (json.dumps(header, ensure_ascii=False, indent=2) + "\n").encode()


def bank_digest(bank: PatchBank) -> str:
    """SHA-256 of the patches, their records and their backgrounds: all of the bank that images depend on."""
    digest = hashlib.sha256()
    digest.update(bank.pixels.data)
    digest.update(repr((bank.patches, bank.fov_ids, bank.scale, bank.is_transmitted)).encode())
    digest.update(repr([(item.id, item.name, item.role.value) for item in bank.classes]).encode())
    for background in bank.backgrounds:
        digest.update(repr((background.rows, background.columns, background.mean, background.color)).encode())
        for array in (background.field, background.noise, background.grain):
            digest.update(array.tobytes())
    return digest.hexdigest()
