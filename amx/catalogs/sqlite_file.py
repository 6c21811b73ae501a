"""Opens a profile's SQLite file read-only, and says what SQLite's errors mean."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from amx.catalogs.values import hint_of, message_of
from amx.core.errors import DatabaseError, DatabaseRefused, DatabaseUnreachable
from amx.core.profiles import Profile

BUSY_TIMEOUT_S = 5.0

_REFUSED = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_AUTH, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CORRUPT}

_OF_ONE_TABLE = {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_TOOBIG}
"""Codes for a view whose tables are gone, a missing module, a value that is too long."""

_UNFURNISHED = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}
"""Codes for a WAL or its index that cannot be made."""


def open_read_only(profile: Profile) -> sqlite3.Connection:
    """Open a profile's file, which must be there, only to be read.

    Raises:
        DatabaseUnreachable: there is no such file, or it cannot be opened.
        DatabaseRefused: it is no SQLite database.
    """
    path = Path(profile.path)
    try:
        if not path.exists():
            raise _unreachable(profile, f"there is no file {path}")
        if not path.is_file():
            raise _refused(profile, f"{path} is not a file")
    except OSError as error:  # a name that is too long, a folder that is not ours to read
        raise _unreachable(profile, f"{path}: {error.strerror}") from error
    with translated(profile):
        return _opened(path)


def _opened(path: Path) -> sqlite3.Connection:
    address = f"file:{quote(str(path).encode('utf-8', 'surrogateescape'))}?mode=ro"
    connection = _connected(address)
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        # A file in WAL mode needs two more beside it, which we may not be allowed to make.
        # Where they are not there nobody writes just now: it can be read as it stands.
        is_alone = not path.with_name(f"{path.name}-wal").exists()
        connection.close()
        if _code(error) not in _UNFURNISHED or not is_alone:
            raise
        connection = _connected(f"{address}&immutable=1")
    return connection


def _connected(address: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        address, uri=True, isolation_level=None, timeout=BUSY_TIMEOUT_S, check_same_thread=False
    )
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    return connection


def quoted(name: str) -> str:
    """Return a name as a quoted identifier (SQLite's page on keywords)."""
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def only_this_table() -> Iterator[None]:
    """Let a table that cannot be read have no columns, or no facts, and the others theirs."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if _code(error) not in _OF_ONE_TABLE:
            raise


@contextmanager
def translated(profile: Profile) -> Iterator[None]:
    """Turn errors of SQLite into ours, naming the profile and its file."""
    try:
        yield
    except sqlite3.Error as error:
        make = _refused if _code(error) in _REFUSED else _unreachable
        raise make(profile, str(error)) from error


def _code(error: sqlite3.Error) -> int | None:
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _refused(profile: Profile, reason: str) -> DatabaseError:
    return DatabaseRefused(message_of(profile, "refused", reason), hint=hint_of(profile))


def _unreachable(profile: Profile, reason: str) -> DatabaseError:
    return DatabaseUnreachable(message_of(profile, "cannot be read", reason), hint=hint_of(profile))
