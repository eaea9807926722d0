"""Jobs with a real engine on the processor, which may be killed."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable

from synthstudio.client import HostCancel, execute_run
from synthstudio.domain.ids import RunId
from synthstudio.project import Project
from synthstudio.protocol.messages import AnyEvent, JobOutcome


def execute(
    project: Project, run_id: RunId, *, on_event: Callable[[AnyEvent], None] = lambda event: None, resume: bool = False
) -> JobOutcome:
    """Do the job of a run."""
    return execute_run(project, run_id, on_event=on_event, cancel=HostCancel(), device="cpu", resume=resume)


def kill_own_engine() -> None:
    """Kill the one engine that this process has started."""
    listing = subprocess.run(
        ["pgrep", "-P", str(os.getpid()), "-f", "synthstudio.engine"], capture_output=True, check=True
    )
    (pid,) = listing.stdout.split()
    os.kill(int(pid), signal.SIGKILL)
