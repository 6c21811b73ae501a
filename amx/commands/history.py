"""Runs: who ran what, when, with which version."""

from typing import Annotated

import typer

from amx.core.documents import result_document, run_document
from amx.core.teammates import Wanted, check_own, newest
from amx.output import Grid
from amx.runtime import runtime_of

Limit = Annotated[int, typer.Option(min=1, max=2**31, help="At most so many, latest first.")]

app = typer.Typer(help="Runs of this installation.", rich_markup_mode=None, add_completion=False)


@app.command("list")
def list_(  # noqa: PLR0913 - one an option
    ctx: typer.Context,
    *,
    team: Annotated[bool, typer.Option("--team", help="Of the whole team, read live.")] = False,
    by: Annotated[str | None, typer.Option(help="With --team: login name or actor.")] = None,
    host: Annotated[str | None, typer.Option(help="With --team: machine.")] = None,
    client_version: Annotated[str | None, typer.Option(help="With --team: version.")] = None,
    since: Annotated[str | None, typer.Option(help="With --team: a date, or 7d ago.")] = None,
    limit: Limit = 50,
) -> None:
    """List the runs, latest first: of this installation, or of the whole team.

    Example: amx history list --team --by ada --since 7d
    """
    from amx.core.work import Run

    runtime = runtime_of(ctx)
    wanted = Wanted(limit=limit, by=by, host=host, version=client_version, since=since)
    if team:
        runs = newest(runtime.sharing_reader, runtime.outbox_reader, Run, wanted)
    else:
        check_own(wanted, "history list")
        runs = runtime.history.runs(limit)
    documents = [run_document(run) for run in runs]
    keys = ("id", "profile", "status", "started_at", "created_by", "hostname", "proposed")
    rows = [[one[key] for key in keys] for one in documents]
    headers = ["ID", "PROFILE", "STATUS", "STARTED", "BY", "HOST", "PROPOSED"]
    if team:
        rows = [
            [*row, one["client_version"], one["uuid"]]
            for row, one in zip(rows, documents, strict=True)
        ]
        headers += ["VERSION", "UUID"]
    runtime.output.result({"runs": documents}, Grid(headers, rows))


@app.command()
def show(
    ctx: typer.Context,
    key: Annotated[str, typer.Argument(metavar="RUN", help="Number or UUID of the run.")],
) -> None:
    """Show a run and what it proposed.

    Example: amx history show 3
    """
    runtime = runtime_of(ctx)
    run = runtime.history.find_run(key)
    results = [result_document(one) for one in runtime.history.results(run)]
    facts = run_document(run)
    rows = [
        [one["table"], one["column"], one["provenance"], one["status"], one["description"]]
        for one in results
    ]
    headers = ("TABLE", "COLUMN", "PROVENANCE", "STATUS", "DESCRIPTION")
    lines = "\n".join(f"{key}: {value}" for key, value in facts.items() if value is not None)
    runtime.output.result({**facts, "results": results}, [lines, Grid(headers, rows)])
