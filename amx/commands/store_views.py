"""What `amx history-store` shows and changes nothing by: the schema, the team."""

from enum import Enum
from typing import Annotated

import typer

from amx.core import telling
from amx.core.errors import UsageError
from amx.output import Grid
from amx.runtime import runtime_of

app = typer.Typer(rich_markup_mode=None, add_completion=False)

SCHEMA = "AMX"


class Backend(Enum):
    """What a shared store may be."""

    POSTGRESQL = "postgresql"
    SQLITE = "sqlite"


@app.command()
def dump_ddl(  # noqa: PLR0913 - one an option
    ctx: typer.Context,
    *,
    profile: Annotated[str | None, typer.Option(help="Profile of the store's server.")] = None,
    backend: Annotated[Backend | None, typer.Option(help="Instead of a profile.")] = None,
    schema: Annotated[str, typer.Option(help="Schema of the shared tables.")] = SCHEMA,
    database: Annotated[str | None, typer.Option(help="To check: not the profile's own.")] = None,
    grant_to: Annotated[str | None, typer.Option(help="Role that shall write rows.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Compare the live schema.")] = False,
) -> None:
    """Print the SQL that bootstraps the shared schema, or compare the live one with it (--check).

    Example: amx history-store dump-ddl --backend postgresql --grant-to amx_writers
    """
    from amx.stores.ddl import bootstrap_ddl

    runtime = runtime_of(ctx)
    if (backend is None) == (profile is None):
        message = "Say --profile P or --backend B, one of them. Nothing was changed."
        raise UsageError(message, hint=f"{_PROGRAM} dump-ddl --backend postgresql")
    if check:
        from amx.core.checking import check_schema

        around = runtime.sharing_reader.around
        found = check_schema(around, profile, schema, database=database, role=grant_to)
        rows = [one.cells for one in found.differences]
        grid = Grid(("TABLE", "WHAT", "STATE", "EXPECTED", "FOUND"), rows)
        runtime.output.result(found.document, grid if rows else found.words)
        found.check()
        return
    kind = backend.value if backend else runtime.profile_named(profile or "").backend
    text = bootstrap_ddl(kind, schema, grant_to=grant_to)
    if runtime.output.is_json:
        runtime.output.result({"ddl": text}, text)
    else:
        runtime.output.verbatim(text)


@app.command()
def team(
    ctx: typer.Context,
    *,
    by: Annotated[str | None, typer.Option(help="Login name.")] = None,
    host: Annotated[str | None, typer.Option(help="Machine.")] = None,
    since: Annotated[str | None, typer.Option(help="A date, or a time ago: 7d.")] = None,
) -> None:
    """Show who ran what, by person, machine and version, as the shared store tells it now.

    Example: amx history-store team --since 7d
    """
    from amx.core.teammates import Wanted, members

    runtime = runtime_of(ctx)
    found = members(runtime.sharing_reader, Wanted(0, by=by, host=host, since=since))
    facts = [telling.member_facts(member) for member in found]
    rows = [telling.member_cells(member) for member in found]
    headers = ("WHO", "HOST", "VERSIONS", "RUNS", "SESSIONS", "EVENTS", "LAST SEEN")
    runtime.output.result({"members": facts}, Grid(headers, rows))


_PROGRAM = "amx history-store"
