"""The way from mistake to mistake, over all fields that were searched. No widgets."""

from __future__ import annotations

from collections.abc import Sequence

from synthstudio.domain.ids import FovId


class MistakeWalk:
    """Remembers which mistake of the current field is looked at, and where the walk is bound for.

    Attributes:
        place: Of the mistake among those of the field; None before the first.
        is_over: No field has any: said until something changes.
    """

    def __init__(self) -> None:
        self.place: int | None = None
        self.is_over = False
        self._bound_for = 0
        self._n_left = 0

    @property
    def is_arriving(self) -> bool:
        """Whether the field that is being loaded was chosen by the walk."""
        return self._bound_for != 0

    def forget(self) -> None:
        """Another field is shown, or another detector."""
        self.place = None

    def fit(self, n_errors: int) -> None:
        """There are so many mistakes now."""
        if self.place is not None and self.place >= n_errors:
            self.place = None

    def step(self, step: int, n_errors: int, *, fields: Sequence[FovId], current: FovId | None) -> FovId | None:
        """Go on by +1 or back by -1.

        Args:
            step: The direction.
            n_errors: Mistakes on the current field.
            fields: Those that were searched, in the list's order.
            current: The one that is shown.

        Returns:
            The field to show next; None where the walk stays on this one, at `place`, or is over.
        """
        self.is_over, self._n_left = False, len(fields)
        first = 0 if step > 0 else n_errors - 1
        following = first if self.place is None else self.place + step
        if 0 <= following < n_errors:
            self.place = following
            return None
        return self._leave(step, n_errors, fields, current)

    def arrive(self, n_errors: int, *, fields: Sequence[FovId], current: FovId | None) -> FovId | None:
        """The field that was bound for has so many mistakes; returns what `step` does."""
        step, self._bound_for = self._bound_for, 0
        if n_errors:
            self.place = 0 if step > 0 else n_errors - 1
            return None
        return self._leave(step, n_errors, fields, current)

    def _leave(self, step: int, n_errors: int, fields: Sequence[FovId], current: FovId | None) -> FovId | None:
        if self._n_left <= 0:
            self.is_over = True
            return None
        self._n_left -= 1
        self._bound_for = step
        following = fields[(fields.index(current) + step) % len(fields)] if current in fields else fields[0]
        if following == current:  # the only one
            return self.arrive(n_errors, fields=fields, current=current)
        return following
