"""Plays a user in the real window who clicks without end; says each click that the window has taken.

    python -m tests.support.clicking_window PROJECT SEED

Prints one line `ID X Y` per click, once the mouse event has been handled: from then on the click must not be lost,
whatever happens to this process.
"""

import random
import sys
import tempfile
from pathlib import Path

from PySide6.QtCore import QSettings, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.workspace import Workspace


def main() -> int:
    folder, seed = Path(sys.argv[1]), int(sys.argv[2])
    app = QApplication([])
    private = Path(tempfile.mkdtemp(prefix="clicking-"))
    workspace = Workspace(preferences_file=private / "preferences.toml")
    window = MainWindow(workspace, settings=QSettings(str(private / "qt.ini"), QSettings.Format.IniFormat))
    window.resize(1280, 800)
    window.open_project(folder)
    window.show()
    rng = random.Random(seed)

    def click() -> None:
        page = window.stack.currentWidget()
        project, fov_id = workspace.project, workspace.current_fov_id
        view = getattr(page, "view", None)
        if view is None or project is None or fov_id is None or view.pyramid is None:
            QTimer.singleShot(5, click)
            return
        before = {each.id for each in project.annotations.list(fov_id)}
        spot = view.rect().center()
        spot.setX(spot.x() + rng.randrange(-250, 250))
        spot.setY(spot.y() + rng.randrange(-180, 180))
        QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=spot)
        for mark in project.annotations.list(fov_id):
            if mark.id not in before:
                sys.stdout.write(f"{mark.id} {mark.x!r} {mark.y!r}\n")
                sys.stdout.flush()
        QTimer.singleShot(0, click)

    QTimer.singleShot(0, click)
    return app.exec()


if __name__ == "__main__":
    sys.exit(main())
