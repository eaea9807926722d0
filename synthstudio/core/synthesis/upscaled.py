"""Sets whose images are those of another set, enlarged: what their lines and their header say.

A line keeps all that the source's line says, with its boxes scaled, so that whatever reads sets finds labels, origin
and request where they were; beside it stands which image was enlarged, and by what.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from synthstudio import __version__
from synthstudio.core.imaging import ImageArray, encode_labels, encode_png, read_bytes, read_image
from synthstudio.core.synthesis.manifest import MANIFEST_NAME, MadeImage, SetFiles
from synthstudio.core.synthesis.origins import MODEL_MARK
from synthstudio.core.synthesis.set_header import SetHeader, read_set_header
from synthstudio.domain.errors import UserError
from synthstudio.settings.upscale import UpscaleSettings

Line = Mapping[str, object]
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class UpscalerOrigin:
    """The upscaler behind enlarged images.

    Attributes:
        run: Id of its training; empty for a local model.
        model: Name of the local model that it is, or began from; may be empty.
        model_sha256: Of that model.
        weights_sha256: Of the file that was trained; of the local model otherwise.
        method: "compact" or "diffusion".
        factor: How many times larger images become.
        source_fovs: FOVs that it learned from.
    """

    run: str
    model: str
    model_sha256: str
    weights_sha256: str
    method: str
    factor: int
    source_fovs: tuple[int, ...] = ()

    @property
    def key(self) -> str:
        """What lines name it by."""
        return self.run or f"{MODEL_MARK}{self.model}"

    def to_json(self) -> dict[str, object]:
        """Its entry in the header of a set."""
        return {
            "run": self.run,
            "model": self.model,
            "model_sha256": self.model_sha256,
            "weights_sha256": self.weights_sha256,
            "method": self.method,
            "factor": self.factor,
            "source_fovs": list(self.source_fovs),
        }


@dataclass(frozen=True, slots=True)
class SourceSet:
    """The set that is enlarged: its folder, header, lines, and the hash of its manifest."""

    folder: Path
    header: SetHeader
    lines: tuple[Line, ...]
    manifest_sha256: str

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of its images in px."""
        assert self.header.size is not None
        return self.header.size

    def read(self, line: Line) -> ImageArray:
        """Read one of its images, `(H, W, 3)` uint8 RGB. Raises UserError where it is not what was written."""
        path = self.folder / str(line["file"])
        if hashlib.sha256(read_bytes(path)).hexdigest() != line["sha256"]:
            raise UserError(f"{path} is not the image that was written.", f"Write the set {self.name} again.")
        return read_image(path)


def read_lines(folder: Path) -> tuple[Line, ...]:
    """Read the manifest of a set. Raises UserError where it is missing or damaged."""
    try:
        lines = tuple(json.loads(line) for line in read_bytes(folder / MANIFEST_NAME).splitlines())
        if all(isinstance(each["objects"], list) for each in lines):
            return lines
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(folder) from error
    raise _damaged(folder)


def _damaged(folder: Path) -> UserError:
    return UserError(f"The files of the set {folder.name} are damaged.", "Verify it, or write it again.")


def read_source_set(folder: Path) -> SourceSet:
    """Read a set that is to be enlarged.

    Raises:
        UserError: Its files are missing or damaged, or it was enlarged already.
    """
    header, data = read_set_header(folder), read_bytes(folder / MANIFEST_NAME)
    if header.enlargement != 1:
        raise UserError(
            f"The images of the set {folder.name} are enlarged already.",
            "Enlarge the set that it was made from, by more.",
        )
    if header.size is None:
        raise _damaged(folder)
    lines = read_lines(folder)
    return SourceSet(folder, header, lines, hashlib.sha256(data).hexdigest())


def prompt_of(line: Line) -> str:
    """The prompt that an image was made with; empty where it was made without one."""
    found = line.get("prompt")
    return found if isinstance(found, str) else ""


def encode_upscaled(
    image: ImageArray, line: Line, source: SourceSet, origin: UpscalerOrigin, *, files: SetFiles, index: int, seed: int
) -> MadeImage:
    """Encode enlarged image `index` of a set with its mask and map, where the source has them, and write its line.

    Args:
        image: `(F H, F W, 3)` uint8 RGB.
        line: Of the image that was enlarged.
        source: Its set.
        origin: What has enlarged it.
        files: Which files each image comes in.
        index: Number of the image in the new set.
        seed: Of the upscaler's noise, with the number in the source.

    Raises:
        UserError: The mask or map of the source cannot be read.
    """
    factor = origin.factor
    image_name = files.image_name(index)
    encoded = {image_name: files.encode(image)}
    new: dict[str, object] = {**line, "index": index, "file": image_name, "sha256": _sha256(encoded[image_name])}
    if files.has_masks:
        name = files.mask_name(index)
        encoded[name] = _larger_labels(source.folder / str(line["mask"]), factor)
        new |= {"mask": name, "mask_sha256": _sha256(encoded[name])}
    if files.has_maps:
        name = files.map_name(index)
        encoded[name] = encode_png(_repeated(read_image(source.folder / str(line["map"])), factor))
        new |= {"map": name, "map_sha256": _sha256(encoded[name])}
    objects = line["objects"]
    assert isinstance(objects, list)
    new["objects"] = [_scaled(each, factor) for each in objects]
    new["upscaled"] = {
        "set": source.name,
        "index": line["index"],
        "sha256": line["sha256"],
        "upscaler": origin.key,
        "weights_sha256": origin.weights_sha256,
        "factor": factor,
        "noise": {"seed": seed, "index": line["index"]},
    }
    return MadeImage(encoded, _ENCODER.encode(new))


def _scaled(item: dict[str, object], factor: int) -> dict[str, object]:
    """An object in the px of the enlarged image."""
    box, center = item["box"], item["center"]
    assert isinstance(box, list)
    assert isinstance(center, list)
    return {**item, "box": [each * factor for each in box], "center": [each * factor for each in center]}


def _repeated(image: ImageArray, factor: int) -> ImageArray:
    return np.ascontiguousarray(image.repeat(factor, axis=0).repeat(factor, axis=1))


def _larger_labels(path: Path, factor: int) -> bytes:
    labels = cv2.imdecode(np.frombuffer(read_bytes(path), np.uint8), cv2.IMREAD_UNCHANGED)
    if labels is None or labels.ndim != 2:
        raise UserError(f"{path} is damaged: it is no mask.", "Write the set again.")
    return encode_labels(labels.repeat(factor, axis=0).repeat(factor, axis=1).astype(np.uint16))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True, slots=True)
class UpscaledFacts:
    """What the header of an enlarged set says besides that of its source.

    Attributes:
        files: Which files each image comes in.
        settings: The resolved settings of the job.
        device: What computed the images, in words.
        threads: Of the processor: other numbers of them may give other last digits.
        versions: Of what computed them.
    """

    files: SetFiles
    settings: Mapping[str, object]
    device: str
    threads: int
    versions: Mapping[str, str]


def upscaled_header(
    source: SourceSet, origin: UpscalerOrigin, facts: UpscaledFacts, *, n_images: int, manifest_sha256: str
) -> bytes:
    """The header file of an enlarged set: that of the source, and how its images were enlarged."""
    width, height = source.size
    um_per_px, files = source.header.um_per_px, facts.files
    header = {
        **source.header.values,
        "n_images": n_images,
        "first_index": 0,
        "manifest_sha256": manifest_sha256,
        "size": [width * origin.factor, height * origin.factor],
        "um_per_px": um_per_px / origin.factor if um_per_px else None,
        "files": {
            "format": files.format,
            "quality": files.quality,
            "masks": files.has_masks,
            "maps": files.has_maps,
        },
        "upscaling": {
            "set": source.name,
            "manifest_sha256": source.manifest_sha256,
            "upscaler": {"key": origin.key, **origin.to_json()},
            "settings": dict(facts.settings),
            "device": facts.device,
            "threads": facts.threads,
            "versions": {
                "synthstudio": __version__,
                "opencv": cv2.__version__,
                "numpy": np.__version__,
                **facts.versions,
            },
        },
    }
    return (json.dumps(header, ensure_ascii=False, indent=2) + "\n").encode()


def choose_lines(source: SourceSet, indices: Sequence[int] | None) -> tuple[Line, ...]:
    """The lines of these images of a set; of all where none are named."""
    if indices is None:
        return source.lines
    wanted = set(indices)
    return tuple(each for each in source.lines if each["index"] in wanted)


@dataclass(frozen=True, slots=True)
class Upscaling:
    """How the images of a set were enlarged, as its header says; attributes as of `UpscaledFacts`, and:

    Attributes:
        source_set: Name of the set that was enlarged.
        source_sha256: Of its manifest.
        origin: What has enlarged it.
    """

    source_set: str
    source_sha256: str
    origin: UpscalerOrigin
    settings: UpscaleSettings
    device: str
    threads: int
    versions: Mapping[str, object]


def read_upscaling(header: SetHeader, name: str) -> Upscaling:
    """Read how a set was enlarged. Raises UserError where it was not, or the header is damaged."""
    found = header.values.get("upscaling")
    try:
        if not isinstance(found, dict):
            raise TypeError("it was not enlarged")
        by = found["upscaler"]
        origin = UpscalerOrigin(
            run=str(by["run"]),
            model=str(by["model"]),
            model_sha256=str(by["model_sha256"]),
            weights_sha256=str(by["weights_sha256"]),
            method=str(by["method"]),
            factor=int(by["factor"]),
            source_fovs=tuple(int(each) for each in by["source_fovs"]),
        )
        return Upscaling(
            source_set=str(found["set"]),
            source_sha256=str(found["manifest_sha256"]),
            origin=origin,
            settings=UpscaleSettings.model_validate(found["settings"]),
            device=str(found["device"]),
            threads=int(found["threads"]),
            versions=dict(found["versions"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"The header of the set {name} does not tell how it was enlarged: {error}.", "") from error


def source_index(line: Line) -> int:
    """Number, in the source, of the image behind an enlarged one. Raises ValueError or KeyError without any."""
    upscaled = line["upscaled"]
    if not isinstance(upscaled, dict):
        raise ValueError("the image was not enlarged")
    return int(upscaled["index"])
