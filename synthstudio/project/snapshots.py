"""Snapshots: whole copies of the project's database, kept before edits that change much and while work goes on.

Each is a file `snapshots/20261122-165501-before-import.sqlite`: the moment in UTC, and why it was taken. The state is
pinned, which takes a millisecond, by a transaction of a read-only connection of its own; whoever writes meanwhile does
not wait. From there it is copied under a temporary name, which becomes the final one once the content is on the disk.
Images, sets and runs are not in it.

Only who holds the project's lock takes snapshots; everybody may list them.
"""

from __future__ import annotations

import contextlib
import filecmp
import logging
import os
import re
import shlex
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from synthstudio.core.imaging import sync_folder
from synthstudio.domain.errors import NotFound, UserError
from synthstudio.domain.os_errors import translate_os_error

FOLDER = "snapshots"
N_KEPT = 20
MANY = 100
"""From so many annotations on, changing or deleting them at once is worth a snapshot."""

_TIME = "%Y%m%d-%H%M%S"
_NAME = re.compile(r"(\d{8}-\d{6})-(?:(\d+)-)?([a-z][a-z0-9-]*)\.sqlite")
"""The moment, a number from the second one of a second on, the reason."""
_TEMPORARY = ".taking.sqlite"
_LOOSE = f"{_TEMPORARY}-loose"
"""The pages as they are; the temporary file has the same content packed, always in the same bytes."""
_SPARE_BYTES = 16 * 2**20
_VERSION_AT = 60  # SQLite file format: user_version, four bytes, big-endian

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One of the kept states.

    Attributes:
        path: Its file.
        taken_at: When it was taken, in UTC, to the second.
        reason: Why, in words, such as "before import".
        n_bytes: Size of the file.
        n_fields, n_annotations: What is in it; None where it cannot be read.
    """

    path: Path
    taken_at: datetime
    reason: str
    n_bytes: int
    n_fields: int | None
    n_annotations: int | None


@dataclass(frozen=True, slots=True)
class _Pinned:
    """A state that is to be copied: what its connection reads stays as it was."""

    connection: sqlite3.Connection
    version: int
    moment: datetime
    reason: str


class Snapshots:
    """Takes them, for one project that this process may write. Threads may share it.

    Attributes:
        problem: Why the last one could not be taken; None where it was, or was not needed.
    """

    def __init__(self, database: Path) -> None:
        self._database = database
        self._folder = database.parent / FOLDER
        self._pinning, self._copying = threading.RLock(), threading.Lock()
        self._probe: sqlite3.Connection | None = None
        self._seen: int | None = None  # SQLite's number of the state that was last kept, as the probe counts
        self._is_closed = False
        self._thread = ThreadPoolExecutor(1, "snapshots")
        self._last: Future[None] | None = None
        self.problem: UserError | None = None

    def begin(self, reason: str) -> None:
        """Pin the state that was committed last, and copy it in a thread: what is committed from now on is not in it.

        Never stands in the way: what goes wrong is logged and told by `problem`. Nothing is kept where nothing has
        changed since the newest one.

        Args:
            reason: In words, such as "before import".
        """
        pinned = None
        with self._pinning:
            with self._tolerating(reason):
                pinned = self._pin(reason)
            if pinned is not None:
                self._last = self._thread.submit(self._finish, pinned)  # last: what it tells must not be overwritten

    def take(self, reason: str) -> Path | None:
        """The same, waiting for the copy.

        Returns:
            The file; None where nothing has changed since the newest one, or none could be taken.
        """
        with self._tolerating(reason):
            return self.keep(reason)
        return None

    def keep(self, reason: str) -> Path | None:
        """The same for who cannot do without it.

        Raises:
            UserError: It cannot be taken; its cause is an `sqlite3.Error` where the database itself is at fault.
        """
        pinned = self._pin(reason)
        return self._copy(pinned) if pinned is not None else None

    @property
    def is_idle(self) -> bool:
        """Whether all that were begun are kept."""
        return self._last is None or self._last.done()

    def wait(self) -> None:
        """Wait for those that were begun."""
        if self._last is not None:
            self._last.result()

    def close(self) -> None:
        """Wait for those that were begun, and take no more."""
        with self._pinning:
            self._is_closed = True
        self._thread.shutdown()
        with self._copying, self._pinning:
            if self._probe is not None:
                self._probe.close()

    @contextmanager
    def _tolerating(self, reason: str) -> Iterator[None]:
        try:
            yield
        except UserError as error:
            _log.warning("No snapshot of %s (%s): %s", self._database, reason, error.__cause__ or error)
            self.problem = error
        else:
            self.problem = None

    @contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise UserError(f"No snapshot of the project could be taken: {error}.", _WHAT_TO_DO) from error
        except OSError as error:
            told = translate_os_error(error, self._folder)
            raise UserError(f"No snapshot of the project could be taken. {told.message}", _WHAT_TO_DO) from error

    def _finish(self, pinned: _Pinned) -> None:
        with self._tolerating(pinned.reason):
            self._copy(pinned)

    def _pin(self, reason: str) -> _Pinned | None:
        """Hold on to the present state; None where it is kept already, holds no work, or this is closed."""
        with self._pinning, self._translating():
            if self._is_closed:
                return None  # a late thread: nothing is opened anew
            probe = self._probe = self._probe or open_to_read(self._database)
            version = int(probe.execute("PRAGMA data_version").fetchone()[0])
            if version == self._seen or not probe.execute("SELECT EXISTS (SELECT 1 FROM fov)").fetchone()[0]:
                return None  # without a field, nothing is in it that took work
            connection = open_to_read(self._database)
            try:
                connection.execute("BEGIN")
                connection.execute("SELECT EXISTS (SELECT 1 FROM fov)").fetchone()  # what is read first is what stays
            except BaseException:
                connection.close()
                raise
            return _Pinned(connection, version, datetime.now(UTC), reason)

    def _copy(self, pinned: _Pinned) -> Path | None:
        with self._copying, contextlib.closing(pinned.connection), self._translating():
            self._folder.mkdir(exist_ok=True)
            temporary = self._folder / _TEMPORARY
            with _tidied(temporary):
                self._require_room()
                _pack(pinned.connection, temporary)
                newest = find_snapshots(self._database.parent)[:1]
                # Another process may have kept this state: the same content is the same bytes.
                filecmp.clear_cache()  # it goes by size and time, which is coarse on some disks
                is_new = not newest or not filecmp.cmp(temporary, newest[0], shallow=False)
                path = self._free_path(pinned) if is_new else None
                if path is not None:
                    _sync_file(temporary)
                    temporary.rename(path)
                    sync_folder(self._folder)
            self._seen = pinned.version
            if path is not None:
                self._prune(path)
            return path

    def _require_room(self) -> None:
        """A snapshot must not take the room that the edit itself needs."""
        log = self._database.with_name(f"{self._database.name}-wal")
        n_bytes = sum(path.stat().st_size for path in (self._database, log) if path.is_file())
        needed = 3 * n_bytes + _SPARE_BYTES
        if shutil.disk_usage(self._folder).free < needed:
            raise UserError("No snapshot of the project could be taken: the disk is almost full.", _WHAT_TO_DO)

    def _free_path(self, pinned: _Pinned) -> Path:
        slug = re.sub(r"[^a-z0-9]+", "-", pinned.reason.lower()).strip("-")
        moment = pinned.moment.strftime(_TIME)
        ages = [_age_key(path) for path in find_snapshots(self._database.parent)]
        number = 1 + max((number for each, number in ages if each == moment), default=0)
        return self._folder / (f"{moment}-{slug}.sqlite" if number == 1 else f"{moment}-{number}-{slug}.sqlite")

    def _prune(self, taken: Path) -> None:
        others = [path for path in find_snapshots(self._database.parent) if path != taken]
        for old in others[N_KEPT - 1 :]:  # where the clock was wrong once, the one just taken may seem to be the oldest
            try:
                old.unlink()
            except OSError as error:
                _log.warning("An old snapshot stays: %s", error)


_WHAT_TO_DO = "Free some space, or see to it that the project's folder can be written. Your annotations are saved."


def _pack(connection: sqlite3.Connection, target: Path) -> None:
    """Write what a transaction reads into a file of no empty pages: VACUUM itself runs in no transaction."""
    loose = target.with_name(_LOOSE)
    with contextlib.closing(sqlite3.connect(loose, isolation_level=None)) as copied:
        copied.execute("PRAGMA synchronous = OFF")
        connection.backup(copied)
    connection.close()  # the log can be folded in again
    with reading(loose) as copied:
        copied.execute("VACUUM INTO ?", (str(target),))
    loose.unlink()


def find_snapshots(folder: Path) -> list[Path]:
    """Return the snapshots of a project folder, the newest first."""
    try:
        found = [path for path in (folder / FOLDER).iterdir() if _NAME.fullmatch(path.name)]
    except OSError:
        return []  # none yet, or not to be read
    return sorted(found, key=_age_key, reverse=True)


def _age_key(path: Path) -> tuple[str, int]:
    """The moment and the number in the name: they outlive copying."""
    matched = _NAME.fullmatch(path.name)
    assert matched is not None  # `find_snapshots` gives no others
    return matched[1], int(matched[2] or 1)


def find_snapshot(folder: Path, name: str) -> Path:
    """Return the snapshot that a user has named, by its file or the beginning of its name.

    Raises:
        NotFound: There is none, or several begin so; those that are there are named.
    """
    known = find_snapshots(folder)
    wanted = Path(name).name
    fitting = [path for path in known if path.name == wanted] or [
        path for path in known if wanted and path.name.startswith(wanted)
    ]
    if len(fitting) == 1:
        return fitting[0]
    names = ", ".join(path.name for path in (fitting or known)) or "none yet"
    if fitting:
        raise NotFound(f"Several snapshots of the project {folder} begin with {name}.", f"They are: {names}.")
    raise NotFound(f"There is no snapshot {name} of the project {folder}.", f"It has: {names}.")


def list_snapshots(folder: Path) -> list[Snapshot]:
    """Return the snapshots of a project folder with what is in them, the newest first; milliseconds each."""
    return [each for path in find_snapshots(folder) if (each := _describe(path)) is not None]


def _describe(path: Path) -> Snapshot | None:
    matched = _NAME.fullmatch(path.name)
    assert matched is not None  # `find_snapshots` gives no others
    try:
        taken_at = datetime.strptime(matched[1], _TIME).replace(tzinfo=UTC)
        n_bytes = path.stat().st_size
    except (ValueError, OSError):  # no moment at all, or removed meanwhile
        return None
    n_fields = n_annotations = None
    with contextlib.suppress(sqlite3.Error), reading(path) as connection:
        n_fields, n_annotations = connection.execute(
            "SELECT (SELECT count(*) FROM fov), (SELECT count(*) FROM annotation)"
        ).fetchone()
    return Snapshot(path, taken_at, matched[3].replace("-", " "), n_bytes, n_fields, n_annotations)


def stored_schema(database: Path) -> int:
    """Return the number of the schema in a database file, without opening it; 0 for none.

    What a write-ahead log beside it holds is not seen: the number is then too low.
    """
    try:
        with database.open("rb") as stream:
            stream.seek(_VERSION_AT)
            return int.from_bytes(stream.read(4), "big")
    except OSError:
        return 0


def is_damage(error: BaseException | None) -> bool:
    """Tell whether SQLite says by this error that a database file is damaged, or is none."""
    return (getattr(error, "sqlite_errorname", "") or "").startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT"))


def way_back(folder: Path) -> str:
    """Say how a project whose database is damaged is brought back."""
    newest = find_snapshots(folder)[:1]
    if not newest:
        return "Restore the project folder from a backup."
    command = f"synthstudio restore {shlex.quote(str(folder))} {newest[0].name}"
    return f"Bring back its newest snapshot in a terminal: {command}"


@contextmanager
def reading(snapshot: Path) -> Iterator[sqlite3.Connection]:
    """A connection to a snapshot, which nobody writes: no files come to lie beside it."""
    connection = open_to_read(snapshot, immutable=True)
    try:
        yield connection
    finally:
        connection.close()


def open_to_read(database: Path, *, immutable: bool = False) -> sqlite3.Connection:
    """Open a database for reading, in any thread. Raises `sqlite3.Error`."""
    how = "mode=ro&immutable=1" if immutable else "mode=ro"
    return sqlite3.connect(
        f"file:{quote(str(database))}?{how}", uri=True, timeout=10.0, isolation_level=None, check_same_thread=False
    )


@contextmanager
def _tidied(temporary: Path) -> Iterator[None]:
    """Remove what a killed process has left, and afterwards what a failure leaves."""
    _remove_all(temporary)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            _remove_all(temporary)


def _remove_all(temporary: Path) -> None:
    for left in temporary.parent.glob(f"{temporary.name}*"):
        left.unlink(missing_ok=True)


def _sync_file(path: Path) -> None:
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())
