"""Crops around the regions of a project's images, for a semantic-map GAN: which there are, and their pixels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Literal

from synthstudio.core.imaging import read_or_open
from synthstudio.core.synthesis.region_crops import (
    MIN_IMAGE_PX,
    PlannedCrop,
    RegionCrop,
    RegionStatistics,
    cut_region_crop,
    plan_region_crops,
)
from synthstudio.core.synthesis.semantic_maps import MapCoding
from synthstudio.core.training.splits import carve_validation
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import FovId
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import FieldOfView, Split
from synthstudio.project.patches import list_train_fovs
from synthstudio.project.project import Project
from synthstudio.project.regions import ProjectRegions, list_regions
from synthstudio.project.tones import find_tone_scale
from synthstudio.settings.region_crops import RegionLearning

CropSplit = Literal["train", "val", "test"]


@dataclass(frozen=True, slots=True)
class RegionCropPlans:
    """The crops of one split.

    Attributes:
        crops: FOV by FOV.
        class_names: The conditions that are learned, in the order of their codes on the map.
        tone_levels: Names of the levels of the project's tone scale; empty where it has none.
        has_unknown: The level of an unknown tone is learned too.
        notes: What the user should know, each a sentence.
    """

    crops: tuple[PlannedCrop, ...]
    class_names: tuple[str, ...]
    tone_levels: tuple[str, ...]
    has_unknown: bool
    notes: tuple[str, ...]

    @property
    def coding(self) -> MapCoding:
        """How the maps of these crops are drawn."""
        return MapCoding(self.class_names, len(self.tone_levels), self.has_unknown)

    @property
    def fov_ids(self) -> tuple[FovId, ...]:
        """FOVs that gave crops."""
        return tuple(dict.fromkeys(crop.fov_id for crop in self.crops))

    def describe(self) -> RegionStatistics:
        """What the crops show, for charts and for topping up."""
        requests = [crop.request for crop in self.crops]
        return RegionStatistics.of(requests, self.class_names, n_tones=len(self.tone_levels))


def list_region_crops(
    project: Project,
    settings: RegionLearning,
    *,
    split: CropSplit = "train",
    coding: MapCoding | None = None,
    tick: Tick = no_tick,
) -> RegionCropPlans:
    """Plan the crops of a split; no image is read.

    Conditions and tones are those of the training images, whatever the split. Where no image with a region is in the
    val split, some samples of the training images are set aside: they give the crops of "val", and none of "train".
    Images of the test split are used only when they are asked for.

    Args:
        project: Whose annotations are read.
        settings: Conditions, crops, share of the validation, and the seed.
        split: Which images.
        coding: Of a GAN that was trained already: only what it can draw is returned.
        tick: Called once per image; a crop takes about a millisecond.

    Raises:
        UserError: There is nothing to learn from, a class is not known or has no size, or no image is in the split.
    """
    scale = find_tone_scale(project)
    levels = scale.levels if scale is not None else ()
    if coding is not None and coding.n_tones != len(levels):
        raise UserError(
            f"The tone scale has {len(levels)} levels, the GAN has learned {coding.n_tones}.",
            "Put the former tone scale back, or train a GAN with this one.",
        )
    regions = list_regions(project, coding.class_names if coding is not None else settings.classes)
    choice = _FovChoice.make(project, regions, settings)
    if coding is None:
        coding = choice.build_coding(len(levels))
    fovs = choice.of(project, split)
    planned, left_out = _plan(fovs, regions, coding, settings, tick)
    if not planned:
        raise _nothing_to_cut(fovs, settings, split)
    notes = [
        *choice.notes,
        *regions.notes(fovs),
        *choice.notes_on_classes(coding),
        *_notes_on_crops(planned, left_out, coding, settings, split=split),
    ]
    return RegionCropPlans(tuple(planned), coding.class_names, levels, coding.has_unknown, tuple(notes))


def read_region_crops(project: Project, crops: Sequence[PlannedCrop], *, tick: Tick = no_tick) -> Iterator[RegionCrop]:
    """Cut crops in their order; neighbours from one FOV share one reading of its file.

    Raises:
        UserError: An image is missing, damaged, or not the one that was imported.
    """
    done = 0
    for fov_id, group in groupby(crops, key=lambda crop: crop.fov_id):
        fov = project.fovs.get(fov_id)
        image = read_or_open(Path(fov.path), page=fov.page)
        for crop in group:
            tick(done, len(crops))
            yield cut_region_crop(image, crop)
            done += 1
    tick(done, max(1, len(crops)))


@dataclass(frozen=True, slots=True)
class _FovChoice:
    """Images with regions that train and validate."""

    train: list[FieldOfView]
    validation: list[FieldOfView]
    regions: ProjectRegions
    settings: RegionLearning
    notes: tuple[str, ...]

    @classmethod
    def make(cls, project: Project, regions: ProjectRegions, settings: RegionLearning) -> _FovChoice:
        """Raises UserError where there is nothing to learn from, or nothing to validate on."""
        train = list_train_fovs(project)
        if not train:
            raise UserError(
                "No image is in the train split.", "Put some samples into it, or import images with a split."
            )
        train = regions.having(train)
        if not train:
            named = " or ".join(f'"{name}"' for name in settings.classes)
            raise UserError(
                f"No training image has a box {f'of {named}' if named else 'around a region'}, so there is nothing to "
                "learn.",
                "Draw boxes around the conditions on images of the train split, or import them.",
            )
        notes: tuple[str, ...] = ()
        validation = project.fovs.list(split=Split.VAL)
        if validation and not regions.having(validation):
            notes = ("No image of the val split has a region: some training samples are set aside instead.",)
        validation = regions.having(validation)
        if not validation:
            train, validation = carve_validation(train, share=settings.validation_share, seed=settings.seed)
        return cls(train, validation, regions, settings, notes)

    def notes_on_classes(self, coding: MapCoding) -> Iterator[str]:
        """Classes that would be learned if other samples were held out."""
        for name in self.regions.names_on(self.validation):
            if name not in coding.class_names:
                yield f'Only held-out images show "{name}", so it is not learned.'

    def of(self, project: Project, split: CropSplit) -> list[FieldOfView]:
        """The images of a split that have regions. Raises UserError where the test split has none."""
        if split != "test":
            return self.train if split == "train" else self.validation
        test = self.regions.having(project.fovs.list(split=Split.TEST))
        if not test:
            raise UserError(
                "No image of the test split has a box around a region.",
                "Put some samples with boxes into the test split.",
            )
        return test

    def build_coding(self, n_tones: int) -> MapCoding:
        """Conditions and tones of the training images. Raises UserError where a named condition is on none."""
        present = self.regions.names_on(self.train)
        missing = [name for name in self.settings.classes if name not in present]
        if missing:
            raise UserError(
                f'No training image has a box of "{missing[0]}", so it cannot be learned.',
                f"Draw some, or leave it out. There are boxes of: {', '.join(present)}.",
            )
        is_wanted = n_tones == 0 or self.settings.crops.unknown_tone == "own-level"
        has_unknown = is_wanted and any(fov.tone is None for fov in self.train)
        return MapCoding(self.regions.class_names if self.settings.classes else present, n_tones, has_unknown)


def _plan(
    fovs: Sequence[FieldOfView], regions: ProjectRegions, coding: MapCoding, settings: RegionLearning, tick: Tick
) -> tuple[list[PlannedCrop], Mapping[str, list[FieldOfView]]]:
    """The crops, and the images that give none, by reason."""
    planned: list[PlannedCrop] = []
    left_out: dict[str, list[FieldOfView]] = {}
    for done, fov in enumerate(fovs):
        tick(done, len(fovs))
        known = [each for each in regions.by_fov[fov.id] if each.class_name in coding.class_names]
        if fov.tone is None and not coding.has_unknown:
            left_out.setdefault("have no tone", []).append(fov)
        elif min(fov.width, fov.height) < MIN_IMAGE_PX:
            left_out.setdefault(f"have a side of less than {MIN_IMAGE_PX} px", []).append(fov)
        elif known:
            planned += plan_region_crops(fov, known, settings=settings.crops, seed=settings.seed)
    return planned, left_out


def _nothing_to_cut(fovs: Sequence[FieldOfView], settings: RegionLearning, split: CropSplit) -> UserError:
    if settings.crops.unknown_tone == "leave-out" and all(fov.tone is None for fov in fovs):
        return UserError(
            f"None of the {len(fovs)} images with regions ({split}) has a tone, and such images are left out.",
            "Give them a tone, or let images without a tone be learned under a level of their own.",
        )
    return UserError(
        f"None of the {len(fovs)} images with regions ({split}) gives a crop: they are too small, or their tone or "
        "conditions are not among those of the training images.",
        "Annotate more images, or look at their tones.",
    )


def _notes_on_crops(
    planned: Sequence[PlannedCrop],
    left_out: Mapping[str, list[FieldOfView]],
    coding: MapCoding,
    settings: RegionLearning,
    *,
    split: CropSplit,
) -> Iterator[str]:
    for reason, fovs in left_out.items():
        yield f"Left out, because they {reason}: {len(fovs)} images, among them {fovs[0].name}."
    shown_on: dict[str, set[FovId]] = {name: set() for name in coding.class_names}
    for crop in planned:
        for each in crop.request.regions:
            shown_on[each.class_name].add(crop.fov_id)
    for name, fov_ids in shown_on.items():
        if split == "train" and len(fov_ids) == 1:
            yield f'Only one image shows "{name}": all that is made of it will look like that one.'
        elif not fov_ids:
            yield f'No crop shows "{name}".'
    enlarged = [crop for crop in planned if crop.scale > settings.crops.max_enlargement * 1.01]
    if enlarged:
        yield (
            f"{len(enlarged)} crops are enlarged more than {settings.crops.max_enlargement:g} times, because their "
            f"images are so small, among them {enlarged[0].fov_name}."
        )
