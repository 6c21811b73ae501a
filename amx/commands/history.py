"""Runs: who ran what, when, with which version."""

from typing import Annotated

import typer

from amx.core.documents import result_document, run_document
from amx.output import Grid
from amx.runtime import runtime_of

app = typer.Typer(help="Runs of this installation.", rich_markup_mode=None, add_completion=False)


@app.command("list")
def list_(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, latest first.")] = 50,
) -> None:
    """List the runs, latest first.

    Example: amx history list --json
    """
    runtime = runtime_of(ctx)
    documents = [run_document(run) for run in runtime.history.runs(limit)]
    keys = ("id", "profile", "status", "started_at", "created_by", "hostname", "proposed")
    rows = [[one[key] for key in keys] for one in documents]
    headers = ("ID", "PROFILE", "STATUS", "STARTED", "BY", "HOST", "PROPOSED")
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
