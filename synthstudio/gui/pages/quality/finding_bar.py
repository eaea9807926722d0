"""What a finding says, and what can be done about it: go to it, see all of its kind, give an object its other class."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from synthstudio.core.review.findings import Finding
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import FovId
from synthstudio.domain.progress import Tick
from synthstudio.gui import errors
from synthstudio.gui.actions import trigger_action
from synthstudio.gui.pages.quality.check_facts import FoundPictures
from synthstudio.gui.pages.quality.relabelling import Relabelling, find_relabelling, relabel
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.wrapped_label import WrappedLabel
from synthstudio.gui.workspace import Workspace


class FindingBar(QWidget):
    """The words of a finding and its buttons.

    Signals:
        show_requested: Go to what is selected.
        gallery_requested: Show all findings of the kind in the gallery.
        relabelled: The object has its other class now.
        changed: Other things may be possible now.
    """

    show_requested = Signal()
    gallery_requested = Signal()
    relabelled = Signal()
    changed = Signal()

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._finding: Finding | None = None
        self._pictures = FoundPictures()
        self._relabelling: Relabelling | None = None
        self.reason = WrappedLabel("muted", self)
        self.relabel_button = QPushButton(self)
        self.show_button = QPushButton("Show", self)
        self.show_button.setToolTip("Go to where it can be mended (Return)")
        self.gallery_button = QPushButton("All in the gallery", self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID_PX)
        row.addWidget(self.reason, 1)
        for button in (self.relabel_button, self.gallery_button, self.show_button):
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        self.relabel_button.clicked.connect(self.relabel)
        self.show_button.clicked.connect(self.show_requested)
        self.gallery_button.clicked.connect(self.gallery_requested)
        self._refresh()

    def show_finding(self, finding: Finding | None, *, n_alike: int) -> None:
        """Say what was found; what can be done about it becomes known a moment later.

        Args:
            n_alike: Findings of its kind that are about images or objects of their own.
        """
        self._finding, self._pictures, self._relabelling = finding, FoundPictures(), None
        self.reason.setText(f"{finding.reason} {finding.remedy}" if finding is not None else "")
        self.gallery_button.setVisible(n_alike > 0)
        self._refresh()
        self.reread()

    def show_pictures(self, pictures: FoundPictures) -> None:
        """Take over what can be looked at."""
        self._pictures = pictures
        self._refresh()

    @Slot()
    def reread(self) -> None:
        """Read anew what class the object has, off the GUI thread."""
        finding, project = self._finding, self._workspace.project
        if finding is None or project is None or not finding.other_class:
            return

        def find(_tick: Tick) -> Relabelling | None:
            return find_relabelling(project, finding)

        def done(found: Relabelling | None) -> None:
            if self._finding is finding:
                self._relabelling = found
                self._refresh()

        self._workspace.background.run(find, done=done, failed=partial(errors.report, parent=self), owner=self)

    @property
    def can_show(self) -> bool:
        """Whether there is an image, or a set, to go to."""
        return self._finding is not None and (bool(self._pictures.items) or bool(self._finding.set_name))

    @property
    def can_relabel(self) -> bool:
        """Whether the object can be given its other class."""
        return self._workspace.is_writable and self._relabelling is not None and not self._relabelling.is_done

    @Slot()
    def relabel(self) -> None:
        """Give the object the class that it looks like."""
        wanted = self._relabelling
        if wanted is None or not self.can_relabel:
            return
        try:
            relabel(self._workspace, wanted, window=self.window())
        except UserError as error:
            errors.report(error, parent=self)
            return
        self.relabelled.emit()

    def _refresh(self) -> None:
        wanted = self._relabelling
        self.show_button.setEnabled(self.can_show)
        self.relabel_button.setVisible(wanted is not None)
        self.relabel_button.setEnabled(self.can_relabel)
        if wanted is not None:
            name = wanted.other.name
            self.relabel_button.setText(f"Is {name} now" if wanted.is_done else f"Change to {name}")
            self.relabel_button.setToolTip(f"Marked as {wanted.present.name} now. C changes it; it can be undone.")
        self.changed.emit()

    def open_picture(self, place: int) -> None:
        """Show a field where it can be mended; an image of a set where it can be rejected."""
        item, mark = self._pictures.items[place], (self._pictures.marks or {}).get(place)
        if item.fov_id < 0:
            self.review((self._pictures.sets or {})[item.fov_id])
            return
        try:
            if mark is not None:
                self._workspace.show_annotation(FovId(item.fov_id), mark)
            else:
                self._workspace.show_region(FovId(item.fov_id), item.part)
        except UserError as error:
            errors.report(error, parent=self)
            return
        trigger_action("go.annotate", self)

    def review(self, set_name: str) -> None:
        """Go to a set where its images are looked through."""
        self._workspace.ask_for_review(set_name)
        trigger_action("go.review", self)
