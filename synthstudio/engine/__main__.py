"""Entry of the engine process: one request on standard input, then commands; events on standard output.

The process keeps a private copy of its standard output for JSON lines and points descriptor 1 at standard error, so
that no library's print can break the stream. The end of standard input means that the parent is gone: it exits.
"""

from __future__ import annotations

import os
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


def _private_stdout() -> BinaryIO:
    stream = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return stream


def _read_commands(stream: BinaryIO, cancel: CancelToken, save_checkpoint: threading.Event) -> None:
    for line in stream:
        if isinstance(decode_command(line), Cancel):
            cancel.request()
        else:
            save_checkpoint.set()
    os._exit(EXIT_PARENT_GONE)  # the parent is gone: nobody will read what is left to say


def main() -> int:
    """Run one job; return 0 whatever its end was, since the last event tells it."""
    events = _private_stdout()
    lock = threading.Lock()

    def emit(event: AnyEvent) -> None:
        with lock:
            events.write(encode(event))

    try:
        request = decode_request(sys.stdin.buffer.readline())
    except ValueError as error:
        emit(JobFailed(message=f"The engine did not understand the request: {error}", hint="Update SynthStudio."))
        return 0
    cancel, save_checkpoint = CancelToken(), threading.Event()
    reader = threading.Thread(target=_read_commands, args=(sys.stdin.buffer, cancel, save_checkpoint), daemon=True)
    reader.start()
    run_request(
        request,
        emit=emit,
        context=lambda project: build_context(
            request, project, emit=emit, cancel=cancel, save_checkpoint=save_checkpoint
        ),
    )
    events.flush()
    # Library threads and atexit hooks must not hold up, or crash, a job that has told its end.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
