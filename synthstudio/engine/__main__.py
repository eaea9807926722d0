"""Entry of the engine process: one request on standard input, then commands; events on standard output.

The process keeps private copies of both streams. Descriptor 1 points at standard error, so that no library's print can
break the stream of JSON lines. Descriptor 0 points at nothing: a forked worker closes `sys.stdin`, which would wait
for ever for the lock of a thread that reads commands from it. The end of the commands means that the parent is gone:
the engine exits, and takes its workers along.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import BinaryIO

# Before the first import of any library that would ask a model hub.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"

from synthstudio.engine.context import CancelToken, DrawingDesk, JobContext
from synthstudio.engine.processes import Processes
from synthstudio.engine.runner import HELPERS, build_context, find_acceleration, run_request
from synthstudio.project import Project
from synthstudio.protocol.messages import (
    AnyEvent,
    Cancel,
    DrawMap,
    DrawPrompt,
    JobFailed,
    decode_command,
    decode_request,
    encode,
)

# Before a job loads diffusers: urllib3, which comes with it, would open a socket only to see whether there is IPv6.
socket.has_ipv6 = False

EXIT_PARENT_GONE = 3
NICENESS = 10

_log = logging.getLogger(__name__)


def _private_stdin() -> BinaryIO:
    stream = os.fdopen(os.dup(0), "rb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return stream


def _private_stdout() -> BinaryIO:
    stream = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return stream


def _read_commands(
    stream: BinaryIO, *, cancel: CancelToken, save_checkpoint: threading.Event, desk: DrawingDesk
) -> None:
    for line in stream:
        try:
            command = decode_command(line)
        except ValueError:
            _log.warning("A command was not understood: %r", line[:200])
            continue
        match command:
            case Cancel():
                cancel.request()
                desk.close()
            case DrawMap() | DrawPrompt():
                desk.put(command)
            case _:
                save_checkpoint.set()
    _exit_with_workers()


def _exit_with_workers() -> None:
    """End at once: the parent is gone, and nobody will read what is left to say."""
    if sys.platform != "win32" and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(EXIT_PARENT_GONE)


def _give_way() -> None:
    """Let the window go first where both want the processor; on Windows the parent sets this when it starts us."""
    if sys.platform != "win32":
        os.nice(NICENESS)


def main() -> int:
    """Run one job; return 0 whatever its end was, since the last event tells it."""
    processes = Processes.from_environment()
    if not processes.is_main:
        return help_out(processes)
    _give_way()
    commands, events = _private_stdin(), _private_stdout()
    lock = threading.Lock()

    def emit(event: AnyEvent) -> None:
        with lock:
            events.write(encode(event))

    try:
        request = decode_request(commands.readline())
    except ValueError as error:
        emit(JobFailed(message=f"The engine did not understand the request: {error}", hint="Update SynthStudio."))
        return 0
    cancel, save_checkpoint, desk = CancelToken(), threading.Event(), DrawingDesk()
    switches = {"cancel": cancel, "save_checkpoint": save_checkpoint, "desk": desk}
    threading.Thread(target=_read_commands, args=(commands,), kwargs=switches, daemon=True).start()

    def context(project: Project) -> JobContext:
        asked = request
        if processes.count > 1:
            shutil.rmtree(Path(request.run_dir) / HELPERS, ignore_errors=True)  # of a run that was killed
            asked = request.model_copy(update={"device": find_acceleration().share_request(request)})
        return build_context(
            asked, project, emit=emit, cancel=cancel, save_checkpoint=save_checkpoint, desk=desk, processes=processes
        )

    run_request(request, emit=emit, context=context)
    # Library threads and atexit hooks must not hold up, or crash, a job that has told its end.
    os._exit(0)


def help_out(processes: Processes) -> int:
    """Take part in the training that the main process was asked for; return 1 where that failed.

    Nobody listens to this process: it says nothing but why it failed, and the main one tells it when to stop.
    """
    _give_way()
    _private_stdin()
    _private_stdout()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl+C reaches all processes of the terminal
    request, device = find_acceleration().receive_request()
    request = request.model_copy(update={"device": device})
    failures: list[JobFailed] = []

    def emit(event: AnyEvent) -> None:
        if isinstance(event, JobFailed):
            failures.append(event)
            sys.stderr.write(f"Process {processes.index}: {event.message}\n{event.traceback}\n")

    def context(project: Project) -> JobContext:
        nothing = threading.Event()
        made = build_context(
            request, project, emit=emit, cancel=CancelToken(), save_checkpoint=nothing, processes=processes
        )
        made.run_dir.mkdir(parents=True, exist_ok=True)
        return made

    try:
        run_request(request, emit=emit, context=context)
    finally:
        helpers = Path(request.run_dir) / HELPERS
        shutil.rmtree(helpers / str(processes.index), ignore_errors=True)
        with contextlib.suppress(OSError):  # others are not done yet
            helpers.rmdir()
    sys.stderr.flush()
    os._exit(1 if failures else 0)


if __name__ == "__main__":
    sys.exit(main())
