"""Tags of what is selected in the gallery: the dialog, and the last tag once more."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QWidget

from synthstudio.domain.errors import UserError
from synthstudio.gui import errors
from synthstudio.gui.pages.quality.gallery_picks import GalleryRows
from synthstudio.gui.pages.quality.tag_changes import change_tag, tagged
from synthstudio.gui.pages.quality.tags_dialog import TagsDialog
from synthstudio.gui.workspace import Workspace


class GalleryTags(QObject):
    """Puts tags on the selected tiles of a gallery.

    Args:
        selected: Tells what is selected.
        panel: The gallery.
    """

    def __init__(self, workspace: Workspace, selected: Callable[[], GalleryRows], panel: QWidget) -> None:
        super().__init__(panel)
        self._workspace, self._selected, self._panel = workspace, selected, panel
        self.last = ""
        self.dialog: TagsDialog | None = None

    @Slot()
    def open(self) -> None:
        """Show the tags of what is selected, to be changed."""
        project, rows = self._workspace.project, self._selected()
        if project is None or not len(rows.ids):
            return
        noun = rows.view if len(rows.ids) > 1 else rows.view.removesuffix("s")
        dialog = TagsDialog(f"{len(rows.ids):,} {noun}", project.tags.names(), self._panel)
        self.dialog = dialog
        self._count(dialog, rows)

        def on_changed(name: str, has: bool) -> None:
            if self._change(name, rows, has=has, dialog=dialog):
                self._count(dialog, rows)

        dialog.tag_changed.connect(on_changed)
        dialog.open()
        dialog.line.setFocus()

    @Slot()
    def repeat(self) -> None:
        """Put the last tag on what is selected now."""
        rows = self._selected()
        if self.last and len(rows.ids):
            self._change(self.last, rows, has=True, dialog=None)

    def _count(self, dialog: TagsDialog, rows: GalleryRows) -> None:
        own = frozenset(rows.ids.tolist())
        found = self._workspace.require_project().tags.list(tagged(rows))
        dialog.show_counts({name: len(own & ids) for name, ids in found.items() if own & ids}, len(own))

    def _change(self, name: str, rows: GalleryRows, *, has: bool, dialog: TagsDialog | None) -> bool:
        try:
            change_tag(self._workspace, name, rows, has=has, window=self._panel.window())
        except UserError as error:
            if dialog is None:
                errors.report(error, parent=self._panel)
            else:
                dialog.show_problem(f"{error.message} {error.hint}".strip())
            return False
        if has:
            self.last = " ".join(name.split())
        return True
