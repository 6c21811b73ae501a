"""The work: proposed descriptions for what is in a database."""

from typing import Annotated

import typer

from amx.core.documents import run_document
from amx.runtime import runtime_of

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def run(
    ctx: typer.Context,
    tables: Annotated[
        list[str] | None, typer.Argument(metavar="[TABLE]...", help="All, if left out.")
    ] = None,
) -> None:
    """Inspect tables, views and columns and propose descriptions. Needs no network and no key.

    Example: amx run orders customers
    """
    runtime = runtime_of(ctx)
    done = runtime.runs.run(
        runtime.profile, runtime.catalog, runtime.describer, tables or [], runtime.output.progress
    )
    text = f"Run {done.local_id} on {done.profile}: {done.status}, {done.proposed} descriptions."
    runtime.output.result(run_document(done), [text, f"See them: amx export {done.local_id}"])
