"""Writes a set of images that a trained GAN makes on request."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime

from synthstudio.core.imaging import ImageArray, translate_os_error
from synthstudio.core.synthesis.generated import (
    GanOrigin,
    GeneratedFacts,
    GeneratedImage,
    encode_generated,
    generated_header,
)
from synthstudio.core.synthesis.manifest import HEADER_NAME, SetFiles
from synthstudio.core.synthesis.requests import RequestMaterial, RequestPlanner
from synthstudio.core.synthesis.sets import write_made_set
from synthstudio.core.training.gan_origin import read_gan_origin
from synthstudio.core.training.montage import montage
from synthstudio.engine.context import JobContext
from synthstudio.engine.gan_drawing import GanArtist, open_gan
from synthstudio.project.gans import find_gan
from synthstudio.project.request_material import read_request_material
from synthstudio.protocol.results import GenerateResult
from synthstudio.settings.generate import GenerateSettings

N_PREVIEW = 8


def run(settings: GenerateSettings, context: JobContext) -> GenerateResult:
    """Plan the requests, make the images, write the set into the project.

    Raises:
        UserError: There is a set of this name already, no such GAN, nothing to ask it for, or the disk is full.
        Cancelled: By the tick; nothing of the set stays behind.
    """
    project = context.project
    gan = find_gan(project, settings.run)
    settings = settings.model_copy(update={"run": gan})
    folder, gan_folder = project.set_folder(settings.set_name), project.run_folder(gan)
    _clear_orphan(folder, is_recorded=project.sets.find(settings.set_name) is not None)
    state = project.training_state()
    origin = read_gan_origin(gan_folder)
    indices = range(settings.first_index, settings.first_index + settings.count)
    with tempfile.TemporaryDirectory() as scratch:
        context.stage("Loading the GAN")
        artist = open_gan(gan_folder, scratch=Path(scratch), device=context.device, threads=settings.threads)
        context.stage("Planning")
        material = read_request_material(project, artist.card, tick=context.tick)
        planner = RequestPlanner(settings.requests, material, side=origin.side, seed=settings.seed)
        source = _GeneratedSource(settings, origin, artist, planner, material, state)
        context.preview(source.sheet(indices[:N_PREVIEW]), "First images")
        context.stage("Generating")
        summary = write_made_set(folder, source, indices, tick=context.tick)
    context.records_changed("sets")
    shown: Counter[str] = Counter()
    tones: Counter[str] = Counter()
    for (name, tone), count in planner.count_cells(indices).items():
        shown[name] += count
        tones[material.tone_name(tone) or "unknown"] += count
    return GenerateResult(
        set=settings.set_name,
        gan=settings.run,
        n_images=summary.n_images,
        n_by_class=dict(shown),
        n_by_tone=dict(tones),
        seconds=round(summary.seconds, 3),
        sha256=summary.sha256,
        project_state=state,
    )


def _clear_orphan(folder: Path, *, is_recorded: bool) -> None:
    """Remove a complete set whose row was never written because the program was killed in between."""
    if not is_recorded and (folder / HEADER_NAME).is_file():
        shutil.rmtree(folder)


@dataclass(frozen=True, slots=True)
class _GeneratedSource:
    """Makes each image alone: neither its neighbours nor the number of the first one change its bytes."""

    settings: GenerateSettings
    origin: GanOrigin
    artist: GanArtist
    planner: RequestPlanner
    material: RequestMaterial
    state: str

    @property
    def files(self) -> SetFiles:
        return SetFiles.wanted_by(self.settings)

    def make(self, index: int) -> GeneratedImage:
        """Make one image."""
        request, seed = self.planner.plan(index), self.settings.seed
        return GeneratedImage(self.artist.draw(request, seed=seed, index=index), request, (seed, index))

    def sheet(self, indices: Sequence[int]) -> ImageArray:
        """The images side by side, to be looked at."""
        return montage(np.stack([self.make(index).image for index in indices]))

    def begun_bytes(self, indices: range) -> bytes:
        """The header, and what the requests were drawn from."""
        digest = hashlib.sha256(repr(self.material).encode()).hexdigest()
        alone = dataclasses.replace(self, settings=self.settings.model_copy(update={"threads": 0}))
        return alone.header_bytes(indices, manifest_sha256="") + json.dumps({"material": digest}).encode()

    def header_bytes(self, indices: range, *, manifest_sha256: str) -> bytes:
        facts = GeneratedFacts(
            files=self.files,
            side=self.origin.side,
            classes=self.origin.class_names,
            settings=self.settings.model_dump(mode="json"),
            project_state=self.state,
            provider=self.artist.session.provider,
            versions={"onnxruntime": onnxruntime.__version__},
        )
        gans = {self.origin.run: self.origin.to_json()}
        return generated_header(facts, gans, indices=indices, manifest_sha256=manifest_sha256)

    def iter_lines(self, folder: Path, indices: range, *, scratch: Path) -> Generator[list[str], None, None]:
        for index in indices:
            made = encode_generated(self.make(index), self.origin, self.files, index)
            for name, data in made.files.items():
                try:
                    (folder / name).write_bytes(data)
                except OSError as error:
                    raise translate_os_error(error, folder / name) from error
            yield [made.line]
