"""The crops of the open project, planned and cut off the GUI thread; the latest wish first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shiboken6
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from synthstudio.core.imaging import ImageArray, ImageSource, read_or_open
from synthstudio.core.synthesis.memory import ByteCache
from synthstudio.core.synthesis.region_crops import PlannedCrop, RegionStatistics, cut_region_crop
from synthstudio.core.synthesis.semantic_maps import MapCoding
from synthstudio.domain.ids import FovId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import FieldOfView
from synthstudio.gui.background import Task
from synthstudio.gui.widgets.image_grid import to_qimage
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.project.region_crops import CropSplit, RegionCropPlans, list_region_crops
from synthstudio.settings.train_gan import TrainGanSettings

MEMORY_BYTES = 256_000_000
"""Decoded images that are kept, so that another seed or size needs no second reading."""
SOURCE_BYTES = 1_000_000
"""What an open file counts for; it holds little more than its index."""


@dataclass(frozen=True, slots=True)
class CropWish:
    """Which crops are to be planned."""

    settings: TrainGanSettings
    split: CropSplit


@dataclass(frozen=True, slots=True)
class PlannedCrops:
    """The crops of a wish, in the order in which they are shown: the first window of each image, then the second ones.

    Attributes:
        counted: What all of them show.
        colors: Of each condition.
    """

    wish: CropWish
    plans: RegionCropPlans
    crops: tuple[PlannedCrop, ...]
    counted: RegionStatistics
    fovs: Mapping[FovId, FieldOfView]
    colors: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class CutCrop:
    """A crop and its map as pictures of one size."""

    plan: PlannedCrop
    picture: QImage
    map: QImage


class CropReader(QObject):
    """Plans one wish at a time, and cuts the crops that are seen.

    Signals:
        planned: `PlannedCrops`.
        planning_failed: Why it cannot be.
        crop_cut: Its place among those asked for, and the `CutCrop`.
        cutting_failed: An image cannot be read.
    """

    planned = Signal(object)
    planning_failed = Signal(object)
    crop_cut = Signal(int, object)
    cutting_failed = Signal(object)

    def __init__(self, workspace: Workspace, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._planning: Task | None = None
        self._cutting: list[Task] = []
        self._images: ByteCache[str, ImageArray | ImageSource] = ByteCache(MEMORY_BYTES)

    def forget(self) -> None:
        """Drop all that is under way, and what is kept: another project is open, or none."""
        self._stop_planning()
        self._stop_cutting()
        self._images = ByteCache(MEMORY_BYTES)

    def plan(self, wish: CropWish) -> None:
        """Plan the crops of the open project; what was wished for before is dropped."""
        self._stop_planning()
        project = self._workspace.project
        if project is None:
            return

        def done(made: PlannedCrops) -> None:
            self._planning = None
            self.planned.emit(made)

        def failed(error: Exception) -> None:
            self._planning = None
            self.planning_failed.emit(error)

        self._planning = self._workspace.background.run(
            lambda tick: _plan(project, wish, tick), done=done, failed=failed, owner=self
        )

    def _stop_planning(self) -> None:
        task, self._planning = self._planning, None
        if task is not None and shiboken6.isValid(task):
            task.cancel()

    def _stop_cutting(self) -> None:
        tasks, self._cutting = self._cutting, []
        for task in tasks:
            if shiboken6.isValid(task):  # what has ended is gone
                task.cancel()

    def cut(self, planned: PlannedCrops, crops: Sequence[PlannedCrop]) -> None:
        """Cut these crops; what was asked for before is dropped."""
        self._stop_cutting()
        places: dict[FovId, list[int]] = {}
        for place, crop in enumerate(crops):
            places.setdefault(crop.fov_id, []).append(place)
        for fov_id, own in places.items():
            self._cut_from(planned.fovs[fov_id], [(place, crops[place]) for place in own], planned.plans.coding)

    def _cut_from(self, fov: FieldOfView, crops: Sequence[tuple[int, PlannedCrop]], coding: MapCoding) -> None:
        kept = self._images.find(fov.content_key)

        def work(_tick: Tick) -> tuple[ImageArray | ImageSource, list[tuple[int, CutCrop]]]:
            image = kept if kept is not None else read_or_open(Path(fov.path), page=fov.page)
            return image, [(place, _cut(image, crop, coding)) for place, crop in crops]

        def done(made: tuple[ImageArray | ImageSource, list[tuple[int, CutCrop]]]) -> None:
            image, cut = made
            if self._images.find(fov.content_key) is None:
                n_bytes = image.nbytes if isinstance(image, np.ndarray) else SOURCE_BYTES
                self._images.add(fov.content_key, image, n_bytes)
            for place, each in cut:
                self.crop_cut.emit(place, each)

        self._cutting.append(
            self._workspace.background.run(
                work, done=done, failed=self.cutting_failed.emit, owner=self, reads_images=True
            )
        )


def _cut(image: ImageArray | ImageSource, planned: PlannedCrop, coding: MapCoding) -> CutCrop:
    crop = cut_region_crop(image, planned)
    return CutCrop(planned, to_qimage(crop.image), to_qimage(coding.draw(crop.request)))


def _plan(project: Project, wish: CropWish, tick: Tick) -> PlannedCrops:
    plans = list_region_crops(project, wish.settings, split=wish.split, tick=tick)
    return PlannedCrops(
        wish=wish,
        plans=plans,
        crops=tuple(sorted(plans.crops, key=lambda crop: crop.index)),
        counted=plans.describe(),
        fovs={fov.id: fov for fov in project.fovs.list()},
        colors={each.name: each.color for each in project.classes.list()},
    )
