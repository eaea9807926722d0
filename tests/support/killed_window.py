"""Kills the real window in the middle of clicking, and checks that no click that it took is lost."""

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from synthstudio.core.imaging import read_image_size, sha256_of_file
from synthstudio.domain.plans import ImportPlan, PlannedFov
from synthstudio.project import Project
from synthstudio.project.imports import apply_import

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Kill:
    """One kill: how many clicks were taken before, how long opening the project took afterwards."""

    n_clicks: int
    reopen_s: float


def kill_after(module: str, *arguments: str, n_lines: int, wait_s: float = 0.0) -> list[str]:
    """Start a window that says what it has taken, kill it after so many lines, and return all that it has said.

    Args:
        module: Is run with the arguments; it writes a line for each thing that must not be lost from then on.
        n_lines: What is waited for.
        wait_s: Between the last of them and the kill.

    Raises:
        AssertionError: The window ended by itself.
    """
    with subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as window:
        assert window.stdout is not None
        lines = [window.stdout.readline() for _ in range(n_lines)]
        assert all(lines), "the window ended by itself"
        time.sleep(wait_s)
        window.send_signal(signal.SIGKILL)
        # What was written to the pipe before the kill was taken, too.
        lines += [line for line in window.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    return lines


def kill_while_clicking(folder: Path, taken: dict[int, tuple[float, float]], *, seed: int, most: int) -> Kill:
    """Start the window, let it take 1 to `most` clicks, kill it, reopen the project and compare.

    Args:
        taken: All clicks that windows have taken so far, by annotation id; is added to.

    Raises:
        AssertionError: A click is lost or elsewhere, the database is damaged, or the project is still locked.
    """
    rng = random.Random(seed)
    n_clicks = rng.randint(1, most)
    # The kill may fall anywhere, also into the next commit.
    lines = kill_after(
        "tests.support.clicking_window", str(folder), str(seed), n_lines=n_clicks, wait_s=rng.random() * 0.01
    )
    for line in lines:
        _remember(line, taken)
    started = time.monotonic()
    project = Project.open(folder)
    reopen_s = time.monotonic() - started
    try:
        assert not project.is_read_only
        stored = {mark.id: (mark.x, mark.y) for marks in project.annotations.by_fov().values() for mark in marks}
        lost = {number: place for number, place in taken.items() if stored.get(number) != place}  # type: ignore[call-overload]
        assert not lost, f"lost: {lost}"
        assert project.database.rows("PRAGMA integrity_check")[0][0] == "ok"
    finally:
        project.close()
    return Kill(n_clicks, reopen_s)


def _remember(line: str, taken: dict[int, tuple[float, float]]) -> None:
    number, x, y = line.split()
    taken[int(number)] = (float(x), float(y))


def build_clicking_project(folder: Path, image: Path) -> None:
    """Make a project with one class and one FOV to click on."""
    width, height = read_image_size(image)
    project = Project.create(folder)
    fov = PlannedFov(image, image.name, "s1", None, sha256_of_file(image), width, height)
    apply_import(project, ImportPlan((fov,), ("cell",), {"cell": 12.0}), copy=False)
    project.close()
