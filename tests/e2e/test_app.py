"""The real application through its entry, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.windows import make_project

ROOT = Path(__file__).parents[2]
LATE = frozenset({"pydantic", "scipy", "sklearn", "pyqtgraph", "tifffile"})
"""What the first paint of a project does not wait for: half a second of the 0.8 s that a start may take."""
LATE_MODULES = frozenset(
    {"multiprocessing.context"}
    | {f"synthstudio.{name}" for name in ("core.models", "project.guides", "project.models", "project.studies")}
)
HEAVY = ("torch", "torchvision", "diffusers", "transformers", "timm", "onnxruntime")

STARTED_WINDOW = """
import sys
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from synthstudio.gui import app

def look():
    window = next(each for each in QApplication.topLevelWidgets() if each.objectName() == "mainWindow")
    for place in range(5):
        window.show_page(place)
    loaded = sorted(name for name in {heavy!r} if name in sys.modules)
    sys.stdout.write(f"loaded: {{loaded}}\\n")
    window.close()
    QApplication.exit(0)

original = QApplication.exec
def run(*args):
    QTimer.singleShot(1500, look)
    return original()
QApplication.exec = run
sys.exit(app.main([sys.argv[1]]))
"""


def environment(home: Path) -> dict[str, str]:
    home.mkdir(parents=True, exist_ok=True)
    private = {"HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"), "XDG_STATE_HOME": str(home / "state")}
    private |= {"XDG_DATA_HOME": str(home / "data"), "XDG_CACHE_HOME": str(home / "cache")}
    return {**os.environ, **private, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}


def run_python(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env=environment(home),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_that_the_window_paints_says_when_and_quits(tmp_path: Path) -> None:
    ended = run_python(tmp_path / "home", "-m", "synthstudio", "--exit-after-paint")
    assert ended.returncode == 0, ended.stderr
    assert 0 < json.loads(ended.stdout)["first_paint_s"] < 60


def test_that_a_project_is_opened_from_the_command_line(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "study")
    ended = run_python(tmp_path / "home", "-X", "importtime", "-m", "synthstudio", str(folder), "--exit-after-paint")
    assert ended.returncode == 0, ended.stderr
    modules = [line.rsplit("|", 1)[-1].strip() for line in ended.stderr.splitlines() if "|" in line]
    loaded = {name.partition(".")[0] for name in modules}
    assert "synthstudio" in loaded
    assert loaded.isdisjoint(LATE), loaded & LATE
    assert LATE_MODULES.isdisjoint(modules), LATE_MODULES.intersection(modules)
    # PySide reads the source of each module that is loaded after it.
    assert modules.index("numpy") < modules.index("PySide6")
    preferences = (tmp_path / "home" / "config" / "synthstudio" / "preferences.toml").read_text()
    assert str(folder) in preferences


def test_that_a_started_window_has_no_torch_and_its_kin(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "study")
    script = tmp_path / "look.py"
    script.write_text(STARTED_WINDOW.format(heavy=HEAVY))
    ended = run_python(tmp_path / "home", str(script), str(folder))
    assert ended.returncode == 0, ended.stderr
    assert "loaded: []" in ended.stdout
