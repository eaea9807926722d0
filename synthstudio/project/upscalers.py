"""The upscalers of a project: its trainings, and local models."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from synthstudio.core.imaging import sha256_of_file
from synthstudio.core.synthesis.upscaled import UpscalerOrigin
from synthstudio.core.training.upscaler_card import CARD_NAME, UpscalerCard, read_upscaler_card
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.models import LocalModel, ModelKind
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import Run
from synthstudio.project.project import Project
from synthstudio.settings.train_upscaler import DIFFUSION_FACTOR, UpscalerMethod

KIND = "train-upscaler"
MODEL_KINDS = (ModelKind.COMPACT_UPSCALER, ModelKind.DIFFUSION_UPSCALER)


@dataclass(frozen=True, slots=True)
class FoundUpscaler:
    """An upscaler that images can be enlarged with.

    Attributes:
        method: Of which kind it is.
        path: File of the compact network, or folder of the diffusion upscaler.
        folder: Of the training whose denoiser stands in for that of the model; None for a local model as it is.
        origin: For provenance.
        subject: What it was told that images show.
    """

    method: UpscalerMethod
    path: Path
    folder: Path | None
    origin: UpscalerOrigin
    subject: str = ""


def list_upscaler_runs(project: Project) -> list[Run]:
    """Return the trainings that images can be enlarged with, newest first."""
    runs = reversed(project.runs.list(kind=KIND))
    return [each for each in runs if (project.run_folder(each.id) / CARD_NAME).is_file()]


def find_upscaler(project: Project, *, run: str = "", model: str = "", tick: Tick = no_tick) -> FoundUpscaler:
    """Return the upscaler that is named; where none is, the newest training, or else the only local model.

    Args:
        project: Where it is.
        run: Id of a training.
        model: Name or path of a local model.
        tick: Counts bytes where something has to be hashed.

    Raises:
        NotFound: There is no such run or model.
        UserError: It is none, or its files are missing or not those that they were.
    """
    if model:
        return _of_model(project.models.locate(model, *MODEL_KINDS, tick=tick))
    if run:
        return _of_run(project, project.runs.get(RunId(run)), tick)
    runs, models = list_upscaler_runs(project), project.models.list(*MODEL_KINDS)
    if runs:
        return _of_run(project, runs[0], tick)
    if len(models) == 1:
        return _of_model(project.models.locate(models[0].name, *MODEL_KINDS, tick=tick))
    raise UserError(
        "There is no upscaler in this project yet." if not models else "There are several upscalers in this project.",
        "Train one first: synthstudio train-upscaler PROJECT, or name a local model: --model NAME.",
    )


def _of_model(found: LocalModel) -> FoundUpscaler:
    is_compact = found.kind is ModelKind.COMPACT_UPSCALER
    factor = int(found.fact("Scale").split()[0]) if is_compact else DIFFUSION_FACTOR
    method: UpscalerMethod = "compact" if is_compact else "diffusion"
    origin = UpscalerOrigin("", found.name, found.sha256, found.sha256, method, factor)
    return FoundUpscaler(method, found.path, None, origin)


def _of_run(project: Project, run: Run, tick: Tick) -> FoundUpscaler:
    if run.kind != KIND:
        raise UserError(f"The run {run.id} is a {run.kind} run.", f"Choose a {KIND} run.")
    folder = project.run_folder(run.id)
    card = read_upscaler_card(folder)
    weights = folder / card.weights_name
    if not weights.is_file():
        raise UserError(f"The weights of the run {run.id} are gone: {weights}.", "Train the upscaler again.")
    origin = UpscalerOrigin(
        run=run.id,
        model=card.base,
        model_sha256=card.base_sha256,
        weights_sha256=sha256_of_file(weights),
        method=card.method,
        factor=card.factor,
        source_fovs=tuple(sorted(card.train_fov_ids)),
    )
    path = weights if card.method == "compact" else _base_of(project, card, tick)
    return FoundUpscaler(card.method, path, folder, origin, card.subject)


def _base_of(project: Project, card: UpscalerCard, tick: Tick) -> Path:
    """Folder of the model that a diffusion upscaler began from: all of it but the denoiser is still needed."""
    model = project.models.locate(card.base, ModelKind.DIFFUSION_UPSCALER, tick=tick)
    if model.sha256 != card.base_sha256:
        raise UserError(
            f"The model {card.base} is not the one that the upscaler was trained from.",
            "Put the earlier files back, or train the upscaler again.",
        )
    return model.path
