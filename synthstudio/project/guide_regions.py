"""Guide images cut around the regions that people have marked, or cropped to them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import chain, zip_longest

from synthstudio.core.synthesis.guide_crops import box_around
from synthstudio.domain.errors import UserError
from synthstudio.domain.guides import NEW_GUIDE, GuideImage, GuideSet
from synthstudio.domain.ids import FovId, GuideId
from synthstudio.domain.records import Box, Split
from synthstudio.project.project import Project
from synthstudio.project.regions import list_regions


def list_region_guides(
    project: Project,
    class_names: Sequence[str],
    *,
    margin: float,
    count: int | None = None,
    fov_ids: Collection[FovId] | None = None,
    caption: str = "",
) -> list[GuideImage]:
    """Return squares around marked regions as new guide images.

    Images of the test split are left out: no training may see them. Every image has its turn, with its largest region
    first, before any has its second, so that a few cover many patients.

    Args:
        project: The project.
        class_names: Classes of the regions; none for all that are no artifacts.
        margin: What is added on each side, as a share of the region's longer side.
        count: The most that are wanted; None for all.
        fov_ids: Only of these FOVs; None for all.
        caption: Of each.

    Raises:
        UserError: A class is not known or its clicks have no size, or there is no such region.
    """
    regions = list_regions(project, class_names)
    fovs = [
        fov
        for fov in regions.having(project.fovs.list())
        if fov.split is not Split.TEST and (fov_ids is None or fov.id in fov_ids)
    ]
    if not fovs:
        raise UserError(
            f"No image outside the test split has a region of {', '.join(class_names) or 'any class'}.",
            "Draw boxes around regions first, or add whole images.",
        )
    turns: list[list[GuideImage]] = []
    for fov in fovs:
        own = sorted(regions.by_fov[fov.id], key=lambda each: -each.box.width * each.box.height)
        turns.append([GuideImage(NEW_GUIDE, fov.id, box_around(fov, each.box, margin=margin), caption) for each in own])
    in_turn = [each for each in chain.from_iterable(zip_longest(*turns)) if each is not None]
    return in_turn[:count]


def crop_to_regions(
    project: Project,
    guide_set: GuideSet,
    class_names: Sequence[str],
    *,
    margin: float,
    guide_ids: Collection[GuideId] | None = None,
) -> GuideSet:
    """Return the set with its images cropped to the marked regions of their FOVs; captions and order stay.

    The square holds all regions of the FOV, or where it cannot hold them as much as lies around their middle. Where
    surroundings render badly, this is what the published recipe does (Kularathne et al. 2024).

    Args:
        project: The project.
        guide_set: The set.
        class_names: Classes of the regions; none for all that are no artifacts.
        margin: What is added on each side, as a share of the longer side.
        guide_ids: Only these images; None for all.

    Raises:
        UserError: A class is not known or its clicks have no size, or no image has such a region.
    """
    by_fov = list_regions(project, class_names).by_fov
    fovs = {fov.id: fov for fov in project.fovs.list()}
    images: list[GuideImage] = []
    for each in guide_set.images:
        regions = by_fov.get(each.fov_id)
        if regions and (guide_ids is None or each.id in guide_ids):
            around = _around([region.box for region in regions])
            images.append(replace(each, box=box_around(fovs[each.fov_id], around, margin=margin)))
        else:
            images.append(each)
    if not any(each.fov_id in by_fov for each in images if guide_ids is None or each.id in guide_ids):
        raise UserError(
            f"None of these images has a region of {', '.join(class_names) or 'any class'}.",
            "Draw a box around the condition on each of them first.",
        )
    return replace(guide_set, images=tuple(images))


def _around(boxes: Sequence[Box]) -> Box:
    """The smallest box that holds all of them."""
    return Box(
        min(each.x0 for each in boxes),
        min(each.y0 for each in boxes),
        max(each.x1 for each in boxes),
        max(each.y1 for each in boxes),
    )
