"""Guard 1: sessions, each bound to the profile under which it began."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amx.core.documents import Document, asset, session_document, turn_document
from amx.core.errors import UsageError
from amx.core.teammates import WHY_NOT, Wanted, check_own, newest, with_author
from amx.output import Grid, Human, as_json
from amx.runtime import Runtime, runtime_of

if TYPE_CHECKING:
    from amx.core.conversations import Session
    from amx.core.profiles import Profile
    from amx.core.turns import Turn

app = typer.Typer(
    help="Conversations, each bound to one profile and database.",
    rich_markup_mode=None,
    add_completion=False,
)


def _ids(ctx: typer.Context) -> list[str]:
    return [str(one.local_id) for one in runtime_of(ctx).session_reader.list(None, limit=50)]


Key = Annotated[
    str, typer.Argument(metavar="SESSION", help="Its number or UUID.", autocompletion=_ids)
]


@app.command()
def new(
    ctx: typer.Context,
    title: Annotated[str, typer.Option(help="What it is about.")] = "",
) -> None:
    """Begin a session on the active profile and make it active.

    Example: amx session new --title "Prices"
    """
    runtime = runtime_of(ctx)
    session = runtime.sessions.new(runtime.profile, title)
    _written(runtime, session, f"Began session {session.local_id} on {session.profile_now}.")


@app.command("list")
def list_(  # noqa: PLR0913 - one an option
    ctx: typer.Context,
    *,
    all_profiles: Annotated[bool, typer.Option("--all-profiles", help="Of all profiles.")] = False,
    team: Annotated[bool, typer.Option("--team", help="Of the whole team, read live.")] = False,
    by: Annotated[str | None, typer.Option(help="With --team: login name or actor.")] = None,
    host: Annotated[str | None, typer.Option(help="With --team: machine.")] = None,
    client_version: Annotated[str | None, typer.Option(help="With --team: version.")] = None,
    since: Annotated[str | None, typer.Option(help="With --team: a date, or 7d ago.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=2**31, help="At most so many.")] = 50,
) -> None:
    """List this profile's sessions, latest first, and say which can be resumed from here.

    With --team: everybody's sessions about the database that this profile points at.

    Example: amx session list --all-profiles
    """
    runtime = runtime_of(ctx)
    profile = runtime.profile_if_any if all_profiles else runtime.profile
    asked = {"by": by, "host": host, "version": client_version, "since": since}
    if team:
        documents = _of_team(runtime, None if all_profiles else profile, limit, asked)
    else:
        check_own(Wanted(limit=limit, **asked), "session list")
        found = runtime.sessions.list(None if all_profiles else profile, limit=limit)
        documents = [session_document(one, runtime.sessions.why_not(one, profile)) for one in found]
    keys = ["id", "profile", "status", "turn_count", "last_active_at", "title"]
    keys += ["created_by", "hostname", "uuid"] if team else []
    rows = [[one[key] for key in keys] + [one["why_not"] or "resumable"] for one in documents]
    headers = ["ID", "PROFILE", "STATUS", "TURNS", "LAST ACTIVE", "TITLE"]
    headers += ["BY", "HOST", "UUID"] if team else []
    name = None if all_profiles or profile is None else profile.name
    document = {"profile": name, "sessions": documents}
    runtime.output.result(document, Grid([*headers, "RESUMABLE"], rows))


def _of_team(
    runtime: Runtime, profile: "Profile | None", limit: int, asked: dict[str, str | None]
) -> list[Document]:
    from amx.core.conversations import Session

    wanted = Wanted(limit=limit, identity=profile.identity if profile else None, **asked)
    found = newest(runtime.sharing_reader, runtime.outbox_reader, Session, wanted)
    return [with_author(_of_member(runtime, one), one) for one in found]


def _of_member(runtime: Runtime, session: "Session") -> Document:
    if session.local_id is None:
        return session_document(session, WHY_NOT)
    # The shared row keeps the name that its profile had; only this installation knows the present.
    session = runtime.sessions.with_owner(session)
    return session_document(session, runtime.sessions.why_not(session, runtime.profile_if_any))


@app.command()
def show(
    ctx: typer.Context,
    key: Annotated[str, typer.Option("--id", help="Number or UUID of the session.")],
) -> None:
    """Show a session and its turns, from any profile. Writes nothing.

    Example: amx session show --id 12
    """
    runtime = runtime_of(ctx)
    session, turns = runtime.session_reader.show(key)
    document = _document(runtime, session, turns)
    runtime.output.result(document, _conversation(session, turns))


@app.command()
def resume(ctx: typer.Context, key: Key) -> None:
    """Make a session active again; refused (3) where it belongs to another profile.

    Example: amx session resume 12
    """
    runtime = runtime_of(ctx)
    session = runtime.sessions.resume(runtime.profile, key)
    _written(runtime, session, f"Resumed session {session.local_id} on {session.profile_now}.")


@app.command()
def current(ctx: typer.Context) -> None:
    """Show the active session of the active profile.

    Example: amx session current --json
    """
    runtime = runtime_of(ctx)
    session = runtime.sessions.current(runtime.profile, runtime.session_key)
    if session is None:
        runtime.output.result(None, f"No session is active on {runtime.profile.name}.")
    else:
        _print(runtime, session, f"{session.local_id}  {session.title or '(no title)'}")


@app.command()
def end(
    ctx: typer.Context,
    key: Annotated[
        str | None, typer.Argument(metavar="[SESSION]", help="The active one, if left out.")
    ] = None,
) -> None:
    """End a session: this one, or the active one. It may be resumed later.

    Example: amx session end 12
    """
    runtime = runtime_of(ctx)
    meant = runtime.session_key if key is None else key
    session = runtime.sessions.end(runtime.profile_if_any, meant)
    if session is None:
        runtime.output.result(None, "No session is active; there is nothing to end.")
    else:
        _written(runtime, session, f"Ended session {session.local_id}.")


@app.command()
def rename(
    ctx: typer.Context,
    key: Key,
    title: Annotated[str, typer.Argument(metavar="TITLE", help="What it is about.")],
) -> None:
    """Give a session another title.

    Example: amx session rename 12 "Prices of tracks"
    """
    runtime = runtime_of(ctx)
    session = runtime.sessions.rename(key, title)
    _written(runtime, session, f"Session {session.local_id} is called {session.title!r} now.")


@app.command()
def export(
    ctx: typer.Context,
    key: Key,
    *,
    md: Annotated[bool, typer.Option("--md", help="As Markdown (the default).")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write it to this file.")
    ] = None,
) -> None:
    """Print a session and its turns as Markdown, or as JSON; from any profile. Changes nothing.

    Example: amx session export 12 --md --output prices.md
    """
    from amx.core.transcripts import as_markdown

    runtime = runtime_of(ctx)
    out = runtime.output
    if md and out.is_json:
        message = "--md and --json exclude each other. Nothing was printed."
        raise UsageError(message, hint="amx session export --help")
    session, turns = runtime.session_reader.show(key)
    document = _document(runtime, session, turns)
    text = f"{as_json(document)}\n" if out.is_json else as_markdown(session, turns)
    if output is None or str(output) == "-":
        out.verbatim(text)
    else:
        out.save(text, output)


@app.command()
def delete(ctx: typer.Context, key: Key) -> None:
    """Delete the text of a session, here and in the shared store; it cannot be undone.

    Who asked when, and how many turns there were, stays in the history.

    Example: amx session delete 12
    """
    runtime = runtime_of(ctx)
    session = runtime.sessions.delete(key)
    _written(runtime, session, f"Deleted the text of session {session.local_id}.")


def _written(runtime: Runtime, session: "Session", text: str) -> None:
    """Print a session that was written, once no byte of deleted ones is left."""
    if problem := runtime.sessions.remove_traces():
        runtime.output.warn(
            "Text of deleted sessions may still stand in unused parts of the local store: "
            f"{problem.message} The next amx session new, rename, end or delete removes it."
        )
    _print(runtime, session, text)


def _print(runtime: Runtime, session: "Session", text: str) -> None:
    why_not = runtime.sessions.why_not(session, runtime.profile_if_any)
    runtime.output.result(session_document(session, why_not), text)


def _document(runtime: Runtime, session: "Session", turns: Sequence["Turn"]) -> Document:
    why_not = runtime.session_reader.why_not(session, runtime.profile_if_any)
    turn_documents = [turn_document(turn) for turn in turns]
    return {**session_document(session, why_not), "turns": turn_documents}


def _conversation(session: "Session", turns: Sequence["Turn"]) -> Human:
    head = f"Session {session.local_id}: {session.title or '(no title)'}"
    bound = f"{session.profile_now}  {session.target}  {session.status}"
    return [head, bound, *(_utterance(turn) for turn in turns)]


def _utterance(turn: "Turn") -> str:
    cited = [asset(one) for one in turn.citations] if isinstance(turn.citations, list) else []
    sources = f"\n  cites: {', '.join(cited)}" if cited else ""
    return f"\n[{turn.turn_index}] {turn.role} ({turn.created_at}):\n{turn.content}{sources}"
