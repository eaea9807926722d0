"""`synthstudio split` as a script would call it."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from synthstudio.core.imaging import write_png

ROOT = Path(__file__).parents[2]


def synthstudio(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "synthstudio", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_that_samples_are_divided_moved_and_counted(tmp_path: Path) -> None:
    for patient in range(10):
        folder = tmp_path / "images" / f"patient-{patient}"
        folder.mkdir(parents=True)
        for number in range(2):
            write_png(folder / f"{number}.png", np.full((16, 16, 3), 10 * patient + number, np.uint8))
    project = tmp_path / "study"
    assert synthstudio("new", project).returncode == 0
    assert synthstudio("import", project, tmp_path / "images", "--format", "imagefolder").returncode == 0
    divided = synthstudio("split", project, "--test", "0.3", "--val", "0.2", "--json")
    assert json.loads(divided.stdout)["splits"] == {
        "train": {"samples": 5, "images": 10},
        "val": {"samples": 2, "images": 4},
        "test": {"samples": 3, "images": 6},
    }
    again = synthstudio("split", project)
    assert again.returncode == 1
    assert again.stderr.startswith("error: Every sample is in a split already.")
    moved = synthstudio("split", project, "--move", "val=test", "--json")
    assert json.loads(moved.stdout)["splits"]["test"] == {"samples": 5, "images": 10}
    assert synthstudio("split", project, "--move", "val=exam").returncode == 2
