"""Images that are measured: synthetic ones, and real ones cut to the same size and stored in the same way."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np

from synthstudio.core.imaging import ImageArray, read_image, sha256_of_file
from synthstudio.core.synthesis.manifest import SetFiles
from synthstudio.core.synthesis.semantic_maps import MapCoding
from synthstudio.core.training.crops import crop_presence, crop_square, cut_crop, plan_crops
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import FovId
from synthstudio.domain.maps import MapRequest
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import CropSquare, FieldOfView, Split, VerdictKind
from synthstudio.domain.tones import ToneScale
from synthstudio.engine.data.fields import MarkedReader
from synthstudio.project import Project
from synthstudio.project.region_crops import list_region_crops, read_region_crops
from synthstudio.project.set_images import list_set_images
from synthstudio.project.tones import find_tone_scale
from synthstudio.settings.region_crops import RegionLearning

Item = TypeVar("Item")
NO_WINDOW = CropSquare(0, 0, 0)
LOSSLESS = SetFiles()
_CHOICE_STREAM = 62


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What is known of an image, and stays when its pixels have been described.

    Attributes:
        sample: Id of the sample of a real one, or of that whose map a synthetic one was made from; 0 for none.
        classes: Names of the conditions, or objects, that it shows.
        tone: Name of its level of tone; empty where there is none.
        file: Of a synthetic one, within the folder of its set; empty where it was made for the measurement.
        fov: That a real one was cut from, at `window` in full-resolution px.
        request: What a GAN was, or can be, asked for to get such an image.
        number: Of a synthetic one: in its set, or of those that were made for the measurement.
    """

    sample: int
    classes: frozenset[str]
    tone: str = ""
    file: str = ""
    fov_id: int = 0
    fov_name: str = ""
    window: CropSquare = NO_WINDOW
    request: MapRequest | None = None
    number: int = 0


MeasuredImage = tuple[ImageArray, ImageFacts]
"""`(S, S, 3)` uint8 RGB, and what is known of it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which images are read.

    Attributes:
        n_most: A random choice of so many is read where there are more.
        seed: Of the choice.
        left_out: FOVs that are not used.
        only: FOVs that alone are used; None for all.
        files: How the set on the other side is stored: real images take the same way through its codec.
    """

    n_most: int
    seed: int
    left_out: frozenset[int] = frozenset()
    only: frozenset[int] | None = None
    files: SetFiles = LOSSLESS

    def has(self, fov_id: int) -> bool:
        """Whether images of this FOV are used."""
        return fov_id not in self.left_out and (self.only is None or fov_id in self.only)

    def choose(self, items: Sequence[Item]) -> list[Item]:
        """At most `n_most` of them, at random, in their order."""
        if len(items) <= self.n_most:
            return list(items)
        rng = np.random.Generator(np.random.Philox(key=[self.seed, _CHOICE_STREAM]))
        return [items[row] for row in np.sort(rng.permutation(len(items))[: self.n_most])]


def read_region_images(
    project: Project,
    settings: RegionLearning,
    coding: MapCoding,
    *,
    split: Split,
    wanted: Wanted,
    tick: Tick,
) -> Iterator[MeasuredImage]:
    """Cut the crops around regions of a split as a training from maps cuts its own.

    Raises:
        UserError: The split has no regions, or an image cannot be read.
    """
    plans = list_region_crops(project, settings, split=split.value, coding=coding, tick=tick)
    tones = find_tone_scale(project)
    chosen = wanted.choose([crop for crop in plans.crops if wanted.has(crop.fov_id)])
    for crop in read_region_crops(project, chosen, tick=tick):
        plan = crop.plan
        yield (
            through_codec(crop.image, wanted.files),
            ImageFacts(
                plan.sample_id,
                frozenset(each.class_name for each in crop.request.regions),
                tone=tone_name(tones, crop.request.tone),
                fov_id=plan.fov_id,
                fov_name=plan.fov_name,
                window=plan.window,
                request=crop.request,
            ),
        )


def read_square_images(
    reader: MarkedReader,
    class_names: Sequence[str],
    fovs: Sequence[FieldOfView],
    *,
    side: int,
    min_visible: float,
    wanted: Wanted,
    tick: Tick,
) -> Iterator[MeasuredImage]:
    """Cut whole FOVs into squares of the size of a composite, at its scale.

    Raises:
        UserError: An image cannot be read.
    """
    places = [
        (fov, place)
        for fov in fovs
        if wanted.has(fov.id)
        for place in plan_crops(*_size_at(reader.scale.of(fov), fov, least=side), side)
    ]
    by_fov: dict[FovId, list[tuple[int, int]]] = {}
    for fov, place in wanted.choose(places):
        by_fov.setdefault(fov.id, []).append(place)
    for done, fov in enumerate(each for each in fovs if each.id in by_fov):
        tick(done, len(by_fov))
        marked, here = reader.read(fov), by_fov[fov.id]
        shown = crop_presence(marked, here, side=side, n_classes=len(class_names), min_visible=min_visible)
        for place, row in zip(here, shown, strict=True):
            yield (
                through_codec(cut_crop(marked.image, place, side), wanted.files),
                ImageFacts(
                    fov.sample_id,
                    frozenset(name for name, is_shown in zip(class_names, row, strict=True) if is_shown),
                    fov_id=fov.id,
                    fov_name=fov.name,
                    window=crop_square(place, side=side, scale=reader.scale.of(fov)),
                ),
            )
    tick(len(by_fov), max(1, len(by_fov)))


def read_set_images(project: Project, name: str, *, side: int, wanted: Wanted, tick: Tick) -> Iterator[MeasuredImage]:
    """Read images of a set that no reviewer has rejected, their top left square of `side` px.

    Raises:
        NotFound: There is no such set.
        UserError: All are rejected, or a file is missing or not what was written.
    """
    fovs, annotations = list_set_images(project, name)
    names = {each.id: each.name for each in project.classes.list()}
    tones, folder = find_tone_scale(project), project.set_folder(name)
    rejected = rejected_images(project, name)
    kept = [fov for fov in fovs if fov.id - 1 not in rejected]
    if not kept:
        raise UserError(f"All images of the set {name} have been rejected.", "Choose another set.")
    chosen = wanted.choose(kept)
    for done, fov in enumerate(chosen):
        tick(done, len(chosen))
        path = Path(fov.path)
        if sha256_of_file(path) != fov.sha256:
            raise UserError(f"{path} is not the image that was written.", "Write the set again.")
        image = read_image(path)
        shown = frozenset(names[mark.class_id] for mark in annotations.get(fov.id, []))
        file = path.relative_to(folder).as_posix()
        tone = tone_name(tones, fov.tone or 0)
        yield image[:side, :side], ImageFacts(0, shown, tone=tone, file=file, number=fov.id - 1)
    tick(len(chosen), max(1, len(chosen)))


def rejected_images(project: Project, name: str) -> Collection[int]:
    """Indices of the images of a set that a reviewer has rejected."""
    return {each.index for each in project.verdicts.list(name) if each.kind is VerdictKind.REJECTED}


def make_images(
    held_out: Sequence[ImageFacts], draw: Callable[[ImageFacts], ImageArray], tick: Tick
) -> Iterator[MeasuredImage]:
    """What a GAN makes of the maps of held-out crops, numbered in their order."""
    for number, real in enumerate(held_out):
        tick(number, len(held_out))
        facts = ImageFacts(real.sample, real.classes, tone=real.tone, request=real.request, number=number)
        yield draw(facts), facts
    tick(len(held_out), max(1, len(held_out)))


def tone_name(scale: ToneScale | None, tone: int) -> str:
    """Name of a tone; empty where the project has no tones."""
    return scale.name(tone) if scale is not None else ""


def through_codec(image: ImageArray, files: SetFiles) -> ImageArray:
    """What is left of a real image once it is stored as those of the set are."""
    if files.format == "png":
        return image
    decoded = cv2.imdecode(np.frombuffer(files.encode(image), np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None  # it was encoded a moment ago
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)


def _size_at(scale: float, fov: FieldOfView, *, least: int) -> tuple[int, int]:
    return max(least, round(fov.width * scale)), max(least, round(fov.height * scale))
