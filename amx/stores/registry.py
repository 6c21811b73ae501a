"""Which store serves which backend: one line each."""

from collections.abc import Mapping

from amx.core.ports import SharedStore
from amx.core.profiles import Profile


def open_shared_store(
    profile: Profile, schema: str, database: str | None, environ: Mapping[str, str]
) -> SharedStore:
    """Return the shared store on a profile's server; it connects when first asked."""
    if profile.backend == "sqlite":
        from amx.stores.sqlite import SQLiteSharedStore

        return SQLiteSharedStore(profile)
    from amx.stores.postgres import PostgresSharedStore

    return PostgresSharedStore(profile, schema, database, environ)
