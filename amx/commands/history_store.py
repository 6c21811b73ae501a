"""Guards 2 and 3: the team's shared store. Direct subcommands never ask; the bare group does.

`dump-ddl` and `team` stand in ``store_views.py``.
"""

from typing import Annotated, Any

import typer

from amx.core import telling
from amx.core.errors import UsageError
from amx.output import Grid
from amx.runtime import Runtime, runtime_of

app = typer.Typer(
    help="The shared store that the whole team reads.",
    invoke_without_command=True,
    rich_markup_mode=None,
    add_completion=False,
)

SCHEMA = "AMX"


Profile = Annotated[str, typer.Option("--profile", help="Profile of the store's own server.")]
Schema = Annotated[str, typer.Option(help="Schema of the shared tables.")]


@app.callback()
def choose(
    ctx: typer.Context,
    *,
    pick: Annotated[bool, typer.Option("--pick", help="Choose from a list.")] = False,
) -> None:
    """Choose what to do with the shared store from a list; Status comes first.

    Example: amx history-store
    """
    if ctx.invoked_subcommand is None or pick:
        _pick(ctx, runtime_of(ctx))
        raise typer.Exit


@app.command()
def status(
    ctx: typer.Context,
    *,
    max_age: Annotated[str | None, typer.Option(help="Exit 1 past this age: 1h.")] = None,
    max_pending: Annotated[int | None, typer.Option(min=0, help="Exit 1 past this many.")] = None,
) -> None:
    """Show mode, target and queue, without asking the shared store.

    Example: amx history-store status --max-age 1h --max-pending 1000
    """
    from amx.core.durations import seconds_of
    from amx.core.status import check_limits

    runtime = runtime_of(ctx)
    max_age_s = seconds_of(max_age) if max_age else None
    found = runtime.sharing_reader.status()
    runtime.output.result(found.document, Grid(("", ""), list(found.words.items())))
    check_limits(found, max_age_s=max_age_s, max_pending=max_pending)


@app.command()
def enable(
    ctx: typer.Context,
    *,
    profile: Profile,
    schema: Schema = SCHEMA,
    database: Annotated[str | None, typer.Option(help="Not the profile's own.")] = None,
    migrate: Annotated[bool, typer.Option(help="Send earlier local rows, too.")] = False,
) -> None:
    """Create or check the shared schema, then write every new row to it, too.

    Example: amx history-store enable --profile team
    """
    runtime = runtime_of(ctx)
    done = runtime.sharing.enable(profile, schema, database)
    if not (migrate and done.lacking):
        way_on = [f"Send them: {_PROGRAM} migrate-from-local"] if done.lacking else []
        runtime.output.result(done.document, [done.words, *way_on])
        return
    runtime.sharing.enter_missing()
    report = runtime.sharing.flush()
    runtime.output.result(done.document, [done.words, telling.flush_words(report)])
    telling.check_delivered(report)


@app.command()
def disable(ctx: typer.Context) -> None:
    """Stop writing new rows to the shared store, on this machine. What is queued stays.

    Example: amx history-store disable
    """
    runtime = runtime_of(ctx)
    was_on = runtime.sharing.disable()
    text = "Shared mode is off; what is queued stays." if was_on else "Shared mode was off already."
    runtime.output.result({"enabled": False, "changed": was_on}, text)


@app.command()
def flush_pending(
    ctx: typer.Context,
    *,
    limit: Annotated[int | None, typer.Option(min=1, help="Send at most this many.")] = None,
    timeout: Annotated[float | None, typer.Option(min=0, help="Seconds in all.")] = None,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for another flush.")] = 0,
) -> None:
    """Send what is queued. Ctrl-C and SIGTERM stop it between two batches.

    Example: amx history-store flush-pending --timeout 300
    """
    from amx.core.stopping import stop_wishes

    runtime = runtime_of(ctx)
    with stop_wishes() as wish:
        report = runtime.sharing.flush(
            limit=limit,
            timeout_s=timeout,
            wait_s=wait,
            is_stopping=wish.is_there,
            progress=lambda done, left: runtime.output.progress(done, done + left, "rows sent"),
        )
    runtime.output.result(telling.flush_document(report), telling.flush_words(report))
    wish.obey("Stopped between two batches; the rest stays queued.")
    telling.check_delivered(report)


@app.command()
def pending(
    ctx: typer.Context,
    *,
    quarantined: Annotated[bool, typer.Option(help="Only what is quarantined.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=2**31, help="At most this many.")] = 100,
) -> None:
    """List what is queued, oldest first.

    Example: amx history-store pending --quarantined
    """
    runtime = runtime_of(ctx)
    found = runtime.sharing_reader.entries(is_quarantined_only=quarantined, limit=limit)
    facts = [telling.entry_facts(entry) for entry in found]
    headers = [key.upper() for key in telling.ENTRY]
    runtime.output.result({"entries": facts}, Grid(headers, [list(one.values()) for one in facts]))


@app.command()
def retry(
    ctx: typer.Context,
    ids: Annotated[list[int] | None, typer.Argument(help="Ids of `pending`.")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All that are quarantined.")] = False,
) -> None:
    """Make quarantined entries pending again.

    Example: amx history-store retry --all
    """
    runtime = runtime_of(ctx)
    if bool(ids) == everything:
        message = "Name the ids of quarantined entries, or say --all. Nothing was changed."
        raise UsageError(message, hint=f"{_PROGRAM} pending --quarantined")
    reopened = runtime.sharing.retry(None if everything else ids)
    text = f"{reopened} entries are pending again. Send them: {_PROGRAM} flush-pending"
    runtime.output.result({"reopened": reopened}, text)


@app.command()
def drop_pending(
    ctx: typer.Context,
    *,
    quarantined_only: Annotated[bool, typer.Option(help="Only what is quarantined.")] = False,
) -> None:
    """Empty the queue. Local rows stay, and migrate-from-local can queue them again.

    Example: amx history-store drop-pending --quarantined-only
    """
    runtime = runtime_of(ctx)
    dropped = runtime.sharing.drop(is_quarantined_only=quarantined_only)
    runtime.output.result({"dropped": dropped}, f"Dropped {dropped} entries; local rows stay.")


@app.command()
def migrate_from_local(ctx: typer.Context) -> None:
    """Queue every local row that the shared store lacks, then send what is queued.

    Example: amx history-store migrate-from-local
    """
    runtime = runtime_of(ctx)
    entered = runtime.sharing.enter_missing()
    report = runtime.sharing.flush()
    document = {"entered": entered, **telling.flush_document(report)}
    runtime.output.result(document, [f"Queued {entered} rows.", telling.flush_words(report)])
    telling.check_delivered(report)


@app.command()
def verify(
    ctx: typer.Context,
    *,
    repair: Annotated[bool, typer.Option(help="Send again what differs.")] = False,
) -> None:
    """Prove that local rows and shared rows agree, row by row; exit 1 where they differ.

    Example: amx history-store verify --repair
    """
    runtime = runtime_of(ctx)
    if repair:
        runtime.output.note(f"Entered {runtime.sharing.repair()} rows again.")
        runtime.output.note(telling.flush_words(runtime.sharing.flush()))
    found = runtime.sharing.verify()
    document = telling.verify_document(found)
    runtime.output.result(document, Grid(("", ""), list(document.items())))
    telling.check_equal(found)


_PROGRAM = "amx history-store"


def _pick(ctx: typer.Context, runtime: Runtime) -> None:
    from amx import store_picker

    chosen = store_picker.choose(runtime)
    if chosen is None:
        runtime.output.note("Nothing was changed.")
        return
    group: Any = ctx.command
    command = group.get_command(ctx, chosen.key)
    with command.make_context(chosen.key, list(chosen.words), parent=ctx) as called:
        command.invoke(called)
