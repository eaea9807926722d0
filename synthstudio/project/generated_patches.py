"""Generated images of a project as material for patches: which may be used, and at what size."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from statistics import median

import cv2
import numpy as np

from synthstudio.core.imaging import ImageArray, ImageSource, read_image
from synthstudio.core.patches.bank import PatchBank
from synthstudio.core.patches.generated import (
    GeneratedImages,
    GeneratedPlace,
    GeneratedSource,
    generated_annotation_id,
    generated_fov_id,
    is_generated,
)
from synthstudio.core.patches.windows import class_sizes
from synthstudio.core.review.verdicts import find_outcomes
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import ClassId, FovId, SampleId
from synthstudio.domain.records import (
    Annotation,
    AnnotationState,
    Box,
    FieldOfView,
    Generator,
    ObjectClass,
    ReviewRule,
    Split,
    Storage,
)
from synthstudio.domain.scale import WorkingScale
from synthstudio.project.project import Project
from synthstudio.project.reviewed_sets import find_usable, index_of
from synthstudio.project.set_images import list_set_images, list_set_sources
from synthstudio.settings.compose import PatchSettings

ReadFov = Callable[[FieldOfView], ImageArray | ImageSource]


def patch_state(project: Project, settings: PatchSettings, *, ignores_rejections: bool = False) -> str:
    """Hash of all that patches depend on: the project's records, and the sets that some are cut from.

    Raises:
        NotFound: There is no set of a name in the settings.
    """
    state = project.training_state(ignores_rejections=ignores_rejections)
    if not settings.generated_sets:
        return state
    sets = [
        (name, project.sets.get(name).manifest_sha256, _outcomes(project, name)) for name in settings.generated_sets
    ]
    patches = [] if ignores_rejections else sorted(each for each in project.patch_verdicts.rejected() if each < 0)
    return hashlib.sha256(repr((state, sets, patches)).encode()).hexdigest()


def list_generated(
    project: Project,
    names: Sequence[str],
    *,
    fovs: Sequence[FieldOfView],
    annotations: Sequence[Annotation],
    classes: Sequence[ObjectClass],
    review: ReviewRule,
) -> GeneratedImages:
    """List the images of sets that patches are cut from, as far as their reviewers leave them; see `choose_usable`.

    A generator makes its images without a scale. Each is resized so that its objects have the mean size of their class.

    Args:
        project: Where the sets are.
        names: Of the sets.
        fovs: Real training images.
        annotations: Theirs, which sizes are measured from.
        classes: Those that patches are cut of; objects of others are left out.
        review: Which images may be used.

    Raises:
        NotFound: There is no such set.
        UserError: A set is one of composites, goes back to images of the test split, or its files are damaged; or a
            class has no size.
    """
    if not names:
        return GeneratedImages()
    sized = _Sizes.measure(fovs, annotations, classes)
    images: list[FieldOfView] = []
    marks: list[Annotation] = []
    places: dict[FovId, GeneratedPlace] = {}
    sets = []
    for name in names:
        sources = _checked_sources(project, name)
        listed, regions = list_set_images(project, name)
        usable = find_usable(project, name, [index_of(image.id) for image in listed], review)
        manifest = project.sets.get(name).manifest_sha256
        sets.append(GeneratedSource(name, manifest, tuple(sorted(sources)), usable.describe(name)))
        for image in listed:
            index = index_of(image.id)
            objects = [mark for mark in regions[image.id] if mark.class_id in sized.by_class]
            if index not in usable.indices or not objects:
                continue
            place = GeneratedPlace(name, index)
            resized = sized.resize(image, objects, place)
            images.append(resized)
            factor = resized.width / image.width
            places[resized.id] = place
            marks += [_scaled(mark, resized.id, number, factor) for number, mark in enumerate(objects)]
    return GeneratedImages(tuple(images), tuple(marks), places, tuple(sets))


@dataclass(frozen=True, slots=True)
class _Sizes:
    """Mean sides of classes in px of a typical field, and the pixel size of such a field where it is known."""

    by_class: Mapping[ClassId, float]
    um_per_px: float | None

    @classmethod
    def measure(
        cls, fovs: Sequence[FieldOfView], annotations: Sequence[Annotation], classes: Sequence[ObjectClass]
    ) -> _Sizes:
        marked = {mark.class_id for mark in annotations}
        known = [each for each in classes if each.id in marked or each.size_px or each.size_um]
        sizes = class_sizes(known, annotations, fovs, scale=WorkingScale()) if fovs else []
        calibrations = [fov.um_per_px for fov in fovs if fov.um_per_px]
        by_class = {each.id: size for each, size in zip(known, sizes, strict=bool(fovs))}
        return cls(by_class, median(calibrations) if calibrations else None)

    def resize(self, image: FieldOfView, objects: Sequence[Annotation], place: GeneratedPlace) -> FieldOfView:
        """The image as an FOV of the size at which its objects are as large as their classes."""
        factor = median([self.by_class[mark.class_id] / _side(mark) for mark in objects])
        return dataclasses.replace(
            image,
            id=generated_fov_id(place, image.sha256),
            sample_id=SampleId(0),
            sample_name=sample_words(place),
            width=max(1, round(image.width * factor)),
            height=max(1, round(image.height * factor)),
            um_per_px=self.um_per_px,
        )


def _side(mark: Annotation) -> float:
    assert mark.box is not None  # an object of a set has one
    return max(1.0, (mark.box.width + mark.box.height) / 2)


def _scaled(mark: Annotation, fov_id: FovId, number: int, factor: float) -> Annotation:
    assert mark.box is not None  # an object of a set has one
    box = Box(*(factor * corner for corner in (mark.box.x0, mark.box.y0, mark.box.x1, mark.box.y1)))
    moved = dataclasses.replace(mark, id=generated_annotation_id(fov_id, number), fov_id=fov_id)
    return moved.with_box(box)


def sample_words(place: GeneratedPlace) -> str:
    """What stands for the sample of a generated image in lists."""
    return f"generated: {place.set_name}"


def generated_reader(read: ReadFov) -> ReadFov:
    """Read generated images at their size among patches, and all others by `read`."""

    def read_either(fov: FieldOfView) -> ImageArray | ImageSource:
        if not is_generated(fov.id):
            return read(fov)
        image, size = read_image(Path(fov.path)), (fov.width, fov.height)
        if (image.shape[1], image.shape[0]) == size:
            return image
        smooth = cv2.INTER_AREA if fov.width < image.shape[1] else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(image, size, interpolation=smooth), np.uint8)

    return read_either


def with_sources(bank: PatchBank, generated: GeneratedImages) -> PatchBank:
    """The bank with what is known of the generated images that some of its patches were cut from."""
    places = generated.places
    marked = {(places[mark.fov_id].set_name, mark.class_id) for mark in generated.annotations}
    cut = {(places[each.fov_id].set_name, each.class_id) for each in bank.patches if each.fov_id in places}
    sets = tuple(
        dataclasses.replace(each, uncut=tuple(sorted(kind for name, kind in marked - cut if name == each.name)))
        for each in generated.sets
    )
    return dataclasses.replace(bank, generated=places, generated_sets=sets)


def describe_losses(bank: PatchBank) -> list[str]:
    """What the sets of a bank have not given, a sentence each: images left out by review, classes without a patch."""
    names = {each.id: each.name for each in bank.classes}
    words = [source.review for source in bank.generated_sets if source.review]
    for source in bank.generated_sets:
        lost = ", ".join(names[each] for each in source.uncut if each in names)
        if lost:
            words.append(
                f"No patch could be cut of {lost} in the set {source.name}: too far outside the images, or too small."
            )
    return words


def describe_generated(bank: PatchBank) -> dict[FovId, FieldOfView]:
    """The generated images of a bank as records to be listed beside its FOVs."""
    return {
        fov_id: FieldOfView(
            id=fov_id,
            sample_id=SampleId(0),
            sample_name=sample_words(place),
            split=Split.TRAIN,
            name=f"image {place.index}",
            path="",
            storage=Storage.COPY,
            sha256="",
            width=1,
            height=1,
            um_per_px=None,
            tone=None,
            state=AnnotationState.EXHAUSTIVE,
        )
        for fov_id, place in bank.generated.items()
    }


def _checked_sources(project: Project, name: str) -> frozenset[FovId]:
    if project.sets.get(name).generator is Generator.COMPOSITED:
        raise UserError(
            f"The set {name} was composed of patches itself; patches are cut from sets that a GAN or a diffusion model"
            " has made.",
            "Leave it out under Sets of generated images.",
        )
    sources = frozenset(chain.from_iterable(list_set_sources(project, name).values()))
    locked = {fov.id for fov in project.fovs.list(split=Split.TEST)}
    if locked & sources:
        raise UserError(
            f"What has made the set {name} has learned from {len(locked & sources)} images of the test split, of which"
            " nothing may go into composites.",
            "Train it again, on the training images of today, and write the set anew.",
        )
    return sources


def _outcomes(project: Project, name: str) -> list[tuple[int, str]]:
    return sorted((index, outcome.value) for index, outcome in find_outcomes(project.verdicts.list(name)).items())
