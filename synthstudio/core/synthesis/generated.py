"""Sets of generated images: a line for each with its request and where it comes from, and a header.

A line holds all that its image depends on but the weights, and the real picture where it started from one: it can be
made again whatever has become of the project.
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
from synthstudio.core.synthesis.origins import MODEL_MARK, MapOrigin, Origin, PromptOrigin
from synthstudio.core.synthesis.prompt_lines import prompt_from_line, prompt_to_line
from synthstudio.core.synthesis.requests import request_from_json, request_to_json
from synthstudio.domain.maps import MapRequest
from synthstudio.domain.prompts import PromptRequest
from synthstudio.domain.records import Box, Generator

PROMPT_LIBRARIES = ("torch", "diffusers", "transformers")
"""What the bytes of images from prompts depend on, by the names of their packages."""
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class GeneratedImage:
    """An image and what was asked for.

    Attributes:
        image: `(side, side, 3)` uint8 RGB.
        noise: Seed and index of the random numbers that entered with the request, see `streams`.
    """

    image: ImageArray
    request: MapRequest | PromptRequest
    noise: tuple[int, int]


def encode_generated(made: GeneratedImage, origin: Origin, files: SetFiles, index: int) -> MadeImage:
    """Encode image `index` of a set, with its map where the set has maps, and write its line."""
    match origin, made.request:
        case MapOrigin(), MapRequest() as request:
            return _encode_mapped(made, request, origin, files, index)
        case PromptOrigin(), PromptRequest() as request:
            return _encode_prompted(made, request, origin, files, index)
        case _:
            raise TypeError(f"{type(origin).__name__} cannot be asked by a {type(made.request).__name__}")


def _encode_mapped(
    made: GeneratedImage, request: MapRequest, origin: MapOrigin, files: SetFiles, index: int
) -> MadeImage:
    coding = origin.coding
    image_name = files.image_name(index)
    encoded = {image_name: files.encode(made.image)}
    if files.has_maps:
        encoded[files.map_name(index)] = encode_png(coding.draw(request))
    seen = coding.normalise(request)
    line: dict[str, object] = {
        "generator": origin.generator.value,
        "run": origin.run,
        "weights_sha256": origin.weights_sha256,
        "noise": {"seed": made.noise[0], "index": made.noise[1]},
        "index": index,
        "file": image_name,
        "sha256": _sha256(encoded[image_name]),
        "labels": [name for name in origin.class_names if any(each.class_name == name for each in seen.regions)],
        "tone": _tone_name(origin, request.tone),
        "request": request_to_json(request),
    }
    if files.has_maps:
        name = files.map_name(index)
        line |= {"map": name, "map_sha256": _sha256(encoded[name])}
    line["objects"] = [_object_entry(each.class_name, each.box) for each in seen.regions]
    return MadeImage(encoded, _ENCODER.encode(line))


def _encode_prompted(
    made: GeneratedImage, request: PromptRequest, origin: PromptOrigin, files: SetFiles, index: int
) -> MadeImage:
    """The object is what was painted: the box of a real picture, or all of the image."""
    name = files.image_name(index)
    data = files.encode(made.image)
    whole = Box(0.0, 0.0, float(request.side), float(request.side))
    painted = request.place.box_within(request.side) if request.place is not None else None
    line: dict[str, object] = {
        "generator": origin.generator.value,
        **({"run": origin.run} if origin.run else {"model": origin.model}),
        "weights_sha256": origin.weights_sha256,
        "noise": {"seed": made.noise[0], "index": made.noise[1]},
        "index": index,
        "file": name,
        "sha256": _sha256(data),
        "labels": [origin.class_name],
        **prompt_to_line(request),
        "objects": [_object_entry(origin.class_name, painted or whole)],
    }
    return MadeImage({name: data}, _ENCODER.encode(line))


def _tone_name(origin: MapOrigin, tone: int) -> str | None:
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
    """What a line of the manifest says about how its image is made.

    Attributes:
        origin: Key, in the header, of what made it.
    """

    origin: str
    weights_sha256: str
    request: MapRequest | PromptRequest
    noise: tuple[int, int]


def read_generated_line(entry: object) -> GeneratedLine:
    """Read what a line, already parsed, says. Raises ValueError, TypeError or KeyError where it is damaged."""
    if not isinstance(entry, dict):
        raise ValueError("a line is an object")
    noise = entry["noise"]
    return GeneratedLine(
        origin=origin_key(entry) or str(entry["run"]),
        weights_sha256=str(entry["weights_sha256"]),
        request=prompt_from_line(entry) if "prompt" in entry else request_from_json(entry["request"]),
        noise=(int(noise["seed"]), int(noise["index"])),
    )


def origin_key(entry: Mapping[str, object]) -> str | None:
    """Key, in the header, of what made the image of a line; None for a composite."""
    run, model = entry.get("run"), entry.get("model")
    if run is not None:
        return str(run)
    return f"{MODEL_MARK}{model}" if model is not None else None


@dataclass(frozen=True, slots=True)
class GeneratedFacts:
    """What the header of a set of generated images says besides what made them.

    Attributes:
        files: Which files each image comes in.
        side: Of the images in px.
        classes: Names of what is on them.
        settings: The resolved settings of the job; empty for images that were kept one by one.
        project_state: Hash of the records that requests were drawn from.
        provider: What computed the images, in the words of what computes them.
        versions: Of what computed the images, besides those of the encoders.
        generator: Kind of what made them.
        threads: Of the processor, where the bytes depend on their number; 0 where they do not.
    """

    files: SetFiles
    side: int
    classes: tuple[str, ...]
    settings: Mapping[str, object]
    project_state: str
    provider: str
    versions: Mapping[str, str]
    generator: Generator = Generator.GAN
    threads: int = 0


def generated_header(
    facts: GeneratedFacts, generators: Mapping[str, object], *, indices: range, manifest_sha256: str
) -> bytes:
    """The header file of a set of generated images: readable JSON.

    Args:
        facts: What is said besides.
        generators: `to_json` of the origin of each by its key.
        indices: Numbers of the images.
        manifest_sha256: Hash of the manifest.
    """
    files = facts.files
    header = {
        "format": FORMAT_VERSION,
        "generator": facts.generator.value,
        "n_images": len(indices),
        "first_index": indices.start,
        "manifest_sha256": manifest_sha256,
        "size": [facts.side, facts.side],
        "classes": list(facts.classes),
        "files": {"format": files.format, "quality": files.quality, "masks": False, "maps": files.has_maps},
        "generators": dict(generators),
        "settings": dict(facts.settings),
        "project_state": facts.project_state,
        "um_per_px": None,
        "provider": facts.provider,
        "threads": facts.threads,
        "versions": {
            "synthstudio": __version__,
            "opencv": cv2.__version__,
            "numpy": np.__version__,
            **facts.versions,
        },
    }
    return (json.dumps(header, ensure_ascii=False, indent=2) + "\n").encode()
