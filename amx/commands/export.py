"""Descriptions as a document for people or for an existing data catalog."""

from typing import Annotated

import typer

from amx.core.errors import UnknownId, UsageError
from amx.core.export import as_document, as_markdown
from amx.core.work import Run
from amx.runtime import Runtime, runtime_of

app = typer.Typer(rich_markup_mode=None, add_completion=False)


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
    if md and runtime.output.is_json:
        message = "--md and --json exclude each other. Nothing was printed."
        raise UsageError(message, hint="amx export --help")
    run = _latest(runtime) if key is None else runtime.history.find_run(key)
    results = runtime.history.results(run)
    if runtime.output.is_json:
        runtime.output.result(as_document(run, results), "")
    else:
        runtime.output.verbatim(as_markdown(run, results))


def _latest(runtime: Runtime) -> Run:
    run = runtime.history.latest_run(runtime.profile)
    if run is None:
        message = f"Profile {runtime.profile.name!r} has no completed run to export."
        raise UnknownId(message, hint="amx run")
    return run
