"""A folder that is watched: image files that come to lie in it are imported, and a trained model suggests what to mark.

The folder is looked at again and again; nothing depends on how, or by which machine, a file was written. A file counts
once its size and time have stayed the same between two looks: a microscope may write a large image for minutes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from synthstudio.client.watch_options import WatchOptions, read_taken, write_taken
from synthstudio.core.annotations.imagefolder import read_imagefolder
from synthstudio.core.annotations.planning import ReadOptions
from synthstudio.core.fields.images import find_images
from synthstudio.domain.errors import UserError
from synthstudio.domain.os_errors import translate_os_error
from synthstudio.domain.plans import Problem
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import Changes
from synthstudio.project import Project
from synthstudio.project.imports import Existing, apply_import
from synthstudio.settings.suggest import SuggestSettings

_Stamp = tuple[int, int]
"""Size in bytes and time of the last change in ns."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """What one look brought.

    Attributes:
        names: Of the images that were imported.
        problems: With files that were not.
        changes: Of the project; None where nothing came.
        suggest: The job that is due; None where none is.
    """

    names: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    changes: Changes | None = None
    suggest: SuggestSettings | None = None

    @property
    def n_images(self) -> int:
        """How many came."""
        return len(self.names)

    @property
    def title(self) -> str:
        """Of that job."""
        return "Suggestions on a new image" if self.n_images == 1 else f"Suggestions on {self.n_images} new images"


class FolderWatch:
    """Looks into one folder for one project.

    Args:
        options: See `WatchOptions`.

    Raises:
        UserError: There is no such folder.
    """

    def __init__(self, options: WatchOptions) -> None:
        self.options = options
        self._folder = Path(options.folder)
        self._seen: dict[Path, _Stamp] = {}
        if not options.folder or not self._folder.is_absolute() or not self._folder.is_dir():
            raise UserError(f"There is no folder {options.folder!r} to watch.", "Choose one that is there.")

    def look(self, project: Project, *, tick: Tick = no_tick) -> Arrival:
        """Import what has come and is complete.

        Raises:
            UserError: The folder is gone, or the project cannot be written.
            Cancelled: By the tick, with nothing imported; the next look finds the same files.
        """
        done = read_taken(project, self.options.folder)
        settled = self._settled(project, done)
        if not settled:
            return Arrival()
        options = self.options
        wanted = ReadOptions(split=options.split, sample_from=options.sample_from or None, only=frozenset(settled))
        plan = read_imagefolder(self._folder, wanted, tick=tick)
        before = {fov.id for fov in project.fovs.list()}
        outcome = apply_import(
            project, plan, copy=options.copies, existing=Existing.MERGE, keeps_snapshot=False, tick=tick
        )
        # Only now: what a full disk or a cancel has kept out is tried again.
        write_taken(project, options.folder, done | {self._key(path): stamp for path, stamp in settled.items()})
        came = {fov.id: fov.name for fov in project.fovs.list() if fov.id not in before}
        suggest = SuggestSettings(run=options.run, fovs=tuple(f"#{each}" for each in sorted(came)))
        return Arrival(
            names=tuple(came.values()),
            problems=outcome.problems,
            changes=outcome.changes if outcome.n_fovs else None,
            suggest=suggest if came and options.suggests else None,
        )

    def _key(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix()

    def _settled(self, project: Project, done: Mapping[str, _Stamp]) -> dict[Path, _Stamp]:
        """The files that are new, and as they were when they were last looked at; what the project itself has written
        is none of them."""
        try:
            paths = [path for path in find_images(self._folder) if not path.resolve().is_relative_to(project.folder)]
        except OSError as error:
            raise translate_os_error(error, self._folder) from error
        found = {path: stamp for path in paths if (stamp := _stamp(path)) is not None}
        settled = {
            path: stamp
            for path, stamp in found.items()
            if self._seen.get(path) == stamp and done.get(self._key(path)) != stamp and stamp[0] > 0
        }
        self._seen = found
        return settled


def _stamp(path: Path) -> _Stamp | None:
    try:
        facts = path.stat()
    except OSError:  # moved away while we looked
        return None
    return facts.st_size, facts.st_mtime_ns
