"""An engine that plays one part instead of working: what clients, window and command line are tested against.

Imported by tests for `scripted_engine(part)`, the command line; run as a script it is the engine, and then uses the
standard library alone, so that it starts at once.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

PARTS = (
    "finished",  # a few events, then the result
    "failed",  # one reason
    "patient",  # works until it is cancelled, then stops politely
    "hung",  # never answers; dies when terminated
    "deaf",  # never answers and refuses to be terminated
    "crashed",  # killed by SIGKILL in the middle, with a checkpoint written
    "crashed-natively",  # SIGSEGV
    "dropped-out",  # exits with a Python error and no final event
    "garbage",  # other people's prints on the stream, then the result
    "survived-by-a-worker",  # finishes, but leaves a child that holds the pipes open
    "crashed-with-a-worker",  # the same, but killed before it finished
    "talks-on",  # sends a second ending after the first
    "searches",  # has found something on the first FOV, and works on until it is cancelled
)


def scripted_engine(part: str) -> tuple[str, ...]:
    """Return the command line of an engine that plays this part."""
    assert part in PARTS
    return (sys.executable, "-S", str(Path(__file__).resolve()), part)


def _say(event: str, **values: object) -> None:
    sys.stdout.write(json.dumps({"event": event, **values}) + "\n")
    sys.stdout.flush()


def _result(request: dict[str, dict[str, object]]) -> dict[str, object]:
    settings = request["settings"]
    if settings["kind"] == "compose":
        return {
            "kind": "compose",
            "set": settings["set_name"],
            "n_images": settings["count"],
            "seconds": 0.5,
            "sha256": "ab" * 32,
            "project_state": "cd" * 32,
        }
    if settings["kind"] == "evaluate":
        return _evaluation(str(settings["run"]))
    return {
        "kind": "train-classifier",
        "run": request["run_id"],
        "status": "finished",
        "seconds": 1.5,
        "best": {"macro_f1": 0.75},
    }


def _evaluation(run: str) -> dict[str, object]:
    center = {"precision": 0.5, "recall": 0.5, "f1": 0.5}
    place = {"pointing_accuracy": 0.9, "chance": 0.2, "center": center, "energy_in_box": 0.6}
    return {
        "kind": "evaluate",
        "run": run,
        "split": "test",
        "n_images": 2,
        "n_groups": 2,
        "classification": {
            "per_class": {"disc": {"precision": 0.8, "recall": 0.8, "f1": 0.8, "support": 4}},
            "macro_f1": 0.8,
            "accuracy": 0.8,
            "auc": None,
        },
        "localization": {**place, "per_class": {"disc": {**place, "n_images": 2}}},
        "seconds": 0.5,
    }


def _begin() -> None:
    _say("started", device="cpu", versions={"script": "1"})
    _say("stage", text="Acting")
    for step in range(1, 4):
        _say("progress", done=step, total=3)
        _say("metric", name="loss", step=step, value=1.0 / step)
    sys.stderr.write("a line for the log\n")
    sys.stderr.flush()


def _write_checkpoint(request: dict[str, str]) -> None:
    folder = Path(request["run_dir"]) / "checkpoints"
    folder.mkdir(exist_ok=True)
    (folder / "last.safetensors").write_bytes(b"weights")


def _write_search(request: dict[str, str]) -> int:
    """Write what a model has found on the first FOV; return the FOV's id."""
    with contextlib.closing(sqlite3.connect(Path(request["project"]) / "project.sqlite")) as database:
        fov_id, content_key = database.execute("SELECT id, sha256 FROM fov ORDER BY id").fetchone()
        (name,) = database.execute("SELECT name FROM object_class ORDER BY id").fetchone()
    folder = Path(request["run_dir"]) / "suggest"
    folder.mkdir()
    found = {"name": name, "threshold": 0.5, "marks": [{"x": 20.0, "y": 30.0, "score": 0.75}]}
    search = {"fov_id": fov_id, "content_key": content_key, "min_score": 0.1, "classes": [found]}
    settings = json.loads(json.dumps(request["settings"]))
    (folder / f"{fov_id}.json").write_text(json.dumps({"run": settings["run"], **search}))
    return int(fov_id)


def _leave_a_worker(request: dict[str, str]) -> None:
    # Inherits both pipes, as the workers of a data loader do.
    worker = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"])
    (Path(request["run_dir"]) / "worker.pid").write_text(str(worker.pid))


def _play(part: str) -> None:  # noqa: PLR0912 - one branch per part
    request = json.loads(sys.stdin.readline())
    if part == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _begin()
    match part:
        case "finished" | "talks-on":
            _say("finished", result=_result(request))
            if part == "talks-on":
                _say("failed", message="Too late.")
        case "failed":
            _say("failed", message="The script says no.", hint="Ask another one.", traceback="Traceback: ...")
        case "patient" | "searches":
            if part == "searches":
                _say("records", kinds=["suggestions"], fov_ids=[_write_search(request)])
            while json.loads(sys.stdin.readline() or '{"command": "cancel"}')["command"] != "cancel":
                pass
            _say("cancelled")
        case "hung" | "deaf":
            time.sleep(60)
        case "crashed" | "crashed-with-a-worker":
            _write_checkpoint(request)
            if part == "crashed-with-a-worker":
                _leave_a_worker(request)
            os.kill(os.getpid(), signal.SIGKILL)
        case "crashed-natively":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "dropped-out":
            raise RuntimeError("the script was lost")
        case "garbage":
            sys.stdout.write('loading weights... 100%\n{"event": "unheard of"}\n\x00\x01 not even text\n')
            _say("finished", result=_result(request))
        case "survived-by-a-worker":
            _leave_a_worker(request)
            _say("finished", result=_result(request))


if __name__ == "__main__":
    _play(sys.argv[1])
