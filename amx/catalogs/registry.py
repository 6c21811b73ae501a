"""Which catalog reads which backend: one line each."""

from collections.abc import Mapping

from amx.core.catalog_ports import Catalog
from amx.core.profiles import Profile


def open_catalog(profile: Profile, environ: Mapping[str, str]) -> Catalog:
    """Return a reader of the profile's own database; it connects when first asked."""
    if profile.backend == "sqlite":
        from amx.catalogs.sqlite import SQLiteCatalog

        return SQLiteCatalog(profile)
    from amx.catalogs.postgres import PostgresCatalog

    return PostgresCatalog(profile, environ)
