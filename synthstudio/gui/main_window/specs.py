"""What can be done from anywhere in the window, as data."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Protocol

from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.main_window.dialogs import Dialogs
from synthstudio.gui.main_window.folder_watcher import FolderWatcher
from synthstudio.gui.main_window.fov_panel import FovPanel
from synthstudio.gui.main_window.job_queue import JobQueue
from synthstudio.gui.main_window.looking_at import LookingAt
from synthstudio.gui.main_window.looks import Looks
from synthstudio.gui.main_window.pages import PAGES
from synthstudio.gui.main_window.projects import Projects
from synthstudio.gui.main_window.tone_actions import ToneActions
from synthstudio.gui.preferences import ThemeName
from synthstudio.gui.workspace import Workspace

FILE, GO, FIELD, JOBS, WINDOW, HELP = "File", "Go", "Field", "Jobs", "View", "Help"
MENUS = (FILE, "Edit", "Field", "Classes", "Jobs", "View", GO, HELP)
"""The menus in their order; a menu that only a page has stands before View."""


class Window(Protocol):
    """What the actions need of the window."""

    workspace: Workspace
    fov_panel: FovPanel
    wants_fov_panel: bool
    dialogs: Dialogs
    tones: ToneActions
    queue: JobQueue
    watcher: FolderWatcher
    looking: LookingAt
    projects: Projects
    looks: Looks

    def show_page(self, place: int) -> None: ...
    def open_palette(self) -> None: ...
    def toggle_fov_panel(self) -> None: ...
    def quit(self) -> None: ...


def window_actions(window: Window) -> Sequence[ActionSpec]:
    """All actions of the window itself."""
    parts = (_file, _watch, _go, _field, _jobs, _view, _help)
    return tuple(spec for part in parts for spec in part(window))


def _file(window: Window) -> list[ActionSpec]:
    workspace = window.workspace

    def has_project() -> bool:
        return workspace.project is not None

    return [
        ActionSpec("file.new", "New project…", window.projects.ask_for_new, "Ctrl+N", "mdi6.folder-plus-outline", FILE),
        ActionSpec(
            "file.open", "Open project…", window.projects.ask_for_one, "Ctrl+O", "mdi6.folder-open-outline", FILE
        ),
        ActionSpec(
            "file.look",
            "Look at a data set…",
            window.looking.ask,
            "Ctrl+Shift+O",
            "mdi6.folder-search-outline",
            FILE,
            tip="COCO, YOLO, VOC, a folder of images and others: gallery, charts and checks, without importing it",
        ),
        ActionSpec("file.demo", "Open the demo project", window.projects.open_demo, "", "mdi6.flask-outline", FILE),
        ActionSpec(
            "file.demo_skin",
            "Open the demo project of skin",
            window.projects.open_skin_demo,
            "",
            "mdi6.flask-plus-outline",
            FILE,
            tip="Simulated photographs with conditions and tones, for the GAN",
        ),
        ActionSpec(
            "file.import",
            "Import images…",
            window.dialogs.open_import,
            "Ctrl+I",
            "mdi6.import",
            FILE,
            lambda: workspace.is_writable,
        ),
        ActionSpec(
            "file.attributes",
            "Import attributes…",
            window.tones.import_attributes,
            "",
            "mdi6.table-arrow-left",
            FILE,
            lambda: workspace.is_writable,
            tip="A table with a column image and any of sample, split, tone and condition",
        ),
        ActionSpec(
            "file.snapshots",
            "Snapshots…",
            partial(window.dialogs.open_snapshots, window.projects),
            "",
            "mdi6.history",
            FILE,
            has_project,
            tip="States of the project that were kept before large edits and while you work; go back to one",
        ),
        ActionSpec("file.export", "Export…", window.dialogs.open_export, "Ctrl+E", "mdi6.export", FILE, has_project),
        ActionSpec("file.author", "Your name…", window.dialogs.open_author, "", "mdi6.account-outline", FILE),
        ActionSpec("file.close_project", "Close project", window.projects.close, "Ctrl+W", "", FILE, has_project),
        ActionSpec("file.quit", "Quit", window.quit, "Ctrl+Q", "", FILE),
    ]


def _go(window: Window) -> list[ActionSpec]:
    pages = [
        ActionSpec(
            f"go.{page.id}",
            page.title,
            partial(window.show_page, place),
            (f"Ctrl+{place + 1}", f"Alt+{place + 1}"),
            page.icon,
            GO,
            lambda: window.workspace.project is not None,
        )
        for place, page in enumerate(PAGES)
    ]
    palette = ActionSpec(
        "go.palette", "Search or do anything", window.open_palette, ("Ctrl+K", "Ctrl+P"), "mdi6.magnify", GO
    )
    return [*pages, palette]


def _field(window: Window) -> list[ActionSpec]:
    workspace = window.workspace

    def has_fov() -> bool:
        return workspace.current_fov_id is not None

    return [
        ActionSpec(
            "field.next",
            "Next field",
            partial(workspace.step_fov, 1),
            ("D", "PgDown"),
            "mdi6.chevron-right",
            FIELD,
            has_fov,
        ),
        ActionSpec(
            "field.previous",
            "Previous field",
            partial(workspace.step_fov, -1),
            ("A", "PgUp"),
            "mdi6.chevron-left",
            FIELD,
            has_fov,
        ),
        ActionSpec(
            "field.next_unfinished",
            "Next unfinished field",
            window.fov_panel.step_to_unfinished,
            ("Shift+D", "Shift+PgDown"),
            "mdi6.skip-next-outline",
            FIELD,
            has_fov,
            tip="The next one that is not annotated exhaustively",
        ),
        ActionSpec("field.filter", "Filter fields", window.fov_panel.focus_filter, "Ctrl+L", "", FIELD, has_fov),
        ActionSpec(
            "field.filter_by",
            "Filter fields by state, split or class…",
            window.fov_panel.open_filter_menu,
            "Ctrl+Shift+L",
            "mdi6.filter-variant",
            FIELD,
            has_fov,
        ),
        ActionSpec(
            "field.sort", "Sort and group fields…", window.fov_panel.open_sort_menu, "", "mdi6.sort", FIELD, has_fov
        ),
        ActionSpec(
            "field.flag",
            "Flag the field",
            window.fov_panel.toggle_flag,
            "Shift+F",
            "mdi6.flag-outline",
            FIELD,
            lambda: has_fov() and workspace.is_writable,
            tip="For a further look; again takes the flag away",
        ),
        ActionSpec(
            "field.calibrate", "Calibrate…", window.dialogs.open_calibration, "Ctrl+U", "mdi6.ruler", FIELD, has_fov
        ),
        ActionSpec(
            "field.samples",
            "Samples from names…",
            window.dialogs.open_samples,
            "",
            "mdi6.folder-account-outline",
            FIELD,
            lambda: has_fov() and workspace.is_writable,
        ),
        ActionSpec(
            "field.splits",
            "Train, validation and test…",
            window.dialogs.open_splits,
            "",
            "mdi6.call-split",
            FIELD,
            has_fov,
        ),
        ActionSpec(
            "field.label_crops",
            "Label crops by keyboard…",
            window.dialogs.open_crop_labels,
            "Ctrl+Shift+K",
            "mdi6.checkbox-multiple-marked-outline",
            FIELD,
            lambda: has_fov() and workspace.is_writable,
            tip="Which classes are on each crop: labels for the comparison model",
        ),
        ActionSpec(
            "field.agreement",
            "Compare authors…",
            window.dialogs.open_agreement,
            "",
            "mdi6.account-multiple-check-outline",
            FIELD,
            has_fov,
            tip="How far two people agree, and deciding where they do not",
        ),
        ActionSpec(
            "field.tone_scale",
            "Tone scale…",
            window.tones.open_scale,
            "",
            "mdi6.palette-outline",
            FIELD,
            lambda: workspace.is_writable,
            tip="Skin tones, or ordered levels of your own, as an attribute of each field",
        ),
        ActionSpec(
            "field.suggest_tones",
            "Suggest skin tones of selected fields",
            window.tones.suggest,
            "",
            "mdi6.palette-swatch-outline",
            FIELD,
            lambda: has_fov() and window.tones.can_suggest(),
            tip="By the individual typology angle of the unmarked skin",
        ),
        ActionSpec(
            "field.remove",
            "Remove selected fields",
            window.fov_panel.remove_selected,
            "",
            "",
            FIELD,
            lambda: has_fov() and workspace.is_writable,
        ),
    ]


def _jobs(window: Window) -> list[ActionSpec]:
    return [
        ActionSpec(
            "jobs.pause",
            "Pause the jobs",
            window.queue.toggle_pause,
            icon="mdi6.pause",
            menu=JOBS,
            enabled_when=lambda: window.workspace.project is not None,
            checked_when=lambda: window.workspace.gpu_worker.is_paused,
            tip="The running one goes on to its end; no other is begun",
        ),
        ActionSpec(
            "jobs.hours",
            "Hours of the jobs…",
            window.dialogs.open_job_hours,
            icon="mdi6.clock-outline",
            menu=JOBS,
            tip="At night, for example, so that nothing is slow by day",
        ),
    ]


def _watch(window: Window) -> list[ActionSpec]:
    return [
        ActionSpec(
            "file.watch",
            "Watch a folder…",
            partial(window.dialogs.open_watch, window.watcher),
            icon="mdi6.folder-eye-outline",
            menu=FILE,
            enabled_when=lambda: window.workspace.is_writable,
            checked_when=lambda: window.watcher.options is not None,
            tip="Images that come to lie in it are imported; a model may suggest what to mark on them",
        )
    ]


def _view(window: Window) -> list[ActionSpec]:
    themes: tuple[tuple[ThemeName, str], ...] = (
        ("system", "Theme of the system"),
        ("light", "Light theme"),
        ("dark", "Dark theme"),
    )
    switches = [
        ActionSpec(
            f"view.theme_{theme}",
            text,
            partial(window.looks.set_theme, theme),
            menu=WINDOW,
            checked_when=lambda theme=theme: window.workspace.preferences.theme == theme,  # type: ignore[misc]
        )
        for theme, text in themes
    ]
    return [
        ActionSpec(
            "view.fields",
            "List of fields",
            window.toggle_fov_panel,
            "F9",
            "mdi6.dock-left",
            WINDOW,
            checked_when=lambda: window.wants_fov_panel,
        ),
        ActionSpec(
            "view.rail_labels",
            "Names on the rail",
            window.looks.toggle_rail_labels,
            menu=WINDOW,
            checked_when=lambda: window.workspace.preferences.shows_rail_labels,
        ),
        ActionSpec("view.full_screen", "Full screen", window.looks.toggle_full_screen, "F11", "", WINDOW),
        *switches,
    ]


def _help(window: Window) -> list[ActionSpec]:
    return [
        ActionSpec("help.guide", "User guide", window.dialogs.open_guide, "F1", "mdi6.help-circle-outline", HELP),
        ActionSpec("help.keys", "Keys…", window.dialogs.open_keys, "?", "mdi6.keyboard-outline", HELP),
        ActionSpec("help.about", "About SynthStudio", window.dialogs.open_about, "", "mdi6.information-outline", HELP),
    ]
