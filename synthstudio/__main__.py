"""Picks window, command or engine from the arguments; imports each inside its own branch."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Sequence

ENGINE_FLAG = "--engine-process"  # as in client.launch, which must not be imported before the engine's own branch


def main(argv: Sequence[str] | None = None) -> int:
    """Run SynthStudio; return the exit status."""
    multiprocessing.freeze_support()
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == [ENGINE_FLAG]:
        from synthstudio.engine.__main__ import main as run_engine  # noqa: PLC0415 - each process loads its own part

        return run_engine()
    from synthstudio.cli.choosing import asks_for_app  # noqa: PLC0415 - as above

    if asks_for_app(arguments):
        return _open_app(arguments)
    from synthstudio.cli.main import main as run_command  # noqa: PLC0415 - as above

    return run_command(arguments, open_app=lambda project: _open_app([str(project)]))


def _open_app(arguments: Sequence[str]) -> int:
    from synthstudio.gui.app import main as run_app  # noqa: PLC0415 - as above

    return run_app(arguments)


if __name__ == "__main__":
    sys.exit(main())
