"""Where the pages of the window stand: made when they are first asked for, the others ahead of that."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, QTimer, Signal, Slot
from PySide6.QtWidgets import QStackedWidget, QWidget
from typing_extensions import override

from synthstudio.domain.progress import Tick
from synthstudio.gui.main_window.pages import PAGES, LazyPage
from synthstudio.gui.workspace import Workspace


class PageStack(QStackedWidget):
    """As narrow as the page that is shown can be: a wide page that is out of sight must not widen the window.

    Args:
        made: Is told of each page, once it is made.

    Signals:
        pages_filled: Every page is made; what loading needed is needed no more.
    """

    pages_filled = Signal()

    def __init__(self, workspace: Workspace, *, made: Callable[[QWidget], None]) -> None:
        super().__init__()
        self._workspace, self._made = workspace, made
        self._pages: dict[int, QWidget] = {}
        self._is_filling = False
        self.currentChanged.connect(lambda _place: self.updateGeometry())

    @override
    def sizeHint(self) -> QSize:
        # Qt's own asks all pages, and measures hidden ones anew for it: 10 ms, several times at each change of page.
        page = self.currentWidget()
        return page.sizeHint() if page is not None else super().sizeHint()

    @override
    def minimumSizeHint(self) -> QSize:
        page = self.currentWidget()
        return page.minimumSizeHint() if page is not None else super().minimumSizeHint()

    def page(self, place: int) -> QWidget:
        """Return a workspace's page; it is made when it is first asked for."""
        if place not in self._pages:
            page = PAGES[place].build(self._workspace, self)
            self._pages[place] = page
            self.addWidget(page)
            self._made(page)
        return self._pages[place]

    def place_of(self, page: QWidget | None) -> int:
        """Which workspace a page is that has been made; 0 for any other widget."""
        return next((place for place, each in self._pages.items() if each is page), 0)

    def build_parts(self) -> None:
        """Make all that pages make when it is first shown: their actions are known then."""
        while self.build_next_part():
            pass

    def build_next_part(self) -> bool:
        """Make one of these parts; tells whether there was any left."""
        return any(page.build_next() for page in self._pages.values() if isinstance(page, LazyPage))

    @Slot()
    def load_ahead(self) -> None:
        """Import the other pages in a thread, so that going there is quick, and make them for the palette's sake."""
        if self._is_filling or self._workspace.project is None:
            return
        self._is_filling = True

        def load(_: Tick) -> None:
            for entry in PAGES:
                entry.load_all()

        self._workspace.background.run(load, done=lambda _none: self._build_next_page(), owner=self, priority=-1)

    def _build_next_page(self) -> None:
        missing = next((place for place in range(len(PAGES)) if place not in self._pages), None)
        if missing is not None:
            self.page(missing)
            QTimer.singleShot(0, self, self._build_next_page)
            return
        self.pages_filled.emit()
