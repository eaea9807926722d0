"""Tone: an ordinal attribute of an FOV, such as the skin tone of a photograph or the level of a stain."""

from __future__ import annotations

from dataclasses import dataclass

from synthstudio.domain.errors import UserError

MAX_LEVELS = 20


@dataclass(frozen=True, slots=True)
class ToneScale:
    """Names of the levels in their order; the tone of an FOV is the number of its level, from 1.

    Raises:
        UserError: There are fewer than two levels, too many, or two of one name.
    """

    levels: tuple[str, ...]

    def __post_init__(self) -> None:
        if not 2 <= len(self.levels) <= MAX_LEVELS:
            raise UserError(
                f"A tone scale has 2 to {MAX_LEVELS} levels, not {len(self.levels)}.", "Name them in their order."
            )
        if len({level.casefold() for level in self.levels}) < len(self.levels) or not all(self.levels):
            raise UserError("Two levels of the tone scale have one name, or none.", "Give each a name of its own.")

    @classmethod
    def parse(cls, text: str) -> ToneScale:
        """Read "fitzpatrick", or names in their order with commas between them."""
        if text.strip().casefold() == "fitzpatrick":
            return FITZPATRICK
        return cls(tuple(" ".join(part.split()) for part in text.split(",")))

    def name(self, tone: int | None) -> str:
        """Name of a tone; "unknown" where there is none."""
        return self.levels[tone - 1] if tone is not None and 1 <= tone <= len(self.levels) else "unknown"

    def find(self, text: str) -> int | None:
        """The tone that a text names, by its level or by its number; None for none of them."""
        plain = text.strip().casefold().removeprefix("type").strip()
        names = [level.casefold() for level in self.levels]
        if plain in names:
            return names.index(plain) + 1
        number = plain.removesuffix(".0")  # as spreadsheets write whole numbers beside empty cells
        return int(number) if number.isdecimal() and 1 <= int(number) <= len(self.levels) else None


FITZPATRICK = ToneScale(("I", "II", "III", "IV", "V", "VI"))
"""Skin phototypes (Fitzpatrick 1988)."""
