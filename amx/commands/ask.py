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
) -> None:
    """Answer a question from the catalog of the active profile, with citations.

    Example: amx ask "which table holds the prices of tracks?"
    """
    runtime = runtime_of(ctx)
    reply = runtime.answers.ask(
        runtime.profile, question, runtime.session_key, lambda: runtime.catalog, is_new=new
    )
    citations = list(reply.citations)
    document = {
        "session": reply.session.local_id,
        "answer": reply.answer,
        "citations": citations,
        "provenance": reply.provenance,
    }
    if reply.warning:
        runtime.output.warn(reply.warning)
    cited = "Cites: " + (", ".join(asset(one) for one in citations) or "nothing")
    runtime.output.result(document, [reply.answer, cited])
    runtime.output.note(f"(session {reply.session.local_id} on {reply.session.profile_now})")
