"""PostgreSQL by psycopg2: connect, ask, and say what an SQLSTATE means. Its only importer.

Nothing relies on a session's state (``SET``, prepared statements): pgbouncer may pool transactions.
"""

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Any

from amx.core.errors import RowsRejected, SharedStoreError, Systemic, Transient, UsageError
from amx.core.profiles import Profile
from amx.core.secrets import redact_url
from amx.drivers.copy_text import Copying, Field, lines_of

if TYPE_CHECKING:
    import psycopg2
    import psycopg2.extensions

    Connection = psycopg2.extensions.connection

STATEMENT_TIMEOUT_S = 60.0
"""How long the server works on one statement unless the caller says otherwise."""

CLIENT = "client"
"""Stands for an SQLSTATE where the value did not even reach the server."""

_PIECE_BYTES = 1 << 16

RETRIED_AT_ONCE = ("40001", "40P01")
"""Serialisation failure and deadlock: the same statement may pass a moment later."""


class Fault(Enum):
    """What an error says about trying again."""

    TRANSIENT = "transient"
    ROWS = "rows"
    SYSTEMIC = "systemic"


_FAULTS: Mapping[str, Fault] = {
    "08": Fault.TRANSIENT,  # connection exception
    "57P": Fault.TRANSIENT,  # shutdown, crash, still starting
    "57014": Fault.TRANSIENT,  # statement cancelled or timed out
    "40": Fault.TRANSIENT,  # transaction rollback: deadlock, serialisation
    "53": Fault.TRANSIENT,  # disk, memory, connections exhausted
    "55P03": Fault.TRANSIENT,  # lock not available
    "25006": Fault.TRANSIENT,  # read-only: a standby, or a failover under way
    "22": Fault.ROWS,  # data exception
    "23": Fault.ROWS,  # integrity constraint
    "54": Fault.ROWS,  # a limit of the server exceeded
    "P0": Fault.ROWS,  # raised by a trigger
    CLIENT: Fault.ROWS,
}


def fault_of(sqlstate: str | None) -> Fault:
    """Return what an SQLSTATE says about trying again; none at all means a lost connection.

    Source: PostgreSQL manual, appendix A. Whatever is not listed there as passing, or as the
    fault of a row, is systemic: rights, missing tables, other schemas, bugs.
    """
    if not sqlstate:
        return Fault.TRANSIENT
    codes = (sqlstate, sqlstate[:3], sqlstate[:2])
    return next((_FAULTS[code] for code in codes if code in _FAULTS), Fault.SYSTEMIC)


def error_of(sqlstate: str | None, text: str) -> SharedStoreError:
    """Return the error for an SQLSTATE; its message is one line without secrets."""
    reason = redact_url(" ".join(text.split())) or "no reason given"
    fault = fault_of(sqlstate)
    if fault is Fault.ROWS:
        return RowsRejected(reason, sqlstate=sqlstate or CLIENT)
    kind = Transient if fault is Fault.TRANSIENT else Systemic
    return kind(reason, details={"sqlstate": sqlstate})


def connect(
    profile: Profile,
    environ: Mapping[str, str],
    *,
    timeout_s: float,
    is_read_only: bool = False,
    application_name: str = "amx",
) -> "Connection":
    """Connect to a profile's database.

    Each statement is its own transaction (see `query`). Name look-up is not bounded by
    ``timeout_s``, and each of several hosts has it anew: libpq knows no better.

    Args:
        profile: Where, and as whom.
        environ: Where ``${VAR}`` in the password is looked up.
        timeout_s: Seconds for connecting, and for a peer that acknowledges nothing.
        is_read_only: Whether the server shall refuse every write.
        application_name: What the server's monitoring calls this client.

    Raises:
        Transient: it cannot be reached, or refused the login.
        SecretUnavailable: the password cannot be had.
    """
    import psycopg2

    password = profile.password.reveal(environ)
    parameters: dict[str, Any] = {
        "application_name": application_name,
        **profile.options,
        **_place(profile),
        **_time_outs(timeout_s),
        "password": password,
        "client_encoding": "UTF8",
    }
    with _translated():
        given = {name: value for name, value in parameters.items() if value is not None}
        connection: Connection = psycopg2.connect(**given)
        if is_read_only:
            # Without autocommit psycopg2 begins each transaction READ ONLY; with it, it would
            # SET the session's default, which a pooler hands on to the next client.
            connection.readonly = True
        else:
            connection.autocommit = True
    return connection


def query(
    connection: "Connection",
    sql: str,
    params: Sequence[object] = (),
    *,
    timeout_s: float = STATEMENT_TIMEOUT_S,
) -> list[tuple[object, ...]]:
    """Run one text of SQL as one transaction and return the rows of its last statement.

    Without ``params`` the text is sent as it is; with them a literal ``%`` is written ``%%``.

    Raises:
        Transient: the connection was lost or the time is over.
        RowsRejected: a value will never be accepted.
        Systemic: the server refused for any other reason.
    """
    with _transaction(connection) as cursor:
        cursor.execute(_bounded(sql, timeout_s), tuple(params) or None)
        return cursor.fetchall() if cursor.description else []


def insert_rows(
    connection: "Connection",
    sql: str,
    rows: Sequence[Sequence[object]],
    *,
    timeout_s: float = STATEMENT_TIMEOUT_S,
) -> list[tuple[object, ...]]:
    """Run an ``INSERT … VALUES %s … RETURNING …`` with all rows in one statement: all or none.

    Returns and raises as `query` does.
    """
    from psycopg2.extras import execute_values

    with _transaction(connection) as cursor:
        taken: list[tuple[object, ...]] = execute_values(
            cursor, _bounded(sql, timeout_s), rows, page_size=len(rows), fetch=True
        )
        return taken


def copy_rows(
    connection: "Connection",
    how: Copying,
    rows: Sequence[Sequence[Field]],
    *,
    timeout_s: float = STATEMENT_TIMEOUT_S,
) -> list[tuple[object, ...]]:
    """Copy rows in one transaction; return the rows of ``how.instead``, where that was needed.

    Raises as `query` does; nothing is left of a transaction that failed.
    """
    from psycopg2.extensions import TRANSACTION_STATUS_INERROR, TRANSACTION_STATUS_INTRANS

    is_open = (TRANSACTION_STATUS_INTRANS, TRANSACTION_STATUS_INERROR)
    with _transaction(connection) as cursor:
        lines = lines_of(rows)
        try:
            cursor.copy_expert(
                f"BEGIN;\n{_bounded(how.copy, timeout_s)}", io.BytesIO(lines), size=_PIECE_BYTES
            )
            cursor.execute(f"SAVEPOINT copied;\n{how.write}")
            found: list[tuple[object, ...]] = []
            if cursor.rowcount != len(rows):
                cursor.execute(f"ROLLBACK TO SAVEPOINT copied;\n{how.instead}")
                found = cursor.fetchall()
            cursor.execute("COMMIT")
        finally:
            if connection.get_transaction_status() in is_open:
                cursor.execute("ROLLBACK")
        return found


def quoted(name: str) -> str:
    """Return a name as a quoted identifier (PostgreSQL manual, 4.1.1)."""
    return '"' + name.replace('"', '""') + '"'


def parse_dsn(text: str) -> Mapping[str, str]:
    """Return the parameters of a connection URL or a libpq string.

    Raises:
        UsageError: it is neither; the text, which may hold a password, is not repeated.
    """
    import psycopg2
    from psycopg2.extensions import parse_dsn as parse

    try:
        return {name: str(value) for name, value in parse(text).items()}
    except psycopg2.ProgrammingError as error:
        message = "This is neither a PostgreSQL URL nor a libpq string. Nothing was changed."
        raise UsageError(message) from error


def drop_schema(dsn: str, schema: str) -> None:
    """Drop a schema and all that is in it.

    Raises:
        Transient: the server cannot be reached.
        Systemic: it refused.
    """
    import psycopg2

    with _translated():
        connection: Connection = psycopg2.connect(dsn, connect_timeout=10)
        connection.autocommit = True
    try:
        query(connection, f"DROP SCHEMA IF EXISTS {quoted(schema)} CASCADE")
    finally:
        connection.close()


def _place(profile: Profile) -> dict[str, str | None]:
    # What is left out libpq takes from PGHOSTADDR, PGSERVICE …: it would lead elsewhere.
    return {
        "host": profile.host,
        "hostaddr": profile.options.get("hostaddr", ""),
        "port": profile.port,
        "dbname": profile.database,
        "user": profile.user or None,
    }


def _time_outs(timeout_s: float) -> dict[str, int]:
    seconds = max(1, math.ceil(min(timeout_s, STATEMENT_TIMEOUT_S)))
    return {
        "connect_timeout": seconds,
        "keepalives": 1,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": seconds * 1000,
    }


def _bounded(sql: str, timeout_s: float) -> str:
    """Put a time limit before a statement: the text is one implicit transaction to the server."""
    milliseconds = max(1, int(min(timeout_s, 3600.0) * 1000))
    return f"SET LOCAL statement_timeout = {milliseconds};\n{sql}"


@contextmanager
def _transaction(connection: "Connection") -> "Iterator[psycopg2.extensions.cursor]":
    with _translated():
        if connection.autocommit:
            with connection.cursor() as cursor:
                yield cursor
            return
        with connection, connection.cursor() as cursor:
            yield cursor


@contextmanager
def _translated() -> Iterator[None]:
    import psycopg2

    try:
        yield
    except (psycopg2.DataError, psycopg2.ProgrammingError) as error:
        raise error_of(error.pgcode or CLIENT, _reason(error)) from error
    except psycopg2.Error as error:
        raise error_of(error.pgcode, _reason(error)) from error
    except (ValueError, OverflowError) as error:  # UnicodeEncodeError, and NUL in a string
        raise error_of(CLIENT, f"a value cannot be encoded: {type(error).__name__}") from error


def _reason(error: "psycopg2.Error") -> str:
    """Return the server's primary message, or libpq's own; a detail would quote the row."""
    # What libpq indents is advice on the line before.
    lines = [line for line in str(error).splitlines() if not line.startswith("\t")]
    return error.diag.message_primary or "; ".join(lines)
