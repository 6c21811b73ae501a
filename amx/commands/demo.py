"""The whole product at work, in a folder that is thrown away."""

from typing import Annotated

import typer

from amx.runtime import runtime_of

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def demo(
    ctx: typer.Context,
    postgres: Annotated[
        str | None, typer.Option(metavar="DSN", help="Share through this server, not a file.")
    ] = None,
) -> None:
    """Show two engineers, a shared store, an outage and every guard at work.

    Example: amx demo
    """
    from amx.demo.theatre import perform

    runtime = runtime_of(ctx)
    stage = perform(postgres, runtime.output)
    text = f"\nAll {len(stage.steps)} steps did what they say, in {stage.seconds} s."
    runtime.output.result({"steps": stage.steps, "seconds": stage.seconds}, text)
