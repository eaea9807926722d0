"""An engine that ended without saying how: the exit status in the user's words."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from synthstudio.protocol.messages import JobFailed

N_LOG_LINES = 40
_ACCESS_VIOLATION = 0xC0000005
_OUT_OF_MEMORY_HINT = "Choose a smaller batch or canvas, or close other programs."


def has_checkpoint(run_dir: Path) -> bool:
    """Tell whether the run in this folder can be resumed."""
    return (run_dir / "checkpoints" / "last.safetensors").is_file() or any((run_dir / "trials").glob("*.json"))


def crash_outcome(returncode: int, log_tail: Sequence[str], *, can_resume: bool) -> JobFailed:
    """Word the end of an engine that sent no final event.

    Args:
        returncode: As `subprocess` gives it: negative for a signal.
        log_tail: Last lines of its log, oldest first.
        can_resume: A checkpoint exists that the run can go on from.
    """
    what, advice = _reason(returncode)
    last = next((line.strip() for line in reversed(log_tail) if line.strip()), "")
    message = f"The engine {what}." + (f" Its last words were: {last}" if last else "")
    next_step = "Resume the run to go on from its last checkpoint." if can_resume else "Then start it again."
    return JobFailed(
        message=message, hint=f"{advice} {next_step}".strip(), traceback="\n".join(log_tail[-N_LOG_LINES:])
    )


def _reason(returncode: int) -> tuple[str, str]:
    if returncode < 0:
        return _signal_reason(-returncode)
    if sys.platform == "win32" and returncode & 0xFFFFFFFF == _ACCESS_VIOLATION:
        return "crashed in native code (access violation)", "Update the graphics driver if this happens again."
    if returncode == 0:
        return "ended without a result", "See engine.log in the run's folder."
    return f"ended with exit status {returncode}", "See engine.log in the run's folder."


def _signal_reason(number: int) -> tuple[str, str]:
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    match name:
        case "SIGKILL":
            return f"was killed ({name}), most often because the memory ran out", _OUT_OF_MEMORY_HINT
        case "SIGSEGV" | "SIGBUS" | "SIGILL" | "SIGFPE" | "SIGABRT":
            advice = "Update the graphics driver if this happens again."
            return f"crashed in native code ({name})", advice
        case "SIGTERM" | "SIGINT" | "SIGHUP":
            return f"was ended from outside ({name})", ""
    return f"was ended by {name}", ""
