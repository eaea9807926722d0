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
from synthstudio.core.imaging import sha256_of_file
from synthstudio.core.synthesis.composer import Composer
from synthstudio.core.synthesis.generated import GanOrigin, GeneratedImage, encode_generated, read_generated_line
from synthstudio.core.synthesis.manifest import MadeImage, SetFiles
from synthstudio.core.synthesis.set_header import SetHeader, read_set_header
from synthstudio.core.synthesis.verification import Finding, Remaker, version_differences
from synthstudio.core.training.gan_card import WEIGHTS_NAME
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import Generator, SyntheticSet
from synthstudio.project import Project
from synthstudio.project.generated_patches import patch_state
from synthstudio.project.patches import build_project_bank
from synthstudio.settings.compose import ComposeSettings
from synthstudio.settings.recipe import settings_from_toml

REMADE = "made again and compared"
_PROCESSOR = "CPUExecutionProvider"
_RUNTIMES = ("onnxruntime-gpu", "onnxruntime")


@contextlib.contextmanager
def open_remaker(project: Project, recorded: SyntheticSet) -> Iterator[tuple[Composer | Remaker | None, str]]:
    """Give what makes the images of a set again, or None, and in words which of the two and why.

    An engine that stood by for it has ended afterwards.

    Raises:
        UserError: The header of the set cannot be read.
    """
    if recorded.generator is not Generator.GAN:
        yield _composer_of(project, recorded)
        return
    redrawn = _redrawn_set(project, read_set_header(project.set_folder(recorded.name)))
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
    """What draws the images again; or why the GANs behind them cannot."""
    origins = {}
    for run, entry in header.gans.items():
        try:
            origins[run] = GanOrigin.from_json(run, entry)
        except (KeyError, TypeError, ValueError):
            return f"the header does not tell what the GAN {run} is."
        weights = project.run_folder(RunId(run)) / WEIGHTS_NAME
        if not weights.is_file():
            return f"the weights of the GAN {run} are gone."
        if sha256_of_file(weights) != origins[run].weights_sha256:
            return f"the GAN {run} has been trained further since."
    # What another device computes may differ in a last digit.
    return RedrawnSet(project, origins, "cpu" if header.values.get("provider") == _PROCESSOR else "auto")


@dataclass(slots=True)
class RedrawnSet:
    """Draws generated images again from their lines; the engine of each GAN is started by its first image."""

    project: Project
    origins: Mapping[str, GanOrigin]
    device: str = "auto"
    _sessions: dict[str, DrawingSession] = field(default_factory=dict)

    def find_differences(self, header: SetHeader) -> Iterator[Finding]:
        """Name the versions that have changed."""
        now = {"opencv": cv2.__version__, "numpy": np.__version__}
        found = header.values.get("versions")
        if isinstance(found, dict) and "onnxruntime" in found:
            now["onnxruntime"] = _runtime_version()
        yield from version_differences(header, now)

    def remake(self, entry: Mapping[str, object], files: SetFiles, index: int) -> MadeImage:
        """Make one image again; see `Remaker`."""
        line = read_generated_line(entry)
        origin = self.origins[line.run]
        session = self._sessions.get(line.run)
        if session is None:
            session = self._sessions[line.run] = DrawingSession(
                self.project.folder, RunId(line.run), device=self.device
            )
        seed, noise_index = line.noise
        drawn = session.draw(line.request, seed=seed, index=noise_index)
        return encode_generated(GeneratedImage(drawn.image, line.request, line.noise), origin, files, index)

    def close(self) -> None:
        """End the engines."""
        for session in self._sessions.values():
            session.close()
        self._sessions.clear()


def _runtime_version() -> str:
    for name in _RUNTIMES:
        with contextlib.suppress(PackageNotFoundError):
            return version(name)
    return ""
