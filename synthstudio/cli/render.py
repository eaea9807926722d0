"""What a command says: progress on standard error, the result on standard output."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from synthstudio.domain.progress import Tick
from synthstudio.protocol import messages

_MAX_WARNINGS = 20
Scalar = str | int | float | None


class Display:
    """Shows what a long piece of work does, on standard error; a bar in a terminal, plain lines elsewhere."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task: TaskID | None = None
        self._description = ""

    def __enter__(self) -> Display:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def stage(self, text: str) -> None:
        """Name the part of the work that begins."""
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._description = text
        self._task = self._progress.add_task(text, total=None, note="")
        if not self._console.is_terminal:
            self._line(f"{text} ...")

    def tick(self, done: int, total: int) -> None:
        """Show progress; never cancels: Ctrl+C raises by itself."""
        if self._task is None:
            self.stage("Working")
        assert self._task is not None
        self._progress.update(self._task, completed=done, total=total)

    def warn(self, text: str) -> None:
        """Say something that the user should know."""
        self._line(f"warning: {text}")

    def note(self, text: str) -> None:
        """Say what is going on; the line stays."""
        self._line(text)

    def on_event(self, event: messages.AnyEvent) -> None:
        """Show an event of a job."""
        match event:
            case messages.StageChanged(text=text):
                self.stage(text)
            case messages.Progress(done=done, total=total):
                self.tick(done, total)
            case messages.WarningRaised(text=text):
                self.warn(text)
            case messages.MetricLogged(name=name, value=value):
                if self._task is not None and "/" not in name:
                    self._progress.update(self._task, note=f"{name} {value:.3g}")
            case _:
                pass

    def _line(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)


@contextmanager
def shown_progress(text: str) -> Iterator[Tick]:
    """Show the progress of work in this process under one description."""
    with Display() as display:
        display.stage(text)
        yield display.tick


def print_warnings(lines: Sequence[str]) -> None:
    """Write warnings, the first twenty of them, to standard error."""
    for line in lines[:_MAX_WARNINGS]:
        sys.stderr.write(f"warning: {line}\n")
    if len(lines) > _MAX_WARNINGS:
        sys.stderr.write(f"warning: ... and {len(lines) - _MAX_WARNINGS} more.\n")


def print_json(value: Mapping[str, object]) -> None:
    """Write a result object to standard output, at once: whoever reads along need not wait for the end."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n")
    sys.stdout.flush()


def print_lines(*lines: str) -> None:
    """Write plain lines to standard output, at once."""
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Scalar]], *, title: str = "") -> None:
    """Write a table to standard output; numbers are aligned right, None is a dash. In a narrow terminal long texts
    are folded, so that nothing of them is lost."""
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for index, column in enumerate(columns):
        is_number = any(isinstance(row[index], int | float) for row in rows)
        table.add_column(column, justify="right" if is_number else "left", no_wrap=is_number, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    width = None if sys.stdout.isatty() else 200
    Console(highlight=False, markup=False, width=width).print(table)


def _cell(value: Scalar) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        return round(time.monotonic() - self._began, 3)
