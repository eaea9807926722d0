"""Centre clicks with a simulated mouse in the real Annotate page, each compared with what is committed."""

from __future__ import annotations

import random
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from synthstudio.gui.canvas.view_state import ViewState
from synthstudio.gui.pages.annotate import AnnotatePage

LEFT, NO_KEY = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
LOOKS_EVERY = 10
"""Clicks after which a second connection reads what is committed, before the event loop has turned again."""

Place = tuple[float, float]


@dataclass
class ClickRun:
    """What became of the clicks.

    Attributes:
        expected: Image px under the middle of each clicked device pixel, in order.
        times_ms: From the press to the painted mark, of each click.
    """

    expected: list[Place]
    times_ms: list[float]


class Committed:
    """A second connection to a project: it sees only what is committed."""

    def __init__(self, folder: Path) -> None:
        database = next(folder.glob("*.sqlite"))
        self._connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)

    def places(self, after_id: int) -> list[Place]:
        """The centres of all annotations made after this id, in order."""
        rows = self._connection.execute("SELECT x, y FROM annotation WHERE id > ? ORDER BY id", (after_id,))
        return [(x, y) for x, y in rows]

    def last_id(self) -> int:
        """The highest id in the project."""
        return int(self._connection.execute("SELECT coalesce(max(id), 0) FROM annotation").fetchone()[0])

    def close(self) -> None:
        self._connection.close()


def click_centres(page: AnnotatePage, committed: Committed, *, n_clicks: int, seed: int) -> ClickRun:
    """Click at random places, with the view turned and zoomed anew for each.

    Raises:
        AssertionError: A click was not committed at once, or not to the pixel.
    """
    QApplication.processEvents()
    rng, view, run = random.Random(seed), page.view, ClickRun([], [])
    first_id = committed.last_id()
    view.set_tool("center")
    while len(run.expected) < n_clicks:
        spot = _look_at_a_free_spot(page, rng)
        QApplication.processEvents()  # the view is laid out and painted: what is timed is the click
        place = view.widget_to_image(spot.toPointF())
        started = time.perf_counter()
        QTest.mousePress(view, LEFT, NO_KEY, spot)
        run.expected.append(place)
        if len(run.expected) % LOOKS_EVERY == 0:
            assert_committed(committed.places(first_id), run)
        QApplication.processEvents()
        run.times_ms.append((time.perf_counter() - started) * 1000)
        QTest.mouseRelease(view, LEFT, NO_KEY, spot)
    return run


def assert_committed(found: list[Place], run: ClickRun) -> None:
    """Raises AssertionError where a click is missing, doubled, or not at the very place that was clicked."""
    assert len(found) == len(run.expected), f"{len(found)} of {len(run.expected)} clicks are committed"
    for place, wanted in zip(found, run.expected, strict=True):
        assert place == wanted, f"{place} is committed where {wanted} was clicked"


def _look_at_a_free_spot(page: AnnotatePage, rng: random.Random) -> QPoint:
    """Turn and zoom the view at random; a widget pixel over the image where no centre would be taken hold of."""
    view, pyramid = page.view, page.view.pyramid
    assert pyramid is not None
    while True:
        x, y = rng.uniform(0, pyramid.width), rng.uniform(0, pyramid.height)
        # Past 4x new places are farther apart on the screen than a centre is grabbed from.
        scale = 2 ** rng.uniform(0, 6)
        off_x, off_y = rng.uniform(-200, 200) / scale, rng.uniform(-150, 150) / scale
        view.set_view_state(ViewState(x + off_x, y + off_y, scale, rng.randrange(4)))
        spot = view.image_to_widget(x, y).toPoint()
        at_x, at_y = view.widget_to_image(spot.toPointF())
        inside = 0 <= at_x < pyramid.width and 0 <= at_y < pyramid.height and view.rect().contains(spot)
        if inside and view.can_place_center(spot.toPointF()):
            return spot
