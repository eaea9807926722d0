"""Guide images: what a diffusion model is shown of a condition, each with the caption that describes it."""

from __future__ import annotations

from dataclasses import dataclass

from synthstudio.domain.ids import FovId, GuideId
from synthstudio.domain.records import Box

NEW_GUIDE = GuideId(0)
"""Id of a guide image that is not stored yet."""


@dataclass(frozen=True, slots=True)
class GuideImage:
    """An FOV, or a part of one, with its caption.

    Attributes:
        box: The part, in full-resolution px of the FOV; None for all of it. What is cut is always a square:
            `core.synthesis.guide_crops.guide_window`.
        caption: One sentence of what is seen; empty while nobody has written it.
    """

    id: GuideId
    fov_id: FovId
    box: Box | None = None
    caption: str = ""


@dataclass(frozen=True, slots=True)
class GuideSet:
    """Guide images of one condition, in the order in which people see them.

    Attributes:
        class_name: What is seen, in words, as captions name it: "mpox lesion". Images that are made from prompts of
            this set get it as their label.
        identifier: A rare word before the class name that stands for what these guide images show: "zxq".
    """

    name: str
    class_name: str
    identifier: str
    images: tuple[GuideImage, ...] = ()

    @property
    def subject(self) -> str:
        """Identifier and class name, as every caption should hold them."""
        return f"{self.identifier} {self.class_name}".strip()
