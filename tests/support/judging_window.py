"""Plays a reviewer in the real window who judges image after image; says each verdict that the window has taken.

    python -m tests.support.judging_window PROJECT

Prints one line `INDEX KIND` per verdict, once the key event has been handled: from then on it must not be lost.
"""

import sys
import tempfile
from itertools import cycle
from pathlib import Path

from PySide6.QtCore import QSettings, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.pages.review import ReviewPage
from synthstudio.gui.workspace import Workspace

KEYS = ((Qt.Key.Key_K, "accepted"), (Qt.Key.Key_R, "rejected"), (Qt.Key.Key_U, "unsure"))


def main() -> int:
    app = QApplication([])
    private = Path(tempfile.mkdtemp(prefix="judging-"))
    workspace = Workspace(preferences_file=private / "preferences.toml")
    window = MainWindow(workspace, settings=QSettings(str(private / "qt.ini"), QSettings.Format.IniFormat))
    window.resize(1280, 800)
    window.open_project(Path(sys.argv[1]))
    window.show()
    window.show_page(2)
    page = window.page(2)
    assert isinstance(page, ReviewPage)
    panel, keys = page.verdicts, cycle(KEYS)

    def judge() -> None:
        if not panel.can_judge:
            QTimer.singleShot(5, judge)
            return
        index = panel.grid.selected[0]
        key, kind = next(keys)
        QTest.keyClick(panel.grid, key)
        given = panel.desk.find(index, is_final=False) if panel.desk is not None else None
        if given is not None and given.kind == kind:  # a window that is not active yet takes no key
            sys.stdout.write(f"{index} {kind}\n")
            sys.stdout.flush()
        if panel.grid.selected[0] != index or given is None:
            QTimer.singleShot(0, judge)

    QTimer.singleShot(0, judge)
    return app.exec()


if __name__ == "__main__":
    sys.exit(main())
