"""Sets of generated images: a line for each with its request and where it comes from, and a header with the GANs.

A line holds all that its image depends on but the weights: it can be made again whatever has become of the project.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from synthstudio import __version__
from synthstudio.core.imaging import ImageArray, encode_png
from synthstudio.core.synthesis.manifest import FORMAT_VERSION, MadeImage, SetFiles
from synthstudio.core.synthesis.requests import request_from_json, request_to_json
from synthstudio.core.synthesis.semantic_maps import MapCoding
from synthstudio.domain.maps import MapRequest
from synthstudio.domain.records import Box, Generator

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class GanOrigin:
    """The GAN behind generated images.

    Attributes:
        run: Id of its training.
        weights_sha256: Of the file with its averaged generator.
        class_names, tone_levels, has_unknown: What it can be asked for, see `GanCard`.
        side: Of its images in px.
        source_fovs: FOVs that it learned from.
    """

    run: str
    weights_sha256: str
    class_names: tuple[str, ...]
    tone_levels: tuple[str, ...]
    has_unknown: bool
    side: int
    source_fovs: tuple[int, ...]

    @property
    def coding(self) -> MapCoding:
        """What the colours of its maps mean."""
        return MapCoding(self.class_names, len(self.tone_levels), self.has_unknown)

    def to_json(self) -> dict[str, object]:
        """Its entry in the header of a set; the run is the key."""
        return {
            "weights_sha256": self.weights_sha256,
            "classes": list(self.class_names),
            "tone_levels": list(self.tone_levels),
            "has_unknown_tone": self.has_unknown,
            "side": self.side,
            "source_fovs": list(self.source_fovs),
        }

    @classmethod
    def from_json(cls, run: str, entry: Mapping[str, object]) -> GanOrigin:
        """Read an entry of a header. Raises ValueError, TypeError or KeyError where it is damaged."""
        return cls(
            run=run,
            weights_sha256=str(entry["weights_sha256"]),
            class_names=tuple(str(each) for each in _items(entry["classes"])),
            tone_levels=tuple(str(each) for each in _items(entry["tone_levels"])),
            has_unknown=bool(entry["has_unknown_tone"]),
            side=int(str(entry["side"])),
            source_fovs=tuple(int(str(each)) for each in _items(entry["source_fovs"])),
        )


def _items(found: object) -> list[object]:
    if not isinstance(found, list):
        raise TypeError("not a list")
    return found


@dataclass(frozen=True, slots=True)
class GeneratedImage:
    """An image and what was asked for.

    Attributes:
        image: `(side, side, 3)` uint8 RGB.
        noise: Seed and index of the random numbers that entered with the map, see `streams.draw_noise`.
    """

    image: ImageArray
    request: MapRequest
    noise: tuple[int, int]


def encode_generated(made: GeneratedImage, origin: GanOrigin, files: SetFiles, index: int) -> MadeImage:
    """Encode image `index` of a set, with its map where the set has maps, and write its line."""
    coding = origin.coding
    image_name = files.image_name(index)
    encoded = {image_name: files.encode(made.image)}
    if files.has_maps:
        encoded[files.map_name(index)] = encode_png(coding.draw(made.request))
    seen = coding.normalise(made.request)
    line: dict[str, object] = {
        "generator": Generator.GAN.value,
        "run": origin.run,
        "weights_sha256": origin.weights_sha256,
        "noise": {"seed": made.noise[0], "index": made.noise[1]},
        "index": index,
        "file": image_name,
        "sha256": _sha256(encoded[image_name]),
        "labels": [name for name in origin.class_names if any(each.class_name == name for each in seen.regions)],
        "tone": _tone_name(origin, made.request.tone),
        "request": request_to_json(made.request),
    }
    if files.has_maps:
        name = files.map_name(index)
        line |= {"map": name, "map_sha256": _sha256(encoded[name])}
    line["objects"] = [_object_entry(each.class_name, each.box) for each in seen.regions]
    return MadeImage(encoded, _ENCODER.encode(line))


def _tone_name(origin: GanOrigin, tone: int) -> str | None:
    return origin.tone_levels[tone - 1] if 1 <= tone <= len(origin.tone_levels) else None


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _object_entry(class_name: str, box: Box) -> dict[str, object]:
    return {
        "class": class_name,
        "role": "object",
        "labelled": True,
        "box": [box.x0, box.y0, box.x1, box.y1],
        "center": list(box.center),
        "visible": 1.0,
        "annotation": None,
        "fov": None,
    }


@dataclass(frozen=True, slots=True)
class GeneratedLine:
    """What a line of the manifest says about how its image is made."""

    run: str
    weights_sha256: str
    request: MapRequest
    noise: tuple[int, int]


def read_generated_line(entry: object) -> GeneratedLine:
    """Read what a line, already parsed, says. Raises ValueError, TypeError or KeyError where it is damaged."""
    if not isinstance(entry, dict):
        raise ValueError("a line is an object")
    noise = entry["noise"]
    return GeneratedLine(
        run=str(entry["run"]),
        weights_sha256=str(entry["weights_sha256"]),
        request=request_from_json(entry["request"]),
        noise=(int(noise["seed"]), int(noise["index"])),
    )


@dataclass(frozen=True, slots=True)
class GeneratedFacts:
    """What the header of a set of generated images says besides its GANs.

    Attributes:
        files: Which files each image comes in.
        side: Of the images in px.
        classes: Names of the conditions on them.
        settings: The resolved settings of the job; empty for images that were kept one by one.
        project_state: Hash of the records that requests were drawn from.
        provider: What onnxruntime computed the images with.
        versions: Of what computed the images, besides those of the encoders.
    """

    files: SetFiles
    side: int
    classes: tuple[str, ...]
    settings: Mapping[str, object]
    project_state: str
    provider: str
    versions: Mapping[str, str]


def generated_header(
    facts: GeneratedFacts, gans: Mapping[str, object], *, indices: range, manifest_sha256: str
) -> bytes:
    """The header file of a set of generated images: readable JSON.

    Args:
        facts: What is said besides.
        gans: `GanOrigin.to_json` of each GAN by the id of its run.
        indices: Numbers of the images.
        manifest_sha256: Hash of the manifest.
    """
    files = facts.files
    header = {
        "format": FORMAT_VERSION,
        "generator": Generator.GAN.value,
        "n_images": len(indices),
        "first_index": indices.start,
        "manifest_sha256": manifest_sha256,
        "size": [facts.side, facts.side],
        "classes": list(facts.classes),
        "files": {"format": files.format, "quality": files.quality, "masks": False, "maps": files.has_maps},
        "gans": dict(gans),
        "settings": dict(facts.settings),
        "project_state": facts.project_state,
        "um_per_px": None,
        "provider": facts.provider,
        "versions": {
            "synthstudio": __version__,
            "opencv": cv2.__version__,
            "numpy": np.__version__,
            **facts.versions,
        },
    }
    return (json.dumps(header, ensure_ascii=False, indent=2) + "\n").encode()
