"""Which places of a grid are selected, as click, Ctrl, Shift and a rectangle change it. Knows no widget."""

from __future__ import annotations


class TileSelection:
    """Places from 0 on.

    Attributes:
        places: The selected ones.
        current: Where the keyboard is; -1 for nowhere.
    """

    def __init__(self) -> None:
        self.places: set[int] = set()
        self.current = -1
        self._anchor = -1
        self._before_band: set[int] = set()

    def clear(self) -> None:
        """Select nothing."""
        self.places = set()

    def restore(self, places: set[int], *, count: int) -> None:
        """Select these of `count` places."""
        self.places = {place for place in places if place < count}
        self.current = self._anchor = min(self.places, default=min(max(self.current, -1), count - 1))

    def click(self, place: int) -> None:
        """Select one place alone."""
        self.places = {place}
        self.current = self._anchor = place

    def toggle(self, place: int) -> None:
        """Add a place, or take it out."""
        self.places = self.places ^ {place}
        self.current = self._anchor = place

    def extend_to(self, place: int) -> None:
        """Select from where the last click without Shift was."""
        anchor = max(0, self._anchor)
        self.places = set(range(min(anchor, place), max(anchor, place) + 1))
        self.current = place

    def begin_band(self) -> None:
        """A rectangle may be drawn from here on."""
        self._before_band = set(self.places)

    def band(self, places: set[int], *, is_added: bool) -> None:
        """Select what a rectangle touches, added to what was selected before it or instead of it."""
        self.places = self._before_band | places if is_added else set(places)
