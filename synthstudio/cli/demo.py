"""The journeys, small. A: simulated images, clicks, composites, training, evaluation, class activation maps.

B is in `demo_gan.py`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

from synthstudio.cli.demo_gan import run_gan_journey
from synthstudio.cli.demo_steps import program_name, run_step, write_set_again
from synthstudio.cli.jobs import open_to_write
from synthstudio.cli.render import Stopwatch, print_json, print_lines, shown_progress
from synthstudio.cli.results import print_result
from synthstudio.client.demo import build_demo
from synthstudio.project import Project
from synthstudio.protocol.results import EvaluateResult, TrainResult
from synthstudio.settings.compose import ComposeSettings
from synthstudio.settings.evaluate import EvaluateSettings
from synthstudio.settings.explain import ExplainSettings
from synthstudio.settings.resources import Journey, demo_folder
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
        default=None,
        help=f"folder of the demo project [default {demo_folder()}, for the journey gan {demo_folder('gan')}]",
    )
    parser.add_argument(
        "--journey",
        choices=get_args(Journey),
        default="clicks",
        help="clicks: from clicks on microscope fields to a detector; gan: from boxes on photographs of skin to"
        " generated images [default clicks]",
    )
    parser.add_argument("--headless", action="store_true", help="run the whole journey here instead of in the window")


def execute(command: str, arguments: argparse.Namespace) -> int:
    """Build the demo project where it is missing; run the journey, or open the window on it."""
    clock = Stopwatch()
    journey: Journey = arguments.journey
    with shown_progress("Simulating images") as tick:
        project = build_demo(arguments.folder or demo_folder(journey), journey, tick)
    folder = project.folder
    project.close()
    if not arguments.headless:
        return int(arguments.open_app(folder))
    project = open_to_write(folder)
    try:
        (run_gan_journey if journey == "gan" else _run_journey)(project, clock, as_json=arguments.json)
    finally:
        project.close()
    return 0


def _run_journey(project: Project, clock: Stopwatch, *, as_json: bool) -> None:
    compose = ComposeSettings(set_name=_SET, count=_N_IMAGES, seed=1)
    write_set_again(project, compose, _SET, "Demo: composites")
    train = TrainClassifierSettings(seed=1, optimization=OptimizationSettings(steps=_N_STEPS))
    trained = run_step(project, train, "Demo: training")
    scored = run_step(project, EvaluateSettings(run=trained, seed=1), "Demo: evaluation")
    explained = run_step(project, ExplainSettings(run=trained, seed=1), "Demo: class activation maps")
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
        f"From nothing to here in {clock.seconds:.0f} s. Open it: {program_name()} {project.folder}",
    )


def _percent(share: float | None) -> str:
    return "an unknown share" if share is None else f"{100 * share:.0f} %"
