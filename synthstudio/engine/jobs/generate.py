"""Writes a set of images that a trained GAN or diffusion model makes on request."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from pathlib import Path

from synthstudio.core.synthesis.manifest import HEADER_NAME
from synthstudio.core.synthesis.prompt_requests import PromptPlanner
from synthstudio.core.synthesis.requests import RequestPlanner
from synthstudio.core.synthesis.sets import SetSource, SetSummary, count_unfinished, write_made_set
from synthstudio.core.training.map_origin import read_map_origin
from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import Generator
from synthstudio.engine.context import JobContext
from synthstudio.engine.map_sets import MapSetSource, open_map_artist
from synthstudio.project.generators import choose_generator
from synthstudio.project.prompt_sources import check_class, find_places, open_prompt_source
from synthstudio.project.request_material import read_request_material
from synthstudio.protocol.results import GenerateResult
from synthstudio.settings.generate import GenerateSettings

N_PREVIEW = 8


def run(settings: GenerateSettings, context: JobContext) -> GenerateResult:
    """Plan the requests, make the images, write the set into the project.

    Raises:
        UserError: There is a set of this name already, no such generator, nothing to ask it for, or the disk is full.
        Cancelled: By the tick; of the set of a GAN nothing stays behind, that of a diffusion model is gone on with
            when the same settings are run again.
    """
    chosen = choose_generator(context.project, settings)
    settings = settings.model_copy(update={"run": str(chosen.run or "")})
    _clear_orphan(context, settings.set_name)
    if chosen.asked_by == "prompts":
        return _write_prompted(settings, context, run=chosen.run)
    assert chosen.run is not None  # maps are drawn for trainings alone
    return _write_mapped(settings, context, run=chosen.run)


def _clear_orphan(context: JobContext, name: str) -> None:
    """Remove a complete set whose row was never written because the program was killed in between."""
    folder = context.project.set_folder(name)
    if context.project.sets.find(name) is None and (folder / HEADER_NAME).is_file():
        shutil.rmtree(folder)


def _write_mapped(settings: GenerateSettings, context: JobContext, *, run: RunId) -> GenerateResult:
    project = context.project
    folder = project.run_folder(run)
    state = project.training_state()
    indices = range(settings.first_index, settings.first_index + settings.count)
    with tempfile.TemporaryDirectory() as scratch:
        context.stage("Loading the generator")
        origin = read_map_origin(folder)
        opened = open_map_artist(
            folder, origin.generator, scratch=Path(scratch), device=context.device, threads=settings.threads
        )
        context.stage("Planning")
        material = read_request_material(project, opened.artist.card, tick=context.tick)
        planner = RequestPlanner(settings.requests, material, side=origin.side, seed=settings.seed)
        source = MapSetSource(settings, origin, opened, planner, material, state)
        context.preview(source.sheet(indices[:N_PREVIEW]), "First images")
        summary = _write(settings, context, source, indices, keeps=origin.generator is Generator.DIFFUSION)
    shown: Counter[str] = Counter()
    tones: Counter[str] = Counter()
    for (name, tone), count in planner.count_cells(indices).items():
        shown[name] += count
        tones[material.tone_name(tone) or "unknown"] += count
    return GenerateResult(
        set=settings.set_name,
        generator=origin.generator,
        origin=run,
        n_images=summary.n_images,
        n_by_class=dict(shown),
        n_by_tone=dict(tones),
        seconds=round(summary.seconds, 3),
        sha256=summary.sha256,
        project_state=state,
    )


def _write_prompted(settings: GenerateSettings, context: JobContext, *, run: RunId | None) -> GenerateResult:
    # Only here: these load diffusers and transformers, which takes seconds that a GAN need not wait for.
    from synthstudio.engine.prompt_models import open_prompt_artist  # noqa: PLC0415
    from synthstudio.engine.prompt_sets import GroundReader, PromptSetSource  # noqa: PLC0415

    project, wanted = context.project, settings.prompts
    context.stage("Planning")
    found = open_prompt_source(
        project,
        run=run,
        model=settings.model,
        step=settings.checkpoint,
        class_name=wanted.class_name,
        tick=context.tick,
    )
    check_class(project, found.origin.class_name)
    fovs = find_places(project, wanted.places)
    context.stage("Loading the model")
    artist = open_prompt_artist(found, device=context.device, precision=settings.precision, threads=settings.threads)
    side = found.card.side if found.card is not None else artist.components.side
    planner = PromptPlanner(wanted, prompts=found.prompts, side=side, fovs=fovs)
    for prompt in artist.find_cut(planner.prompts):
        context.warn(f'The model reads only the beginning of the prompt "{prompt}": it is too long.')
    grounds = GroundReader({fov.id: fov for fov in fovs.values()})
    source = PromptSetSource(settings, found.origin, artist, planner, grounds, context.preview)
    indices = range(settings.first_index, settings.first_index + planner.n_images)
    summary = _write(settings, context, source, indices, keeps=True)
    return GenerateResult(
        set=settings.set_name,
        generator=found.origin.generator,
        origin=found.origin.run or found.origin.model,
        n_images=summary.n_images,
        n_by_class={found.origin.class_name: summary.n_images},
        n_by_prompt=planner.count_prompts(indices),
        seconds=round(summary.seconds, 3),
        sha256=summary.sha256,
        project_state="",
    )


def _write(
    settings: GenerateSettings, context: JobContext, source: SetSource, indices: range, *, keeps: bool
) -> SetSummary:
    """Write the set; what `keeps` says stays, where it ends before all images are there, to be gone on with."""
    context.stage("Generating")
    folder = context.project.set_folder(settings.set_name)
    try:
        summary = write_made_set(folder, source, indices, keeps_unfinished=keeps, tick=context.tick)
    except Cancelled:
        if kept := _words_of_kept(folder, source, indices):
            context.warn(kept)
        raise
    except UserError as error:
        raise UserError(error.message, f"{error.hint} {_words_of_kept(folder, source, indices)}".strip()) from error
    context.records_changed("sets")
    return summary


def _words_of_kept(folder: Path, source: SetSource, indices: range) -> str:
    """What is left of a set that is not complete."""
    n = count_unfinished(folder, source, indices)
    return f"{n} images are kept: the same settings and name go on from there." if n else ""
