"""The other end of the engine, Qt-free: launch, event stream, cancel ladder, records of a run.

Names are loaded when they are first used: the window asks for a cancel token long before it starts a job, and the
settings of all jobs, which the rest needs, cost a fifth of a second.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synthstudio.client.cancelling import DEFAULT_GRACES, Graces, HostCancel
    from synthstudio.client.endings import has_checkpoint
    from synthstudio.client.session import execute_run, start_run, stored_settings

_HOMES = {
    "DEFAULT_GRACES": "cancelling",
    "Graces": "cancelling",
    "HostCancel": "cancelling",
    "execute_run": "session",
    "has_checkpoint": "endings",
    "start_run": "session",
    "stored_settings": "session",
}

__all__ = [
    "DEFAULT_GRACES",
    "Graces",
    "HostCancel",
    "execute_run",
    "has_checkpoint",
    "start_run",
    "stored_settings",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
