"""Going through the crops of all fields, one after the other: where one is, and what is labelled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from synthstudio.core.patches.windows import class_sizes
from synthstudio.core.training.crops import plan_squares
from synthstudio.core.training.scale import choose_scale
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import FovId
from synthstudio.domain.records import CropLabel, CropSquare, FieldOfView, ObjectClass, Role
from synthstudio.domain.scale import WorkingScale
from synthstudio.project import Project
from synthstudio.project.patches import list_train_fovs
from synthstudio.settings.train_classifier import TrainClassifierSettings


@dataclass(frozen=True, slots=True)
class CropPlace:
    """A crop of an FOV, counted in its field and over all fields."""

    fov: FieldOfView
    square: CropSquare
    number: int
    n_in_fov: int


@dataclass(frozen=True, slots=True)
class CropCut:
    """How crops are cut: their side in px of the working scale, and that scale."""

    side_px: int
    scale: float


class CropWalk:
    """All crops in their order, and the labels they have.

    Args:
        places: Field by field, row by row; not empty.
        classes: What is asked about each.
        labels: Those of other crop sizes are passed over.
        cut: How the places were made.

    Attributes:
        position: Index of the present place.
        n_labelled: How many of the places have a label.
        n_other: How many labels are of other crops.
    """

    def __init__(
        self, places: Sequence[CropPlace], classes: Sequence[ObjectClass], labels: Iterable[CropLabel], *, cut: CropCut
    ) -> None:
        self.places, self.classes, self.cut = tuple(places), tuple(classes), cut
        self._index = {(place.fov.id, place.square): index for index, place in enumerate(self.places)}
        self._labels = {(each.fov_id, each.square): each for each in labels}
        self.n_labelled = sum(key in self._index for key in self._labels)
        self.n_other = len(self._labels) - self.n_labelled
        self.position = 0

    @property
    def place(self) -> CropPlace:
        """Where one is."""
        return self.places[self.position]

    @property
    def label(self) -> CropLabel | None:
        """The label of the present crop, if it has one."""
        return self.label_of(self.place)

    def label_of(self, place: CropPlace) -> CropLabel | None:
        """The label of a crop, if it has one."""
        return self._labels.get((place.fov.id, place.square))

    def set_label(self, fov_id: FovId, square: CropSquare, label: CropLabel | None) -> None:
        """Keep a label that was stored, or that it was taken away."""
        key = fov_id, square
        if key in self._index:
            self.n_labelled += (label is not None) - (key in self._labels)
        if label is None:
            self._labels.pop(key, None)
        else:
            self._labels[key] = label

    def step(self, by: int) -> bool:
        """Go forth or back; tells whether that was possible."""
        if not 0 <= self.position + by < len(self.places):
            return False
        self.position += by
        return True

    def go_to(self, fov_id: FovId, square: CropSquare) -> None:
        """Go to a crop, where it is one of the places."""
        self.position = self._index.get((fov_id, square), self.position)

    def go_to_unlabelled(self, *, fov_id: FovId | None = None) -> bool:
        """Go to the next crop without a label, after the last the first; tells whether there is one.

        Args:
            fov_id: Begin at the first crop of this FOV, not behind the present one.
        """
        start = self.position + 1
        if fov_id is not None:
            start = next((i for i, place in enumerate(self.places) if place.fov.id == fov_id), 0)
        order = (*range(start, len(self.places)), *range(start))
        found = next((i for i in order if self.label_of(self.places[i]) is None), None)
        if found is not None:
            self.position = found
        return found is not None


def read_walk(
    project: Project, order: Iterable[FovId], *, side_px: int | None = None, scale: float | None = None
) -> CropWalk:
    """Read the crops of the FOVs in this order.

    Args:
        side_px: Side of a crop at the working scale; None for that of the training by default.
        scale: The working scale; None for the one that a training with crops of this side chooses.

    Raises:
        UserError: There is no object class, or no FOV.
    """
    classes = [each for each in project.classes.list() if each.role is Role.OBJECT]
    if not classes:
        raise UserError("There is no class to ask for.", "Add the kinds of object first.")
    known = {fov.id: fov for fov in project.fovs.list()}
    fovs = [known[fov_id] for fov_id in order if fov_id in known]
    side = side_px or TrainClassifierSettings().composition.canvas_px
    cut = CropCut(side, scale or training_scale(project, classes, side_px=side))
    places: list[CropPlace] = []
    for fov in fovs:
        squares = plan_squares(fov.width, fov.height, side=cut.side_px, scale=cut.scale)
        places += [CropPlace(fov, square, number, len(squares)) for number, square in enumerate(squares, start=1)]
    if not places:
        raise UserError("There is no field to label.", "Import images, or clear the filter of the list.")
    labels = [label for each in project.crop_labels.by_fov().values() for label in each]
    return CropWalk(places, classes, labels, cut=cut)


def training_scale(project: Project, classes: Sequence[ObjectClass], *, side_px: int) -> float:
    """Working scale at which the classifier is trained by default on images of this side.

    It follows from the sizes of the classes that are annotated on training FOVs, as in the training; where no size is
    known yet, crops are cut at full resolution.
    """
    by_fov, fovs = project.annotations.by_fov(), list_train_fovs(project)
    marks = [mark for fov in fovs for mark in by_fov.get(fov.id, [])]
    used = {mark.class_id for mark in marks}
    chosen = [each for each in classes if each.id in used] or list(classes)
    try:
        sizes = class_sizes(chosen, marks, fovs, scale=WorkingScale()) if fovs else []
    except UserError:
        sizes = []
    if not sizes:
        return 1.0
    return choose_scale(sizes, side=side_px)
