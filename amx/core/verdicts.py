"""What a store turns out to be, and a row that was sent, by what the store holds of it."""

from enum import Enum

from amx.core.errors import SchemaTooNew, SharedStoreMismatch, Systemic
from amx.core.models import Values
from amx.core.reports import StoreMeta
from amx.core.tables import SCHEMA_VERSION


class Verdict(Enum):
    """What a row that was sent turns out to be."""

    DELIVERED = "delivered"
    BEHIND = "behind"
    COPIED = "copied"
    FOREIGN = "foreign"


def verdict_of(row: Values, stored: Values | None) -> Verdict:
    """Judge a row by what the store holds instead of it; None where the store took it.

    The same revision with other content, or a higher one, means that the local store went back
    in time: nobody else writes rows of this origin. The same row under another origin was sent
    by a copy of this installation.
    """
    if stored is None or dict(stored) == dict(row):
        return Verdict.DELIVERED
    if stored["origin_id"] != row["origin_id"]:
        is_copied = all(stored[name] == row[name] for name in _WRITTEN_ONCE)
        return Verdict.COPIED if is_copied else Verdict.FOREIGN
    return Verdict.BEHIND


_WRITTEN_ONCE = ("local_id", "created_at", "created_by", "hostname", "client_version")


def check_store(meta: StoreMeta | None, remembered: str | None, target: str) -> StoreMeta:
    """Return the meta of a store that rows may be sent to.

    Raises:
        Systemic: it has no schema, or an older one than this client writes.
        SchemaTooNew: it has a schema that this client does not understand.
        SharedStoreMismatch: it is another store than the one that was enabled.
    """
    if meta is None:
        message = f"{target} has no shared schema. The rows stay queued."
        raise Systemic(message, hint="amx history-store enable")
    if meta.schema_version < SCHEMA_VERSION:
        message = f"The shared schema at {target} has version {meta.schema_version}, and this"
        message += f" client writes version {SCHEMA_VERSION}. The rows stay queued."
        raise Systemic(message, hint="amx history-store enable")
    if meta.oldest_writer > SCHEMA_VERSION:
        message = f"The shared schema at {target} has version {meta.schema_version}, which this"
        message += " client is too old for: upgrade amx. The rows stay queued."
        raise SchemaTooNew(message, hint=_UPGRADE)
    if remembered and meta.store_id != remembered:
        message = f"Another store answers at {target} than the one that was enabled"
        message += f" ({meta.store_id}, not {remembered}). Nothing was sent; the rows stay queued."
        raise SharedStoreMismatch(message, hint="amx history-store enable")
    return meta


_UPGRADE = "pip install --upgrade amx"
