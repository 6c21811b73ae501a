"""Profiles: named database connections."""

from enum import Enum
from typing import Annotated

import typer

from amx.core import profile_edits
from amx.core.profiles import Profile
from amx.core.secrets import redact
from amx.output import Grid
from amx.runtime import Runtime, runtime_of

app = typer.Typer(help="Named database connections.", rich_markup_mode=None, add_completion=False)


class Backend(Enum):
    """What a profile may point at."""

    POSTGRESQL = "postgresql"
    SQLITE = "sqlite"


def _names(ctx: typer.Context) -> list[str]:
    return list(runtime_of(ctx).known_profiles()) if ctx.obj else []


Name = Annotated[
    str, typer.Argument(metavar="NAME", help="Name of the profile.", autocompletion=_names)
]


@app.command()
def add(  # noqa: PLR0913 - one option a key
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the new profile.")],
    *,
    backend: Annotated[Backend, typer.Option(help="What it points at.")],
    path: Annotated[str | None, typer.Option(help="SQLite: the file.")] = None,
    host: Annotated[str | None, typer.Option(help="Host, or hosts with commas.")] = None,
    port: Annotated[str | None, typer.Option(help="Port, or ports with commas.")] = None,
    database: Annotated[str | None, typer.Option(help="Database.")] = None,
    user: Annotated[str | None, typer.Option(help="Role to log in as.")] = None,
    schema: Annotated[str | None, typer.Option(help="Schema (public).")] = None,
    sslmode: Annotated[str | None, typer.Option(help="libpq's sslmode.")] = None,
    sslrootcert: Annotated[str | None, typer.Option(help="libpq's sslrootcert.")] = None,
    service: Annotated[str | None, typer.Option(help="libpq service.")] = None,
    passfile: Annotated[str | None, typer.Option(help="libpq password file.")] = None,
    target_session_attrs: Annotated[str | None, typer.Option(help="As libpq's.")] = None,
    password_env: Annotated[
        str | None, typer.Option(help="Environment variable that holds the password.")
    ] = None,
    password_command: Annotated[
        str | None, typer.Option(help="Command that prints the password.")
    ] = None,
) -> None:
    """Add a profile. Nothing is connected to.

    Example: amx db add sales --backend postgresql --host db1 --database sales --password-env PW
    """
    runtime = runtime_of(ctx)
    settings = {
        "path": path,
        "host": host,
        "port": port,
        "database": database,
        "user": user,
        "schema": schema,
        "sslmode": sslmode,
        "sslrootcert": sslrootcert,
        "service": service,
        "passfile": passfile,
        "target_session_attrs": target_session_attrs,
        "password": f"${{{password_env}}}" if password_env else None,
        "password_command": password_command,
    }
    runtime.settle()
    patch = profile_edits.added(runtime.config, name, backend.value, settings)
    runtime.config_file.patch(patch)
    is_active = ("active_db_profile",) in patch
    state = "the active profile" if is_active else f"use it with: amx db use {name}"
    runtime.output.result({"name": name, "active": is_active}, f"Added {name} ({state}).")


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """List the profiles; the active one is marked.

    Example: amx db list --json
    """
    runtime = runtime_of(ctx)
    active = runtime.environ.get("AMX_PROFILE") or runtime.config.active_profile
    identities = runtime.known_profiles()
    profiles = [_summary(runtime, name, identity) for name, identity in identities.items()]
    rows = [
        ("*" if one["name"] == active else "", *(one[key] for key in ("name", "backend", "target")))
        for one in profiles
    ]
    document = {"active": active, "profiles": profiles}
    runtime.output.result(document, Grid(("", "NAME", "BACKEND", "TARGET"), rows))


def _summary(runtime: Runtime, name: str, identity: str | None) -> dict[str, object]:
    target = runtime.profile_named(name).target if identity else None
    backend = runtime.config.profiles[name].get("backend", "postgresql")
    return {"name": name, "backend": backend, "target": target, "identity": identity}


@app.command()
def show(ctx: typer.Context, name: Name) -> None:
    """Show a profile; secrets are hidden.

    Example: amx db show sales
    """
    runtime = runtime_of(ctx)
    profile = runtime.profile_named(name)
    settings = redact(dict(runtime.config.profiles[name]))
    facts = {"name": name, "target": profile.target, "identity": profile.identity}
    rows = [*facts.items(), *settings.items()] if isinstance(settings, dict) else []
    runtime.output.result({**facts, "settings": settings}, Grid(("KEY", "VALUE"), rows))


@app.command()
def use(ctx: typer.Context, name: Name) -> None:
    """Make a profile the active one.

    Example: amx db use sales
    """
    runtime = runtime_of(ctx)
    runtime.settle()
    runtime.config_file.patch(profile_edits.used(runtime.config, name))
    runtime.output.result({"active": name}, f"The active profile is {name}.")


@app.command()
def rename(
    ctx: typer.Context,
    name: Name,
    new: Annotated[str, typer.Argument(metavar="NEW", help="Its new name.")],
) -> None:
    """Give a profile another name. Its sessions follow, and what the configuration says of it.

    Example: amx db rename sales sales-eu
    """
    runtime = runtime_of(ctx)
    runtime.settle()
    patch = profile_edits.renamed(runtime.config, name, new)
    runtime.renamer.rename(name, new, lambda: runtime.config_file.patch(patch))
    runtime.note_event("profile-rename", new, {"from": name})
    runtime.output.result({"renamed": name, "name": new}, f"{name} is {new} now.")


@app.command()
def remove(ctx: typer.Context, name: Name) -> None:
    """Remove a profile. Its sessions and runs stay in the history.

    Example: amx db remove old-sales
    """
    runtime = runtime_of(ctx)
    runtime.settle()
    is_awaited = runtime.sharing_reader.is_awaited(name)
    runtime.config_file.patch(profile_edits.removed(runtime.config, name, is_awaited=is_awaited))
    runtime.output.result({"removed": name}, f"Removed {name}. Its history stays.")


@app.command()
def accept(ctx: typer.Context, name: Name) -> None:
    """Say that the server which answers now is the same database, moved.

    Example: amx db accept sales
    """
    runtime = runtime_of(ctx)
    profile = runtime.profile_named(name)
    server = runtime.servers.accept(profile, runtime.unrecognised_catalog_of(profile))
    text = f"{name}: remembered the server {server or 'as one that does not say what it is'}."
    runtime.output.result({"name": name, "server_identity": server}, text)


@app.command()
def test(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(autocompletion=_names)] = None,
) -> None:
    """Connect to a profile's database and read its catalog.

    Example: amx db test sales
    """
    runtime = runtime_of(ctx)
    profile = _chosen(runtime, name)
    tables = runtime.catalog_of(profile).tables()
    document = {"name": profile.name, "target": profile.target, "tables": len(tables)}
    text = f"{profile.name}: reached {profile.target}, {len(tables)} tables and views."
    runtime.output.result(document, text)


@app.command()
def tables(ctx: typer.Context) -> None:
    """List the tables and views of the active profile.

    Example: amx db tables --profile sales
    """
    runtime = runtime_of(ctx)
    found = runtime.catalog.tables()
    rows = [(one.schema, one.name, one.kind, len(one.columns)) for one in found]
    keys = ("schema", "name", "kind", "columns")
    document = {"tables": [dict(zip(keys, row, strict=True)) for row in rows]}
    runtime.output.result(document, Grid(("SCHEMA", "NAME", "KIND", "COLUMNS"), rows))


def _chosen(runtime: Runtime, name: str | None) -> Profile:
    return runtime.profile if name is None else runtime.profile_named(name)
