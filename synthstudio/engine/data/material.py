"""What a classifier is trained on: decided from the project's records, before the first image is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from synthstudio.core.patches.windows import class_sizes, mean_class_sizes
from synthstudio.core.training.scale import choose_scale
from synthstudio.core.training.splits import carve_validation
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import ClassId
from synthstudio.domain.records import Annotation, FieldOfView, ObjectClass, ReviewRule, Role, Split
from synthstudio.domain.scale import WorkingScale
from synthstudio.project import Project
from synthstudio.project.image_labels import image_labels_by_fov
from synthstudio.project.patches import list_train_fovs
from synthstudio.project.set_images import list_set_images
from synthstudio.settings.compose import CompositionSettings
from synthstudio.settings.train_classifier import TrainingPatchSettings


@dataclass(frozen=True, slots=True)
class Material:
    """The parts of a training; FOVs of the test split are never among them.

    Attributes:
        train: FOVs to learn from, annotated or not.
        validation: Annotated FOVs that choose checkpoint and thresholds: the exhaustively annotated ones where there
            are any. Where images are seen as a whole their labels do as well.
        is_exhaustive: Whether `validation` is annotated exhaustively.
        classes: Object classes with an annotation on a training FOV, in the project's order. Where images are seen as
            a whole, also those that a label or an image of the stored set shows.
        artifacts: Artifact classes with one: pasted, never labelled.
        sizes_px: Mean sizes of `classes` at the working scale.
        scale: The working scale.
    """

    train: list[FieldOfView]
    validation: list[FieldOfView]
    is_exhaustive: bool
    classes: list[ObjectClass]
    artifacts: list[ObjectClass]
    sizes_px: list[float]
    scale: WorkingScale


class TrainingSettings(Protocol):
    """What the choice depends on: the settings of any training."""

    @property
    def seed(self) -> int: ...
    @property
    def set_name(self) -> str: ...
    @property
    def review(self) -> ReviewRule: ...
    @property
    def validation_share(self) -> float: ...
    @property
    def patches(self) -> TrainingPatchSettings: ...
    @property
    def composition(self) -> CompositionSettings: ...


def choose_material(project: Project, settings: TrainingSettings, *, is_whole: bool = False) -> Material:
    """Choose FOVs, classes and working scale.

    Args:
        project: Where they are.
        settings: Of the training.
        is_whole: The network sees whole images.

    Raises:
        UserError: There are no training images, no annotations on them, or no validation can be had.
    """
    if is_whole:
        return _choose_whole(project, settings)
    train, validation = _choose_fovs(project, settings)
    by_fov = project.annotations.by_fov()
    marks = [mark for fov in train for mark in by_fov.get(fov.id, [])]
    used = {mark.class_id for mark in marks}
    classes = [each for each in project.classes.list() if each.id in used and each.role is Role.OBJECT]
    if not classes:
        raise UserError(
            "No object is annotated on the training images, so there is nothing to learn.",
            "Click the centres of some objects on images of the train split.",
        )
    known = [fov for fov in validation if fov.state.is_complete or by_fov.get(fov.id)]
    whole = [fov for fov in known if fov.state.is_complete]
    if not known:
        raise UserError(
            "No validation image has an annotation, so neither thresholds nor the best checkpoint can be chosen.",
            "Annotate some images of the val split, or empty that split so that training images are set aside.",
        )
    scale = _choose_scale(settings, classes, marks, train)
    return Material(
        train=train,
        validation=whole or known,
        is_exhaustive=bool(whole),
        classes=classes,
        artifacts=[each for each in project.classes.list() if each.id in used and each.role is Role.ARTIFACT],
        sizes_px=class_sizes(classes, marks, train, scale=scale),
        scale=scale,
    )


def _choose_whole(project: Project, settings: TrainingSettings) -> Material:
    """The material of a training on whole images: labels of images count, and classes that the stored set shows."""
    train, validation = _choose_fovs(project, settings)
    by_fov, labels = project.annotations.by_fov(), image_labels_by_fov(project)
    marks = [mark for fov in train for mark in by_fov.get(fov.id, [])]
    shown = {mark.class_id for mark in marks}
    shown |= {each for fov in train for each, present in labels.get(fov.id, {}).items() if present}
    if settings.set_name:
        _, made = list_set_images(project, settings.set_name, min_visible=settings.composition.min_visible)
        shown |= {mark.class_id for each in made.values() for mark in each}
    classes = [each for each in project.classes.list() if each.id in shown and each.role is Role.OBJECT]
    if not classes:
        raise UserError(
            "No training image is labelled or annotated with a class, so there is nothing to learn.",
            "Import the images by folders of classes, mark what they show, or name a stored set.",
        )
    known = [fov for fov in validation if fov.state.is_complete or by_fov.get(fov.id) or labels.get(fov.id)]
    if not known:
        raise UserError(
            "No validation image has a label or an annotation, so neither thresholds nor the best checkpoint can be"
            " chosen.",
            "Label some images of the val split, or empty that split so that training images are set aside.",
        )
    whole = [fov for fov in known if fov.state.is_complete or _tells_all(labels.get(fov.id, {}), classes)]
    side = settings.composition.canvas_px
    scale = WorkingScale(whole_px=side)
    sizes = mean_class_sizes(marks, {fov.id: scale.magnification(fov) for fov in train})
    return Material(
        train=train,
        validation=whole or known,
        is_exhaustive=bool(whole),
        classes=classes,
        artifacts=[],
        # A class that is known from labels alone may be anywhere on its images: it has the size of the image.
        sizes_px=[min(sizes.get(each.id, float(side)), float(side)) for each in classes],
        scale=scale,
    )


def _tells_all(labels: Mapping[ClassId, bool], classes: list[ObjectClass]) -> bool:
    return all(each.id in labels for each in classes)


def _choose_scale(
    settings: TrainingSettings, classes: list[ObjectClass], marks: list[Annotation], fovs: list[FieldOfView]
) -> WorkingScale:
    patches = settings.patches
    if patches.um_per_px or not patches.auto_scale:
        return patches.working_scale
    sizes = class_sizes(classes, marks, fovs, scale=WorkingScale())
    return WorkingScale(choose_scale(sizes, side=settings.composition.canvas_px))


def _choose_fovs(project: Project, settings: TrainingSettings) -> tuple[list[FieldOfView], list[FieldOfView]]:
    train = list_train_fovs(project)
    if not train:
        raise UserError("No image is in the train split.", "Put some samples into it, or import images with a split.")
    validation = project.fovs.list(split=Split.VAL)
    if validation:
        return train, validation
    return carve_validation(train, share=settings.validation_share, seed=settings.seed)
