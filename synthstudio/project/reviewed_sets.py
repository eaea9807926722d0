"""Which images of a synthetic set may be used: what its reviewers have said decides."""

from __future__ import annotations

from collections.abc import Collection

from synthstudio.core.review.verdicts import UsableImages, choose_usable
from synthstudio.domain.ids import FovId
from synthstudio.domain.records import ReviewRule
from synthstudio.project.project import Project
from synthstudio.project.set_images import SetImages, list_set_images


def find_usable(project: Project, name: str, indices: Collection[int], rule: ReviewRule) -> UsableImages:
    """Choose the images of a set that may be used; `indices` are the numbers of all of them."""
    return choose_usable(indices, project.verdicts.list(name), rule)


def list_usable_images(project: Project, name: str, rule: ReviewRule) -> tuple[SetImages, UsableImages]:
    """Return the images of a set that may be used, with their boxes, and what was left out.

    Raises:
        NotFound: There is no such set.
        UserError: Its files are missing or damaged, or it shows a class that the project has no more.
    """
    fovs, annotations = list_set_images(project, name)
    usable = find_usable(project, name, [index_of(fov.id) for fov in fovs], rule)
    kept = [fov for fov in fovs if index_of(fov.id) in usable.indices]
    return (kept, {fov.id: annotations[fov.id] for fov in kept}), usable


def index_of(fov_id: FovId) -> int:
    """Number in its set of an image that `list_set_images` lists."""
    return fov_id - 1
