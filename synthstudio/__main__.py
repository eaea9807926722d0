"""Picks window, command or engine from the arguments; imports each inside its own branch."""

from __future__ import annotations

import gc
import importlib
import os
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

TRAINING_PREFIX = "train-"
"""Of the jobs that several processes can share, see `engine.processes`; the first of them does any other alone."""

ENGINE_FLAG = "--engine-process"  # as in client.launch, which must not be imported before the engine's own branch

BEFORE_QT = ("synthstudio.core.imaging", "synthstudio.project")
"""What the window needs besides Qt; PySide reads the source of every module that is loaded after it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run SynthStudio; return the exit status."""
    if getattr(sys, "frozen", False):
        from multiprocessing import freeze_support  # noqa: PLC0415 - 10 ms of each start, for frozen builds alone

        freeze_support()
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] != [ENGINE_FLAG] and not _is_training(arguments):
        if _is_helper():
            return 0
        os.environ.pop("WORLD_SIZE", None)  # what this command starts is not to wait for the others
    if arguments[:1] == [ENGINE_FLAG] or _is_helper():
        from synthstudio.engine.__main__ import main as run_engine  # noqa: PLC0415 - each process loads its own part

        return run_engine()
    from synthstudio.cli.choosing import asks_for_app  # noqa: PLC0415 - as above

    if asks_for_app(arguments):
        return _open_app(arguments)
    from synthstudio.cli.main import main as run_command  # noqa: PLC0415 - as above

    return run_command(arguments, open_app=lambda project: _open_app([str(project)]))


def _is_training(arguments: Sequence[str]) -> bool:
    """Whether the command, or the recipe that it runs, is one of the trainings."""
    if arguments[:1] != ["run"]:
        return bool(arguments) and arguments[0].startswith(TRAINING_PREFIX)
    recipes = [Path(each) for each in arguments if each.endswith(".toml")]
    try:
        return any(str(tomllib.loads(each.read_text()).get("kind")).startswith(TRAINING_PREFIX) for each in recipes)
    except (OSError, ValueError):
        return False  # the command itself will say what is wrong with it


def _is_helper() -> bool:
    """Whether `accelerate launch` has started this process to help the first one in a training."""
    return os.environ.get("RANK", "0") != "0" and "WORLD_SIZE" in os.environ


def _open_app(arguments: Sequence[str]) -> int:
    if _lacks_display(arguments):
        sys.stderr.write("error: there is no display to open the window on. See synthstudio --help for the commands.\n")
        return 1
    gc.disable()  # what is loaded now stays; looking through it again and again is a tenth of the start
    for module in BEFORE_QT:
        importlib.import_module(module)
    from synthstudio.gui.app import main as run_app  # noqa: PLC0415 - as above

    return run_app(arguments)


def _lacks_display(arguments: Sequence[str]) -> bool:
    """Whether Qt would only say so in its own words, and abort."""
    if not sys.platform.startswith("linux") or "-platform" in arguments:
        return False
    return not any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


if __name__ == "__main__":
    sys.exit(main())
