"""Training, evaluation and explanation open no network socket: not the command, nor the engine, nor its workers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.engine_project import build_engine_project

ROOT = Path(__file__).parents[2]

# Loaded by every Python process before anything else. Audit hooks see all sockets that Python code opens, also through
# names bound before a patch would take effect. Sockets within the machine's own file system belong to multiprocessing.
GUARD = """
import os, socket, sys

_LOG = os.environ["NETWORK_LOG"]


def _note(text):
    descriptor = os.open(_LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{text}\\n".encode())
    os.close(descriptor)


def _watch(event, arguments):
    if not event.startswith("socket."):
        return
    if event == "socket.__new__":
        local = arguments[1] == socket.AF_UNIX
    elif event in ("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"):
        local = arguments[0].family == socket.AF_UNIX
    else:
        local = event == "socket.gethostname"
    if not local:
        _note(f"ATTEMPT {event} {arguments[1:]!r} by {sys.argv}")
        raise PermissionError("no network in this test")


sys.addaudithook(_watch)
_note(f"watched {os.getpid()} {' '.join(sys.orig_argv)}")
"""


def _environment(folder: Path) -> dict[str, str]:
    guard = folder / "guard"
    guard.mkdir()
    (guard / "sitecustomize.py").write_text(GUARD)
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(guard), str(ROOT))),
        "NETWORK_LOG": str(folder / "network.log"),
        "OMP_NUM_THREADS": "1",
    }


def _command(environment: dict[str, str], *arguments: str) -> None:
    command = [sys.executable, "-m", "synthstudio", *arguments, "--device", "cpu"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def test_that_training_evaluation_explanation_and_export_open_no_network_socket(tmp_path: Path) -> None:
    project = build_engine_project(tmp_path, n_train=4, n_val=2, n_test=1)
    folder = str(project.folder)
    project.close()
    environment = _environment(tmp_path)
    quick = ("--steps", "2", "--batch-size", "2", "--evaluate-every", "2", "--canvas-px", "64", "--workers", "1")
    _command(environment, "train-classifier", folder, *quick)
    _command(environment, "evaluate", folder)
    _command(environment, "explain", folder)
    _command(environment, "export-onnx", folder, "--out", str(tmp_path / "model.onnx"))
    assert (tmp_path / "model.onnx").stat().st_size > 100_000
    lines = (tmp_path / "network.log").read_text().splitlines()
    assert [line for line in lines if not line.startswith("watched ")] == []
    # Four commands, four engines, and the loader's worker: all were watched.
    assert sum("synthstudio.engine" in line for line in lines) == 4
    assert sum("multiprocessing.spawn" in line for line in lines) >= 1
    assert len(lines) >= 9


def test_that_the_watch_sees_an_attempt(tmp_path: Path) -> None:
    environment = _environment(tmp_path)
    code = "import socket; socket.create_connection(('192.0.2.1', 9), timeout=1)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 1
    assert "no network in this test" in done.stderr
    assert "ATTEMPT" in (tmp_path / "network.log").read_text()
