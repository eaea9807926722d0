"""The commands: one subparser each, one door for errors."""

from __future__ import annotations

import argparse
import difflib
import importlib
import json
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn, Protocol, cast

from typing_extensions import override

from synthstudio import __version__
from synthstudio.cli.choosing import COMMANDS
from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.domain.os_errors import translate_named_error

EXIT_FAILED = 1
EXIT_WRONG_USE = 2

_HOMES = {
    "demo": "demo",
    "new": "projects",
    "classes": "projects",
    "import": "datasets",
    "models": "local_models",
    "attributes": "attributes",
    "split": "splitting",
    "export": "datasets",
    "experiment": "experiment",
    "experiment-table": "experiment",
    "gan-study": "gan_study",
    "gan-study-table": "gan_study",
    "round": "rounds",
    "rounds": "rounds",
    "guides": "guides",
    "join": "joining",
    "similar": "similar",
    "suggestions": "suggestions",
    "study": "studies",
    "compare": "comparing",
    "quality": "checking",
    "report": "reporting",
    "next": "next_fields",
    "guard": "next_fields",
    "verify": "verification",
    "snapshots": "going_back",
    "restore": "going_back",
    "run": "batches",
    "batch": "batches",
    "watch": "watching",
    "doctor": "doctor",
}
_TOLD = "synthstudio.project.snapshots"
"""Whose warnings a command shows: no snapshot was kept before it changed much, and it went on."""
_log = logging.getLogger(__name__)


class CommandModule(Protocol):
    """What a module with commands offers."""

    def add_arguments(self, command: str, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments of one of its commands."""

    def execute(self, command: str, arguments: argparse.Namespace) -> int:
        """Do it; return the exit status."""


def main(argv: Sequence[str], *, open_app: Callable[[Path], int]) -> int:
    """Run one command; return its exit status.

    Args:
        argv: Arguments without the program's name.
        open_app: Opens the window on a project; injected, since commands do not know the window.
    """
    logging.basicConfig(format="%(levelname)s: %(message)s", stream=sys.stderr, level=logging.CRITICAL)
    logging.getLogger(_TOLD).setLevel(logging.WARNING)
    name = argv[0] if argv and argv[0] in COMMANDS else None
    parser, command = _build_parser(name)
    arguments, unknown = parser.parse_known_args(argv)
    if unknown:
        command.refuse_unknown(unknown)
    arguments.open_app = open_app
    try:
        return _module(arguments.command).execute(arguments.command, arguments)
    except UserError as error:
        return _tell(error, arguments)
    except (Cancelled, KeyboardInterrupt):
        sys.stderr.write("error: cancelled.\n")
        return EXIT_FAILED
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        return EXIT_FAILED
    except Exception as error:  # noqa: BLE001 - one of the three doors where errors end
        told = translate_named_error(error) if isinstance(error, OSError) else None
        if told is not None:  # a file that went away, a full disk: the world's fault wherever it was met
            return _tell(told, arguments)
        logging.getLogger().setLevel(logging.ERROR)
        _log.exception("SynthStudio has a bug; please report it with the lines below")
        return EXIT_FAILED


def _tell(error: UserError, arguments: argparse.Namespace) -> int:
    from synthstudio.cli.arguments import RunEnded, WrongUse  # noqa: PLC0415 - known by now to whom it concerns

    sys.stderr.write(f"error: {' '.join(str(error).split())}\n")
    if getattr(arguments, "json", False):
        told = {"status": "failed", "error": error.message, "hint": error.hint}
        if isinstance(error, RunEnded):
            told |= {"run": error.run_id, "status": error.status}
        sys.stdout.write(json.dumps(told) + "\n")
    return EXIT_WRONG_USE if isinstance(error, WrongUse) else EXIT_FAILED


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong, without repeating all flags."""

    @override
    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"error: {self.prog}: {message.rstrip('.')}. See {self.prog} --help.\n")
        sys.exit(EXIT_WRONG_USE)

    def refuse_unknown(self, unknown: Sequence[str]) -> NoReturn:
        """Refuse arguments that nobody has asked for, with the flag that is most like the first of them."""
        flag = unknown[0].partition("=")[0]
        near = difflib.get_close_matches(flag, self._option_string_actions, n=1) if flag.startswith("-") else []
        self.error(f"unknown arguments: {' '.join(unknown)}" + (f" (did you mean {near[0]}?)" if near else ""))


def _build_parser(chosen: str | None) -> tuple[_Parser, _Parser]:
    """The parser of all commands, and that of the chosen one, which alone has its flags."""
    parser = _Parser(
        prog="synthstudio",
        description="From clicks on microscope images to a trained, explained and checked model.",
        epilog="Without a command the window opens: synthstudio [PROJECT] [--exit-after-paint].",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"synthstudio {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    used = parser
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", allow_abbrev=False)
        if name == chosen:
            # Only the one that is used: the flags of the jobs come from settings that take a while to load.
            command.add_argument("--json", action="store_true", help="print one result object on standard output")
            _module(name).add_arguments(name, command)
            used = command
    return parser, used


def _module(command: str) -> CommandModule:
    return cast("CommandModule", importlib.import_module(f"synthstudio.cli.{_HOMES.get(command, 'jobs')}"))
