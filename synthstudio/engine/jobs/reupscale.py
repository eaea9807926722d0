"""Enlarging the images of a set once more, for a host that compares them; it takes each away as it comes."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import NoReturn

import torch

from synthstudio.core.imaging import encode_png, read_bytes, write_bytes_atomically
from synthstudio.core.synthesis.manifest import MANIFEST_NAME, SetFiles
from synthstudio.core.synthesis.set_header import read_set_header
from synthstudio.core.synthesis.upscaled import prompt_of, read_source_set, read_upscaling, source_index
from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.engine.context import JobContext
from synthstudio.engine.upscaling import open_enlarger
from synthstudio.project.upscalers import find_upscaler
from synthstudio.settings.reupscale import ReupscaleSettings

MOST_WAITING = 8
"""Images that lie ready, at most: a large set must not fill the disk a second time."""
_POLL_S = 0.02


def run(settings: ReupscaleSettings, context: JobContext) -> NoReturn:
    """Enlarge all images.

    Raises:
        Cancelled: Always, in the end.
        UserError: The upscaler or the source cannot be read.
    """
    project = context.project
    folder = project.set_folder(settings.set_name)
    upscaling = read_upscaling(read_set_header(folder), settings.set_name)
    source = read_source_set(project.set_folder(upscaling.source_set))
    lines = {each["index"]: each for each in source.lines}
    found = find_upscaler(project, run=upscaling.settings.run, model=upscaling.settings.model)
    if upscaling.threads:
        torch.set_num_threads(upscaling.threads)  # other numbers may give other last digits
    enlarger = open_enlarger(found, upscaling.settings, device=context.device)
    names = SetFiles()
    (context.run_dir / names.image_name(0)).parent.mkdir(exist_ok=True)
    for index, text in enumerate(read_bytes(folder / MANIFEST_NAME).splitlines()):
        line = lines.get(source_index(json.loads(text)))
        if line is None:
            raise UserError(f"The set {source.name} has not the image behind image {index}.", "Write the set again.")
        image = enlarger.enlarge(source.read(line), prompt=prompt_of(line), index=int(str(line["index"])))
        write_bytes_atomically(context.run_dir / names.image_name(index), encode_png(image))
        _wait_for_room(context.run_dir / names.folders[0], context)
    raise Cancelled


def _wait_for_room(folder: Path, context: JobContext) -> None:
    """Wait while the host is behind; raises Cancelled once it asks for that."""
    while sum(1 for _ in folder.glob("*.png")) >= MOST_WAITING:
        context.tick(0, 1)
        time.sleep(_POLL_S)
