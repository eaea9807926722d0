"""Images that are imported with captions become guide images of a set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from synthstudio.domain.guides import NEW_GUIDE, GuideImage
from synthstudio.domain.ids import FovId, GuideId
from synthstudio.domain.plans import PlannedFov, Problem
from synthstudio.domain.records import Changes, changes
from synthstudio.project.guides import KIND
from synthstudio.project.project import Project


@dataclass(frozen=True, slots=True)
class ImportedGuides:
    """What came into a guide set.

    Attributes:
        added: New guide images, with their ids.
        captions: Guide images that were there without a caption, and the one that they got.
        problems: Captions that differ from those that are there.
    """

    added: tuple[GuideImage, ...] = ()
    captions: tuple[tuple[GuideId, str], ...] = ()
    problems: tuple[Problem, ...] = ()


NO_GUIDES = ImportedGuides()


def add_guides(project: Project, name: str, imported: Sequence[tuple[PlannedFov, FovId]]) -> ImportedGuides:
    """Add the images that have captions, or empty ones, to a guide set; it is made where there is none.

    A caption that is there already stays: it may have been written by hand since.

    Raises:
        UserError: The name is impossible.
    """
    captioned = [(planned, fov_id, planned.caption) for planned, fov_id in imported if planned.caption is not None]
    there = project.guides.find(name) or project.guides.add(name, class_name="", identifier="")[0]
    whole = {each.fov_id: each for each in there.images if each.box is None}
    captions: dict[GuideId, str] = {}
    problems: list[Problem] = []
    for planned, fov_id, caption in captioned:
        known = whole.get(fov_id)
        if known is None or not caption or caption == known.caption:
            continue
        if known.caption:
            problems.append(Problem(planned.name, f"has another caption in the guide set {there.name}, which stays"))
        else:
            captions.setdefault(known.id, caption)
    project.guides.set_captions(captions)
    fresh = [GuideImage(NEW_GUIDE, fov_id, None, caption) for _, fov_id, caption in captioned]
    added, _ = project.guides.add_images(there.name, fresh)
    return ImportedGuides(tuple(added), tuple(captions.items()), tuple(problems))


def take_back_guides(
    project: Project, guides: Sequence[tuple[str, GuideImage]], captions: Sequence[tuple[GuideId, str]]
) -> Changes:
    """Take back what an import brought to images that were there before."""
    project.guides.remove_images([guide.id for _, guide in guides])
    project.guides.set_captions({guide_id: "" for guide_id, _ in captions})
    return changes(KIND) if guides or captions else changes()


def bring_guides_back(
    project: Project, guides: Sequence[tuple[str, GuideImage]], captions: Sequence[tuple[GuideId, str]]
) -> Changes:
    """Bring it again, under the same ids; a set that is gone since stays gone."""
    for name, guide in guides:
        if project.guides.find(name) is not None:
            project.guides.add_images(name, [guide])
    project.guides.set_captions(dict(captions))
    return changes(KIND) if guides or captions else changes()
