"""Enlarging the images of a set again, to prove it: an engine makes them, one after another."""

from __future__ import annotations

import contextlib
import queue
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np

from synthstudio.client.endings import crash_outcome
from synthstudio.client.launch import engine_command
from synthstudio.client.process import EngineProcess
from synthstudio.core.imaging import read_image
from synthstudio.core.synthesis.manifest import MadeImage, SetFiles
from synthstudio.core.synthesis.set_header import SetHeader
from synthstudio.core.synthesis.upscaled import (
    SourceSet,
    Upscaling,
    encode_upscaled,
    read_source_set,
    read_upscaling,
    source_index,
)
from synthstudio.core.synthesis.verification import Finding, version_differences
from synthstudio.domain.errors import UserError
from synthstudio.project import Project
from synthstudio.project.upscalers import find_upscaler
from synthstudio.protocol.messages import Cancel, JobFailed, JobRequest
from synthstudio.settings.reupscale import ReupscaleSettings

_POLL_S = 0.02
_EXIT_S = 3.0


@dataclass(slots=True)
class ReenlargedSet:
    """Gives the images of a set as an engine makes them anew, in their order; see `Remaker`."""

    source: SourceSet
    upscaling: Upscaling
    engine: EngineProcess
    folder: Path

    def find_differences(self, header: SetHeader) -> Iterator[Finding]:
        """Name the versions that have changed."""
        now = {"opencv": cv2.__version__, "numpy": np.__version__, "torch": version("torch")}
        yield from version_differences(replace(header, values={"versions": self.upscaling.versions}), now)

    def remake(self, entry: Mapping[str, object], files: SetFiles, index: int) -> MadeImage:
        """Make one image again."""
        wanted = source_index(entry)
        line = next((each for each in self.source.lines if each["index"] == wanted), None)
        if line is None:
            raise UserError(f"Image {wanted} is not in the set that was enlarged.", "Restore that set from a backup.")
        path = self.folder / SetFiles().image_name(index)
        self._wait_for(path)
        image = read_image(path)
        path.unlink()
        chosen = self.upscaling
        return encode_upscaled(
            image, line, self.source, chosen.origin, files=files, index=index, seed=chosen.settings.seed
        )

    def _wait_for(self, path: Path) -> None:
        """Wait until the engine has made an image. Raises UserError where it has failed or died."""
        while not path.is_file():
            with contextlib.suppress(queue.Empty):
                event = self.engine.events.get(timeout=_POLL_S)
                if isinstance(event, JobFailed):
                    raise UserError(event.message, event.hint)
            status = self.engine.poll()
            if status is not None and self.engine.events.empty() and not path.is_file():
                told = crash_outcome(status, self.engine.log_tail(), can_resume=False)
                raise UserError(told.message, "Verify the set again.")

    def close(self) -> None:
        """End the engine."""
        if self.engine.poll() is None:
            self.engine.send(Cancel())
            if self.engine.wait(_EXIT_S) is None:
                self.engine.terminate()
        self.engine.close()


@contextlib.contextmanager
def open_reenlarged(project: Project, name: str, header: SetHeader) -> Iterator[ReenlargedSet | str]:
    """Give what enlarges a set again, or say why that is impossible.

    Raises:
        UserError: The header is damaged.
    """
    upscaling = read_upscaling(header, name)
    source = _source_of(project, upscaling)
    if isinstance(source, str):
        yield source
        return
    with tempfile.TemporaryDirectory(prefix="synthstudio-reupscale-", ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch)
        device = "cpu" if upscaling.device.startswith("CPU") else "auto"
        request = JobRequest(
            run_id="reupscale",
            project=str(project.folder),
            run_dir=str(folder),
            settings=ReupscaleSettings(set_name=name),
            device=device,
        )
        engine = EngineProcess(engine_command(), request, log_path=folder / "engine.log")
        made = ReenlargedSet(source, upscaling, engine, folder)
        try:
            yield made
        finally:
            made.close()


def _source_of(project: Project, upscaling: Upscaling) -> SourceSet | str:
    """The set that was enlarged, where it and the upscaler are what they were."""
    try:
        source = read_source_set(project.set_folder(upscaling.source_set))
        found = find_upscaler(project, run=upscaling.settings.run, model=upscaling.settings.model)
    except UserError as error:
        return error.message
    if source.manifest_sha256 != upscaling.source_sha256:
        return f"the set {upscaling.source_set} was written anew since."
    if found.origin.weights_sha256 != upscaling.origin.weights_sha256:
        return f"the upscaler {found.origin.key} has been trained further since."
    return source
