"""Standing by to draw: the newest map or prompt that was sent is answered, until the host takes its leave."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NoReturn

from synthstudio.core.imaging import ImageArray
from synthstudio.core.training import diffusion_card
from synthstudio.core.training.map_origin import map_generator
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import FovId, RunId
from synthstudio.domain.maps import UNKNOWN_TONE, MapRegion, MapRequest
from synthstudio.domain.prompts import PromptPlace, PromptRequest
from synthstudio.domain.records import Box
from synthstudio.engine.context import JobContext
from synthstudio.engine.map_sets import MapArtist, open_map_artist
from synthstudio.project.prompt_sources import open_prompt_source
from synthstudio.protocol.messages import DrawMap, DrawPrompt
from synthstudio.settings.draw import DrawSettings

_Draw = Callable[[DrawMap | DrawPrompt], ImageArray]


def run(settings: DrawSettings, context: JobContext) -> NoReturn:
    """Draw until a cancel is asked for.

    Raises:
        Cancelled: Always, in the end.
        UserError: The generator cannot be loaded.
    """
    folder = context.project.run_folder(RunId(settings.run))
    context.stage("Loading the generator")
    reads_prompts = not settings.run or (folder / diffusion_card.CARD_NAME).is_file()
    draw = _prompt_drawer(settings, context) if reads_prompts else _map_drawer(settings, context)
    context.stage("Ready to draw")
    while True:
        command = context.next_drawing()
        started = time.perf_counter()
        try:
            image = draw(command)
        except UserError as error:
            context.drawing_refused(command.number, error)
        else:
            context.drawn(command.number, image, seconds=time.perf_counter() - started)


def _map_drawer(settings: DrawSettings, context: JobContext) -> _Draw:
    folder = context.project.run_folder(RunId(settings.run))
    artist = open_map_artist(
        folder, map_generator(folder), scratch=context.run_dir, device=context.device, threads=settings.threads
    ).artist
    _warm_up(artist)

    def draw(command: DrawMap | DrawPrompt) -> ImageArray:
        if isinstance(command, DrawPrompt):
            raise UserError("This generator reads no prompts.", "Draw a map, or choose a training on guide images.")
        return artist.draw(_map_of(command), seed=command.seed, index=command.index)

    return draw


def _prompt_drawer(settings: DrawSettings, context: JobContext) -> _Draw:
    # Only here: these load diffusers and transformers, for which a GAN need not wait.
    from synthstudio.engine.prompt_models import open_prompt_artist  # noqa: PLC0415
    from synthstudio.engine.prompt_sets import GroundReader  # noqa: PLC0415

    project = context.project
    source = open_prompt_source(
        project,
        run=RunId(settings.run) if settings.run else None,
        model=settings.model,
        step=settings.checkpoint,
    )
    artist = open_prompt_artist(source, device=context.device, precision=settings.precision, threads=settings.threads)
    grounds = GroundReader({fov.id: fov for fov in project.fovs.list()})

    def draw(command: DrawMap | DrawPrompt) -> ImageArray:
        if isinstance(command, DrawMap):
            raise UserError("This generator reads prompts, not maps.", "Write a prompt.")
        request = _prompt_of(command)
        return artist.draw(request, seed=command.seed, index=command.index, ground=grounds.read(request))

    return draw


def _warm_up(artist: MapArtist) -> None:
    """Draw an empty map: the first image of a session takes longer than all others."""
    tone = UNKNOWN_TONE if artist.card.has_unknown_tone else 1
    artist.draw(MapRequest(artist.card.side, tone), seed=0)


def _map_of(command: DrawMap) -> MapRequest:
    regions = tuple(MapRegion(each.class_name, Box(*each.box)) for each in command.regions)
    return MapRequest(command.side, command.tone, regions)


def _prompt_of(command: DrawPrompt) -> PromptRequest:
    place = command.place
    return PromptRequest(
        prompt=command.prompt,
        side=command.side,
        negative=command.negative,
        steps=command.steps,
        guidance=command.guidance,
        scheduler=command.scheduler,
        place=PromptPlace(
            FovId(place.fov), Box(*place.window), Box(*place.box) if place.box is not None else None, place.strength
        )
        if place is not None
        else None,
    )
