"""Standing by to draw: the newest map that was sent is answered, until the host takes its leave."""

from __future__ import annotations

import time
from typing import NoReturn

from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.maps import UNKNOWN_TONE, MapRegion, MapRequest
from synthstudio.domain.records import Box
from synthstudio.engine.context import JobContext
from synthstudio.engine.gan_drawing import GanArtist, open_gan
from synthstudio.protocol.messages import DrawMap
from synthstudio.settings.draw import DrawSettings


def run(settings: DrawSettings, context: JobContext) -> NoReturn:
    """Draw until a cancel is asked for.

    Raises:
        Cancelled: Always, in the end.
        UserError: The GAN cannot be loaded.
    """
    context.stage("Loading the GAN")
    artist = open_gan(context.project.run_folder(RunId(settings.run)), scratch=context.run_dir, device=context.device)
    _warm_up(artist)
    context.stage("Ready to draw")
    while True:
        command = context.next_map()
        started = time.perf_counter()
        try:
            image = artist.draw(_request_of(command), seed=command.seed, index=command.index)
        except UserError as error:
            context.drawing_refused(command.number, error)
        else:
            context.drawn(command.number, image, seconds=time.perf_counter() - started)


def _warm_up(artist: GanArtist) -> None:
    """Draw an empty map: the first image of a session takes longer than all others."""
    tone = UNKNOWN_TONE if artist.card.has_unknown_tone else 1
    artist.draw(MapRequest(artist.card.side, tone), seed=0)


def _request_of(command: DrawMap) -> MapRequest:
    regions = tuple(MapRegion(each.class_name, Box(*each.box)) for each in command.regions)
    return MapRequest(command.side, command.tone, regions)
