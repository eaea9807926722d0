"""How wide the columns of a table are: what they hold, and together as wide as the table."""

from __future__ import annotations

from collections.abc import Sequence


def fitted_widths(wanted: Sequence[int], room: int, *, filling: int | None = None, least: int = 0) -> list[int]:
    """Share the room of a table among its columns, in px.

    A table that ends before its panel does looks broken; one that is too wide is scrolled.

    Args:
        wanted: What each column needs for all that it holds.
        room: What the table has.
        filling: The column that takes what the others leave, though less than it wants: sentences, that can be cut.
            Without one all columns grow alike.
        least: The least that it takes.
    """
    rest = room - sum(wanted)
    if filling is not None:
        widths = list(wanted)
        widths[filling] = max(min(least, widths[filling]), widths[filling] + rest)
        return widths
    total = sum(wanted)
    if rest <= 0 or total <= 0:
        return list(wanted)
    ends = [round(room * sum(wanted[: number + 1]) / total) for number in range(len(wanted))]
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]
