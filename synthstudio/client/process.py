"""One engine child: its pipes, its log, its process group, its end."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from synthstudio.client.endings import N_LOG_LINES
from synthstudio.client.launch import engine_environment
from synthstudio.core.imaging import translate_os_error
from synthstudio.domain.errors import UserError
from synthstudio.protocol.messages import AnyEvent, Command, JobRequest, decode_event, encode

if sys.platform == "linux":
    import fcntl

_log = logging.getLogger(__name__)

PIPE_BYTES = 1 << 20
"""Room for an image of 512 px on its way: in smaller pieces each would wait for a turn of the window's thread."""
MAX_LINE_BYTES = 64 << 20  # the longest message is a preview of a few hundred kB
_JOIN_S = 5.0


class EngineProcess:
    """Starts the engine with one request and reads what it says.

    The child leads a process group of its own: a Ctrl+C in the terminal reaches this process alone, which passes it on
    as a polite cancel, and a kill takes the engine's worker processes along.

    Args:
        command: Command line of the engine.
        request: What it is to do.
        log_path: File that its standard error is appended to.

    Raises:
        UserError: The engine cannot be started, or its log cannot be written.
    """

    def __init__(self, command: Sequence[str], request: JobRequest, *, log_path: Path) -> None:
        self.events: queue.SimpleQueue[AnyEvent] = queue.SimpleQueue()
        self._tail: deque[str] = deque(maxlen=N_LOG_LINES)
        try:
            self._log = log_path.open("ab", buffering=0)
        except OSError as error:
            raise translate_os_error(error, log_path) from error
        try:
            self._process = _started(command, cwd=log_path.parent)
        except OSError as error:
            self._log.close()
            told = translate_os_error(error, Path(command[0]))
            raise UserError(f"The engine cannot be started: {told.message}", "Install SynthStudio again.") from error
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._readers = [
            threading.Thread(target=self._read_events, args=(self._process.stdout,), name="engine-events", daemon=True),
            threading.Thread(target=self._read_log, args=(self._process.stderr,), name="engine-log", daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        self._send(encode(request))

    @property
    def pid(self) -> int:
        return self._process.pid

    def poll(self) -> int | None:
        """Return the exit status, or None while the engine lives."""
        return self._process.poll()

    def wait(self, timeout_s: float) -> int | None:
        """Wait for the end; return the exit status, or None where the engine still lives then."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def send(self, command: Command) -> None:
        """Send a command; one to an engine that has just ended goes nowhere."""
        self._send(encode(command))

    def terminate(self) -> None:
        """Tell the engine and its workers to end now."""
        if sys.platform == "win32":
            with contextlib.suppress(OSError):
                self._process.send_signal(signal.CTRL_BREAK_EVENT)
        else:
            _signal_group(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """End the engine and its workers, whatever they are doing."""
        if sys.platform == "win32":
            subprocess.run(["taskkill", "/T", "/F", "/PID", str(self.pid)], check=False, capture_output=True)
        else:
            _signal_group(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Kill what is left, read what is left in the pipes, and free all handles. May be called again."""
        # Also after a good end: a worker that outlived the engine holds its pipes open and the memory of the GPU.
        if self._process.poll() is None or sys.platform != "win32":
            self.kill()
        self._process.wait()
        for reader in self._readers:
            reader.join(_JOIN_S)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr, self._log):
            if stream is not None:
                with contextlib.suppress(OSError):  # unsent commands to a dead engine
                    stream.close()

    def log_tail(self) -> tuple[str, ...]:
        """Return the last lines of its log, oldest first."""
        return tuple(self._tail)

    def _send(self, line: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
        except (OSError, ValueError):
            _log.info("The engine took no message any more")

    def _read_events(self, stream: BinaryIO) -> None:
        while line := stream.readline(MAX_LINE_BYTES):
            try:
                event = decode_event(line)
            except ValueError:
                # Not ours: some library found its way to the stream. It belongs to the log, the job goes on.
                self._note(line)
                continue
            self.events.put(event)

    def _read_log(self, stream: BinaryIO) -> None:
        while line := stream.readline(MAX_LINE_BYTES):
            self._note(line)

    def _note(self, line: bytes) -> None:
        self._tail.append(line.decode(errors="replace").rstrip("\r\n")[:2000])
        try:
            self._log.write(line)
        except (OSError, ValueError):
            _log.warning("A line of the engine's log could not be written")


def _started(command: Sequence[str], *, cwd: Path) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        flags |= subprocess.BELOW_NORMAL_PRIORITY_CLASS
        return subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=pipe, cwd=cwd, env=engine_environment(), creationflags=flags
        )
    started = subprocess.Popen(
        command,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        cwd=cwd,
        env=engine_environment(),
        # Not a session of its own: Linux shares the processor out among sessions before it asks who is nicer.
        process_group=0,
        bufsize=PIPE_BYTES,
    )
    if sys.platform == "linux":
        assert started.stdout is not None
        with contextlib.suppress(OSError):  # the system may allow less
            fcntl.fcntl(started.stdout, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    return started


def _signal_group(pid: int, number: int) -> None:
    if sys.platform != "win32":
        with contextlib.suppress(ProcessLookupError, PermissionError):  # the group has ended by itself
            os.killpg(pid, number)
