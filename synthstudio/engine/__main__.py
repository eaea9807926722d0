"""Entry of the engine process: one request on standard input, then commands; events on standard output.

The process keeps private copies of both streams. Descriptor 1 points at standard error, so that no library's print can
break the stream of JSON lines. Descriptor 0 points at nothing: a forked worker closes `sys.stdin`, which would wait
for ever for the lock of a thread that reads commands from it. The end of the commands means that the parent is gone:
the engine exits, and takes its workers along.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from typing import BinaryIO

# Before the first import of any library that would ask a model hub.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"

from synthstudio.engine.context import CancelToken
from synthstudio.engine.runner import build_context, run_request
from synthstudio.protocol.messages import AnyEvent, Cancel, JobFailed, decode_command, decode_request, encode

EXIT_PARENT_GONE = 3
NICENESS = 5

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


def _read_commands(stream: BinaryIO, cancel: CancelToken, save_checkpoint: threading.Event) -> None:
    for line in stream:
        try:
            command = decode_command(line)
        except ValueError:
            _log.warning("A command was not understood: %r", line[:200])
            continue
        if isinstance(command, Cancel):
            cancel.request()
        else:
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
    cancel, save_checkpoint = CancelToken(), threading.Event()
    reader = threading.Thread(target=_read_commands, args=(commands, cancel, save_checkpoint), daemon=True)
    reader.start()
    run_request(
        request,
        emit=emit,
        context=lambda project: build_context(
            request, project, emit=emit, cancel=cancel, save_checkpoint=save_checkpoint
        ),
    )
    # Library threads and atexit hooks must not hold up, or crash, a job that has told its end.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
