"""Writes the images of a set again, larger, as a set of its own."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from synthstudio.core.imaging import ImageArray
from synthstudio.core.synthesis.manifest import HEADER_NAME, SetFiles
from synthstudio.core.synthesis.sets import check_room, count_unfinished, write_image_files, write_made_set
from synthstudio.core.synthesis.upscaled import (
    Line,
    SourceSet,
    UpscaledFacts,
    UpscalerOrigin,
    choose_lines,
    encode_upscaled,
    prompt_of,
    read_source_set,
    upscaled_header,
)
from synthstudio.core.training.gan_samples import sample_grid, shrink_preview
from synthstudio.core.training.resolution_pairs import enlarge_bicubic
from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.engine.context import JobContext
from synthstudio.engine.upscaling import Enlarger, open_enlarger
from synthstudio.project.reviewed_sets import find_usable
from synthstudio.project.upscalers import find_upscaler
from synthstudio.protocol.results import UpscaleResult
from synthstudio.settings.upscale import UpscaleSettings

SHOWN_PX = 318
"""Of an image, from its middle, that is shown while the set is written."""
SHOWN_EVERY_S = 2.0


def run(settings: UpscaleSettings, context: JobContext) -> UpscaleResult:
    """Enlarge the images of a set, write the new one into the project.

    Raises:
        NotFound: There is no such set, run or model.
        UserError: There is a set of the new name already, the source is damaged or enlarged already, the upscaler does
            not fit, or the disk is full.
        Cancelled: What was made stays, and is gone on with when the same settings are run again.
    """
    project = context.project
    if not settings.source_set:
        raise UserError("No set is named whose images are to be enlarged.", "Name one: --source-set NAME.")
    record = project.sets.get(settings.source_set)
    folder = project.set_folder(settings.set_name)
    if project.sets.find(settings.set_name) is None and (folder / HEADER_NAME).is_file():
        shutil.rmtree(folder)  # complete, but the program was killed before its row was written
    source = read_source_set(project.set_folder(record.name))
    lines = _choose(source, settings, context)
    context.stage("Loading the upscaler")
    found = find_upscaler(project, run=settings.run, model=settings.model, tick=context.tick)
    resolved = settings.model_copy(
        update={"run": found.origin.run, "model": "" if found.origin.run else found.origin.model}
    )
    enlarger = open_enlarger(found, resolved, device=context.device)
    made = UpscaledSource(resolved, source, lines, found.origin, enlarger, context.preview)
    width, height = source.size
    indices = range(len(lines))
    n_made = count_unfinished(folder, made, indices)
    check_room(folder.parent, n_images=len(lines) - n_made, bytes_each=width * height * found.origin.factor**2 * 3)
    context.stage("Enlarging")
    try:
        summary = write_made_set(folder, made, indices, keeps_unfinished=True, tick=context.tick)
    except (Cancelled, UserError):
        if n_made := count_unfinished(folder, made, indices):
            context.warn(f"{n_made} enlarged images are kept: the same settings go on with them.")
        raise
    context.records_changed("sets")
    return UpscaleResult(
        set=settings.set_name,
        source_set=record.name,
        generator=record.generator,
        upscaler=found.origin.run or found.origin.model,
        method=found.method,
        factor=found.origin.factor,
        size=(width * found.origin.factor, height * found.origin.factor),
        n_images=summary.n_images,
        seconds=round(summary.seconds, 3),
        sha256=summary.sha256,
        project_state=record.project_state,
    )


def _choose(source: SourceSet, settings: UpscaleSettings, context: JobContext) -> tuple[Line, ...]:
    """The images that are wanted. Raises UserError where reviewers leave none."""
    if settings.images == "all":
        return choose_lines(source, None)
    numbers = [int(str(each["index"])) for each in source.lines]
    usable = find_usable(context.project, source.name, numbers, settings.images)
    if text := usable.describe(source.name):
        context.warn(text)
    lines = choose_lines(source, sorted(usable.indices))
    if not lines:
        raise UserError(
            f"Reviewers have left no image of the set {source.name}.", "Accept some in Review, or enlarge all."
        )
    return lines


@dataclass(slots=True)
class UpscaledSource:
    """Makes each image from its own line alone; see `SetSource`."""

    settings: UpscaleSettings
    source: SourceSet
    lines: tuple[Line, ...]
    origin: UpscalerOrigin
    enlarger: Enlarger
    preview: Callable[[ImageArray, str], None]
    _shown_at: float = 0.0

    @property
    def files(self) -> SetFiles:
        there = self.source.header.files
        return SetFiles(self.settings.format, self.settings.quality, there.has_masks, there.has_maps)

    def begun_bytes(self, indices: range) -> bytes:
        """The header, and which images are enlarged; not what computes them."""
        numbers = [each["index"] for each in self.lines]
        facts = UpscaledFacts(self.files, self.settings.model_dump(mode="json"), "", 0, self.enlarger.versions)
        header = upscaled_header(self.source, self.origin, facts, n_images=len(indices), manifest_sha256="")
        return header + repr(numbers).encode()

    def header_bytes(self, indices: range, *, manifest_sha256: str) -> bytes:
        facts = UpscaledFacts(
            files=self.files,
            settings=self.settings.model_dump(mode="json"),
            device=self.enlarger.device,
            threads=torch.get_num_threads(),
            versions=self.enlarger.versions,
        )
        return upscaled_header(self.source, self.origin, facts, n_images=len(indices), manifest_sha256=manifest_sha256)

    def iter_lines(self, folder: Path, indices: range, *, scratch: Path) -> Generator[list[str], None, None]:
        for index in indices:
            line = self.lines[index]
            image = self.source.read(line)
            larger = self.enlarger.enlarge(image, prompt=prompt_of(line), index=int(str(line["index"])))
            made = encode_upscaled(
                larger, line, self.source, self.origin, files=self.files, index=index, seed=self.settings.seed
            )
            write_image_files(folder, made)
            self._show(image, larger, index)
            yield [made.line]

    def _show(self, image: ImageArray, larger: ImageArray, index: int) -> None:
        """Show the middle of the image, enlarged bicubically and by the upscaler, now and then."""
        if index and time.monotonic() - self._shown_at < SHOWN_EVERY_S:
            return
        self._shown_at = time.monotonic()
        side = min(SHOWN_PX, *larger.shape[:2])
        plain = enlarge_bicubic(image, self.origin.factor)
        y, x = (larger.shape[0] - side) // 2, (larger.shape[1] - side) // 2
        both = np.stack([each[y : y + side, x : x + side] for each in (plain, larger)])
        self.preview(shrink_preview(sample_grid(both)), f"Image {index}: bicubic and enlarged, {side} px of it")
