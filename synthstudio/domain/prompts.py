"""Requests for an image by words: a prompt and how it is followed, alone or upon a real picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from synthstudio.domain.ids import FovId
from synthstudio.domain.records import Box

SchedulerName = Literal["dpm-solver++", "ddim", "pndm", "euler"]
"""How noise is taken away; none of them draws random numbers on the way."""
PromptMode = Literal["text", "image", "inpaint"]
"""Out of noise alone; upon a real picture; or inside a box of one, whose other pixels stay as they are."""


@dataclass(frozen=True, slots=True)
class PromptPlace:
    """The real picture that an image starts from.

    Attributes:
        fov_id: Where it is cut out.
        window: What is cut out, a square in px of the FOV; brought to the side of the image.
        box: What is painted anew, in px of the FOV and within the window; None for all of it.
        strength: How much of the picture may change: 0 nothing, 1 all of it.
    """

    fov_id: FovId
    window: Box
    box: Box | None
    strength: float

    def box_within(self, side: int) -> Box | None:
        """The box in px of an image of this side, whole px."""
        if self.box is None:
            return None
        scale = side / self.window.width
        near = [round((corner - start) * scale) for corner, start in self._corners()]
        x0, y0 = (min(max(0, each), side - 1) for each in near[:2])
        x1, y1 = (min(max(low + 1, each), side) for low, each in zip((x0, y0), near[2:], strict=True))
        return Box(float(x0), float(y0), float(x1), float(y1))

    def _corners(self) -> tuple[tuple[float, float], ...]:
        assert self.box is not None  # asked for only then
        left, top = self.window.x0, self.window.y0
        return ((self.box.x0, left), (self.box.y0, top), (self.box.x1, left), (self.box.y1, top))


@dataclass(frozen=True, slots=True)
class PromptRequest:
    """All that an image of a text-to-image diffusion model depends on, but the model, the noise and the real picture.

    Attributes:
        prompt: What it shows, in words.
        side: Of the square image, in px.
        negative: What it must not show, in words; empty for nothing.
        steps: Denoising steps; fewer are run where a real picture is only partly changed.
        guidance: How strictly the words are followed; 1 asks the model once per step instead of twice.
        scheduler: How noise is taken away.
        place: The real picture that it starts from; None for noise alone.
    """

    prompt: str
    side: int
    negative: str = ""
    steps: int = 30
    guidance: float = 7.5
    scheduler: SchedulerName = "dpm-solver++"
    place: PromptPlace | None = None

    @property
    def mode(self) -> PromptMode:
        """What the image starts from."""
        if self.place is None:
            return "text"
        return "image" if self.place.box is None else "inpaint"
