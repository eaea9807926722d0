"""Images of a project that a reading study may show: those of a synthetic set, and real windows of the same size.

Real windows lie around annotated objects and have as many pixels as the images of the set. For a set that was made from
semantic maps they are crops as its generator would learn from; for one that was made from prompts, whole images.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from synthstudio.core.imaging import ImageArray, ImageSource, read_image, read_or_open
from synthstudio.core.review.study_images import ImageHistory, middle_square, suffix_of
from synthstudio.core.review.study_items import Candidate
from synthstudio.core.synthesis.set_header import read_set_header
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import ClassId, FovId
from synthstudio.domain.records import Annotation, CropSquare, FieldOfView, Generator, Role, Split, SyntheticSet
from synthstudio.project.image_labels import image_labels_by_fov
from synthstudio.project.learned_windows import plan_region_windows
from synthstudio.project.project import Project
from synthstudio.project.set_images import list_set_images

MIN_WINDOW_PX = 16


@dataclass(frozen=True, slots=True)
class SourceImage:
    """A square that can be cut.

    Attributes:
        candidate: What the study knows of it.
        fov: The image file; of a synthetic image, as a record of its set.
        window: Within the file, in px; None where the middle square is meant.
    """

    candidate: Candidate
    fov: FieldOfView
    window: CropSquare | None

    @property
    def history(self) -> ImageHistory:
        side = self.window.side if self.window is not None else min(self.fov.width, self.fov.height)
        return ImageHistory(self.candidate.is_real, side, suffix_of(self.fov.path))


@dataclass(frozen=True, slots=True)
class StudySources:
    """All that a study may show.

    Attributes:
        images: By the source of their candidates.
        native_px: Side of the synthetic images.
    """

    images: Mapping[str, SourceImage]
    native_px: int


def list_study_sources(project: Project, set_name: str, *, split: Split) -> StudySources:
    """Find the images of a set and the real windows of a split; no image is read.

    Raises:
        NotFound: There is no such set.
        UserError: The files of the set are damaged, or the split has no annotated objects.
    """
    known = project.sets.get(set_name)
    names = {each.id: each.name for each in project.classes.list() if each.role is Role.OBJECT}
    synthetic = list(_list_synthetic(project, set_name, names))
    if not synthetic:
        raise UserError(f"No image of the set {set_name} shows an object.", "Choose another set.")
    native = min(min(each.fov.width, each.fov.height) for each in synthetic)
    real = _real_like_generated(project, known, names, split) if known.generator is not Generator.COMPOSITED else None
    if real is None:
        real = list(_object_windows(project, names, side=native, split=split))
    if not real:
        raise UserError(
            f"No image of the {split.value} split has an annotated object to cut a window around.",
            "Choose another split, or annotate some of its images.",
        )
    return StudySources({each.candidate.source: each for each in (*synthetic, *real)}, native)


def _list_synthetic(project: Project, set_name: str, names: Mapping[ClassId, str]) -> Iterator[SourceImage]:
    fovs, marks = list_set_images(project, set_name)
    for fov in fovs:
        window = _middle_window(fov)
        shown = _shown(marks[fov.id], window, names)
        if shown:
            candidate = Candidate(f"set {set_name} image {fov.id - 1}", False, shown, "")
            yield SourceImage(candidate, fov, None)


def _middle_window(fov: FieldOfView) -> CropSquare:
    side = min(fov.width, fov.height)
    return CropSquare((fov.width - side) // 2, (fov.height - side) // 2, side)


def _shown(marks: list[Annotation], window: CropSquare, names: Mapping[ClassId, str]) -> frozenset[str]:
    """Classes of the objects whose centre lies within a window; artifacts are no answer."""
    return frozenset(
        names[mark.class_id]
        for mark in marks
        if mark.class_id in names and 0 <= mark.x - window.x < window.side and 0 <= mark.y - window.y < window.side
    )


def _object_windows(
    project: Project, names: Mapping[ClassId, str], *, side: int, split: Split
) -> Iterator[SourceImage]:
    """A window around each object, at random but within the image; no two that share most of their pixels."""
    by_fov = project.annotations.by_fov()
    for fov in project.fovs.list(split=split):
        width = min(side, fov.width, fov.height)
        if width < MIN_WINDOW_PX:
            continue
        taken: list[CropSquare] = []
        for mark in by_fov.get(fov.id, []):
            if mark.class_id not in names:
                continue
            rng = np.random.Generator(np.random.Philox(key=int(mark.id)))
            window = CropSquare(_start(mark.x, fov.width, width, rng), _start(mark.y, fov.height, width, rng), width)
            if all(abs(window.x - each.x) + abs(window.y - each.y) > width // 2 for each in taken):
                taken.append(window)
                yield _real(fov, window, _shown(by_fov[fov.id], window, names))


def _start(center: float, length: int, side: int, rng: np.random.Generator) -> int:
    """Where a window begins that holds a place somewhere in its middle half."""
    begin = center - side * rng.uniform(0.25, 0.75)
    return int(min(max(0.0, begin), length - side))


def _real(fov: FieldOfView, window: CropSquare, shown: frozenset[str]) -> SourceImage:
    source = f"fov {fov.id} window {window.x} {window.y} {window.side}"
    return SourceImage(Candidate(source, True, shown, f"fov {fov.id}"), fov, window)


def _real_like_generated(
    project: Project, known: SyntheticSet, names: Mapping[ClassId, str], split: Split
) -> list[SourceImage] | None:
    """Real squares as the generator of a set shows them: what it would learn from on this split where it is asked by
    maps, the middles of whole images where it reads prompts; None where its training is not known any more."""
    header = read_set_header(project.set_folder(known.name))
    if any(entry.get("asked_by") == "prompts" for entry in header.generators.values()):
        return list(_whole_images(project, names, split=split))
    plans = plan_region_windows(project, next(iter(header.generators), ""), split=split.value)
    if plans is None:
        return None
    fovs = {FovId(fov.id): fov for fov in project.fovs.list()}
    return [
        _real(fovs[crop.fov_id], crop.window, frozenset(each.class_name for each in crop.request.regions))
        for crop in plans.crops
    ]


def _whole_images(project: Project, names: Mapping[ClassId, str], *, split: Split) -> Iterator[SourceImage]:
    """The middle square of each image that shows a class, by a mark or by a label of the whole image."""
    by_fov, labels = project.annotations.by_fov(), image_labels_by_fov(project)
    for fov in project.fovs.list(split=split):
        marked = {names[mark.class_id] for mark in by_fov.get(fov.id, []) if mark.class_id in names}
        labelled = {names[each] for each, is_present in labels.get(fov.id, {}).items() if is_present and each in names}
        if marked | labelled:
            yield _real(fov, _middle_window(fov), frozenset(marked | labelled))


def read_squares(images: list[SourceImage]) -> Iterator[tuple[SourceImage, ImageArray]]:
    """Cut images, `(S, S, 3)` uint8 RGB each; those of one file share one reading of it.

    Raises:
        UserError: An image is missing or damaged, or smaller than when it was imported.
    """
    ordered = sorted(images, key=lambda each: (each.fov.path, each.fov.page or 0))
    for (path, page), group in groupby(ordered, key=lambda each: (each.fov.path, each.fov.page)):
        pixels: ImageArray | ImageSource | None = None
        for each in group:
            if each.window is None:
                yield each, middle_square(read_image(Path(path)))
                continue
            if pixels is None:
                pixels = read_or_open(Path(path), page=page)
            yield each, _cut(pixels, each.window, each.fov.name)


def _cut(pixels: ImageArray | ImageSource, window: CropSquare, name: str) -> ImageArray:
    right, bottom = window.x + window.side, window.y + window.side
    height, width = (pixels.height, pixels.width) if isinstance(pixels, ImageSource) else pixels.shape[:2]
    if right > width or bottom > height:
        raise UserError(f"{name} is smaller than when it was imported.", "Put the original file back.")
    if isinstance(pixels, ImageSource):
        return pixels.read_region(0, (window.x, window.y, right, bottom))
    return pixels[window.y : bottom, window.x : right]
