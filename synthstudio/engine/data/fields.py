"""FOVs of a project, read one by one at the working scale."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from synthstudio.core.geometry import boxes_to_array
from synthstudio.core.imaging import ImageArray, ImageSource, read_image, read_or_open
from synthstudio.core.patches.bank import scaled
from synthstudio.core.training.crops import JudgedCrops, MarkedImage, judged_crops, pad_to_side, plan_squares
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import ClassId, FovId
from synthstudio.domain.records import Annotation, FieldOfView, ObjectClass
from synthstudio.domain.scale import WorkingScale
from synthstudio.project import Project
from synthstudio.project.image_labels import image_labels_by_fov


def read_fov(fov: FieldOfView) -> ImageArray:
    """Read the full-resolution pixels of an FOV, `(H, W, 3)` uint8 RGB.

    Raises:
        UserError: The file is gone, damaged, or no longer the one that was imported.
    """
    image = read_image(Path(fov.path), page=fov.page)
    if image.shape[:2] != (fov.height, fov.width):
        raise UserError(
            f"{fov.path} is {image.shape[1]} x {image.shape[0]} px, but was {fov.width} x {fov.height} when imported.",
            "Put the original file back, or remove the image from the project and import it again.",
        )
    return image


def open_fov(fov: FieldOfView) -> ImageArray | ImageSource:
    """Read an FOV as `read_fov` does, or open a large one to cut patches from it.

    Raises:
        UserError: The file is gone or damaged.
    """
    return read_or_open(Path(fov.path), page=fov.page)


class MarkedReader:
    """Reads FOVs with their annotations for one set of classes and one working scale.

    Args:
        project: Where the annotations are.
        classes: In the order of the label vector.
        sizes_px: Mean size of each class at the working scale, as the training knows it: used for clicks where the
            class itself states no size that fits the FOV.
        scale: The working scale. Where it is that of whole images, the labels of whole images count.
        side: Images are extended to at least this many px at the working scale.
        annotations: By FOV, where they are not those of the project.
    """

    def __init__(
        self,
        project: Project,
        classes: Sequence[ObjectClass],
        *,
        sizes_px: Sequence[float],
        scale: WorkingScale,
        side: int,
        annotations: Mapping[FovId, Sequence[Annotation]] | None = None,
    ) -> None:
        self._annotations = project.annotations.by_fov() if annotations is None else annotations
        self._crop_labels = project.crop_labels.by_fov() if annotations is None else {}
        self._image_labels = image_labels_by_fov(project) if annotations is None and scale.whole_px else {}
        self._classes = tuple(classes)
        self._sizes_px = tuple(sizes_px)
        self._column: dict[ClassId, int] = {item.id: number for number, item in enumerate(classes)}
        self.scale = scale
        self._side = side

    def is_marked(self, fov: FieldOfView) -> bool:
        """Whether anything is known about the objects on the FOV: it has annotations, or is said to be done."""
        return fov.state.is_complete or bool(self._annotations.get(fov.id)) or bool(self._image_labels.get(fov.id))

    def is_complete(self, fov: FieldOfView) -> bool:
        """Whether all is known about which classes of this reader the FOV shows."""
        labels = self._image_labels.get(fov.id, {})
        return fov.state.is_complete or (bool(labels) and self._column.keys() <= labels.keys())

    def lacks(self, fov: FieldOfView, class_ids: Collection[ClassId]) -> bool:
        """Whether the FOV is known to show none of these classes: an unmarked one may still be there."""
        labels = self._image_labels.get(fov.id, {})
        shown = {mark.class_id for mark in self._annotations.get(fov.id, ())}
        return not any(labels.get(each, each in shown or not fov.state.is_complete) for each in class_ids)

    def judged_crops(self, fov: FieldOfView) -> JudgedCrops:
        """What people saw on crops of the FOV, or on it as a whole, for the classes of this reader."""
        if self.scale.whole_px:
            labels = self._image_labels.get(fov.id, {})
            answers = {self._column[each]: present for each, present in labels.items() if each in self._column}
            squares = plan_squares(fov.width, fov.height, side=self._side, scale=self.scale.of(fov))
            return {squares[0]: answers} if answers else {}
        return judged_crops(self._crop_labels.get(fov.id, ()), self._column)

    def read(self, fov: FieldOfView) -> MarkedImage:
        """Read one FOV at the working scale, at least one crop in size."""
        factor = self.scale.of(fov)
        image = pad_to_side(scaled(read_fov(fov), factor), self._side)
        known = zip(self._classes, self._sizes_px, strict=True)
        sizes = [item.size_in(fov.um_per_px) or size / factor for item, size in known]
        marks = [mark for mark in self._annotations.get(fov.id, []) if mark.class_id in self._column]
        labels = np.array([self._column[mark.class_id] for mark in marks], np.int64)
        boxes = [mark.extent(sizes[column]) for mark, column in zip(marks, labels, strict=True)]
        return MarkedImage(
            fov_id=fov.id,
            group=fov.sample_id,
            image=image,
            extents=boxes_to_array(boxes) * factor,
            labels=labels,
            is_exhaustive=fov.state.is_complete,
        )

    def iter_read(self, fovs: Sequence[FieldOfView]) -> Iterator[MarkedImage]:
        """Read FOVs one after the other, so that only one is in memory."""
        for fov in fovs:
            yield self.read(fov)
