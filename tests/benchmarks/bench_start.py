"""From the start of the process to a painted window, beside a bare Qt window in the same run.

    python -m tests.benchmarks.bench_start [--project COPY] [--rounds 5] [--json]

Each round starts a bare window of the same binding, then the application on a project (by default the simulated demo);
the median counts. The first round, which reads all from the disk, is left out. Modules are compiled before, as an
installation does. Opening a project writes into it: give a copy.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
BARE_WINDOW = """
from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication, QMainWindow
import os, time
from pathlib import Path

def say():
    after_name = Path("/proc/self/stat").read_text().rpartition(")")[2]
    started_s = int(after_name.split()[19]) / os.sysconf("SC_CLK_TCK")
    print(time.clock_gettime(time.CLOCK_BOOTTIME) - started_s)
    QApplication.exit(0)

class Watch(QObject):
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint:
            QTimer.singleShot(0, say)
        return False

app = QApplication([])
window, watch = QMainWindow(), Watch()
window.resize(1280, 800)
window.installEventFilter(watch)
window.show()
app.exec()
"""


def started_s(*arguments: str, home: Path) -> float:
    """Seconds that a started process says it took to its first painted window."""
    private = {name: str(home / name) for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")}
    environment = {**os.environ, **private, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [sys.executable, *arguments], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    return float(re.findall(r"\d+\.\d+", ended.stdout)[0])


def measure(project: Path, *, n_rounds: int, home: Path) -> dict[str, object]:
    """Seconds to the first painted window, medians of the rounds."""
    bare, window = [], []
    for _ in range(n_rounds + 1):
        bare.append(started_s("-c", BARE_WINDOW, home=home))
        window.append(started_s("-m", "synthstudio", str(project), "--exit-after-paint", home=home))
    return {
        "bare_qt_s": round(statistics.median(bare[1:]), 3),
        "synthstudio_s": round(statistics.median(window[1:]), 3),
        "synthstudio_all_s": sorted(window[1:]),
        "load": round(os.getloadavg()[0], 2),
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--project", type=Path, help="a copy of a project; by default the simulated demo")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    compileall.compile_dir(ROOT / "synthstudio", quiet=1)
    with tempfile.TemporaryDirectory(prefix="synthstudio-start-") as scratch:
        project = options.project
        if project is None:
            from synthstudio.client.demo import build_demo_project  # only where no project is given

            project = Path(scratch) / "demo"
            build_demo_project(project).close()
        result = measure(project, n_rounds=options.rounds, home=Path(scratch))
    lines = [f"{name}: {value}" for name, value in result.items()]
    sys.stdout.write((json.dumps(result) if options.json else "\n".join(lines)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
