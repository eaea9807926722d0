"""The command that watches a folder: new images are imported, and a trained model suggests what to mark on them."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from synthstudio.cli.arguments import WrongUse, add_project
from synthstudio.cli.jobs import cancelled_by_signals, open_to_write
from synthstudio.cli.planning import add_until, cancelled_at
from synthstudio.cli.render import Display, print_json, print_lines, print_warnings
from synthstudio.cli.results import counted
from synthstudio.client.cancelling import HostCancel
from synthstudio.client.named_records import find_faults
from synthstudio.client.session import execute_run, start_run
from synthstudio.client.watch_options import EVERY_S, WatchOptions
from synthstudio.client.watching import Arrival, FolderWatch
from synthstudio.core.fields.images import SampleNaming
from synthstudio.domain.records import Split
from synthstudio.project import Project
from synthstudio.protocol.messages import JobFinished
from synthstudio.protocol.results import SuggestResult
from synthstudio.settings.suggest import SuggestSettings

LOOKS_ONCE = 2
"""A file counts once it was the same in two looks."""

MOST_S = 24 * 3600


def add_arguments(command: str, parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `watch`."""
    parser.epilog = (
        "Each image is told in a line of its own when it is imported, and what is suggested on it. With --json each"
        " line is an object with its event: image, suggestions, and ended with the sums."
    )
    add_project(parser)
    parser.add_argument(
        "folder", metavar="FOLDER", type=Path, help="where images come to lie, with all folders below it"
    )
    parser.add_argument(
        "--sample-from", metavar="REGEX", default="", help="specimen or patient of an image, as for import"
    )
    parser.add_argument("--split", choices=[each.value for each in Split], help="split of the new images")
    parser.add_argument("--copy", action="store_true", help="copy the images into the project")
    parser.add_argument("--run", metavar="ID", help="training that suggests what to mark; newest: the newest one")
    parser.add_argument(
        "--every", metavar="S", type=float, default=EVERY_S, help="seconds between two looks [default 5]"
    )
    parser.add_argument("--once", action="store_true", help="take what lies there now, then end")
    parser.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda or cuda:N [default auto]")
    add_until(parser, "end at this time of the clock")


def execute(command: str, arguments: argparse.Namespace) -> int:
    """Watch until Ctrl+C, or until the clock says so; return the exit status."""
    if not 0 < arguments.every <= MOST_S:
        raise WrongUse(
            f"{arguments.every} seconds between two looks are impossible.", f"Give a number above 0, at most {MOST_S}."
        )
    options = WatchOptions(
        folder=str(arguments.folder.absolute()),
        sample_from=arguments.sample_from,
        split=Split(arguments.split) if arguments.split else None,
        copies=arguments.copy,
        suggests=arguments.run is not None,
        run="" if arguments.run in (None, "newest") else arguments.run,
    )
    SampleNaming.from_option(options.sample_from or None, default="folder")  # said now, not when the first image comes
    watch = FolderWatch(options)
    project = open_to_write(arguments.project)
    try:
        for fault in find_faults(project, SuggestSettings(run=options.run)) if options.suggests else ():
            raise fault
        n_images, n_searches = _watch(project, watch, arguments)
    finally:
        project.close()
    if arguments.json:
        print_json({"event": "ended", "folder": options.folder, "n_images": n_images, "n_searches": n_searches})
    else:
        print_lines(f"images that came from {options.folder}: {n_images}; finished searches: {n_searches}")
    return 0


def _watch(project: Project, watch: FolderWatch, arguments: argparse.Namespace) -> tuple[int, int]:
    """Numbers of images that came and of searches that were finished."""
    cancel, n_images, n_searches, n_looks = HostCancel(), 0, 0, 0
    until: datetime | None = arguments.until
    with cancelled_by_signals(cancel), cancelled_at(until, cancel):
        while not cancel.is_requested:
            arrival = watch.look(project)
            n_looks += 1
            n_images += arrival.n_images
            print_warnings([str(problem) for problem in arrival.problems])
            _tell_images(arrival.names, is_json=arguments.json)
            if arrival.suggest is not None:
                result = _suggest(project, arrival, cancel, device=arguments.device)
                n_searches += result is not None
                _tell_search(result, is_json=arguments.json)
            if arguments.once and n_looks >= LOOKS_ONCE:
                break
            _wait(cancel, arguments.every)
    return n_images, n_searches


def _tell_images(names: Sequence[str], *, is_json: bool) -> None:
    """Say what has come, a line for each image."""
    moment = datetime.now().astimezone()
    for name in names:
        if is_json:
            print_json({"event": "image", "name": name, "at": moment.isoformat(timespec="seconds")})
        else:
            print_lines(f"{moment:%H:%M:%S} {name}")


def _tell_search(result: SuggestResult | None, *, is_json: bool) -> None:
    """Say what a model suggests on what has come, a line for each image."""
    for fov in result.fovs if result is not None else ():
        if is_json:
            print_json({"event": "suggestions", "name": fov.name, "counts": fov.counts})
        else:
            print_lines(f"  suggested on {fov.name}: {counted(fov.counts)}")


def _suggest(project: Project, arrival: Arrival, cancel: HostCancel, *, device: str) -> SuggestResult | None:
    """Search what has come; None where that did not end well, which was said."""
    assert arrival.suggest is not None
    run_id = start_run(project, arrival.suggest, title=arrival.title)
    with Display() as display:
        outcome = execute_run(project, run_id, on_event=display.on_event, cancel=cancel, device=device)
    if isinstance(outcome, JobFinished) and isinstance(outcome.result, SuggestResult):
        return outcome.result
    run = project.runs.get(run_id)
    if run.message:
        print_warnings([f"{run.message} {run.hint}".strip()])
    return None


def _wait(cancel: HostCancel, seconds: float) -> None:
    pause = threading.Event()
    for _ in range(max(1, round(seconds / 0.1))):
        if cancel.is_requested:
            return
        pause.wait(min(0.1, seconds))
