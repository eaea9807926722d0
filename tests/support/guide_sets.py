"""A project with a guide set and a tiny Stable Diffusion, for tests of fine-tuning."""

from __future__ import annotations

from pathlib import Path

from synthstudio.domain.guides import NEW_GUIDE, GuideImage
from synthstudio.domain.records import Split
from synthstudio.project import Project
from tests.support.engine_project import build_engine_project
from tests.support.tiny_diffusion import write_tiny_diffusion

GUIDES, MODEL, CLASS_NAME, IDENTIFIER = "lesions", "tiny", "skin lesion", "zxq"


def build_guide_project(folder: Path, *, n_guides: int = 3, n_val: int = 1) -> Project:
    """Make a project whose train FOVs are guide images with captions, and which has a tiny base model.

    Args:
        folder: Of the project and the model.
        n_guides: Guide images of the train split.
        n_val: Guide images of the val split.
    """
    project = build_engine_project(folder, n_train=n_guides, n_val=n_val, n_test=1)
    project.models.add(write_tiny_diffusion(folder / "tiny"), name=MODEL)
    project.guides.add(GUIDES, class_name=CLASS_NAME, identifier=IDENTIFIER)
    fovs = [*project.fovs.list(split=Split.TRAIN), *project.fovs.list(split=Split.VAL)]
    images = [
        GuideImage(NEW_GUIDE, fov.id, None, f"photo of a {IDENTIFIER} {CLASS_NAME} with {number} red cell")
        for number, fov in enumerate(fovs)
    ]
    project.guides.add_images(GUIDES, images)
    return project
