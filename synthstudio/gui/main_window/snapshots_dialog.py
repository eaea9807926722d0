"""The states of the project that were kept, and going back to one."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHeaderView, QTableView, QVBoxLayout, QWidget

from synthstudio.domain.progress import Tick
from synthstudio.gui.item_models.snapshot_rows import SnapshotRowsModel
from synthstudio.gui.main_window.projects import Projects
from synthstudio.gui.widgets.dialog_layout import MARGIN_PX, SPACING_PX, hint_label, wish_size
from synthstudio.gui.workspace import Workspace
from synthstudio.project.snapshots import N_KEPT, Snapshot, list_snapshots

WHEN = (
    "A snapshot is kept before imports and other edits that change much, and every half hour of work;"
    f" the {N_KEPT} newest stay."
)
NONE_YET = "None has been kept yet."
WHAT_COMES_BACK = (
    "Comes back: all that the project knows, from fields, splits, classes and annotations to its lists of sets and"
    " runs. The present state is kept first, so that this can be taken back; undo begins anew."
)
WHAT_STAYS = (
    "Stays as it is: every file. Sets and runs made since then stay in the project's folder, but are no longer listed,"
    " and the names of those sets stay taken. Those removed since then are listed again, without their files."
)


class SnapshotsDialog(QDialog):
    """Lists them, the newest first and chosen; one button goes back."""

    def __init__(self, workspace: Workspace, projects: Projects, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Snapshots")
        self._workspace, self._projects, self._window = workspace, projects, parent
        self.model = SnapshotRowsModel(self)
        self.table = self._make_table()
        self.none_yet = hint_label("")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.back_button = self.buttons.addButton("Go back to this one", QDialogButtonBox.ButtonRole.ActionRole)
        self.back_button.setProperty("primary", True)
        self.back_button.setEnabled(False)
        self.back_button.clicked.connect(self.go_back)
        self.buttons.rejected.connect(self.reject)
        self._lay_out()
        project = workspace.require_project()

        def read(_: Tick) -> list[Snapshot]:
            project.snapshots.wait()
            return list_snapshots(project.folder)

        workspace.background.run(read, done=self._show, owner=self)

    def _make_table(self) -> QTableView:
        table = QTableView()
        table.setAccessibleName("Snapshots, the newest first")
        table.setModel(self.model)
        table.setShowGrid(False)
        table.setTabKeyNavigation(False)
        table.setWordWrap(False)
        table.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QTableView.SelectionMode.SingleSelection)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(table.fontMetrics().height() + 8)
        table.horizontalHeader().setHighlightSections(False)
        table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        table.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        table.selectionModel().selectionChanged.connect(self._on_selection_changed)
        return table

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN_PX, MARGIN_PX, MARGIN_PX, MARGIN_PX)
        layout.setSpacing(SPACING_PX)
        for widget in (hint_label(WHEN), self.none_yet, self.table):
            layout.addWidget(widget, 1 if widget is self.table else 0)
        layout.addWidget(hint_label(WHAT_COMES_BACK))
        layout.addWidget(hint_label(WHAT_STAYS))
        layout.addWidget(self.buttons)
        wish_size(self, width=640, height=520, window=self._window)
        self.none_yet.hide()

    def _show(self, found: Sequence[Snapshot]) -> None:
        self.model.set_rows(found)
        self.none_yet.setText("" if found else NONE_YET)
        self.none_yet.setVisible(not found)
        if found:
            self.table.selectRow(0)
            self.table.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def chosen(self) -> Snapshot | None:
        """The selected snapshot."""
        rows = self.table.selectionModel().selectedRows()
        return self.model.snapshot(rows[0].row()) if rows else None

    @Slot()
    def _on_selection_changed(self) -> None:
        chosen = self.chosen
        self.back_button.setEnabled(
            chosen is not None and chosen.n_annotations is not None and self._workspace.is_writable
        )

    def go_back(self) -> None:
        """Make the selected state the present one. What goes wrong is told in the window."""
        chosen = self.chosen
        if chosen is not None:
            row = self.table.selectionModel().selectedRows()[0].row()
            words = ", ".join(str(self.model.index(row, column).data()) for column in (0, 1))
            self.accept()
            self._projects.go_back(chosen.path, words)
