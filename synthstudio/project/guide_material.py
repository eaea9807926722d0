"""What a training on a guide set may learn from."""

from __future__ import annotations

from dataclasses import dataclass

from synthstudio.core.imaging import ImageArray
from synthstudio.core.synthesis.guide_crops import read_guide
from synthstudio.domain.errors import UserError
from synthstudio.domain.guides import GuideImage, GuideSet
from synthstudio.domain.ids import FovId
from synthstudio.domain.records import FieldOfView, Split
from synthstudio.project.project import Project


@dataclass(frozen=True, slots=True)
class GuideCrop:
    """A guide image and the FOV that it is a part of."""

    guide: GuideImage
    fov: FieldOfView

    @property
    def caption(self) -> str:
        return self.guide.caption

    def read(self, side: int) -> ImageArray:
        """Its pixels, `(side, side, 3)` uint8 RGB.

        Raises:
            UserError: The image file is gone, damaged, or smaller than when it was imported.
        """
        return read_guide(self.fov, self.guide.box, side=side)


@dataclass(frozen=True, slots=True)
class GuideMaterial:
    """The guide images of a set by what they are for.

    Attributes:
        training: Those that are learned from: of the train split, or of no split at all.
        held_out: Those of the val split: nothing learns from them, trainings may be judged by them.
    """

    guide_set: GuideSet
    training: tuple[GuideCrop, ...]
    held_out: tuple[GuideCrop, ...]

    @property
    def train_fov_ids(self) -> frozenset[FovId]:
        """The FOVs that are learned from."""
        return frozenset(each.fov.id for each in self.training)


def list_guide_crops(project: Project, guide_set: GuideSet) -> list[GuideCrop]:
    """Return the images of a set with their FOVs, in its order."""
    fovs = {fov.id: fov for fov in project.fovs.list()}
    return [GuideCrop(each, fovs[each.fov_id]) for each in guide_set.images if each.fov_id in fovs]


def list_guide_material(project: Project, name: str) -> GuideMaterial:
    """Return what a training on this set may learn from.

    Raises:
        NotFound: There is no such set.
        UserError: It has images of the test split, or none to learn from.
    """
    guide_set = project.guides.get(name)
    crops = list_guide_crops(project, guide_set)
    tests = [each.fov.name for each in crops if each.fov.split is Split.TEST]
    if tests:
        raise UserError(
            f"The guide set {name} holds {len(tests)} images of the test split, among them {tests[0]}: what is learned"
            " from them could not be judged on the test split any more.",
            "Take them out of the guide set, or put their samples into another split.",
        )
    training = tuple(each for each in crops if each.fov.split is not Split.VAL)
    if not training:
        raise UserError(
            f"The guide set {name} has no image to learn from.",
            "Add images of the train split to it: about ten that show the condition in all its forms.",
        )
    return GuideMaterial(guide_set, training, tuple(each for each in crops if each.fov.split is Split.VAL))
