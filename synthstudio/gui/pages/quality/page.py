"""The Quality workspace: is this data set sound?"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QMenu, QPushButton, QVBoxLayout, QWidget

from synthstudio.gui.actions import ActionSpec, trigger_action
from synthstudio.gui.pages.quality.chart_picks import ChartPick
from synthstudio.gui.pages.quality.charts_panel import ChartsPanel
from synthstudio.gui.pages.quality.checks_panel import ChecksPanel
from synthstudio.gui.pages.quality.gallery_panel import GalleryPanel
from synthstudio.gui.pages.quality.gallery_picks import GalleryRows
from synthstudio.gui.pages.quality.map_panel import MapPanel
from synthstudio.gui.widgets.page_tabs import PageTabs
from synthstudio.gui.workspace import Workspace


class QualityPage(QWidget):
    """Checks and their findings, the gallery, charts, and the map."""

    title = "Quality"
    icon = "mdi6.shield-check-outline"

    actions_outdated = Signal()
    """Other actions may be possible now."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self.tabs = PageTabs(self)
        self.checks = ChecksPanel(workspace, self)
        self.gallery = GalleryPanel(workspace, self)
        self.tabs.addTab(self.checks, "Checks")
        self.tabs.addTab(self.gallery, "Gallery")
        self.charts = ChartsPanel(workspace, self)
        self.tabs.addTab(self.charts, "Charts")
        self.map = MapPanel(workspace, self)
        self.tabs.addTab(self.map, "Map")
        self.look = QPushButton("Look at a data set…", self)
        self.look.setToolTip("COCO, YOLO, VOC, a folder of images and others, where they lie")
        self.look.setProperty("flat", True)
        self.look.clicked.connect(self._on_look_clicked)
        self.tabs.setCornerWidget(self.look)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.tabs)
        self.tabs.currentChanged.connect(self.actions_outdated)
        self.charts.picked.connect(self._on_charts_picked)
        self.checks.picked.connect(self._on_charts_picked)
        self.map.picked.connect(self._on_charts_picked)
        self.gallery.menu_filled.connect(self._on_gallery_menu_filled)
        workspace.similar_wanted.connect(self._find_wanted)
        self.gallery.rows_selected.connect(self._on_gallery_rows_selected)
        for panel in (self.checks, self.gallery, self.charts, self.map):
            panel.actions_outdated.connect(self.actions_outdated)
        self._find_wanted()  # asked for before there was this page

    def show_gallery(self) -> None:
        """Show the gallery."""
        self.tabs.setCurrentWidget(self.gallery)

    def show_charts(self) -> None:
        """Show the charts."""
        self.tabs.setCurrentWidget(self.charts)

    def show_map(self) -> None:
        """Show the map of the pictures."""
        self.tabs.setCurrentWidget(self.map)

    @Slot()
    def _on_look_clicked(self) -> None:
        trigger_action("file.look", self)

    @Slot(object)
    def _on_charts_picked(self, pick: ChartPick) -> None:
        self.show_gallery()
        self.gallery.show_rows(pick.name, pick.ids, view=pick.view, words=pick.words, set_name=pick.set_name)

    @Slot()
    def find_like_tile(self) -> None:
        """Show what is most like the selected tile of the gallery."""
        rows = self.gallery.selected_rows
        if len(rows.ids):
            self.show_map()
            self.map.find_like_one(int(rows.ids[0]), is_object=rows.view == "objects", set_name=rows.set_name)

    @Slot()
    def _find_wanted(self) -> None:
        """Show what is most like what another page has asked for."""
        wanted, self._workspace.wanted_similar = self._workspace.wanted_similar, None
        if wanted is not None:
            fov_id, mark_id = wanted
            self.show_map()
            self.map.find_like_one(fov_id if mark_id is None else mark_id, is_object=mark_id is not None)

    @Slot(object)
    def _on_gallery_menu_filled(self, menu: QMenu) -> None:
        menu.addAction("Find similar").triggered.connect(self.find_like_tile)

    @Slot(object)
    def _on_gallery_rows_selected(self, rows: GalleryRows) -> None:
        self.charts.mark_selected(rows.view, rows.ids, set_name=rows.set_name)

    def actions(self) -> Sequence[ActionSpec]:  # type: ignore[override]  # a page declares its actions as data
        """What can be done here."""
        return (
            *self.checks.actions(),
            *self.gallery.actions(),
            *self.charts.actions(),
            *self.map.actions(),
            ActionSpec(
                "quality.gallery", "Show the gallery", self.show_gallery, icon="mdi6.view-grid-outline", menu="Quality"
            ),
            ActionSpec("quality.charts", "Show the charts", self.show_charts, icon="mdi6.chart-bar", menu="Quality"),
            ActionSpec(
                "quality.similar_tile",
                "Find what is like the selected tile",
                self.find_like_tile,
                shortcut="S",
                icon="mdi6.image-search-outline",
                menu="Quality",
                enabled_when=lambda: self.gallery.isVisible() and self.gallery.has_selection,
                area=self.gallery,
            ),
            ActionSpec("quality.map", "Show the map of the pictures", self.show_map, icon="mdi6.map", menu="Quality"),
        )
