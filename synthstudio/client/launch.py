"""How the engine is started, from source and from a frozen build."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import synthstudio

ENGINE_FLAG = "--engine-process"
"""First argument of a frozen build that is to be the engine; `synthstudio.__main__` knows it."""


def engine_command() -> tuple[str, ...]:
    """Return the command line of the engine."""
    if getattr(sys, "frozen", False):
        return (sys.executable, ENGINE_FLAG)
    # -P: no folder that the engine happens to be started in may put code into it.
    return (sys.executable, "-P", "-m", "synthstudio.engine")


def app_command(project: Path) -> tuple[str, ...]:
    """Return the command line of the window on a project."""
    if getattr(sys, "frozen", False):
        return (sys.executable, str(project))
    return (sys.executable, "-P", "-m", "synthstudio", str(project))


def engine_environment() -> dict[str, str]:
    """Return the environment of the engine: UTF-8 everywhere, no model hub, this very copy of the package."""
    environment = dict(os.environ)
    environment["PYTHONUTF8"] = "1"
    environment["HF_HUB_OFFLINE"] = "1"
    if not getattr(sys, "frozen", False):
        root = str(Path(synthstudio.__file__).parents[1])
        known = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = os.pathsep.join([root, known] if known else [root])
    return environment
