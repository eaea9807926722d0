"""Journey B, small: simulated photographs of skin, a GAN trained on boxes and tones, its images and their figures."""

from __future__ import annotations

from synthstudio.cli.demo_steps import program_name, run_step, write_set_again
from synthstudio.cli.render import Stopwatch, print_json, print_lines
from synthstudio.cli.results import print_result
from synthstudio.domain.errors import UserError
from synthstudio.project import Project
from synthstudio.protocol.results import MeasureResult, TrainGanResult
from synthstudio.settings.generate import GenerateSettings
from synthstudio.settings.measure import MeasureSettings
from synthstudio.settings.recipe import read_recipe
from synthstudio.settings.resources import resource_path
from synthstudio.settings.train_gan import TrainGanSettings

PRESET = "recipes/train-gan-small.toml"
SET_NAME = "demo-gan"
_N_STEPS = 1500  # not a third of the preset: two minutes on two cores, and most conditions can be told apart
_N_IMAGES = 108  # three of each condition in each tone


def build_training(steps: int | None = None) -> TrainGanSettings:
    """The small preset, with fewer steps where the caller wants fewer.

    Raises:
        UserError: The preset is missing or damaged.
    """
    preset = read_recipe(resource_path(PRESET))
    if not isinstance(preset, TrainGanSettings):
        raise UserError(f"{PRESET} is no recipe of a GAN.", "Install the program again.")
    if steps is None:
        return preset.model_copy(update={"seed": 1})
    fewer = preset.optimization.model_copy(
        update={"steps": steps, "sample_every": min(preset.optimization.sample_every, steps)}
    )
    return preset.model_copy(update={"seed": 1, "optimization": fewer})


def run_gan_journey(project: Project, clock: Stopwatch, *, as_json: bool) -> None:
    """Train, generate, measure, and say where things are."""
    trained = run_step(project, build_training(_N_STEPS), "Demo: training of the GAN")
    wanted = GenerateSettings(run=trained, set_name=SET_NAME, count=_N_IMAGES, seed=1)
    write_set_again(project, wanted, SET_NAME, "Demo: images of every condition in every tone")
    measured = run_step(project, MeasureSettings(set_name=SET_NAME, seed=1), "Demo: measuring")
    training = TrainGanResult.model_validate_json(project.runs.get(trained).summary_json)
    figures = MeasureResult.model_validate_json(project.runs.get(measured).summary_json)
    places = {
        "project": str(project.folder),
        "training": str(project.run_folder(trained)),
        "samples": str(project.run_folder(trained) / training.sample),
        "generated": str(project.set_folder(SET_NAME)),
        "measured": str(project.run_folder(measured)),
    }
    if as_json:
        shown = {name: figure.model_dump(mode="json") for name, figure in figures.overall.figures.items()}
        facts = {"gan": training.run, "set": SET_NAME, "n_images": _N_IMAGES, "figures": shown}
        print_json(places | facts | {"seconds": clock.seconds})
        return
    print_result(figures, project.run_folder(measured))
    print_lines("", *(f"{name}: {place}" for name, place in places.items()), "")
    print_lines(
        f"The GAN has learned {len(training.classes)} conditions in {len(training.tones)} tones; the set shows each in"
        " each. Open the project, choose Generate, GAN, Editor, and drag a box.",
        f"From nothing to here in {clock.seconds:.0f} s. Open it: {program_name()} {project.folder}",
    )
