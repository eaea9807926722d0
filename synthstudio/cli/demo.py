"""Journey A, small: simulated images, clicks, composites, training, evaluation, class activation maps."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from synthstudio.cli.jobs import open_to_write, run_job
from synthstudio.cli.render import Stopwatch, print_json, print_lines, shown_progress
from synthstudio.cli.results import print_result
from synthstudio.client.demo import build_demo_project
from synthstudio.client.replacing import put_back, set_aside
from synthstudio.client.session import start_run
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import RunStatus
from synthstudio.project import Project
from synthstudio.protocol.messages import JobCancelled, JobFailed
from synthstudio.protocol.results import EvaluateResult, TrainResult
from synthstudio.settings.base import JobSettings
from synthstudio.settings.compose import ComposeSettings
from synthstudio.settings.evaluate import EvaluateSettings
from synthstudio.settings.explain import ExplainSettings
from synthstudio.settings.resources import demo_folder
from synthstudio.settings.train_classifier import OptimizationSettings, TrainClassifierSettings

_SET = "demo-composites"
_N_IMAGES = 60
_N_STEPS = 200  # with the small network a few minutes on two cores


def add_arguments(command: str, parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `demo`."""
    parser.add_argument(
        "folder",
        metavar="DIR",
        nargs="?",
        type=Path,
        default=demo_folder(),
        help=f"folder of the demo project [default {demo_folder()}]",
    )
    parser.add_argument("--headless", action="store_true", help="run the whole journey here instead of in the window")


def execute(command: str, arguments: argparse.Namespace) -> int:
    """Build the demo project where it is missing; run the journey, or open the window on it."""
    clock = Stopwatch()
    with shown_progress("Simulating microscope images") as tick:
        project = build_demo_project(arguments.folder, tick)
    folder = project.folder
    project.close()
    if not arguments.headless:
        return int(arguments.open_app(folder))
    project = open_to_write(folder)
    try:
        _run_journey(project, clock, as_json=arguments.json)
    finally:
        project.close()
    return 0


def _run_journey(project: Project, clock: Stopwatch, *, as_json: bool) -> None:
    compose = ComposeSettings(set_name=_SET, count=_N_IMAGES, seed=1)
    _compose_again(project, compose)
    train = TrainClassifierSettings(seed=1, optimization=OptimizationSettings(steps=_N_STEPS))
    trained = _run(project, train, "Demo: training")
    scored = _run(project, EvaluateSettings(run=trained, seed=1), "Demo: evaluation")
    explained = _run(project, ExplainSettings(run=trained, seed=1), "Demo: class activation maps")
    training = TrainResult.model_validate_json(project.runs.get(trained).summary_json)
    evaluation = EvaluateResult.model_validate_json(project.runs.get(scored).summary_json)
    places = {
        "project": str(project.folder),
        "composites": str(project.set_folder(_SET)),
        "training": str(project.run_folder(trained)),
        "class_activation_maps": str(project.run_folder(explained)),
    }
    where = evaluation.localization
    if as_json:
        scores = {"pointing_accuracy": where.pointing_accuracy, "chance": where.chance}
        macro = {"macro_f1": evaluation.classification.macro_f1, "best": training.best}
        print_json(places | scores | macro | {"seconds": clock.seconds})
        return
    print_result(evaluation, project.run_folder(scored))
    print_lines("", *(f"{name.replace('_', ' ')}: {place}" for name, place in places.items()), "")
    print_lines(
        f"The maps point at an object of their class on {_percent(where.pointing_accuracy)} of the test crops;"
        f" a blind guess would on {_percent(where.chance)}.",
        f"From nothing to here in {clock.seconds:.0f} s. Open it: {_program()} {project.folder}",
    )


def _compose_again(project: Project, settings: ComposeSettings) -> None:
    """Write the set; one of an earlier or interrupted demo is replaced once the new one is complete."""
    set_aside(project, settings.set_name)
    try:
        _run(project, settings, "Demo: composites")
    finally:
        put_back(project, settings.set_name)


def _run(project: Project, settings: JobSettings, title: str) -> RunId:
    run_id = start_run(project, settings, title=title)
    outcome = run_job(project, run_id)
    if isinstance(outcome, JobFailed):
        raise UserError(outcome.message, outcome.hint)
    if isinstance(outcome, JobCancelled):
        raise UserError("The demo was cancelled.", "Start it again; what is complete is kept.")
    assert project.runs.get(run_id).status is RunStatus.FINISHED
    return run_id


def _percent(share: float | None) -> str:
    return "an unknown share" if share is None else f"{100 * share:.0f} %"


def _program() -> str:
    return "synthstudio" if not sys.argv[0].endswith(".py") else "python -m synthstudio"
