"""Descriptions as a document for people or for an existing data catalog."""

from typing import Annotated

import typer

from amx.core.export import as_document, as_markdown
from amx.runtime import runtime_of

app = typer.Typer(rich_markup_mode=None)


@app.command()
def export(
    ctx: typer.Context,
    key: Annotated[
        str | None, typer.Argument(metavar="[RUN]", help="Number or UUID; the latest if left out.")
    ] = None,
    *,
    md: Annotated[bool, typer.Option("--md", help="As Markdown (the default).")] = False,
) -> None:
    """Print the descriptions of a run. Nothing is written to the database.

    Example: amx export 3 --md > catalog.md
    """
    runtime = runtime_of(ctx)
    run = runtime.history.chosen_run(key, is_one_format=not (md and runtime.output.is_json))
    results = runtime.history.results(run)
    if runtime.output.is_json:
        runtime.output.result(as_document(run, results), "")
    else:
        runtime.output.verbatim(as_markdown(run, results))
