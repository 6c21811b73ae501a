"""Questions about the catalog."""

from typing import Annotated

import typer

from amx.core.documents import asset
from amx.runtime import runtime_of

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def ask(
    ctx: typer.Context,
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="In your own words.")],
    *,
    new: Annotated[bool, typer.Option("--new", help="Begin a new session.")] = False,
    no_model: Annotated[
        bool, typer.Option("--no-model", help="Ask no model, whichever is configured.")
    ] = False,
) -> None:
    """Answer a question from the catalog of the active profile, with citations.

    Example: amx ask "which table holds the prices of tracks?"
    """
    from amx.core.answers import citations_of

    runtime = runtime_of(ctx)
    if no_model:
        runtime.environ["AMX_NO_MODEL"] = "1"
    reply = runtime.answers.ask(
        runtime.profile, question, runtime.session_key, lambda: runtime.catalog, is_new=new
    )
    citations, wording = list(reply.citations), reply.wording
    document = {
        "session": reply.session.local_id,
        "answer": wording.answer,
        "citations": citations,
        "provenance": wording.provenance,
        "read_as": reply.grounds.read_as,
        "unknown": reply.grounds.unknown,
        "earlier": citations_of(reply.grounds.earlier),
    }
    for warning in (*reply.warnings, *wording.warnings):
        runtime.output.warn(warning)
    cited = "Cites: " + (", ".join(asset(one) for one in citations) or "nothing")
    runtime.output.result(document, [cited] if wording.is_shown else [wording.answer, cited])
    runtime.output.note(f"(session {reply.session.local_id} on {reply.session.profile_now})")
