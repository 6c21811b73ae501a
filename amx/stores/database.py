"""The file of the local store: opened when first used, one connection per thread.

SQLite's errors become ours here and nowhere else.
"""

import os
import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from amx.core.config.disk import make_private
from amx.core.errors import Busy, LocalStoreFailed
from amx.core.locks import CHECK_PLACE, FileLock
from amx.stores.schema import APPLICATION_ID, VERSION

BUSY_TIMEOUT_S = 5.0
"""How long a writer waits for another process before it gives up (75)."""

_REASONS = {
    sqlite3.SQLITE_NOTADB: "it is not an SQLite database",
    sqlite3.SQLITE_CORRUPT: "it is damaged",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
    sqlite3.SQLITE_PERM: "access to it is denied",
    sqlite3.SQLITE_READONLY: "it cannot be written: the file or its folder is read-only",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk gave an error",
    sqlite3.SQLITE_CONSTRAINT: "its schema refused the row",
}
"""By primary result code. Source: sqlite.org, Result and Error Codes."""

_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)

_PRIMARY = 0xFF


class LocalDatabase:
    """One SQLite file, its schema checked before anything is read or written.

    Args:
        path: The file. Unless read-only it is made (0600, in a folder of 0700) and migrated.
        is_read_only: Never make, migrate or change the file; a missing one is empty.
    """

    def __init__(self, path: Path, *, is_read_only: bool) -> None:
        self.path = path
        self.is_read_only = is_read_only
        self._found = VERSION
        self._local = threading.local()

    @property
    def version(self) -> int:
        """The version of its schema: an older one only where it is opened for reading."""
        with self.translated():
            self.connection()
        return self._found

    def query(self, sql: str, parameters: tuple[object, ...] = ()) -> list[sqlite3.Row]:
        """Return all rows of a reading statement; none where there is no file yet."""
        with self.translated():
            connection = self.connection()
            return [] if connection is None else connection.execute(sql, parameters).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Open a write transaction: durable when the block ends, undone when it raises.

        Raises:
            Busy: another process kept the file locked for `BUSY_TIMEOUT_S`.
            LocalStoreFailed: the file cannot be used, or its schema refused a row.
        """
        with self.translated():
            connection = self.connection()
            if connection is None:
                self.fail("it is opened for reading only")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def connection(self) -> sqlite3.Connection | None:
        """Return this thread's connection; None where a read-only file does not exist yet."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._open_to_read() if self.is_read_only else self._open_to_write()
            self._local.connection = connection
        return connection

    def rewrite(self) -> None:
        """Write the file anew, so that nothing of what was overwritten is left in it.

        An overwritten row may leave copies in unused parts of pages, also with ``secure_delete``:
        where its page was split or merged before.

        Raises:
            Busy: another process reads or writes and went on for `BUSY_TIMEOUT_S`.
            LocalStoreFailed: there is no room for a second copy of it.
        """
        with self.translated():
            connection = self.connection()
            if connection is None:
                self.fail("it is opened for reading only")
            self._keep_copy_here(connection)
            connection.execute("VACUUM")
            if connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                raise self._busy()

    def close(self) -> None:
        """Close this thread's connection; the next use opens another."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        self._local.connection = None
        if connection is not None:
            connection.close()

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise what SQLite raises as ours."""
        try:
            yield
        except sqlite3.Error as error:
            self._raise_ours(error)

    def fail(
        self, reason: str, cause: Exception | None = None, *, hint: str = CHECK_PLACE
    ) -> NoReturn:
        """Raise that this file cannot be used, and why.

        Raises:
            LocalStoreFailed: always.
        """
        msg = f"The local store {self.path} cannot be used: {reason}. Nothing was changed."
        raise LocalStoreFailed(msg, hint=hint, details={"path": str(self.path)}) from cause

    def _raise_ours(self, error: sqlite3.Error) -> NoReturn:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & _PRIMARY
        if code in _LOCKED:
            raise self._busy() from error
        reason = _REASONS.get(code)
        self.fail(f"{reason} ({error})" if reason else str(error), error)

    def _keep_copy_here(self, connection: sqlite3.Connection) -> None:
        """Let the copy that VACUUM makes be beside the file: text has no business in ``/tmp``."""
        folder = str(self.path.absolute().parent)
        quoted = folder.replace("'", "''")
        connection.execute(f"PRAGMA temp_store_directory = '{quoted}'")
        told = connection.execute("PRAGMA temp_store_directory").fetchone()
        # A build without that pragma, which is deprecated, makes the copy in memory.
        is_here = told is not None and told[0] == folder
        connection.execute(f"PRAGMA temp_store = {'FILE' if is_here else 'MEMORY'}")

    def _busy(self) -> Busy:
        msg = f"The local store {self.path} is locked by another process. Nothing was changed."
        return Busy(msg, hint="Try again in a moment.", details={"path": str(self.path)})

    def _open_to_read(self) -> sqlite3.Connection | None:
        if not self._exists():
            return None
        try:
            return self._checked(self._connect("mode=ro"))
        except sqlite3.OperationalError:
            # A folder that cannot be written has no place for the WAL's index. Where no WAL is
            # left either, the file is complete by itself and is read as it is.
            if _has_content(self.path.with_name(self.path.name + "-wal")):
                raise
            return self._checked(self._connect("mode=ro&immutable=1"))

    def _checked(self, connection: sqlite3.Connection) -> sqlite3.Connection | None:
        if version := self._version(connection):
            self._found = version
            return connection
        connection.close()
        return None

    def _open_to_write(self) -> sqlite3.Connection:
        if not self._exists():
            self._make()
        connection = self._connect("mode=rw")
        if self._version(connection) < VERSION:
            self._migrate(connection)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    def _connect(self, mode: str) -> sqlite3.Connection:
        uri = f"{self.path.absolute().as_uri()}?{mode}"
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        connection.row_factory = sqlite3.Row
        return connection

    def _make(self) -> None:
        try:
            make_private(self.path.parent)
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
        except FileExistsError:
            if not self.path.is_file():
                self.fail("something else is in its place")
        except OSError as error:
            self.fail(f"it cannot be made ({error.strerror})", error)

    def _migrate(self, connection: sqlite3.Connection) -> None:
        from amx.stores.migrations import migrate

        lock = self.path.with_name(self.path.name + ".lock")
        try:
            with FileLock(lock, wait_s=BUSY_TIMEOUT_S, purpose="migrates the local store"):
                if self._version(connection) < VERSION:
                    connection.execute("PRAGMA journal_mode = WAL")
                    migrate(connection)
        except OSError as error:
            self.fail(f"its lock file cannot be made ({error.strerror})", error)

    def _exists(self) -> bool:
        try:
            mode = self.path.stat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            self.fail(f"it cannot be looked at ({error.strerror})", error)
        if not stat.S_ISREG(mode):  # a pipe would be waited for without end
            self.fail("it is not a regular file")
        return True

    def _version(self, connection: sqlite3.Connection) -> int:
        """Return the version of the schema; 0 where there is none yet.

        Raises:
            LocalStoreFailed: the file is another program's, or of a newer amx.
        """
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        owner = connection.execute("PRAGMA application_id").fetchone()[0]
        if owner != APPLICATION_ID and (owner or version or _has_tables(connection)):
            self.fail("it is the database of another program", hint="echo $AMX_LOCAL_DB")
        if version > VERSION:
            reason = f"its schema has version {version} and this amx knows up to {VERSION}"
            self.fail(reason, hint="Upgrade amx on this machine.")
        return version


def _has_tables(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None


def _has_content(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except OSError:
        return False
