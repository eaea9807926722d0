"""Going back to a snapshot: it takes the place of the database; the present state is kept first.

At each moment of it a whole database lies there, so that a kill or a power cut leaves the state before or after.
Images, sets and runs on the disk are left alone.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from synthstudio.core.imaging import sync_folder
from synthstudio.domain.errors import ProjectIsReadOnly, UserError
from synthstudio.domain.os_errors import translate_os_error
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.project.migrations import MIGRATIONS
from synthstudio.project.project import DATABASE_NAME, ProjectLock
from synthstudio.project.snapshots import FOLDER, Snapshots, find_snapshot, is_damage, reading

_INCOMING = ".restoring.sqlite"
N_STEPS = 3
"""The snapshot is checked, then copied, then the present state is kept; each takes about as long as the others."""


def restore_snapshot(folder: Path, name: str, tick: Tick = no_tick) -> Path | None:
    """Make a snapshot the state of a project that nobody has open for writing, not even this process.

    Args:
        folder: The project.
        name: File name of the snapshot, or its beginning where it is the only one.
        tick: Reports progress and cancels, as long as nothing is changed.

    Returns:
        Where the state before is kept: another snapshot, or a folder of its files where it was damaged; None where
        there was none, or the newest snapshot holds it already.

    Raises:
        NotFound: There is no such snapshot.
        ProjectIsReadOnly: Another window or command has the project open.
        UserError: The snapshot is damaged or too new, the present state cannot be kept, or the disk is full; nothing
            is changed then.
    """
    folder = folder.expanduser().resolve()
    snapshot = find_snapshot(folder, name)
    if not os.access(folder, os.W_OK):
        raise ProjectIsReadOnly(f"You may not write to {folder}.", "Copy the project to a folder where you may.")
    lock = ProjectLock(folder)
    if not lock.acquire():
        raise ProjectIsReadOnly(
            f"Another window or command has the project open ({lock.holder()}).", "Close it, then try again."
        )
    try:
        tick(0, N_STEPS)
        _check(snapshot)
        return _put_in_place(folder, snapshot, tick)
    except OSError as error:
        raise translate_os_error(error, folder / DATABASE_NAME) from error
    finally:
        lock.release()


def _check(snapshot: Path) -> None:
    try:
        with reading(snapshot) as connection:
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
            found = str(connection.execute("PRAGMA integrity_check(1)").fetchone()[0])
            connection.execute("SELECT 1 FROM fov, annotation LIMIT 1")
    except sqlite3.Error as error:
        found, version = str(error), 0
    if found != "ok":
        raise UserError(f"The snapshot {snapshot.name} is damaged ({found}).", "Choose another one.")
    if version > len(MIGRATIONS):
        raise UserError(f"The snapshot {snapshot.name} was written by a newer SynthStudio.", "Update SynthStudio.")


def _put_in_place(folder: Path, snapshot: Path, tick: Tick) -> Path | None:
    database, incoming = folder / DATABASE_NAME, folder / _INCOMING
    try:
        tick(1, N_STEPS)
        # Copied before the present state is kept: that one may push this snapshot out as the oldest.
        shutil.copyfile(snapshot, incoming)
        with incoming.open("rb+") as stream:
            os.fsync(stream.fileno())
        tick(2, N_STEPS)
        kept = _keep_present(database)
        # By now all is in the database or kept elsewhere; a log that stayed would be played into the wrong one.
        for ending in ("-wal", "-shm"):
            database.with_name(database.name + ending).unlink(missing_ok=True)
        incoming.replace(database)
        sync_folder(folder)
    finally:
        with contextlib.suppress(OSError):
            incoming.unlink(missing_ok=True)
    return kept


def _keep_present(database: Path) -> Path | None:
    """Keep the state that is replaced, and fold its write-ahead log into it."""
    if not database.is_file() or not database.stat().st_size:
        return None
    snapshots = Snapshots(database)
    try:
        kept = snapshots.keep("before going back")
        _fold_log(database)
    except (UserError, sqlite3.Error) as error:
        if not is_damage(error.__cause__ if isinstance(error, UserError) else error):
            if isinstance(error, UserError):
                raise
            raise UserError(f"The present state could not be kept: {error}.", "Nothing was changed.") from error
        snapshots.close()
        return _set_aside(database)
    finally:
        snapshots.close()
    return kept


def _fold_log(database: Path) -> None:
    connection = sqlite3.connect(f"file:{quote(str(database))}?mode=rw", uri=True, timeout=10.0, isolation_level=None)
    try:
        is_busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    finally:
        connection.close()
    if is_busy:
        raise UserError("Another program is reading the project.", "Wait a moment and try again.")


def _set_aside(database: Path) -> Path:
    """Copy the files of a damaged database, which can be no snapshot; nothing removes these by itself."""
    aside = database.parent / FOLDER / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-damaged"
    aside.mkdir(parents=True, exist_ok=True)
    for path in (database, database.with_name(f"{database.name}-wal")):
        if path.is_file():
            copied = Path(shutil.copyfile(path, aside / path.name))
            with copied.open("rb+") as stream:
                os.fsync(stream.fileno())
    sync_folder(aside)
    sync_folder(aside.parent)
    return aside
