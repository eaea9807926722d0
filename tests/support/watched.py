"""Commands and engines that may open no network socket, on a disk that can be full where a test wants it so."""

from __future__ import annotations

import errno
import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QAction
from pytestqt.qtbot import QtBot

from synthstudio.domain.records import Run, RunStatus
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.pages.generate import GeneratePage
from synthstudio.gui.pages.generate.diffusion import DiffusionView
from tests.e2e.test_no_network import _environment

JOB_MS = 300_000
"""A job of diffusion starts in ten seconds, on a busy machine in many more."""

# Beside the watch over sockets, in every process of a command and an engine. The error comes from where the operating
# system's would come, so that all that answers it is the program's own.
FULL_DISK = f"""

def _fill(event, arguments):
    if event in ("open", "os.mkdir") and os.environ["FULL_DISK_AT"] in str(arguments[0]):
        if os.path.exists(os.environ["FULL_DISK"]):
            raise OSError({errno.ENOSPC}, "No space left on device", str(arguments[0]))


sys.addaudithook(_fill)
"""


class Watched:
    """Commands, and engines of the window, whose every attempt to open a socket is refused and noted.

    Args:
        folder: Where the watch and its log lie.
        monkeypatch: Of the test.
        full_at: A part of the paths that cannot be written while the disk is full.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, *, full_at: str = "nowhere") -> None:
        self._log, self._full = folder / "network.log", folder / "disk-is-full"
        self._environment = _environment(folder)
        self._environment |= {"FULL_DISK": str(self._full), "FULL_DISK_AT": full_at}
        guard = folder / "guard" / "sitecustomize.py"
        guard.write_text(guard.read_text() + FULL_DISK)
        for name in ("PYTHONPATH", "NETWORK_LOG", "OMP_NUM_THREADS", "FULL_DISK", "FULL_DISK_AT"):
            monkeypatch.setenv(name, self._environment[name])
        monkeypatch.setattr(socket, "socket", _refusing_socket(self._log))  # the window's own process

    def fill_disk(self) -> None:
        """Let there be no more room."""
        self._full.touch()

    def free_disk(self) -> None:
        """Let there be room again."""
        self._full.unlink()

    def result_of(self, name: str, project: Path, *arguments: str | Path) -> dict[str, object]:
        """The one object that a command of the terminal prints."""
        done = self._run(name, project, *arguments)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert isinstance(found, dict)
        return found

    def error_of(self, name: str, project: Path, *arguments: str | Path) -> str:
        """What a command of the terminal says that fails."""
        done = self._run(name, project, *arguments)
        assert done.returncode == 1, done.stdout
        assert "Traceback" not in done.stderr
        return done.stderr

    def _run(self, name: str, project: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        words = (name, str(project), *map(str, arguments), "--device", "cpu", "--json")
        command = [sys.executable, "-m", "synthstudio", *words]
        return subprocess.run(command, capture_output=True, text=True, env=self._environment, timeout=400, check=False)

    def check(self, *, n_engines: int) -> None:
        """No socket was asked for, and all engines were watched."""
        lines = self._log.read_text().splitlines()
        assert [line for line in lines if not line.startswith("watched ")] == []
        assert sum("synthstudio.engine" in line for line in lines) == n_engines


def _refusing_socket(log: Path) -> type[socket.socket]:
    """A class of sockets that reach no further than the machine's own file system; it notes what was refused."""

    class Refusing(socket.socket):
        def __init__(self, family: int = -1, type: int = -1, proto: int = -1, fileno: int | None = None) -> None:  # noqa: A002 - as in the library
            if fileno is None and family != socket.AF_UNIX:
                with log.open("a") as stream:
                    stream.write("ATTEMPT by the window\n")
                raise PermissionError("no network in this test")
            super().__init__(family, type, proto, fileno)

    return Refusing


def wait_for_end(qtbot: QtBot, window: MainWindow, kind: str) -> Run:
    """Wait until the newest run of a kind has ended, and the window's worker rests."""
    project = window.workspace.require_project()

    def has_ended() -> bool:
        runs = project.runs.list(kind=kind)
        is_over = bool(runs) and runs[-1].status not in (RunStatus.QUEUED, RunStatus.RUNNING)
        return is_over and window.workspace.gpu_worker.is_idle

    qtbot.waitUntil(has_ended, timeout=JOB_MS)
    return project.runs.list(kind=kind)[-1]


def wait_for_job(qtbot: QtBot, window: MainWindow, kind: str) -> Run:
    """Wait until the newest run of a kind has ended, and well."""
    run = wait_for_end(qtbot, window, kind)
    assert run.status is RunStatus.FINISHED, f"{run.message} {run.summary_json}"
    return run


def show_diffusion(window: MainWindow, title: str) -> DiffusionView:
    """Go to a tab of diffusion in Generate."""
    action = window.findChild(QAction, "go.generate")
    assert isinstance(action, QAction)
    action.trigger()
    page = window.findChild(GeneratePage)
    assert isinstance(page, GeneratePage)
    page.choose("Diffusion")
    page.diffusion.show_tab(title)
    return page.diffusion
