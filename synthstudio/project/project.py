"""A project: a folder that can be copied, backed up and read in ten years."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId, SetName
from synthstudio.domain.os_errors import translate_os_error
from synthstudio.domain.records import Role
from synthstudio.project.annotations import Annotations
from synthstudio.project.classes import Classes
from synthstudio.project.clock import now
from synthstudio.project.crop_labels import CropLabels
from synthstudio.project.database import Database
from synthstudio.project.experiments import Experiments
from synthstudio.project.fields import Fovs, Samples
from synthstudio.project.migrations import MIGRATIONS
from synthstudio.project.patch_verdicts import PatchVerdicts
from synthstudio.project.reviews import Sets, Verdicts
from synthstudio.project.rounds import Rounds
from synthstudio.project.runs import Runs
from synthstudio.project.snapshots import Snapshots, find_snapshots, stored_schema, way_back
from synthstudio.project.suggestions import Suggestions
from synthstudio.project.tags import SavedViews, Tags

if TYPE_CHECKING:
    from synthstudio.project.guides import Guides
    from synthstudio.project.models import Models
    from synthstudio.project.studies import Studies

DATABASE_NAME = "project.sqlite"
FOLDERS = ("images", "sets", "runs", "models")


class ProjectLock:
    """Who may write: one window or command at a time, told by an operating-system lock on `.lock`.

    The operating system gives the lock back when its holder dies, however it dies.
    """

    def __init__(self, folder: Path) -> None:
        self._lock = FileLock(str(folder / ".lock"), timeout=0)
        self._holder = folder / ".lock-holder"

    def acquire(self) -> bool:
        """Try to become the writer; tell whether it worked."""
        try:
            self._lock.acquire()
        except (Timeout, OSError):
            return False
        with contextlib.suppress(OSError):  # a note for others; on a full disk the project can still be opened
            self._holder.write_text(f"process {os.getpid()} since {now()}", encoding="utf-8")
        return True

    def holder(self) -> str:
        """Say who writes at present, as far as is known."""
        try:
            return self._holder.read_text(encoding="utf-8")
        except OSError:
            return "another program"

    def release(self) -> None:
        """Stop being the writer."""
        self._lock.release()


def _not_created(folder: Path, error: OSError) -> UserError:
    told = translate_os_error(error, folder)
    return UserError(f"The project cannot be created: {told.message}", told.hint)


def _remove_content(folder: Path, *, with_itself: bool) -> None:
    """Take away what was made of a project; what cannot be removed stays."""
    if with_itself:
        shutil.rmtree(folder, ignore_errors=True)
        return
    for name in FOLDERS:
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in (DATABASE_NAME, f"{DATABASE_NAME}-wal", f"{DATABASE_NAME}-shm", ".lock", ".lock-holder"):
        with contextlib.suppress(OSError):
            (folder / name).unlink()


class Project:
    """The one public door to a project.

    Use `Project.create` or `Project.open`. Thread-safe: statements of all threads share one connection under a lock.

    Attributes:
        folder: Absolute path of the project folder.
        read_only_reason: Why the project may not be written; empty where it may.
        interrupted_runs: Those that a vanished process had left running when this was opened.
        snapshots: Takes copies of the database; `transaction` asks it to before much is changed.
    """

    def __init__(self, folder: Path, *, lock: ProjectLock | None, read_only_reason: str) -> None:
        self.folder = folder
        self.read_only_reason = read_only_reason
        self.interrupted_runs: tuple[RunId, ...] = ()
        self._lock = lock
        self.snapshots = Snapshots(folder / DATABASE_NAME)
        self.database = self._connected()
        self.samples = Samples(self.database)
        self.fovs = Fovs(self.database, folder)
        self.classes = Classes(self.database)
        self.annotations = Annotations(self.database)
        self.suggestions = Suggestions(self.database)
        self.crop_labels = CropLabels(self.database)
        self.patch_verdicts = PatchVerdicts(self.database)
        self.runs = Runs(self.database)
        self.experiments = Experiments(self.database)
        self.rounds = Rounds(self.database)
        self.sets = Sets(self.database)
        self.verdicts = Verdicts(self.database)
        self.tags = Tags(self.database)
        self.saved_views = SavedViews(self.database)

    def _connected(self) -> Database:
        try:
            # Opening upgrades the database of an older version: as it is now, that version could still read it.
            if not self.is_read_only and 0 < stored_schema(self.folder / DATABASE_NAME) < len(MIGRATIONS):
                self.snapshots.take("before upgrade")
            return Database(self.folder / DATABASE_NAME, read_only=self.is_read_only)
        except BaseException:
            self.snapshots.close()
            raise

    # Loaded when they are needed: the first paint of a window does not wait for them.

    @cached_property
    def studies(self) -> Studies:
        from synthstudio.project.studies import Studies  # noqa: PLC0415 - as above

        return Studies(self.database)

    @cached_property
    def guides(self) -> Guides:
        from synthstudio.project.guides import Guides  # noqa: PLC0415 - as above

        return Guides(self.database)

    @cached_property
    def models(self) -> Models:
        from synthstudio.project.models import Models  # noqa: PLC0415 - as above

        return Models(self.folder, read_only_reason=self.read_only_reason)

    @classmethod
    def create(cls, folder: Path) -> Project:
        """Make a new project in a folder that is new or empty.

        Raises:
            UserError: There is a project already, the folder holds other things, or it cannot be written.
        """
        folder = folder.expanduser().resolve()
        if (folder / DATABASE_NAME).exists():
            raise UserError(f"There is already a project in {folder}.", "Open it, or choose another folder.")
        try:
            was_there = folder.exists()
            if was_there and not folder.is_dir():
                raise UserError(f"{folder} is a file, not a folder.", "Choose a new or an empty folder.")
            if was_there and any(folder.iterdir()):
                raise UserError(f"{folder} already exists and is not empty.", "Choose a new or an empty folder.")
        except OSError as error:
            raise _not_created(folder, error) from error
        try:
            return cls._filled(folder)
        except BaseException as error:
            # A half-made project could neither be opened nor made again.
            _remove_content(folder, with_itself=not was_there)
            if isinstance(error, OSError):
                raise _not_created(folder, error) from error
            raise

    @classmethod
    def _filled(cls, folder: Path) -> Project:
        """Make folders, lock and database of a new project."""
        for name in FOLDERS:
            (folder / name).mkdir(parents=True)
        lock = ProjectLock(folder)
        lock.acquire()
        try:
            project = cls(folder, lock=lock, read_only_reason="")
        except BaseException:
            lock.release()
            raise
        try:
            project.set_meta("created_at", now())
        except BaseException:
            project.close()
            raise
        return project

    @classmethod
    def open(cls, folder: Path, *, read_only: bool = False) -> Project:
        """Open a project. A second window or command gets it read-only, with the reason.

        Raises:
            UserError: There is no project there, or it is damaged.
        """
        folder = folder.expanduser().resolve()
        if not (folder / DATABASE_NAME).is_file():
            hint = way_back(folder) if find_snapshots(folder) else "Choose a folder that holds a project.sqlite."
            raise UserError(f"{folder} is not a SynthStudio project.", hint)
        if not (folder / DATABASE_NAME).stat().st_size:
            # SQLite would take it for a new database, and the project would seem to be empty.
            raise UserError(f"The file {folder / DATABASE_NAME} is empty.", way_back(folder))
        if read_only:
            return cls(folder, lock=None, read_only_reason="It was opened for reading only.")
        if not os.access(folder, os.W_OK) or not os.access(folder / DATABASE_NAME, os.W_OK):
            return cls(folder, lock=None, read_only_reason=f"You may not write to {folder}.")
        lock = ProjectLock(folder)
        if not lock.acquire():
            reason = f"Another window or command has it open ({lock.holder()})."
            return cls(folder, lock=None, read_only_reason=reason)
        try:
            project = cls(folder, lock=lock, read_only_reason="")
            project.interrupted_runs = project.runs.fail_interrupted()
        except BaseException:
            lock.release()
            raise
        return project

    @property
    def name(self) -> str:
        """Name of the project: that of its folder."""
        return self.folder.name

    @property
    def is_read_only(self) -> bool:
        return bool(self.read_only_reason)

    def close(self) -> None:
        """Close the database and let others write."""
        self.snapshots.close()
        self.database.close()
        if self._lock is not None:
            self._lock.release()

    @contextmanager
    def transaction(self, *, before: str = "") -> Iterator[None]:
        """All mutations inside happen together or not at all.

        Args:
            before: What is about to happen, in a few words, where it changes much at once: a snapshot of what was
                committed before is kept, in the background. One that cannot be taken stops nothing.
        """
        if before and not self.is_read_only:
            self.snapshots.begin(f"before {before}")
        with self.database.transaction():
            yield

    def set_meta(self, key: str, value: str) -> None:
        """Store one fact about the project as a whole."""
        self.database.execute(
            "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (key, value),
        )

    def find_meta(self, key: str) -> str | None:
        """Return one fact about the project as a whole, or None."""
        row = self.database.row("SELECT value FROM meta WHERE key = ?", (key,))
        return row["value"] if row else None

    def run_folder(self, run_id: RunId) -> Path:
        """Folder of a run's files."""
        return self.folder / "runs" / run_id

    def set_folder(self, name: SetName | str) -> Path:
        """Folder of a synthetic set's files."""
        return self.folder / "sets" / name

    def study_folder(self, name: str) -> Path:
        """Folder of a reading study's images."""
        return self.folder / "studies" / name

    def training_state(self, *, ignores_rejections: bool = False) -> str:
        """Hash of all that a synthetic image may depend on: classes, train FOVs (by content) and their annotations.

        Args:
            ignores_rejections: Leave out which patches are rejected: the state that cutting all of them depends on.
        """
        rejected = frozenset() if ignores_rejections else self.patch_verdicts.rejected()
        facts: list[object] = [(each.name, each.role.value, each.size_um, each.size_px) for each in self.classes.list()]
        by_fov = self.annotations.by_fov()
        names = {each.id: each.name for each in self.classes.list()}
        for fov in self.fovs.list():
            marks = [
                (names[mark.class_id], mark.x, mark.y, mark.size_px)
                + ((mark.box.x0, mark.box.y0, mark.box.x1, mark.box.y1) if mark.box else ())
                + (("rejected",) if mark.id in rejected else ())
                for mark in by_fov.get(fov.id, [])
            ]
            facts.append((fov.content_key, fov.split, fov.um_per_px, marks))
        return hashlib.sha256(json.dumps(facts, separators=(",", ":")).encode()).hexdigest()

    def objects_present(self) -> bool:
        """Tell whether any annotation of an object class (not only of artifacts) exists."""
        row = self.database.row(
            "SELECT 1 FROM annotation JOIN object_class ON object_class.id = class_id WHERE role = ? LIMIT 1",
            (Role.OBJECT,),
        )
        return row is not None
