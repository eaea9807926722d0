"""A little SVG: shapes with explicit colours, so that browsers and Qt draw the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

INK, GRAY, FAINT = "#222222", "#6b6b6b", "#dddddd"
FONT = "Helvetica, Arial, sans-serif"
FONT_PX = 11
Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True, slots=True)
class Svg:
    """A finished drawing.

    Attributes:
        title: What it shows, also for readers who cannot see it.
        text: The `<svg>` element.
    """

    title: str
    text: str
    width: int
    height: int


class Canvas:
    """Collects shapes; coordinates in px from the top left."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._parts: list[str] = []

    def line(
        self,
        start: tuple[float, float],
        end: tuple[float, float],
        *,
        color: str = INK,
        width: float = 1,
        dash: str = "",
    ) -> None:
        """Draw a straight line; `dash` as in `stroke-dasharray`."""
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self._parts.append(
            f'<line x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}" stroke="{color}"'
            f' stroke-width="{width:g}"{dashed}/>'
        )

    def polyline(self, points: Sequence[tuple[float, float]], *, color: str) -> None:
        """Draw a line through points."""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._parts.append(
            f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="1.5" stroke-linejoin="round"/>'
        )

    def circle(self, center: tuple[float, float], radius: float, *, color: str) -> None:
        """Draw a filled circle."""
        self._parts.append(f'<circle cx="{center[0]:.1f}" cy="{center[1]:.1f}" r="{radius:g}" fill="{color}"/>')

    def rectangle(self, x: float, y: float, *, width: float, height: float, color: str, edge: str = "none") -> None:
        """Draw a filled rectangle from its top left corner."""
        self._parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(0.0, width):.1f}" height="{max(0.0, height):.1f}"'
            f' fill="{color}" stroke="{edge}"/>'
        )

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        anchor: Anchor = "start",
        color: str = INK,
        bold: bool = False,
        turned: bool = False,
    ) -> None:
        """Write words with their base line at `y`; `turned`: from below upwards."""
        weight = ' font-weight="bold"' if bold else ""
        turn = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turned else ""
        self._parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" font-family="{FONT}" font-size="{FONT_PX}" text-anchor="{anchor}"'
            f' fill="{color}"{weight}{turn}>{escape(words)}</text>'
        )

    def finish(self, title: str) -> Svg:
        """Return the drawing on a white ground."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" height="{self.height}"'
            f' viewBox="0 0 {self.width} {self.height}" role="img" aria-label="{escape(title)}">'
            f"<title>{escape(title)}</title>"
            f'<rect width="{self.width}" height="{self.height}" fill="#ffffff"/>'
        )
        return Svg(title, f"{head}{''.join(self._parts)}</svg>", self.width, self.height)


def text_width(words: str) -> float:
    """About how wide words are, in px: no font is at hand to measure them."""
    return 0.56 * FONT_PX * len(words)


def shortened(words: str, width: float) -> str:
    """Words cut to about this many px, with an ellipsis."""
    n_fitting = max(1, int(width / (0.56 * FONT_PX)))
    return words if len(words) <= n_fitting else words[: n_fitting - 1] + "…"
