"""One SQLite connection with the pragmas, the migrations and the lock that the project relies on.

WAL with synchronous=FULL: a commit is on the disk before it is acknowledged, so that neither a killed process nor a
power cut loses an acknowledged click. One connection writes and folds the WAL into the database file (SQLite before
3.51.3 can corrupt a WAL with two writers). Two others can only read: one for the main thread, which then never waits
for what another thread is committing, and one for the threads in the background, for which no click waits.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from synthstudio.domain.errors import ProjectIsReadOnly, UserError
from synthstudio.project.migrations import MIGRATIONS, migration_sql
from synthstudio.project.snapshots import is_damage, way_back

_log = logging.getLogger(__name__)

FOLDS_AFTER = 100
"""Commits after which the WAL is worth being folded in."""
QUIET_S = 1.5
"""Whoever clicks does so more often."""
MOST_WAL_PAGES = 20_000
"""80 MB: folded in at a commit, however long that takes, where there was never a quiet moment."""

T = TypeVar("T")

SqlValue = str | int | float | None
SqlParameters = Sequence[SqlValue] | Mapping[str, SqlValue]


class _Reader:
    """A connection that can only read, made when it is first needed, with its lock."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.connection: sqlite3.Connection | None = None


class Database:
    """Connections that many threads may share: every statement runs under the lock of its connection.

    What a thread reads is what was committed before; inside its own transaction, all that it wrote.

    Args:
        path: The database file.
        read_only: Open without the right to write; the file must exist.

    Raises:
        UserError: The file is no SynthStudio project, is damaged, or was made by a newer version.
    """

    def __init__(self, path: Path, *, read_only: bool) -> None:
        self.path = path
        self.read_only = read_only
        self._lock = threading.RLock()
        self._depth = 0
        self._writing_thread = self._holding_thread = 0
        self._main_reader, self._background_reader = _Reader(), _Reader()
        self._n_unfolded, self._committed_s = 0, 0.0
        self._identity = _identity(path)
        try:
            self._connection = self._connect()
        except sqlite3.Error as error:
            raise self._translated(error) from error
        try:
            self._prepare()
        except BaseException as error:
            self._connection.close()
            if isinstance(error, sqlite3.Error):
                raise self._translated(error) from error
            raise

    def _connect(self) -> sqlite3.Connection:
        if not self.read_only:
            connection = self._opened("mode=rwc")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            return connection
        connection = self._opened("mode=ro")
        try:
            connection.execute("PRAGMA user_version").fetchone()
        except sqlite3.OperationalError:
            connection.close()
            if not self._is_settled():
                raise
            return self._opened("mode=ro&immutable=1")
        return connection

    def _is_settled(self) -> bool:
        """Whether the database lies where nobody can write, with all commits in it.

        A reader of a database with a WAL wants to make two files beside it, which a read-only disk refuses; here it can
        do without.
        """
        wal = self.path.with_name(f"{self.path.name}-wal")
        return not os.access(self.path.parent, os.W_OK) and not (wal.is_file() and wal.stat().st_size)

    def _opened(self, how: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{quote(str(self.path))}?{how}",
            uri=True,
            timeout=10.0,
            isolation_level=None,  # transactions are begun and ended here, in `transaction`, and nowhere else
            check_same_thread=False,
        )
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    def _prepare(self) -> None:
        version = int(self._connection.execute("PRAGMA user_version").fetchone()[0])
        if version > len(MIGRATIONS):
            raise UserError(
                f"The project {self.path.parent} was written by a newer SynthStudio (schema {version}).",
                "Update SynthStudio, then open it again.",
            )
        if version == len(MIGRATIONS):
            return
        if self.read_only:
            raise UserError(
                f"The project {self.path.parent} was written by an older SynthStudio and must be upgraded first.",
                "Open it once with write access.",
            )
        for number, name in enumerate(MIGRATIONS[version:], start=version + 1):
            with self.transaction():
                for statement in _statements(migration_sql(name)):
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA user_version = {number}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All statements inside happen together or not at all. May be nested: the outermost one commits.

        Raises:
            ProjectIsReadOnly: The project is open read-only.
            UserError: The disk is full, or the file cannot be written.
        """
        if self.read_only:
            raise ProjectIsReadOnly(
                f"The project {self.path.parent} is open read-only.",
                "Close what else has it open, or copy it to a folder where you may write, then open it again.",
            )
        with self._lock:
            if self._depth:
                self._depth += 1
                try:
                    yield
                finally:
                    self._depth -= 1
                return
            self._depth = 1
            self._writing_thread = threading.get_ident()
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield
                self._connection.execute("COMMIT")
                self._n_unfolded += 1
                self._committed_s = time.monotonic()
            except sqlite3.Error as error:
                self._roll_back()
                raise self._translated(error) from error
            except BaseException:
                self._roll_back()
                raise
            finally:
                self._depth = self._writing_thread = 0

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """The connection that a query of this thread goes to, under its lock."""
        if self.read_only or threading.get_ident() in (self._writing_thread, self._holding_thread):
            with self._lock:
                yield self._connection
            return
        reader = self._main_reader if _is_main_thread() else self._background_reader
        with reader.lock:
            try:
                reader.connection = reader.connection or self._opened("mode=ro")
            except sqlite3.Error as error:
                raise self._translated(error) from error
            yield reader.connection

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All queries of this thread inside see one moment of the project, whatever is committed meanwhile.

        Nobody waits for one in the background. In the main thread it holds up all who write, and sees what it writes.
        """
        if _is_main_thread() and not self.read_only:
            with self._lock:
                former, self._holding_thread = self._holding_thread, threading.get_ident()
                try:
                    yield
                finally:
                    self._holding_thread = former
            return
        with self._reading() as connection:
            begins = not connection.in_transaction  # one may be nested
            try:
                if begins:
                    connection.execute("BEGIN")
                yield
            except sqlite3.Error as error:
                raise self._translated(error) from error
            finally:
                if begins and connection.in_transaction:
                    connection.execute("ROLLBACK")

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def execute(self, sql: str, parameters: SqlParameters = ()) -> int:
        """Run one writing statement in its own or the surrounding transaction; return the last row id."""
        with self.transaction():
            return int(self._connection.execute(sql, parameters).lastrowid or 0)

    def execute_many(self, sql: str, rows: Sequence[SqlParameters]) -> None:
        """Run one writing statement for many rows."""
        with self.transaction():
            self._connection.executemany(sql, rows)

    def rows(self, sql: str, parameters: SqlParameters = ()) -> list[sqlite3.Row]:
        """Return all rows of a query."""
        with self._reading() as connection:
            try:
                return connection.execute(sql, parameters).fetchall()
            except sqlite3.Error as error:
                raise self._translated(error) from error

    def records(self, sql: str, parameters: SqlParameters, convert: Callable[[sqlite3.Row], T]) -> list[T]:
        """Return what `convert` makes of each row of a query, without holding a hundred thousand rows beside it."""
        with self._reading() as connection:
            try:
                # Closed also where `convert` raises: a query half read would show this connection the past for ever.
                with closing(connection.execute(sql, parameters)) as cursor:
                    return [convert(row) for row in cursor]
            except sqlite3.Error as error:
                raise self._translated(error) from error

    def tuples(self, sql: str, parameters: SqlParameters = ()) -> list[tuple[SqlValue, ...]]:
        """Return all rows of a query as bare tuples, which is the fastest way to many numbers."""
        with self._reading() as connection:
            cursor = connection.cursor()
            cursor.row_factory = None
            try:
                return cursor.execute(sql, parameters).fetchall()
            except sqlite3.Error as error:
                raise self._translated(error) from error

    def row(self, sql: str, parameters: SqlParameters = ()) -> sqlite3.Row | None:
        """Return the first row of a query, or None."""
        found = self.rows(sql, parameters)
        return found[0] if found else None

    def was_replaced(self) -> bool:
        """Whether another file took the place of this one: what is read here is then the state before, for ever.

        False where none is to be seen there. It looks at the disk.
        """
        now = _identity(self.path)
        return now is not None and now != self._identity

    # The WAL, into which commits go first

    def fold_when_quiet(self) -> None:
        """Leave the folding to `fold`: SQLite would do it at every 1000th page, in the midst of a click.

        That is 50 to 200 ms; without it the WAL is only written to.
        """
        self._connection.execute(f"PRAGMA wal_autocheckpoint = {MOST_WAL_PAGES}")

    @property
    def wants_folding(self) -> bool:
        """Whether much was committed since it was last folded, and nothing just now."""
        return self._n_unfolded >= FOLDS_AFTER and time.monotonic() - self._committed_s >= QUIET_S

    def fold(self) -> None:
        """Write what the WAL holds into the database file; a commit has to wait meanwhile, a query has not."""
        with self._lock:
            self._n_unfolded = 0
            try:
                self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            except sqlite3.Error as error:
                _log.warning("The WAL of %s was not folded in: %s", self.path, error)  # it goes on growing; see `close`

    def close(self) -> None:
        """Close the connections; a writer first folds the WAL into the database file."""
        with self._main_reader.lock, self._background_reader.lock, self._lock:
            for reader in (self._main_reader, self._background_reader):
                if reader.connection is not None:
                    reader.connection.close()
                reader.connection = self._connection  # a late reader finds what is closed, and opens nothing anew
            try:
                if not self.read_only:
                    self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.Error as error:
                # Nothing is lost: what was committed stays in the WAL and is folded in at the next opening.
                _log.warning("The WAL of %s was not folded in: %s", self.path, error)
            finally:
                self._connection.close()

    def _translated(self, error: sqlite3.Error) -> Exception:
        code = getattr(error, "sqlite_errorname", "") or ""
        folder = self.path.parent
        if code.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
            return UserError(
                f"The project {folder} could not be read or written: the disk is full or does not answer.",
                "Free some space, or check the drive; what was saved before is safe.",
            )
        if code.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
            return UserError(
                f"The project {folder} cannot be opened for writing.",
                "Check that you may write to this folder, or copy the project to one where you may.",
            )
        if is_damage(error):
            return UserError(f"The file {self.path} is damaged or is no SynthStudio project.", way_back(folder))
        if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return UserError(
                f"The project {folder} is being written by another program.", "Wait a moment and try again."
            )
        return error


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_dev, facts.st_ino


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _statements(script: str) -> Iterator[str]:
    """Split a migration into statements: `executescript` would commit the transaction around it."""
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def iter_database_faults(database: Database) -> Iterator[str]:
    """Yield, in words, what the integrity checks of SQLite find; nothing where all is well."""
    for row in database.rows("PRAGMA integrity_check"):
        if row[0] != "ok":
            yield f"{database.path.name}: {row[0]}"
    for row in database.rows("PRAGMA foreign_key_check"):
        yield f"{database.path.name}: row {row['rowid']} of {row['table']} points at a missing row of {row['parent']}"
