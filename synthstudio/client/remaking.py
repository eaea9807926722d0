"""Making the images of a set again, to prove it: composites in this process, generated images by the engine."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version

import cv2
import numpy as np

from synthstudio.client.drawing import DrawingSession
from synthstudio.client.reenlarging import open_reenlarged
from synthstudio.core.imaging import sha256_of_file
from synthstudio.core.synthesis.composer import Composer
from synthstudio.core.synthesis.generated import (
    PROMPT_LIBRARIES,
    GeneratedImage,
    encode_generated,
    read_generated_line,
)
from synthstudio.core.synthesis.manifest import MadeImage, SetFiles
from synthstudio.core.synthesis.origins import Origin, PromptOrigin, read_origin
from synthstudio.core.synthesis.set_header import SetHeader, read_set_header
from synthstudio.core.synthesis.verification import Finding, Remaker, version_differences
from synthstudio.core.training.map_origin import weights_path
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import Generator, SyntheticSet
from synthstudio.project import Project
from synthstudio.project.generated_patches import patch_state
from synthstudio.project.patches import build_project_bank
from synthstudio.project.prompt_sources import open_prompt_source
from synthstudio.settings.compose import ComposeSettings
from synthstudio.settings.draw import DrawSettings
from synthstudio.settings.recipe import settings_from_toml

REMADE = "made again and compared"
_PROCESSORS = ("CPUExecutionProvider", "torch CPU")
"""What headers say that computed images where no GPU did."""
_RUNTIMES = ("onnxruntime-gpu", "onnxruntime")


@contextlib.contextmanager
def open_remaker(project: Project, recorded: SyntheticSet) -> Iterator[tuple[Composer | Remaker | None, str]]:
    """Give what makes the images of a set again, or None, and in words which of the two and why.

    An engine that stood by for it has ended afterwards.

    Raises:
        UserError: The header of the set cannot be read.
    """
    header = read_set_header(project.set_folder(recorded.name))
    if header.enlargement != 1:
        with open_reenlarged(project, recorded.name, header) as made:
            if isinstance(made, str):
                yield None, f"cannot be made again: {made} Hashes were checked"
            else:
                yield made, REMADE
        return
    if recorded.generator is Generator.COMPOSITED:
        yield _composer_of(project, recorded)
        return
    redrawn = _redrawn_set(project, header)
    if isinstance(redrawn, str):
        yield None, f"cannot be made again: {redrawn} Hashes were checked"
        return
    try:
        yield redrawn, REMADE
    finally:
        redrawn.close()


def _composer_of(project: Project, recorded: SyntheticSet) -> tuple[Composer | None, str]:
    try:
        settings = settings_from_toml(json.loads(recorded.settings_json), origin=f"The set {recorded.name}")
        if not isinstance(settings, ComposeSettings):
            return None, f"cannot be made again by {settings.kind}; hashes were checked"
        if patch_state(project, settings.patches) != recorded.project_state:
            return None, (
                "cannot be made again: annotations, rejected patches, images or classes have changed since;"
                " hashes were checked"
            )
        bank = build_project_bank(project, settings.patches, with_plates=settings.composition.needs_plates)
    except UserError as error:
        return None, f"cannot be made again: {error.message} Hashes were checked"
    return Composer(bank, settings.composition, seed=settings.seed), REMADE


def _redrawn_set(project: Project, header: SetHeader) -> RedrawnSet | str:
    """What draws the images again; or why the generators behind them cannot."""
    origins: dict[str, Origin] = {}
    settings = {}
    for key, entry in header.generators.items():
        try:
            origins[key] = read_origin(key, entry)
        except (KeyError, TypeError, ValueError):
            return f"the header does not tell what the generator {key} is."
        found = _draw_settings(project, origins[key], header)
        if isinstance(found, str):
            return found
        settings[key] = found
    # What another device computes may differ in a last digit.
    return RedrawnSet(project, origins, settings, "cpu" if header.values.get("provider") in _PROCESSORS else "auto")


def _draw_settings(project: Project, origin: Origin, header: SetHeader) -> DrawSettings | str:
    """How an engine is told to draw as it was done for a set; or why it cannot."""
    threads = header.values.get("threads")
    n_threads = threads if isinstance(threads, int) else 0
    if isinstance(origin, PromptOrigin):
        if header.values.get("provider") not in _PROCESSORS:
            return "its images were made several at once on a GPU, where their last digits depend on one another."
        return _prompt_settings(project, origin, header, threads=n_threads)
    name = f"{'GAN' if origin.generator is Generator.GAN else 'diffusion model'} {origin.run}"
    weights = weights_path(project.run_folder(RunId(origin.run)), origin.generator)
    if not weights.is_file():
        return f"the weights of the {name} are gone."
    if sha256_of_file(weights) != origin.weights_sha256:
        return f"the {name} has been trained further since."
    return DrawSettings(run=origin.run, threads=n_threads)


def _prompt_settings(project: Project, origin: PromptOrigin, header: SetHeader, *, threads: int) -> DrawSettings | str:
    try:
        source = open_prompt_source(
            project, run=RunId(origin.run) if origin.run else None, model=origin.model, step=origin.step
        )
    except UserError as error:
        return error.message
    if (source.origin.model_sha256, source.origin.weights_sha256) != (origin.model_sha256, origin.weights_sha256):
        return f"the model {origin.run or origin.model} is not the one that made its images any more."
    made = header.values.get("settings")
    precision = made.get("precision", "auto") if isinstance(made, dict) else "auto"
    model = "" if origin.run else origin.model
    return DrawSettings(run=origin.run, model=model, checkpoint=origin.step, precision=precision, threads=threads)


@dataclass(slots=True)
class RedrawnSet:
    """Draws generated images again from their lines; the engine of each generator is started by its first image."""

    project: Project
    origins: Mapping[str, Origin]
    settings: Mapping[str, DrawSettings]
    device: str = "auto"
    _sessions: dict[str, DrawingSession] = field(default_factory=dict)

    def find_differences(self, header: SetHeader) -> Iterator[Finding]:
        """Name the versions that have changed."""
        now = {"opencv": cv2.__version__, "numpy": np.__version__}
        found = header.values.get("versions")
        then = found if isinstance(found, dict) else {}
        if "onnxruntime" in then:
            now["onnxruntime"] = _version(*_RUNTIMES)
        now |= {name: _version(name) for name in PROMPT_LIBRARIES if name in then}
        yield from version_differences(header, now)

    def remake(self, entry: Mapping[str, object], files: SetFiles, index: int) -> MadeImage:
        """Make one image again; see `Remaker`."""
        line = read_generated_line(entry)
        origin = self.origins[line.origin]
        session = self._sessions.get(line.origin)
        if session is None:
            session = self._sessions[line.origin] = DrawingSession(
                self.project.folder, RunId(origin.run), device=self.device, settings=self.settings[line.origin]
            )
        seed, noise_index = line.noise
        drawn = session.draw(line.request, seed=seed, index=noise_index)
        return encode_generated(GeneratedImage(drawn.image, line.request, line.noise), origin, files, index)

    def close(self) -> None:
        """End the engines."""
        for session in self._sessions.values():
            session.close()
        self._sessions.clear()


def _version(*names: str) -> str:
    """Version of the first of these packages that is there."""
    for name in names:
        with contextlib.suppress(PackageNotFoundError):
            return version(name)
    return ""
