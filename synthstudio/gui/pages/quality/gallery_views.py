"""Saved views of the gallery: kept, shown again and forgotten."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QWidget

from synthstudio.core.review.gallery_filter import GalleryChoice, read_choice
from synthstudio.domain.errors import UserError
from synthstudio.gui import errors
from synthstudio.gui.pages.quality.gallery_filters import GalleryFilters
from synthstudio.gui.pages.quality.tag_changes import change_view
from synthstudio.gui.workspace import Workspace


class GalleryViews(QObject):
    """What the controls of the saved views do.

    Args:
        chosen: Tells what is chosen now.
        adopt: Shows what was chosen at another time.
        panel: The gallery.
    """

    def __init__(
        self,
        workspace: Workspace,
        filters: GalleryFilters,
        *,
        chosen: Callable[[], GalleryChoice],
        adopt: Callable[[GalleryChoice], None],
        panel: QWidget,
    ) -> None:
        super().__init__(panel)
        self._workspace, self._filters, self._panel = workspace, filters, panel
        self._chosen, self._adopt = chosen, adopt
        self._views: Mapping[str, str] = {}
        filters.view_chosen.connect(self.show)
        filters.save_requested.connect(self.ask)
        filters.forget_requested.connect(self.forget)

    @property
    def can_save(self) -> bool:
        """Whether a view can be kept."""
        return self._workspace.is_writable

    def offer(self, views: Mapping[str, str]) -> None:
        """Offer these, by name."""
        self._views = views
        self._filters.offer_views(list(views), can_save=self.can_save)

    @Slot()
    def ask(self) -> None:
        """Ask for the name under which what is chosen is kept."""
        errors.ask.text(
            self._panel,
            title="Save view",
            label="Name of the view; a view of that name is replaced:",
            value=self._filters.views.currentData() or "",
            answered=self.save,
        )

    def save(self, name: str) -> None:
        """Keep what is chosen under a name."""
        view_json = self._chosen().to_json()
        if self._change(name, view_json):
            self.offer(dict(sorted({**self._views, name: view_json}.items())))
            self._filters.show_view(name)

    @Slot(str)
    def forget(self, name: str) -> None:
        """Forget a saved view; undo brings it back."""
        self._change(name, None)

    @Slot(str)
    def show(self, name: str) -> None:
        """Show a saved view."""
        if name in self._views:
            self._adopt(read_choice(self._views[name]))
            self._filters.show_view(name)

    def _change(self, name: str, view_json: str | None) -> bool:
        try:
            change_view(self._workspace, name, view_json, window=self._panel.window())
        except UserError as error:
            errors.report(error, parent=self._panel)
            return False
        return True
