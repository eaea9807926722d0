"""The other end of the engine, Qt-free: launch, event stream, cancel ladder, records of a run."""

from synthstudio.client.cancelling import DEFAULT_GRACES, Graces, HostCancel
from synthstudio.client.session import execute_run, has_checkpoint, start_run, stored_settings, with_settings

__all__ = [
    "DEFAULT_GRACES",
    "Graces",
    "HostCancel",
    "execute_run",
    "has_checkpoint",
    "start_run",
    "stored_settings",
    "with_settings",
]
