"""The window: rail, top bar, field list, the page, job bar, and what can be done from anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSettings, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QSplitter,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from synthstudio.domain.ids import FovId
from synthstudio.domain.records import Changes
from synthstudio.gui.actions import ActionRegistry, shown_key
from synthstudio.gui.canvas.fov_view import FovView
from synthstudio.gui.errors import Notice, Severity
from synthstudio.gui.main_window.annotator import Annotator
from synthstudio.gui.main_window.closing import Closing
from synthstudio.gui.main_window.dialogs import Dialogs
from synthstudio.gui.main_window.folder_watcher import FolderWatcher
from synthstudio.gui.main_window.fov_panel import FovPanel
from synthstudio.gui.main_window.job_queue import JobQueue
from synthstudio.gui.main_window.jobs import JobController
from synthstudio.gui.main_window.list_memory import ListMemory
from synthstudio.gui.main_window.looking_at import LookingAt
from synthstudio.gui.main_window.looks import Looks
from synthstudio.gui.main_window.menu import fill_menu
from synthstudio.gui.main_window.page_stack import PageStack
from synthstudio.gui.main_window.pages import PAGES
from synthstudio.gui.main_window.palette_search import PaletteSearch
from synthstudio.gui.main_window.projects import Projects
from synthstudio.gui.main_window.rail import Rail
from synthstudio.gui.main_window.replacement_watch import ReplacementWatch
from synthstudio.gui.main_window.snapshot_keeper import SnapshotKeeper
from synthstudio.gui.main_window.specs import window_actions
from synthstudio.gui.main_window.tone_actions import ToneActions
from synthstudio.gui.main_window.top_bar import TopBar
from synthstudio.gui.main_window.welcome import Welcome
from synthstudio.gui.theme import scaled_px
from synthstudio.gui.widgets.command_palette import CommandPalette
from synthstudio.gui.widgets.icons import themed_icon
from synthstudio.gui.widgets.job_strip import JobStrip
from synthstudio.gui.widgets.message_bar import MessageBar
from synthstudio.gui.workspace import Workspace

LEAVING_KEYS = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape)
NARROW_LIST_PX, WIDE_LIST_PX, WIDE_FROM_PX = 100, 248, 1500
LOAD_AHEAD_MS = 1000
"""After the window is shown; the first field is on the screen by then."""


class MainWindow(QWidget):
    """The one window. It is a notice board: errors of everything inside appear in its message bar.

    Signals:
        pages_filled: Every page is made; what loading needed is needed no more.
    """

    pages_filled = Signal()

    def __init__(self, workspace: Workspace, *, settings: QSettings | None = None) -> None:
        super().__init__()
        self.setObjectName("mainWindow")
        self.setAcceptDrops(True)
        self.setWindowIcon(themed_icon("mdi6.microscope", "#2B66D9"))
        self.workspace = workspace
        self._settings = settings or QSettings("synthstudio", "synthstudio")
        self._place = 0
        self._tool_ids: Sequence[str] = ()
        self._list_px: int | None = None
        self._notice: Notice | None = None
        self.wants_fov_panel = True
        self.registry = ActionRegistry(themed_icon, self)
        self.rail = Rail([(page.title, page.icon) for page in PAGES])
        self.top_bar = TopBar()
        self.fov_panel = FovPanel(workspace)
        self.list_memory = ListMemory(self._settings, workspace, self.fov_panel.bar)
        self.job_strip = JobStrip()
        self.stack = PageStack(workspace, made=self._take_up_page)
        self.dialogs = Dialogs(
            workspace,
            self.fov_panel,
            self.registry,
            annotate=self._annotate,
            complete=self.stack.build_parts,
            window=self,
        )
        self.projects = Projects(workspace, import_from=self.dialogs.open_import, window=self)
        self.tones = ToneActions(workspace, self.fov_panel, self)
        self.looks = Looks(workspace, self)
        self.queue = JobQueue(workspace, self.job_strip, self)
        self.watcher = FolderWatcher(workspace, self)
        self.looking = LookingAt(workspace, self)
        self.snapshots = SnapshotKeeper(workspace, self)
        self.replacements = ReplacementWatch(workspace, self, reopen=self.projects.reopen)
        self.registry.add(window_actions(self), owner=self)
        welcome_ids = ("file.new", "file.open", "file.look", "file.demo")
        self.welcome = Welcome([self.registry.action(each) for each in welcome_ids])
        self.stack.addWidget(self.welcome)
        self.no_fields = self._build_no_fields()
        self.stack.addWidget(self.no_fields)
        self._lay_out()
        self.message_bar = MessageBar(self, foot_px=self.job_strip.height())
        self._parts_turn = QTimer(self, singleShot=True, interval=0)
        self._parts_turn.timeout.connect(self._build_part_for_palette)
        self.palette_search = PaletteSearch(self)
        self.palette_box = CommandPalette(self, search=self.palette_search.search)
        self.jobs = JobController(workspace, self.job_strip, self)
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self._fill_menu)
        self.top_bar.set_menu(self._menu)
        self.closing = Closing(workspace, self)
        self._connect()
        self.rail.set_current(0)
        self._take_chosen_keys()
        self._restore_geometry()
        self._on_project_changed()

    # Building

    def _build_no_fields(self) -> QWidget:
        from synthstudio.gui.widgets.empty_state import EmptyState  # noqa: PLC0415 - loaded when it is needed: the first paint does not wait

        return EmptyState(
            "mdi6.image-multiple-outline",
            "No fields yet",
            "Drop a folder of images here, or import one. A subfolder, or a pattern in the names, tells which images"
            " belong to one sample.",
            actions=[self.registry.action("file.import")],
        )

    def _lay_out(self) -> None:
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setHandleWidth(1)
        self.splitter.addWidget(self.fov_panel)
        self.splitter.addWidget(self.stack)
        self.splitter.setStretchFactor(0, 0)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.setChildrenCollapsible(False)
        self.fov_panel.setMinimumWidth(scaled_px(88))
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self.rail)
        middle.addWidget(self.splitter, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.top_bar)
        layout.addLayout(middle, 1)
        layout.addWidget(self.job_strip)

    def _connect(self) -> None:
        workspace = self.workspace
        self.stack.pages_filled.connect(self.pages_filled)
        self.rail.chosen.connect(self.show_page)
        self.top_bar.search_requested.connect(self.open_palette)
        self.welcome.open_requested.connect(self.projects.open)
        workspace.project_changed.connect(self._on_project_changed)
        workspace.current_fov_changed.connect(self._on_current_fov_changed)
        workspace.records_changed.connect(self._on_records_changed)
        workspace.preferences_changed.connect(self._on_preferences_changed)
        for changed in (workspace.records_changed, workspace.current_class_changed):
            changed.connect(self._drop_settled_notice)
        workspace.undo_stack.indexChanged.connect(lambda _index: self.registry.refresh())
        # What an action may depend on (a selection, a tool) is many things; where the user acts, it is asked anew.
        QApplication.instance().focusChanged.connect(self._on_focus_changed)  # type: ignore[union-attr]

    def _restore_geometry(self) -> None:
        geometry = self._settings.value("window/geometry")
        if geometry is None or not self.restoreGeometry(geometry):
            self.resize(1280, 800)
        self.rail.set_labels_shown(shown=self.workspace.preferences.shows_rail_labels)
        width = self._settings.value("window/list_width")
        self._list_px = int(str(width)) if width is not None else None
        self.splitter.splitterMoved.connect(self._on_splitter_moved)
        self._fit_list()

    def _fit_list(self) -> None:
        """Give the list the user's width, or, until the user has moved its edge, one that suits the window."""
        default = scaled_px(WIDE_LIST_PX if self.width() >= WIDE_FROM_PX else NARROW_LIST_PX)
        list_px = self._list_px if self._list_px is not None else default
        self.splitter.setSizes([list_px, max(self.width() - list_px, 400)])

    @Slot()
    def _on_splitter_moved(self) -> None:
        self._list_px = self.splitter.sizes()[0]

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        former = event.oldSize().width()
        if self._list_px is None and (former >= WIDE_FROM_PX) != (self.width() >= WIDE_FROM_PX):
            self._fit_list()

    # Notices

    def show_notice(self, notice: Notice) -> None:
        """Show a notice in the message bar."""
        self._notice = notice
        self.message_bar.show_message(
            notice.message,
            notice.hint,
            severity=notice.severity.value,
            action_text=notice.action.text if notice.action else "",
            action=notice.action.callback if notice.action else None,
        )

    @Slot()
    def _drop_settled_notice(self) -> None:
        notice = self._notice
        if notice is not None and notice.holds is not None and not notice.holds():
            self._notice = None
            self.message_bar.hide()

    # Pages

    @property
    def place(self) -> int:
        """Which workspace is chosen, 0 to 4."""
        return self._place

    def page(self, place: int) -> QWidget:
        """Return a workspace's page; it is made when it is first asked for."""
        return self.stack.page(place)

    def _take_up_page(self, page: QWidget) -> None:
        self.registry.add(page.actions(), owner=page)  # type: ignore[arg-type]  # see `Page.actions`
        self._watch(page)

    def _watch(self, page: QWidget) -> None:
        outdated = getattr(page, "actions_outdated", None)
        if outdated is not None:
            outdated.connect(self.registry.refresh)
        added = getattr(page, "actions_added", None)
        if added is not None:
            added.connect(lambda specs: self.registry.add(specs, owner=page))
        view = getattr(page, "view", None)
        if isinstance(view, FovView):
            view.selection_changed.connect(lambda _ids: self.registry.refresh())
            view.annotations_replaced.connect(self.registry.refresh)
            view.calibration_drawn.connect(self.dialogs.open_calibration)

    def place_of(self, page: QWidget | None) -> int:
        """Which workspace a page is that has been made; 0 for any other widget."""
        return self.stack.place_of(page)

    def _annotate(self) -> Annotator:
        """Go to the page that annotates."""
        self.show_page(0)
        return self.page(0)  # type: ignore[return-value]  # the first of `PAGES`

    @Slot(int)
    def show_page(self, place: int) -> None:
        """Go to a workspace."""
        self._place = place
        self.rail.set_current(place)
        self._show_current()

    def _show_current(self) -> None:
        with self.registry.gathering():  # the focus goes, and comes again, and each time they would be asked
            self._show_place()

    def _show_place(self) -> None:
        project = self.workspace.project
        entry = PAGES[self._place]
        if project is None:
            self.stack.setCurrentWidget(self.welcome)
        elif not self.workspace.fov_order and not self.fov_panel.model.n_all and self._place == 0:
            self.stack.setCurrentWidget(self.no_fields)
        else:
            self.stack.setCurrentWidget(self.page(self._place))
        self.rail.setEnabled(project is not None)
        self.fov_panel.setVisible(project is not None and self.wants_fov_panel and entry.uses_fovs)
        self._show_tools()
        self.registry.refresh()
        focus = self.window().focusWidget()
        if focus is None or not focus.isVisible() or focus is self.top_bar.menu_button:
            self._focus_page()

    def _focus_page(self) -> None:
        page = self.stack.currentWidget()
        target = getattr(page, "view", page)
        if isinstance(target, QWidget):
            target.setFocus(Qt.FocusReason.OtherFocusReason)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Return and Escape end what is written beside the viewer: else the next shortcut would be written, too."""
        line, view = self.focusWidget(), getattr(self.stack.currentWidget(), "view", None)
        is_written = isinstance(line, QLineEdit | QAbstractSpinBox)
        if event.key() not in LEAVING_KEYS or not is_written:
            super().keyPressEvent(event)
        elif isinstance(view, FovView) or line is self.fov_panel.filter:
            self._focus_page()

    def _show_tools(self) -> None:
        page = self.stack.currentWidget()
        ids: Sequence[str] = getattr(page, "toolbar_ids", ())
        if ids != self._tool_ids:  # most changes of what is shown leave them, and new ones are laid out and painted
            self._tool_ids = ids
            self.top_bar.set_tools([self.registry.button(each) for each in ids])

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        QTimer.singleShot(LOAD_AHEAD_MS, self, self.stack.load_ahead)

    # What changes

    @Slot()
    def _on_project_changed(self) -> None:
        project = self.workspace.project
        self.setWindowTitle(f"{project.name} – SynthStudio" if project else "SynthStudio")
        self.setWindowFilePath(str(project.folder) if project else "")
        self.welcome.set_recent(self.workspace.preferences.recent_projects)
        self.jobs.show_saved()
        self._show_breadcrumb()
        self._show_current()
        if project is not None and project.is_read_only:
            notice = Notice(
                f"{project.name} is open read-only. {project.read_only_reason}",
                "You can look at everything; nothing can be changed from this window.",
                Severity.WARNING,
            )
            self.show_notice(notice)
        if project is not None and self.isVisible():
            self.stack.load_ahead()

    @Slot(object)
    def _on_current_fov_changed(self, _fov_id: FovId | None) -> None:
        self._show_breadcrumb()
        self._show_current()

    @Slot(object)
    def _on_records_changed(self, told: Changes) -> None:
        if "fovs" in told.kinds:
            self._show_breadcrumb()
            self._show_current()
        else:
            self.registry.refresh()

    def _show_breadcrumb(self) -> None:
        project, fov_id = self.workspace.project, self.workspace.current_fov_id
        if project is None or fov_id is None:
            self.top_bar.set_place(project.name if project else "", "")
            return
        fov = project.fovs.get(fov_id)
        self.top_bar.set_place(project.name, f"{fov.sample_name}  /  {fov.name}")

    @Slot()
    def _on_preferences_changed(self) -> None:
        self.rail.set_labels_shown(shown=self.workspace.preferences.shows_rail_labels)
        self._take_chosen_keys()
        self.registry.refresh()

    def _take_chosen_keys(self) -> None:
        self.registry.set_chosen_keys(dict(self.workspace.preferences.shortcuts))
        keys = self.registry.spec("go.palette").shortcuts
        self.top_bar.set_search_key(shown_key(keys[0]) if keys else "")

    def _on_focus_changed(self) -> None:
        if self.isVisible():
            self.registry.refresh()

    # Menus and palette

    @Slot()
    def _fill_menu(self) -> None:
        recent = self.workspace.preferences.recent_projects
        fill_menu(self._menu, self.registry, recent=recent, open_project=self.projects.open)

    def open_palette(self) -> None:
        """Open the command palette."""
        self.registry.refresh()
        self.palette_box.open()
        self._parts_turn.start()

    def _build_part_for_palette(self) -> None:
        """One part a turn, so that a key that is pressed meanwhile is seen at once."""
        if not self.palette_box.isVisible():
            return
        if self.stack.build_next_part():
            self._parts_turn.start()
        else:
            self.palette_box.search_again()

    # Projects

    def open_project(self, folder: Path) -> bool:
        """Open a project; tells whether it worked."""
        return self.projects.open(folder)

    # View

    def toggle_fov_panel(self) -> None:
        """Show or hide the list of fields."""
        self.wants_fov_panel = not self.wants_fov_panel
        self._show_current()

    # Dropping

    @override
    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    @override
    def dropEvent(self, event: QDropEvent) -> None:
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        event.acceptProposedAction()
        # The dialog opens after the drop has returned: the other program waits for it.
        QTimer.singleShot(0, self, lambda: self.projects.take_dropped(*paths))

    # The end

    def quit(self) -> None:
        """Close the window."""
        self.close()

    @override
    def closeEvent(self, event: QCloseEvent) -> None:
        if not self.closing.may_close():
            event.ignore()
            return
        self._settings.setValue("window/geometry", self.saveGeometry())
        if self._list_px is not None:
            self._settings.setValue("window/list_width", self._list_px)
        self.workspace.shut_down()
        event.accept()
