"""Walks the real window through every workspace and dialog and saves one picture each.

    python tests/screens.py OUT [--project P] [--size WxH] [--theme light|dark] [--text FACTOR]

Without a project it builds the small demo project in a temporary folder. Nothing is written into a project that is
given, except what opening it writes.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
from PySide6.QtCore import QEventLoop, QSettings, QTimer
from PySide6.QtWidgets import QApplication, QDialog, QTabWidget, QWidget

from synthstudio.core.review.gallery_filter import GalleryChoice, GalleryFilter
from synthstudio.gui.forms.elsewhere_dialog import ElsewhereDialog
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.main_window.pages import PAGES
from synthstudio.gui.pages.annotate import AnnotatePage
from synthstudio.gui.pages.generate import GeneratePage
from synthstudio.gui.pages.quality import QualityPage
from synthstudio.gui.pages.quality.charts_panel import ChartsPanel
from synthstudio.gui.pages.quality.gallery_panel import GalleryPanel
from synthstudio.gui.pages.quality.map_panel import MapPanel
from synthstudio.gui.pages.review import ReviewPage
from synthstudio.gui.pages.train import TrainPage
from synthstudio.gui.theme import apply_theme
from synthstudio.gui.workspace import Workspace

TIMEOUT_S = 60.0
PLOTS_MS = 400
"""Curves are drawn one plot a turn, without anything in the background."""
QUIET_MS = 150
"""The background must have been idle for this long before a picture is taken."""


def main() -> int:
    """Take the pictures; print their paths."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--project", type=Path)
    parser.add_argument("--size", default="1280x800", type=_size, metavar="WxH")
    parser.add_argument("--theme", default="light", choices=("light", "dark"))
    parser.add_argument("--text", default=1.0, type=float, metavar="FACTOR", help="enlarges the system's font")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="synthstudio-screens-") as scratch:
        project = arguments.project or _build_demo(Path(scratch) / "demo")
        photographer = Photographer(
            arguments.out,
            project,
            scratch=Path(scratch),
            size=arguments.size,
            theme=arguments.theme,
            text=arguments.text,
        )
        paths = photographer.walk()
    sys.stdout.writelines(f"{path}\n" for path in paths)
    return 0


def _size(text: str) -> tuple[int, int]:
    width, height = text.lower().split("x")
    return int(width), int(height)


def _build_demo(folder: Path) -> Path:
    from synthstudio.client.demo import build_demo_project  # only needed where no project is given

    build_demo_project(folder).close()
    return folder


class Photographer:
    """The window on a project, and a camera."""

    def __init__(
        self, out: Path, project: Path, *, scratch: Path, size: tuple[int, int], theme: str, text: float = 1.0
    ) -> None:
        self._out = out
        self._project = project
        self._suffix = f"{theme}-{size[0]}x{size[1]}"
        self._paths: list[Path] = []
        out.mkdir(parents=True, exist_ok=True)
        application = QApplication.instance()
        self._app = application if isinstance(application, QApplication) else QApplication([])
        font = self._app.font()
        font.setPointSizeF(font.pointSizeF() * text)
        self._app.setFont(font)
        if text != 1.0:
            self._suffix += f"-text{text:g}"
        apply_theme(self._app, "dark" if theme == "dark" else "light")
        self._workspace = Workspace(preferences_file=scratch / "preferences.toml")
        settings = QSettings(str(scratch / "window.ini"), QSettings.Format.IniFormat)
        self._window = MainWindow(self._workspace, settings=settings)
        self._window.resize(*size)

    def walk(self) -> list[Path]:
        """Take all pictures; return their paths."""
        window = self._window
        window.show()
        window.resize(window.size())
        try:
            self._settle()
            self._take("welcome")
            window.open_project(self._project)
            self._settle()
            self._choose_busy_field()
            for number, entry in enumerate(PAGES):
                window.show_page(number)
                self._settle()
                page = window.page(number)
                match page:
                    case GeneratePage():
                        self._walk_generate(page)
                    case TrainPage():
                        self._walk_train(page)
                    case ReviewPage() | QualityPage():
                        self._walk_tabs(page.tabs, entry.id)
                    case AnnotatePage():
                        self._take(entry.id)
                        page.next_section.set_folded(False)
                        self._settle()
                        self._take(f"{entry.id}-next")
                        page.next_section.set_folded(True)
                        self._walk_suggestions(page)
                    case _:
                        self._take(entry.id)
            self._walk_dialogs()
        finally:
            self._workspace.shut_down()
            window.close()
            window.deleteLater()
        return self._paths

    def _choose_busy_field(self) -> None:
        """Show the field with the most kinds of objects, preferring one that has class activation maps."""
        project = self._workspace.project
        if project is None:
            return
        counts = project.annotations.counts()
        folders = project.folder.glob("runs/*/explain/*")
        explained = Counter(int(folder.name) for folder in folders if folder.name.isdigit())
        best = max(
            counts,
            key=lambda fov_id: (explained[fov_id], len(counts[fov_id]), sum(counts[fov_id].values())),
            default=None,
        )
        if best is not None:
            self._workspace.set_current_fov(best)

    def _walk_suggestions(self, page: AnnotatePage) -> None:
        """The field with the most suggestions to judge, where a model has searched some."""
        project, shown = self._workspace.require_project(), self._workspace.current_fov_id
        for run_id in project.suggestions.runs()[:1]:
            found = project.suggestions.of_run(run_id)
            n_open = {fov_id: sum(each.is_open for each in marks) for fov_id, marks in found.items()}
            if not any(n_open.values()):
                return
            page.suggesting.choose_model(run_id)
            self._workspace.set_current_fov(max(n_open, key=lambda fov_id: n_open[fov_id]))
            self._settle()
            page.suggesting.go(1)
            self._settle()
            self._take("annotate-suggestions")
            page.view.set_picked(())
            self._workspace.set_current_fov(shown)
            self._settle()

    def _walk_generate(self, page: GeneratePage) -> None:
        view = page.compositing
        self._wait_for(lambda: bool(view.preview.facts.text()) or view.stack.currentWidget() is view.notice)
        for index in range(view.tabs.count()):
            view.tabs.setCurrentIndex(index)
            self._settle()
            self._take(f"generate-{view.tabs.tabText(index).lower()}")
        view.tabs.setCurrentIndex(0)
        page.choose("GAN")
        self._walk_tabs(page.gan.tabs, "generate-gan")
        page.choose("Diffusion")
        self._walk_tabs(page.diffusion.tabs, "generate-diffusion")
        page.choose("Compositing")

    def _walk_tabs(self, tabs: QTabWidget, name: str) -> None:
        for index in range(tabs.count()):
            tabs.setCurrentIndex(index)
            self._settle()
            self._run_events(PLOTS_MS)
            self._take(f"{name}-{tabs.tabText(index).lower().replace(' ', '-')}")
            shown = tabs.currentWidget()
            if isinstance(shown, ChartsPanel):
                shown.choose_view("images")
                self._run_events(PLOTS_MS)
                self._take(f"{name}-charts-images")
                shown.choose_view("objects")
            elif isinstance(shown, GalleryPanel):
                self._walk_gallery(shown, name)
            elif isinstance(shown, MapPanel) and shown.shown is not None:
                self._walk_map(shown, name)
        tabs.setCurrentIndex(0)

    def _walk_gallery(self, panel: GalleryPanel, name: str) -> None:
        """The largest objects of a class, picked in a chart, and their tags."""
        wanted = GalleryFilter(class_name=next(iter(panel.class_names), ""), least_px=1.0)
        panel.adopt_choice(GalleryChoice(view="objects", wanted=wanted, by="size", is_falling=True, has_boxes=True))
        self._settle()
        self._take(f"{name}-gallery-objects")
        panel.grid.select_keys(np.array(panel.grid.keys[:3], np.int64))
        with self._opened(panel.tags.open) as dialog:
            if dialog is not None:
                self._take("dialog-tags", dialog)
        panel.adopt_choice(GalleryChoice())
        self._settle()

    def _walk_map(self, panel: MapPanel, name: str) -> None:
        """The objects, and what is like one of them."""
        panel.choose_view("objects")
        self._settle()
        if panel.shown is not None and panel.shown.pictures:
            panel.find_similar(panel.shown.pictures[0])
            self._settle()
            self._run_events(PLOTS_MS)
        self._take(f"{name}-map-similar")

    def _walk_train(self, page: TrainPage) -> None:
        for row in range(page.runs.list.count()):
            page.runs.list.setCurrentRow(row)
            chosen = page.chosen
            if (
                chosen is not None
                and chosen.evaluations
                and chosen.cams
                and chosen.run.settings_json.find("synthetic") > 0
            ):
                break
        for index in range(page.tabs.count()):
            page.tabs.setCurrentIndex(index)
            self._settle()
            self._run_events(PLOTS_MS)
            self._take(f"train-{page.tabs.tabText(index).lower()}")
        self._walk_results(page)
        self._walk_detectors(page)
        page.tabs.setCurrentWidget(page.cam)
        beside = page.cam.controls.beside
        if beside.count() > 3:
            beside.setCurrentIndex(3)  # nothing, the annotations and the run itself come first
            self._settle()
            self._take("train-cam-two-runs")
            beside.setCurrentIndex(0)
        page.tabs.setCurrentIndex(0)
        self._walk_elsewhere(page)

    def _walk_elsewhere(self, page: TrainPage) -> None:
        """The command for each place where a training can run."""
        with self._opened(page.presets.show_elsewhere) as dialog:
            if not isinstance(dialog, ElsewhereDialog):
                return
            for index in range(dialog.place.count()):
                dialog.place.setCurrentIndex(index)
                self._settle()
                self._take(f"dialog-elsewhere-{dialog.chosen.value}", dialog)

    def _walk_detectors(self, page: TrainPage) -> None:
        """The other views of the tab; on the field its first mistake."""
        page.tabs.setCurrentWidget(page.detectors)
        panel = page.detectors.panel
        for name in ("field", "errors"):
            panel.choose_view(name)
            self._settle()
            if name == "field" and panel.field.searched is not None:
                panel.field.step_error(1)
                self._settle()
            self._take(f"train-detectors-{name}")
        panel.choose_view("scores")

    def _walk_results(self, page: TrainPage) -> None:
        """Every view of all runs that have been evaluated."""
        results = page.results
        page.tabs.setCurrentWidget(results)
        results.select_evaluated()
        for name in ("comparison", "rates", "learning", "errors", "scores"):
            results.show_view(name)
            self._settle()
            self._take(f"train-results-{name}")

    def _walk_dialogs(self) -> None:
        window = self._window
        window.show_page(0)
        dialogs: dict[str, Callable[[], object]] = {
            "dialog-import": self._open_filled_import,
            "dialog-look": window.looking.ask,
            "dialog-export": window.dialogs.open_export,
            "dialog-calibrate": window.dialogs.open_calibration,
            "dialog-samples": window.dialogs.open_samples,
            "dialog-splits": window.dialogs.open_splits,
            "dialog-crop-labels": window.dialogs.open_crop_labels,
            "dialog-agreement": window.dialogs.open_agreement,
            "dialog-suggestion-scores": lambda: window.registry.action("annotate.suggestion_scores").trigger(),
            "dialog-class": lambda: window.registry.action("annotate.edit_class").trigger(),
            "dialog-job-hours": window.dialogs.open_job_hours,
            "dialog-watch": lambda: window.registry.action("file.watch").trigger(),
            "dialog-snapshots": lambda: window.registry.action("file.snapshots").trigger(),
            "dialog-author": window.dialogs.open_author,
            "dialog-guide": window.dialogs.open_guide,
            "dialog-keys": window.dialogs.open_keys,
            "dialog-about": window.dialogs.open_about,
        }
        for name, open_dialog in dialogs.items():
            with self._opened(open_dialog) as dialog:
                if dialog is not None:
                    self._take(name, dialog)
        window.open_palette()
        self._settle()
        self._take("palette")

    def _open_filled_import(self) -> None:
        """Open the import dialog on the folder of the field that is shown."""
        project, fov_id = self._workspace.project, self._workspace.current_fov_id
        folder = Path(project.fovs.get(fov_id).path).parent if project is not None and fov_id is not None else None
        if folder is not None and folder.is_dir():
            self._window.dialogs.open_import(folder)
            self._run_events(500)  # it reads once the hand rests
        else:
            self._window.dialogs.open_import()

    @contextmanager
    def _opened(self, open_dialog: Callable[[], object]) -> Iterator[QDialog | None]:
        before = set(self._dialogs())
        open_dialog()
        self._settle()
        new = [dialog for dialog in self._dialogs() if dialog not in before]
        yield new[0] if new else None
        for dialog in new:
            dialog.reject()
        self._settle()

    def _dialogs(self) -> list[QDialog]:
        return [widget for widget in self._app.topLevelWidgets() if isinstance(widget, QDialog) and widget.isVisible()]

    def _settle(self) -> None:
        """Let events run until nothing has been going on in the background for a while."""
        quiet_since = time.monotonic()
        deadline = quiet_since + TIMEOUT_S
        while time.monotonic() < deadline:
            self._run_events(20)
            if not self._workspace.background.is_idle or self._workspace.drawing.is_busy:
                quiet_since = time.monotonic()
            elif time.monotonic() - quiet_since >= QUIET_MS / 1000:
                return
        raise TimeoutError(f"The background was still busy after {TIMEOUT_S:g} s")

    def _wait_for(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + TIMEOUT_S
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"Nothing came after {TIMEOUT_S:g} s")
            self._run_events(20)
        self._settle()

    def _run_events(self, duration_ms: int) -> None:
        loop = QEventLoop()
        QTimer.singleShot(duration_ms, loop.quit)
        loop.exec()

    def _take(self, name: str, widget: QWidget | None = None) -> None:
        path = self._out / f"{name}-{self._suffix}.png"
        (widget or self._window).grab().save(str(path))
        self._paths.append(path)


if __name__ == "__main__":
    sys.exit(main())
