"""What makes the images that a generate job is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from synthstudio.core.synthesis.origins import AskedBy
from synthstudio.core.training import diffusion_card, patch_diffusion_card
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import Run, RunStatus
from synthstudio.project.gans import find_gan
from synthstudio.project.project import Project
from synthstudio.settings.generate import GenerateSettings

GAN, TUNED, PATCHES = "train-gan", "train-diffusion", "train-patch-diffusion"


@dataclass(frozen=True, slots=True)
class ChosenGenerator:
    """How a generator is asked, and the run that has trained it; None for a local model as it is."""

    asked_by: AskedBy
    run: RunId | None


def choose_generator(project: Project, settings: GenerateSettings) -> ChosenGenerator:
    """Return what the settings name; where they name nothing, the newest finished training that can make images.

    Raises:
        NotFound: There is no such run.
        UserError: It has trained nothing that makes images, or something else than the settings say.
    """
    if settings.model:
        return ChosenGenerator("prompts", None)
    if settings.generator == "gan":
        if settings.run:
            _check_kind(project.runs.get(RunId(settings.run)), GAN)
        return ChosenGenerator("maps", find_gan(project, settings.run))
    if settings.run:
        run = project.runs.get(RunId(settings.run))
        _check_kind(run, TUNED, PATCHES)
    else:
        run = _newest(project, *((TUNED,) if settings.prompts.prompts else (TUNED, PATCHES)))
    if run.kind == PATCHES and settings.prompts.prompts:
        raise UserError(
            f"The diffusion model of the run {run.id} was trained from scratch and reads no prompts.",
            "Ask it by conditions and tones, or choose a training on guide images.",
        )
    return ChosenGenerator("prompts" if run.kind == TUNED else "maps", run.id)


def _check_kind(run: Run, *kinds: str) -> None:
    if run.kind not in kinds:
        known = {GAN: "gan", TUNED: "diffusion", PATCHES: "diffusion"}
        other = known.get(run.kind)
        raise UserError(
            f"The run {run.id} is a {run.kind} run.",
            f"Choose the generator {other}." if other else f"Choose a {' or '.join(kinds)} run.",
        )


def _newest(project: Project, *kinds: str) -> Run:
    for run in reversed([each for each in project.runs.list() if each.kind in kinds]):
        if run.status is RunStatus.FINISHED and _has_generator(project, run):
            return run
    raise UserError(
        "No diffusion model has been trained in this project yet.",
        "Train one first: synthstudio train-diffusion, or train-patch-diffusion; or name a local model.",
    )


def _has_generator(project: Project, run: Run) -> bool:
    folder = project.run_folder(run.id)
    if run.kind == PATCHES:
        return (folder / patch_diffusion_card.WEIGHTS_NAME).is_file()
    path = folder / diffusion_card.CARD_NAME
    return path.is_file() and bool(diffusion_card.read_diffusion_card(folder).steps)
