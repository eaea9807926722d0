"""One image of a set, large, with boxes and the sign of its verdict; and the images that may come next, read ahead."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.core.imaging import read_image
from synthstudio.core.review.verdicts import Outcome
from synthstudio.domain.progress import Tick
from synthstudio.gui.background import Background
from synthstudio.gui.canvas.drafts import Pointer
from synthstudio.gui.canvas.image_view import ImageView
from synthstudio.gui.canvas.line_layer import LineLayer, box_segments
from synthstudio.gui.canvas.pyramid import ImagePyramid, build_pyramid
from synthstudio.gui.canvas.view_state import Viewport
from synthstudio.gui.pages.review.badges import paint_badge
from synthstudio.gui.pages.review.set_book import ImageLine, SetBook

BADGE_PX, INSET_PX = 44.0, 12.0
CACHE_BYTES = 96 << 20
N_AHEAD, N_BEHIND = 4, 1
UNKNOWN_COLOR = "#8A8A8A"


@dataclass(frozen=True, slots=True)
class LoadedImage:
    """An image ready to be painted, and its line of the manifest."""

    pyramid: ImagePyramid
    line: ImageLine


class SingleView(ImageView):
    """Shows one image; the hand moves it.

    Signals:
        step_requested: (images further on) By the arrow keys.
        close_requested: Back to all images.
    """

    step_requested = Signal(int)
    close_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Image to be judged")
        self._loaded: LoadedImage | None = None
        self._outcomes: tuple[Outcome, ...] = ()
        self._has_boxes = True
        self._colors: Mapping[str, str] = {}

    @property
    def index(self) -> int | None:
        """Number of the image that is shown."""
        return self._loaded.line.index if self._loaded is not None else None

    def show_image(self, loaded: LoadedImage | None, colors: Mapping[str, str]) -> None:
        """Show an image with its boxes in the colours of their classes; one of the same size keeps the place."""
        former = self.pyramid
        is_alike = (
            loaded is not None
            and former is not None
            and (former.width, former.height) == (loaded.pyramid.width, loaded.pyramid.height)
        )
        self._loaded, self._colors = loaded, colors
        self.set_image(loaded.pyramid if loaded is not None else None, keep_view=is_alike)
        self._draw_boxes()

    def set_boxes_visible(self, visible: bool) -> None:
        self._has_boxes = visible
        self._draw_boxes()

    def set_outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """Show these signs, from the right."""
        self._outcomes = tuple(outcomes)
        self.update()

    def _draw_boxes(self) -> None:
        layers = []
        objects = self._loaded.line.objects if self._loaded is not None and self._has_boxes else ()
        for name in dict.fromkeys(each.class_name for each in objects):
            for is_labelled in (True, False):
                boxes = [each.box for each in objects if each.class_name == name and each.is_labelled is is_labelled]
                if boxes:
                    color = self._colors.get(name, UNKNOWN_COLOR)
                    layers.append(LineLayer(box_segments(boxes), color, is_dashed=not is_labelled))
        self.set_lines(layers)

    @override
    def _on_left_pressed(self, pointer: Pointer) -> None:
        self._pan_from = QPointF(pointer.widget_x, pointer.widget_y)
        self._refresh_cursor()

    @override
    def _paint_on_top(self, painter: QPainter, viewport: Viewport) -> None:
        right = viewport.width - INSET_PX
        for outcome in self._outcomes:
            paint_badge(painter, outcome, QPointF(right, INSET_PX), BADGE_PX)
            right -= BADGE_PX + 4

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1}
        key = Qt.Key(event.key())
        if key in steps and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.step_requested.emit(steps[key])
        elif key in (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.close_requested.emit()
        else:
            super().keyPressEvent(event)


class ImagesAhead:
    """Images of a set by number: the one that is wanted first, then its neighbours; kept up to a bound.

    Args:
        owner: Nothing is called any more once it has been destroyed.
        failed: Told why an image that is wanted cannot be read.
    """

    def __init__(self, background: Background, owner: QObject, failed: Callable[[Exception], None]) -> None:
        self._background, self._owner, self._failed = background, owner, failed
        self._book: SetBook | None = None
        self._loaded: OrderedDict[int, LoadedImage] = OrderedDict()
        self._loading: set[int] = set()
        self._wanted: tuple[int, Callable[[LoadedImage], None]] | None = None

    @property
    def loaded(self) -> Mapping[int, LoadedImage]:
        """The images that are in memory."""
        return self._loaded

    def set_book(self, book: SetBook | None) -> None:
        """Read from another set; the images of the former one are dropped."""
        self._book = book
        self._loaded.clear()
        self._loading.clear()
        self._wanted = None

    def show(self, index: int, done: Callable[[LoadedImage], None], *, neighbours: Sequence[int]) -> None:
        """Give an image to `done`: at once where it is here. Its neighbours are read afterwards, in their order."""
        known = self._loaded.get(index)
        self._wanted = None if known is not None else (index, done)
        if known is not None:
            self._loaded.move_to_end(index)
            done(known)
        for place, each in enumerate((index, *neighbours)):
            self._load(each, priority=1 if place == 0 else 0)

    def _load(self, index: int, *, priority: int) -> None:
        book = self._book
        if book is None or index in self._loaded or index in self._loading:
            return
        self._loading.add(index)

        def work(_tick: Tick) -> LoadedImage:
            (line,) = book.read_lines([index])
            return LoadedImage(build_pyramid(read_image(line.path)), line)

        def keep(loaded: LoadedImage) -> None:
            if self._book is book:
                self._keep(index, loaded)

        def fail(error: Exception) -> None:
            if self._book is book:
                self._loading.discard(index)
                if self._wanted is not None and self._wanted[0] == index:
                    self._wanted = None
                    self._failed(error)

        self._background.run(work, done=keep, failed=fail, owner=self._owner, priority=priority, reads_images=True)

    def _keep(self, index: int, loaded: LoadedImage) -> None:
        self._loading.discard(index)
        self._loaded[index] = loaded
        n_bytes = sum(each.pyramid.n_bytes for each in self._loaded.values())
        while n_bytes > CACHE_BYTES and len(self._loaded) > 1 + N_AHEAD + N_BEHIND:
            n_bytes -= self._loaded.popitem(last=False)[1].pyramid.n_bytes
        if self._wanted is not None and self._wanted[0] == index:
            _, done = self._wanted
            self._wanted = None
            done(loaded)
