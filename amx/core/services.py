"""libpq's service files, read by amx itself: what a service names is part of what is pointed at.

libpq would read the file once more when it connects, and take from the environment what it does
not say; then nobody could tell which database a session is bound to.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from amx.core.errors import ConfigInvalid
from amx.core.secrets import redact_url

SYSTEM_FOLDER = "/etc/postgresql-common"
"""Where the machine's own file is (Debian's choice) unless ``PGSYSCONFDIR`` says otherwise."""

FILE_NAME = "pg_service.conf"


def settings_of(service: str, environ: Mapping[str, str], *, where: str) -> dict[str, str]:
    """Return the libpq parameters that a service stands for.

    The first file that knows the service counts, and the first line of a parameter in it.
    Source: PostgreSQL manual, 32.17, and parseServiceFile in fe-connect.c.

    Args:
        service: Its name.
        environ: Where ``PGSERVICEFILE`` and ``PGSYSCONFDIR`` are looked up.
        where: The key that names it, for the message.

    Raises:
        ConfigInvalid: no file knows it, or what is there cannot be understood.
    """
    tried = list(_files(environ))
    for path in tried:
        lines = _section(_lines(path, where), service)
        if lines is not None:
            return _parameters(lines, f"{where}: the service {redact_url(service)!r} in {path}")
    names = ", ".join(str(path) for path in tried)
    shown = redact_url(service)
    raise ConfigInvalid(f"{where}: no service {shown!r} stands in {names}. Nothing was changed.")


def _files(environ: Mapping[str, str]) -> Iterator[Path]:
    named = environ.get("PGSERVICEFILE")
    yield Path(named) if named else Path(environ.get("HOME") or "~").expanduser() / f".{FILE_NAME}"
    yield Path(environ.get("PGSYSCONFDIR") or SYSTEM_FOLDER) / FILE_NAME


def _lines(path: Path, where: str) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        message = f"{where}: {path} cannot be read ({error.strerror}). Nothing was changed."
        raise ConfigInvalid(message) from error
    return [line.strip() for line in text.splitlines()]


def _section(lines: list[str], service: str) -> list[str] | None:
    """Return the lines below the first heading of a service; None where there is none."""
    heading = f"[{service}]"
    if heading not in lines:
        return None
    below = lines[lines.index(heading) + 1 :]
    end = next((place for place, line in enumerate(below) if line.startswith("[")), len(below))
    return [line for line in below[:end] if line and not line.startswith("#")]


def _parameters(lines: list[str], where: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        name, equals, value = line.partition("=")
        if not equals or name in ("service", "servicefile"):
            message = f"{where} has a line that amx cannot use. Nothing was changed."
            raise ConfigInvalid(
                message, hint="https://www.postgresql.org/docs/current/libpq-pgservice.html"
            )
        if value:
            found.setdefault(name, value)
    return found
