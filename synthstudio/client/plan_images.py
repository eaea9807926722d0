"""What the images of a project must offer to a plan that trains and scores; told before the night, not in it."""

from __future__ import annotations

from synthstudio.domain.errors import UserError
from synthstudio.domain.records import FieldOfView, Split
from synthstudio.project import Project


def scored_images(project: Project) -> list[FieldOfView]:
    """Return the images of the test split that are annotated."""
    marked = project.annotations.counts()
    return [fov for fov in project.fovs.list(split=Split.TEST) if fov.state.is_complete or fov.id in marked]


def require_scored_images(project: Project, *, purpose: str) -> None:
    """Raise UserError where no test image is annotated, so that there is nothing to `purpose`."""
    if not scored_images(project):
        raise UserError(
            f"No image of the test split is annotated, so there is nothing to {purpose}.",
            "Put annotated samples into the test split first.",
        )


def require_complete_images(project: Project, split: Split, *, way_out: str) -> None:
    """Raise UserError where a detector cannot learn from a split, or be scored on it; `way_out` ends the hint."""
    if not any(fov.state.is_complete for fov in project.fovs.list(split=split)):
        raise UserError(
            f"No image of the {split.value} split is annotated exhaustively: a detector cannot tell objects that"
            " were not clicked from background.",
            f"Annotate some images completely and mark them as such, or {way_out}.",
        )
