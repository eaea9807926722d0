"""Which images a text-to-image model is asked for: prompts in turn, and the real pictures that they start from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from synthstudio.core.synthesis.guide_crops import guide_window
from synthstudio.domain.errors import UserError
from synthstudio.domain.prompts import PromptMode, PromptPlace, PromptRequest
from synthstudio.domain.records import Box, FieldOfView
from synthstudio.settings.generate import PromptSettings

_NUMBER = r"\s*(-?\d+(?:\.\d+)?)\s*"
_PLACE = re.compile(rf"(?P<name>.+?)\s*@{_NUMBER},{_NUMBER},{_NUMBER},{_NUMBER}")
LEAST_BOX_PX = 8
"""Shorter side of a box that is painted, in px of the FOV; what is smaller the model cannot draw."""


@dataclass(frozen=True, slots=True)
class Place:
    """A real picture as a setting names it: an FOV, and a box of it in px where one is given."""

    name: str
    box: Box | None = None

    def __str__(self) -> str:
        if self.box is None:
            return self.name
        return f"{self.name} @ {self.box.x0:g}, {self.box.y0:g}, {self.box.x1:g}, {self.box.y1:g}"


def parse_place(text: str) -> Place:
    """Read "hand.png" or "hand.png @ 120, 80, 260, 210"; `str` of a place is read back to it."""
    found = _PLACE.fullmatch(text.strip())
    if found is None:
        return Place(text.strip())
    x0, y0, x1, y1 = (float(found[number]) for number in range(2, 6))
    return Place(found["name"].strip(), Box(x0, y0, x1, y1))


def locate(place: Place, fov: FieldOfView, *, mode: PromptMode, surroundings: float, strength: float) -> PromptPlace:
    """The square that is cut out of an FOV, and the box that is painted in it.

    To change a picture, it is the square around the box, or in the middle of the FOV; to paint a box, the box with as
    much of its surroundings as there is; its corners are whole pixels.

    Raises:
        UserError: There is no box to be painted, or it is too small, or not within the FOV with something around it.
    """
    box = place.box
    if box is not None and not (0 <= box.x0 < box.x1 <= fov.width and 0 <= box.y0 < box.y1 <= fov.height):
        raise UserError(
            f"The box of the place {place} is not within {fov.name} ({fov.width} x {fov.height} px).",
            "Give left, top, right, bottom in px of the field of view.",
        )
    if mode == "image":
        window = guide_window(fov, box)
        return PromptPlace(fov.id, _corners(window.x, window.y, window.side), None, strength)
    if box is None:
        raise UserError(
            f"The place {place} has no box to be painted.", f"Name one in px, such as {fov.name} @ 120, 80, 260, 210."
        )
    # Whole pixels, or no window of pixels might hold it.
    box = Box(*(float(round(each)) for each in (box.x0, box.y0, box.x1, box.y1)))
    if min(box.width, box.height) < LEAST_BOX_PX:
        raise UserError(f"The box of the place {place} is smaller than {LEAST_BOX_PX} px.", "Draw a larger box.")
    if max(box.width, box.height) > min(fov.width, fov.height):
        raise UserError(f"The box of the place {place} is larger than any square of {fov.name}.", "Draw a smaller box.")
    (x, y), half = box.center, surroundings * max(box.width, box.height) / 2
    window = guide_window(fov, Box(x - half, y - half, x + half, y + half))
    return PromptPlace(fov.id, _corners(window.x, window.y, window.side), box, strength)


def _corners(left: int, top: int, side: int) -> Box:
    return Box(float(left), float(top), float(left + side), float(top + side))


class PromptPlanner:
    """Plans the request of any image of a set alone, in any order.

    Image `i` shows prompt `i mod n`, so that the first images show what all prompts come to, and more variants leave
    the images of a set as they are.

    Args:
        settings: What is wanted.
        prompts: What the images show, where the settings name nothing.
        side: Of the images, in px, where the settings name none.
        fovs: By their names, as the places name them.

    Raises:
        UserError: There is no prompt, or a place cannot be used; see `locate`.
    """

    def __init__(
        self, settings: PromptSettings, *, prompts: Sequence[str], side: int, fovs: Mapping[str, FieldOfView]
    ) -> None:
        self._settings = settings
        self.prompts = tuple(dict.fromkeys(" ".join(each.split()) for each in settings.prompts or prompts))
        if not self.prompts:
            raise UserError("There is no prompt.", "Write at least one: what the images show, in words.")
        self.side = settings.side_px or side
        self._places = tuple(self._located(parse_place(each), fovs) for each in settings.places)

    @property
    def n_images(self) -> int:
        """Images of all prompts together."""
        return len(self.prompts) * self._settings.variants

    def plan(self, index: int) -> PromptRequest:
        """Return the request of image `index`; the variants of each prompt take turns with the places."""
        variant, number = divmod(index, len(self.prompts))
        chosen = self._settings
        return PromptRequest(
            prompt=self.prompts[number],
            side=self.side,
            negative=chosen.negative,
            steps=chosen.steps,
            guidance=chosen.guidance,
            scheduler=chosen.scheduler,
            place=self._places[variant % len(self._places)] if self._places else None,
        )

    def count_prompts(self, indices: range) -> dict[str, int]:
        """How many of these images show each prompt."""
        n = len(self.prompts)
        return {
            prompt: len(range(indices.start + (number - indices.start) % n, indices.stop, n))
            for number, prompt in enumerate(self.prompts)
        }

    def _located(self, place: Place, fovs: Mapping[str, FieldOfView]) -> PromptPlace:
        chosen = self._settings
        return locate(
            place, fovs[place.name], mode=chosen.mode, surroundings=chosen.surroundings, strength=chosen.strength
        )
