"""Guard 4: the configuration file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from amx.core.clock import now
from amx.core.config import edits
from amx.core.config.keys import dotted
from amx.core.config.model import leaves
from amx.core.config.restoring import (
    Generation,
    Restored,
    Source,
    exposed_backups,
    why_not_compared,
)
from amx.core.durations import age_s, words_of
from amx.core.errors import AmxError, NoTerminal, UsageError
from amx.output import Grid
from amx.runtime import Runtime, runtime_of

app = typer.Typer(
    help="The configuration file and its backups.", rich_markup_mode=None, add_completion=False
)


def _keys(ctx: typer.Context) -> list[str]:
    try:
        return [dotted(key) for key in leaves(runtime_of(ctx).config.raw)] if ctx.obj else []
    except AmxError:
        return []


KeyWord = Annotated[str, typer.Argument(help="Dotted key.", autocompletion=_keys)]


@app.command()
def path(ctx: typer.Context) -> None:
    """Print where the configuration is.

    Example: amx config path
    """
    runtime = runtime_of(ctx)
    runtime.output.result({"path": str(runtime.config_path)}, str(runtime.config_path))


@app.command()
def show(
    ctx: typer.Context,
    *,
    origin: Annotated[bool, typer.Option("--origin", help="Say where each value is from.")] = False,
) -> None:
    """Show the configuration; secrets are hidden.

    Example: amx config show --origin
    """
    runtime = runtime_of(ctx)
    if not origin:
        document = edits.shown(runtime.config)
        runtime.output.result(document, edits.text_of(document))
        return
    where, lines = str(runtime.config_path), runtime.config_file.lines()
    values = edits.origins(runtime.config, lines, where, runtime.environ)
    rows = [(one["key"], edits.text_of(one["value"]), one["origin"]) for one in values]
    runtime.output.result({"values": values}, Grid(("KEY", "VALUE", "ORIGIN"), rows))


@app.command()
def get(ctx: typer.Context, key: KeyWord) -> None:
    """Print the value of a key; a secret is hidden.

    Example: amx config get active_db_profile
    """
    runtime = runtime_of(ctx)
    value = edits.seen(runtime.config, key)
    runtime.output.result(value, edits.text_of(value))


@app.command("set")
def set_(
    ctx: typer.Context,
    key: KeyWord,
    value: Annotated[str, typer.Argument(help="A YAML scalar of the key's type.")],
    *,
    string: Annotated[bool, typer.Option("--string", help="Take VALUE as it is.")] = False,
) -> None:
    """Set a key. A secret is given as a reference: '${VAR}'.

    Example: amx config set db_profiles.sales.port 5433
    """
    runtime = runtime_of(ctx)
    changes = edits.assignment(key, value, is_verbatim=string)
    _tell(runtime, key, is_changed=runtime.config_file.patch(changes))


@app.command()
def unset(ctx: typer.Context, key: KeyWord) -> None:
    """Take a key away, with everything below it.

    Example: amx config unset db_profiles.sales.sslmode
    """
    runtime = runtime_of(ctx)
    changes = edits.removal(runtime.config, key)
    _tell(runtime, key, is_changed=runtime.config_file.patch(changes))


def _tell(runtime: Runtime, key: str, *, is_changed: bool) -> None:
    state = "saved" if is_changed else "unchanged"
    runtime.output.result({"key": key, "changed": is_changed}, f"{key}: {state}.")


@app.command()
def edit(
    ctx: typer.Context,
    *,
    discard: Annotated[
        bool, typer.Option("--discard", help="Throw away the text that was kept aside.")
    ] = False,
) -> None:
    """Open the configuration in $VISUAL or $EDITOR; only a valid text is saved.

    Example: amx config edit
    """
    from amx.editor import editor_of, open_editor

    runtime = runtime_of(ctx)
    editor = editor_of(runtime.environ, has_terminal=runtime.has_terminal)
    edited = runtime.config_file.edit(
        lambda path: open_editor(editor, path, runtime.environ), is_fresh=discard
    )
    where = str(runtime.config_path)
    state = "saved" if edited.is_changed else "unchanged"
    merged = ", merged with what others changed meanwhile" if edited.is_merged else ""
    document = {"path": where, "changed": edited.is_changed, "merged": edited.is_merged}
    runtime.output.result(document, f"{where}: {state}{merged}.")


@app.command()
def validate(ctx: typer.Context) -> None:
    """Check the configuration; 5 with line and column when it is broken.

    Example: amx config validate
    """
    runtime = runtime_of(ctx)
    _warn_of_exposed_backups(runtime)
    runtime.config_file.load()
    where = str(runtime.config_path)
    runtime.output.result({"valid": True, "path": where}, f"{where} is valid.")


@app.command()
def backups(ctx: typer.Context) -> None:
    """List the generations: when, how large, valid or not, what differs from the live file.

    Example: amx config backups --json
    """
    _list(runtime_of(ctx))


def _list(runtime: Runtime) -> None:
    found = runtime.config_file.backups()
    _warn_of_exposed_backups(runtime)
    documents = [
        {
            "generation": one.number,
            "path": str(one.path),
            "size_bytes": one.size_bytes,
            "modified_at": one.modified_at,
            "valid": one.problem is None,
            "changed_keys": one.changed_keys,
        }
        for one in found
    ]
    headers = ("GENERATION", "AGE", "MODIFIED", "BYTES", "VALID", "DIFFERS IN")
    rows = [_row(one) for one in found]
    runtime.output.result({"backups": documents}, Grid(headers, rows))


def _warn_of_exposed_backups(runtime: Runtime) -> None:
    for warning in exposed_backups(runtime.config_path):
        runtime.output.warn(warning)


def _row(one: Generation) -> tuple[object, ...]:
    keys = "unknown" if one.changed_keys is None else ", ".join(one.changed_keys) or "nothing"
    return (one.number, _age(one), one.modified_at, one.size_bytes, one.problem is None, keys)


def _age(one: Generation) -> str:
    return f"{words_of(age_s(one.modified_at, now()))} ago"


@app.command()
def diff(
    ctx: typer.Context,
    generation: Annotated[int, typer.Argument(metavar="[N]", help="Generation.")] = 1,
) -> None:
    """Compare the live file with a generation; secrets are hidden.

    Example: amx config diff 2
    """
    runtime = runtime_of(ctx)
    differences = edits.differences(*runtime.config_file.compared(generation))
    document = {"generation": generation, "differences": differences}
    _warn_of_exposed_backups(runtime)
    if differences is None:
        problems = why_not_compared(runtime.config_path, generation)
        ways = "amx config validate; amx config backups"
        text = f"They cannot be compared. {' '.join(problems)}\nSee: {ways}"
        runtime.output.result({**document, "problems": problems}, text)
        return
    headers = ("KEY", f"GENERATION {generation}", "LIVE")
    rows = [[edits.text_of(cell) for cell in one.values()] for one in differences]
    runtime.output.result(document, Grid(headers, rows))


@app.command("restore")
def restore(
    ctx: typer.Context,
    generation: Annotated[
        int | None, typer.Argument(metavar="[N]", help="Generation to restore.")
    ] = None,
    *,
    latest_valid: Annotated[
        bool, typer.Option("--latest-valid", help="The newest that is valid.")
    ] = False,
    from_: Annotated[Path | None, typer.Option("--from", help="Any file.")] = None,
    list_: Annotated[bool, typer.Option("--list", help="Only list the generations.")] = False,
) -> None:
    """Put a generation in place of the configuration; `restore 1` undoes it.

    Example: amx config restore --latest-valid
    """
    runtime = runtime_of(ctx)
    if (generation is not None) + latest_valid + (from_ is not None) + list_ > 1:
        msg = "Name one generation, --latest-valid, --from or --list. Nothing was changed."
        raise UsageError(msg, hint="amx config restore --help")
    if list_:
        _list(runtime)
        return
    source = Source(number=generation, is_latest_valid=latest_valid, path=from_)
    picked = _picked(runtime) if source == Source() else source
    if picked is not None:
        restored = runtime.config_file.restore(picked)
        _report(runtime, restored)
        runtime.note_event("restore", str(runtime.config_path), {"from": str(restored.path)})


def _picked(runtime: Runtime) -> Source | None:
    found = runtime.config_file.backups()
    labels = _labels(found)
    if not found:
        raise UsageError("There are no backups. Nothing was changed.", hint="amx config path")
    if not runtime.has_terminal:
        raise _no_terminal(labels)
    from amx.picker import choose_generation

    index = choose_generation(labels)
    return None if index is None else Source(number=found[index].number)


def _labels(found: Sequence[Generation]) -> list[str]:
    words = {True: "valid", False: "NOT VALID"}
    return [
        f"{one.number}: {_age(one)}, {one.size_bytes} bytes, {words[one.problem is None]}, "
        f"of {one.modified_at}"
        for one in found
    ]


def _no_terminal(labels: Sequence[str]) -> NoTerminal:
    listed = "\n".join(f"  {label}" for label in labels)
    msg = f"Which generation? There is no terminal to ask on. Nothing was changed.\n{listed}"
    return NoTerminal(msg, hint="amx config restore N, or --latest-valid")


def _report(runtime: Runtime, restored: Restored) -> None:
    if restored.problem is not None:
        runtime.output.warn(f"What was restored is not valid: {restored.problem}")
    document = {
        "restored": str(restored.path),
        "generation": restored.number,
        "valid": restored.problem is None,
        "changed": restored.is_changed,
    }
    what = str(restored.path) if restored.number is None else f"Generation {restored.number}"
    state = "is live; undo: amx config restore 1." if restored.is_changed else "was live already."
    runtime.output.result(document, f"{what} {state}")
