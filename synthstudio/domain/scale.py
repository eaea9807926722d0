"""The working scale: how far fields are resized before patches are cut from them or a network sees them."""

from __future__ import annotations

from dataclasses import dataclass

from synthstudio.domain.errors import UserError
from synthstudio.domain.records import FieldOfView

LARGEST_FACTOR = 4.0
"""A field enlarged further would hold no more detail, only more pixels: then a calibration is probably wrong."""
LEAST_FACTOR = 0.01


@dataclass(frozen=True, slots=True)
class WorkingScale:
    """One factor for all fields, or one pixel size or one size of the whole image that all of them are brought to.

    Attributes:
        factor: Px of the working scale per px of a field, where nothing is common to them; 1 where something is.
        um_per_px: Common pixel size of the working scale; 0 for none.
        whole_px: Px of the working scale along the longer side of every field, whatever its size; 0 for none.
    """

    factor: float = 1.0
    um_per_px: float = 0.0
    whole_px: int = 0

    @classmethod
    def choose(cls, *, factor: float, um_per_px: float) -> WorkingScale:
        """The common pixel size where one is wanted (not 0), else the factor."""
        return cls(1.0, um_per_px) if um_per_px else cls(factor)

    def of(self, fov: FieldOfView) -> float:
        """Factor by which a field is resized. Raises UserError as `magnification` does."""
        return self.factor * self.magnification(fov)

    def magnification(self, fov: FieldOfView) -> float:
        """How much larger objects of one true size are to be drawn than they are on this field, apart from `factor`.

        Raises:
            UserError: There is a common pixel size, but the field is not calibrated, or so that it cannot be right.
        """
        if self.whole_px:
            return self.whole_px / max(fov.width, fov.height)
        if not self.um_per_px:
            return 1.0
        if not fov.um_per_px:
            raise UserError(
                f"{fov.name} is not calibrated, so it cannot be brought to {self.um_per_px:g} µm/px.",
                "Calibrate it under Annotate, Field, or set the pixel size of the working scale to 0.",
            )
        factor = fov.um_per_px / self.um_per_px
        if not LEAST_FACTOR <= factor <= LARGEST_FACTOR:
            raise UserError(
                f"{fov.name} has {fov.um_per_px:g} µm/px: to bring it to {self.um_per_px:g} µm/px it would be resized"
                f" {factor:.3g} times.",
                "Check its calibration, or choose another pixel size for the working scale.",
            )
        return factor

    def pixel_size(self, um_per_px: float | None) -> float | None:
        """Pixel size of the working scale in um, where that of the fields is `um_per_px`, or unknown."""
        if self.whole_px:
            return None
        return self.um_per_px or (um_per_px / self.factor if um_per_px else None)

    def __str__(self) -> str:
        if self.whole_px:
            return f"whole images of {self.whole_px} px"
        return f"{self.um_per_px:g} µm/px" if self.um_per_px else f"{self.factor:g}"
