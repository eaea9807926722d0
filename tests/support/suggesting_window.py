"""Plays an expert in the real window who judges suggestions by keys; says each judgement that the window has taken.

    python -m tests.support.suggesting_window PROJECT

Prints one line `ID STATE ANNOTATION` per judgement (0 for no annotation), once the key event has been handled: from
then on it must not be lost.
"""

import sys
import tempfile
from itertools import cycle
from pathlib import Path

from PySide6.QtCore import QSettings, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.pages.annotate import AnnotatePage
from synthstudio.gui.workspace import Workspace


def main() -> int:
    app = QApplication([])
    private = Path(tempfile.mkdtemp(prefix="suggesting-"))
    workspace = Workspace(preferences_file=private / "preferences.toml")
    window = MainWindow(workspace, settings=QSettings(str(private / "qt.ini"), QSettings.Format.IniFormat))
    window.resize(1280, 800)
    window.open_project(Path(sys.argv[1]))
    window.show()
    page, keys = window.page(0), cycle("trt")
    assert isinstance(page, AnnotatePage)

    def judge() -> None:
        if not page.suggesting.has_any or not page.view.picked:
            QTest.keyClick(page.view, "n")
            QTimer.singleShot(5, judge)
            return
        (picked,) = page.view.picked
        QTest.keyClick(page.view, next(keys))
        (told,) = workspace.require_project().suggestions.get([picked])
        if not told.is_open:  # a window that is not active yet takes no key
            sys.stdout.write(f"{picked} {told.state.value} {told.annotation_id or 0}\n")
            sys.stdout.flush()
        QTimer.singleShot(0, judge)

    QTimer.singleShot(0, judge)
    return app.exec()


if __name__ == "__main__":
    sys.exit(main())
