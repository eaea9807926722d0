"""What is written down about a set: one line per image, and a header with all that its bytes depend on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from synthstudio import __version__
from synthstudio.core.imaging import ImageArray, encode_jpeg, encode_labels, encode_png, encode_webp
from synthstudio.core.patches.bank import PatchBank
from synthstudio.core.patches.generated import is_generated
from synthstudio.core.synthesis.composer import Composer, Composite, PlacedObject
from synthstudio.domain.ids import FovId
from synthstudio.domain.records import Generator
from synthstudio.settings.compose import ComposeSettings, ImageFormat
from synthstudio.settings.generate import GenerateSettings

FORMAT_VERSION = 1
HEADER_NAME = "set.json"
MANIFEST_NAME = "manifest.jsonl"
IMAGES_FOLDER = "images"
MASKS_FOLDER = "masks"
MAPS_FOLDER = "maps"
SUFFIXES: dict[ImageFormat, str] = {"png": ".png", "jpeg": ".jpg", "webp": ".webp"}
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class SetFiles:
    """Which files an image of a set comes in.

    Attributes:
        format: Codec of the images.
        quality: Of JPEG and WebP, 1 to 100.
        has_masks: There is an instance mask beside each.
        has_maps: There is the semantic map beside each.
    """

    format: ImageFormat = "png"
    quality: int = 95
    has_masks: bool = False
    has_maps: bool = False

    @classmethod
    def wanted_by(cls, settings: ComposeSettings | GenerateSettings) -> SetFiles:
        """The files that a job's settings ask for."""
        if isinstance(settings, GenerateSettings):
            return cls(settings.format, settings.quality, has_maps=settings.maps)
        return cls(settings.format, settings.quality, settings.masks)

    def image_name(self, index: int) -> str:
        """Path of an image within its set."""
        return f"{IMAGES_FOLDER}/{index:06d}{SUFFIXES[self.format]}"

    def mask_name(self, index: int) -> str:
        """Path of an instance mask within its set."""
        return f"{MASKS_FOLDER}/{index:06d}.png"

    def map_name(self, index: int) -> str:
        """Path of a semantic map within its set."""
        return f"{MAPS_FOLDER}/{index:06d}.png"

    def hash_keys(self, index: int) -> dict[str, str]:
        """Paths of all files of an image, each with the key of its hash in the line of the manifest."""
        keys = {self.image_name(index): "sha256"}
        if self.has_masks:
            keys[self.mask_name(index)] = "mask_sha256"
        if self.has_maps:
            keys[self.map_name(index)] = "map_sha256"
        return keys

    def names(self, index: int) -> tuple[str, ...]:
        """Paths of all files of an image."""
        return tuple(self.hash_keys(index))

    @property
    def folders(self) -> tuple[str, ...]:
        """Folders that the files lie in."""
        beside = ((MASKS_FOLDER, self.has_masks), (MAPS_FOLDER, self.has_maps))
        return (IMAGES_FOLDER, *(name for name, is_there in beside if is_there))

    def encode(self, image: ImageArray) -> bytes:
        """Return `(H, W, 3)` uint8 RGB as the bytes of its file."""
        match self.format:
            case "png":
                return encode_png(image)
            case "jpeg":
                return encode_jpeg(image, self.quality)
            case "webp":
                return encode_webp(image, self.quality)


@dataclass(frozen=True, slots=True)
class SetOrigin:
    """Where a set comes from, as far as the composer does not know it.

    Attributes:
        settings: The resolved settings of the job.
        project_state: Hash of the project's records that the patches were cut from.
        um_per_px: Size of a pixel of the images; None where that of the sources is unknown or differs.
    """

    settings: ComposeSettings
    project_state: str = ""
    um_per_px: float | None = None


@dataclass(frozen=True, slots=True)
class MadeImage:
    """An image of a set as bytes: its files by their path within the set, and its line of the manifest."""

    files: dict[str, bytes]
    line: str


class ImageMaker:
    """Makes the images of a set: composes and encodes them, and writes their lines of the manifest.

    Args:
        composer: Composes them.
        files: Which files each comes in.
    """

    def __init__(self, composer: Composer, files: SetFiles) -> None:
        self.composer = composer
        self._files = files
        labelled = {item.id for item in composer.label_classes}
        self._heads = {
            item.id: f'{{"class":{_json(item.name)},"role":"{"object" if item.id in labelled else "artifact"}",'
            for item in composer.bank.classes
        }
        self._labels = [_json(item.name) for item in composer.label_classes]
        self._head = f'{{"generator":{_json(Generator.COMPOSITED.value)},"seed":{composer.seed},"index":'
        self._canvas = f'"canvas":{{"kind":{_json(composer.settings.canvas)},"fov":'

    def make(self, index: int, buffer: ImageArray | None = None) -> MadeImage:
        """Make an image; it is composed in `buffer`, `(h, w, 3)` uint8, where that is given."""
        width, height = self.composer.settings.size
        owners = np.zeros((height, width), np.uint16) if self._files.has_masks else None
        composite = self.composer.compose(index, buffer, owners)
        made = {self._files.image_name(index): self._files.encode(composite.image)}
        if owners is not None:
            made[self._files.mask_name(index)] = encode_labels(owners)
        return MadeImage(made, self.line(composite, made))

    def line(self, composite: Composite, files: Mapping[str, bytes]) -> str:
        """One JSON object without its line end: image, hash, labels, and the source of every object.

        It is put together from texts: encoding dictionaries takes longer than drawing the image. Few of them are
        kept: after the pixels of an image nothing else is in the processor's caches, and a text from memory takes
        longer than a number written anew.

        Args:
            composite: The image.
            files: Bytes of its files by path, the image first, then the mask where there is one.
        """
        (name, data), *others = files.items()
        used = composite.source_fov_ids
        present = zip(self._labels, composite.presence.tolist(), strict=True)
        labels = ",".join([label for label, is_there in present if is_there])
        canvas_fov = "null" if composite.canvas_fov_id is None else composite.canvas_fov_id
        source_fovs = ",".join([str(fov_id) for fov_id in used if not is_generated(fov_id)])
        objects = ",".join(self._describe(composite.objects))
        return (
            f'{self._head}{composite.index},"file":{_json(name)},"sha256":"{hashlib.sha256(data).hexdigest()}",'
            f'"labels":[{labels}],{self._canvas}{canvas_fov}}},"source_fovs":[{source_fovs}],'
            f'"n_wanted":{composite.n_wanted}{self._more(used, others)},"objects":[{objects}]}}'
        )

    def _more(self, used: Sequence[FovId], others: Sequence[tuple[str, bytes]]) -> str:
        """What only some images have: a mask, and the sets of generated images that patches were cut from."""
        more = "".join(
            f',"mask":{_json(name)},"mask_sha256":"{hashlib.sha256(data).hexdigest()}"' for name, data in others
        )
        generated = self.composer.bank.generated
        if generated and (sets := sorted({generated[fov_id].set_name for fov_id in used if is_generated(fov_id)})):
            more += f',"source_sets":{_json(sets)}'
        return more

    def _describe(self, objects: Sequence[PlacedObject]) -> list[str]:
        """What each object is, where it lies, and what it was cut from: an annotation or a generated image."""
        heads, generated, texts = self._heads, self.composer.bank.generated, []
        for class_id, annotation_id, fov_id, x0, y0, x1, y1, x, y, visible, _, has_label in objects:
            if generated and is_generated(fov_id):
                place = generated[fov_id]
                source = f'"annotation":null,"fov":null,"set":{_json(place.set_name)},"image":{place.index}'
            else:
                source = f'"annotation":{annotation_id},"fov":{fov_id}'
            texts.append(
                f'{heads[class_id]}"labelled":{"true" if has_label else "false"},"box":[{x0},{y0},{x1},{y1}],'
                f'"center":[{x:.1f},{y:.1f}],"visible":{"1.0000" if visible == 1.0 else f"{visible:.4f}"},{source}}}'
            )
        return texts


def _json(value: object) -> str:
    return _ENCODER.encode(value)


def recorded_hashes(entry: object, files: SetFiles, index: int) -> dict[str, str] | None:
    """SHA-256 of each file of an image as its line of the manifest gives it; None where the line is damaged."""
    if not isinstance(entry, dict) or (entry.get("index"), entry.get("file")) != (index, files.image_name(index)):
        return None
    hashes = {}
    for name, key in files.hash_keys(index).items():
        sha256 = entry.get(key)
        if not isinstance(sha256, str):
            return None
        hashes[name] = sha256
    return hashes


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
        "um_per_px": origin.um_per_px,
        "patches_sha256": bank_digest(composer.bank),
        **_sources_of(composer.bank),
        "versions": {"synthstudio": __version__, "opencv": cv2.__version__, "numpy": np.__version__},
    }
    return (json.dumps(header, ensure_ascii=False, indent=2) + "\n").encode()


def _sources_of(bank: PatchBank) -> dict[str, object]:
    """The sets of generated images behind some patches; nothing where there is none."""
    if not bank.generated_sets:
        return {}
    return {
        "generated_sets": {
            each.name: {"manifest_sha256": each.manifest_sha256, "source_fovs": list(each.source_fovs)}
            for each in bank.generated_sets
        }
    }


def bank_digest(bank: PatchBank) -> str:
    """SHA-256 of the patches, their records and their backgrounds: all of the bank that images depend on."""
    digest = hashlib.sha256()
    digest.update(bank.pixels.data)
    scale = bank.scale if bank.scale.um_per_px else bank.scale.factor
    digest.update(repr((bank.patches, bank.fov_ids, scale, bank.is_transmitted)).encode())
    digest.update(repr([(item.id, item.name, item.role.value) for item in bank.classes]).encode())
    for plate in bank.plates:
        digest.update(repr((plate.fov_id, plate.window, plate.offset, plate.rows, plate.columns)).encode())
    for background in (*bank.backgrounds, *(plate.background for plate in bank.plates)):
        digest.update(repr((background.rows, background.columns, background.mean, background.color)).encode())
        for array in (background.field, background.noise, background.grain, background.texture):
            digest.update(array.tobytes())
    return digest.hexdigest()
