"""The one start-up path of the window, with its crash hook."""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import linecache
import logging
import logging.handlers
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QEvent, QMessageLogContext, QObject, QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication
from typing_extensions import override

from synthstudio.gui import errors
from synthstudio.gui.garbage import GarbageCollector
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.theme import apply_theme, undressed
from synthstudio.gui.workspace import Workspace

logger = logging.getLogger("synthstudio")

_IMPORTED_AT_S = time.time()
M_MMAP_THRESHOLD = -3
"""Of malloc.h."""
LARGE_BLOCK_BYTES = 4 << 20
SWITCH_S = 0.0005
LOG_BYTES, N_LOGS = 1 << 20, 3
_QT_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


def main(argv: Sequence[str]) -> int:
    """Open the window and return its exit status.

    Args:
        argv: What follows the program's name: `[PROJECT] [--exit-after-paint]`.
    """
    options = _parsed(argv)
    prepare_process()
    _log_to_file()
    app = QApplication.instance() or QApplication(sys.argv[:1])
    if not isinstance(app, QApplication):
        raise TypeError("There is a Qt application without widgets already.")
    app.setApplicationName("synthstudio")
    app.setApplicationDisplayName("SynthStudio")
    collector = GarbageCollector(app)
    workspace = Workspace()
    apply_theme(app, workspace.preferences.theme)
    with undressed(app):
        window = MainWindow(workspace)
        _install_crash_hooks(window)
        window.pages_filled.connect(settle_memory)
        _open_first_project(window, options.project)
    if options.exit_after_paint:
        watch = _FirstPaint(window, _tell_and_quit)
        window.installEventFilter(watch)
    window.show()
    if workspace.preferences_error is not None:
        errors.report(workspace.preferences_error, parent=window)
    status = app.exec()
    collector.stop()
    return status


def prepare_process() -> None:
    """Before the window is made: keep no memory that is not needed, look through no module for garbage, go first."""
    gc.freeze()
    _forget_sources()
    _return_large_blocks()
    _let_window_go_first()
    _keep_cuda_out()


def settle_memory() -> None:
    """Once all is loaded, let the collector pass over what stays for good.

    The modules, classes and pages that are there by now make every full collection 40 ms longer, in the midst of a
    click.
    """
    _forget_sources()
    gc.collect()
    gc.freeze()
    _return_freed_blocks()


def _let_window_go_first() -> None:
    """Let the GUI thread wait half a millisecond, not 5, for Python to be handed over by a thread in the background.

    Qt lets go of Python at each of many calls, so one step to another FOV may wait for it several times.
    """
    sys.setswitchinterval(SWITCH_S)


def _keep_cuda_out() -> None:
    """Let the plots find no CUDA, which only the engine speaks to: its bindings would stay here with 12 MB."""
    sys.modules.setdefault("cuda", None)  # type: ignore[arg-type]  # how Python says that an import fails


def _forget_sources() -> None:
    """Give back the source of each imported module, 30 MB: PySide asks for it, and linecache keeps it."""
    linecache.clearcache()


def _return_large_blocks() -> None:
    """Let glibc give the memory of each decoded image back, instead of keeping up to 32 MB for the next: 40 MB less."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES)


def _return_freed_blocks() -> None:
    """Give back what loading has freed between blocks that stay, 4 MB."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


def _parsed(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="synthstudio", description="Open the window.")
    parser.add_argument("project", nargs="?", type=Path, help="project folder; by default the last one")
    parser.add_argument("--exit-after-paint", action="store_true", help="quit after the first painted frame")
    return parser.parse_args(list(argv))


def _open_first_project(window: MainWindow, named: Path | None) -> None:
    """Open the project of the command line, else the last one where it still exists."""
    if named is not None:
        window.open_project(named)
        return
    recent = window.workspace.preferences.recent_projects
    if recent and (Path(recent[0]) / "project.sqlite").is_file():
        window.open_project(Path(recent[0]))


# First paint


class _FirstPaint(QObject):
    """Calls back once, after the first frame of a window has been painted and flushed."""

    def __init__(self, parent: QObject, painted: Callable[[], None]) -> None:
        super().__init__(parent)
        self._painted = painted
        self._is_seen = False

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint and not self._is_seen:
            self._is_seen = True
            QTimer.singleShot(0, self, self._painted)
        return False


def _tell_and_quit() -> None:
    sys.stdout.write(json.dumps({"first_paint_s": round(process_age_s(), 3)}) + "\n")
    sys.stdout.flush()
    QApplication.closeAllWindows()
    QApplication.exit(0)


def process_age_s() -> float:
    """Seconds since this process was started; where the system does not tell, since this module was imported."""
    try:
        # proc(5): field 22 of stat is the start in clock ticks since boot; the name in field 2 may hold spaces.
        after_name = Path("/proc/self/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2]
        started_s = int(after_name.split()[19]) / os.sysconf("SC_CLK_TCK")
        return time.clock_gettime(time.CLOCK_BOOTTIME) - started_s
    except (OSError, ValueError, IndexError, AttributeError):
        return time.time() - _IMPORTED_AT_S


# Log and crash hooks


def _log_to_file() -> None:
    path = errors.log_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler: logging.Handler = logging.handlers.RotatingFileHandler(
            path, maxBytes=LOG_BYTES, backupCount=N_LOGS, encoding="utf-8", delay=True
        )
    except OSError:
        handler = logging.StreamHandler()  # a read-only home is no reason not to start
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)


def _install_crash_hooks(window: MainWindow) -> None:
    """Let every exception that nobody caught reach the log and the window, from whichever thread."""

    def on_exception(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            QApplication.exit(130)
            return
        errors.report(error.with_traceback(trace), parent=window)

    def on_thread_exception(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            logger.error("Unexpected error in thread %s", args.thread, exc_info=args.exc_value)

    sys.excepthook = on_exception
    threading.excepthook = on_thread_exception
    qInstallMessageHandler(_on_qt_message)


def _on_qt_message(kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
    logging.getLogger("synthstudio.qt").log(_QT_LEVELS.get(kind, logging.WARNING), "%s: %s", context.category, text)
