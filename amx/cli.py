"""The root of the command line, and the only place that catches `AmxError`.

A command's module is imported when the command is called, and never before: `amx --version` pays
for none of them.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from functools import cache
from importlib import import_module
from itertools import takewhile
from types import FrameType
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup, TyperOption

from amx import __version__
from amx.core.errors import (
    AmxError,
    InternalError,
    Interrupted,
    OutputFailed,
    Terminated,
    UsageError,
)
from amx.output import ReaderGone, discard_standard_output, open_standard_streams
from amx.runtime import Runtime
from amx.visible import visible

BROKEN_PIPE = 141
"""What a shell reports for a program whose reader went away: 128 + SIGPIPE."""

COMMANDS = {
    "db": "db",
    "run": "run",
    "ask": "ask",
    "session": "session",
    "history": "history",
    "export": "export",
    "history-store": "history_store",
    "config": "config",
    "restore-config": "config:restore",
    "demo": "demo",
}
"""The root's commands, and where each lives: a module of `amx.commands`, or one command of it."""

NESTED = {"db": {"history-store": "history_store"}}
NESTED["history-store"] = {name: f"store_views:{name}" for name in ("dump-ddl", "team")}
"""Groups that hold more than their module."""

GLOBAL_OPTIONS = (
    ("--profile", "AMX_PROFILE", "Profile for this command."),
    ("--session", "AMX_SESSION", "Session for this command."),
    ("--config", "AMX_CONFIG", "Configuration file."),
    ("--no-input", "AMX_NO_INPUT", "Never ask anything."),
    ("--background", "AMX_BACKGROUND", "This process is a background worker."),
    ("--lock-timeout", "AMX_LOCK_TIMEOUT", "How long to wait for another save (5s)."),
    ("--require-delivery", "AMX_REQUIRE_DELIVERY", "Fail (4) when rows are queued at the end."),
    ("--debug", "AMX_DEBUG", "Show tracebacks."),
)
"""Options that every command takes; each is the environment variable, for one command."""

_WITH_VALUE = ("--profile", "--session", "--config", "--lock-timeout")


class LazyCommands(MutableMapping[str, Any]):
    """The commands of a group, each imported when it is looked up."""

    def __init__(self, places: dict[str, str], loaded: dict[str, Any] | None = None) -> None:
        self._places = places
        self._loaded = dict(loaded or {})

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - Typer's commands have no public type
        if name not in self._loaded:
            self._loaded[name] = _load(name, self._places[name])
        return self._loaded[name]

    def __setitem__(self, name: str, command: Any) -> None:  # noqa: ANN401 - as above
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._loaded, **self._places})

    def __len__(self) -> int:
        return len({**self._places, **self._loaded})


def _load(name: str, place: str) -> Any:  # noqa: ANN401 - as above
    module, _, member = place.partition(":")
    command: Any = typer.main.get_command(import_module(f"amx.commands.{module}").app)
    if member:
        command = command.commands[member]
    _add_global_options(command)
    if name in NESTED:
        command.commands = LazyCommands(NESTED[name], command.commands)
    return command


def _add_global_options(command: Any) -> None:  # noqa: ANN401 - as above
    command.add_help_option = False  # ours goes the way of all output
    own = {word for parameter in command.params for word in parameter.opts}
    command.params += [option for option in _global_options() if not own & set(option.opts)]
    if isinstance(command, TyperGroup):
        for child in command.commands.values():
            _add_global_options(child)


@cache
def _global_options(*, is_root: bool = False) -> Sequence[TyperOption]:
    options = [
        _option("--json", "Print one JSON document.", _turn_on_json, is_flag=True),
        _option("--help", "Show this message and exit.", _show_help, is_flag=True, is_eager=True),
    ]
    for word, variable, text in GLOBAL_OPTIONS:
        is_flag = word not in _WITH_VALUE
        callback = _override(word, variable)
        options.append(_option(word, text, callback, is_flag=is_flag, is_hidden=not is_root))
    return options


def _option(  # noqa: PLR0913 - one a part of an option
    word: str,
    text: str,
    callback: Callable[..., None],
    *,
    is_flag: bool,
    is_hidden: bool = False,
    is_eager: bool = False,
) -> TyperOption:
    return TyperOption(
        param_decls=[word],
        help=text,
        is_flag=is_flag,
        type=bool if is_flag else str,
        default=False if is_flag else None,
        show_default=False,
        expose_value=False,
        hidden=is_hidden,
        is_eager=is_eager,
        callback=callback,
    )


def _turn_on_json(context: typer.Context, _: object, value: object) -> None:
    if value:
        context.obj.output.is_json = True


def _show_help(context: typer.Context, _: object, value: object) -> None:
    if value and not context.resilient_parsing:
        context.obj.output.verbatim(f"{context.get_help()}\n")
        raise typer.Exit


def _override(word: str, variable: str) -> Callable[[typer.Context, object, object], None]:
    def override(context: typer.Context, _: object, value: object) -> None:
        if value == "":
            # A script's variable that is not set must not mean the active one.
            raise UsageError(f"{word} is empty. Nothing was changed.", hint="amx --help")
        if value is not None and value is not False:
            context.obj.environ[variable] = "1" if value is True else str(value)

    return override


app = typer.Typer(rich_markup_mode=None, add_completion=True)


def _show_version(context: typer.Context, value: bool) -> None:  # noqa: FBT001 - Typer's callback
    if value:
        context.obj.output.result({"version": __version__}, f"amx {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: bool = typer.Option(  # noqa: ARG001, FBT001 - its callback acts
        False,  # noqa: FBT003 - Typer's default
        "--version",
        callback=_show_version,
        is_eager=True,
        help="Print the version.",
    ),
) -> None:
    """Document databases; keep history, sessions and configuration that a team can trust.

    Example: amx db add shop --backend sqlite --path shop.db && amx run
    """
    if context.invoked_subcommand is None:
        context.obj.output.verbatim(f"{context.get_help()}\n")


def _command() -> Any:  # noqa: ANN401 - as above
    command: Any = typer.main.get_command(app)
    command.add_help_option = False
    command.params = [*_global_options(is_root=True), *command.params]
    command.commands = LazyCommands(COMMANDS)
    return command


def main(argv: Sequence[str]) -> int:
    """Run one command and return its exit code. Nothing but an exit code leaves here."""
    runtime = Runtime(dict(os.environ))
    runtime.output.is_json = _is_said(argv, "--json")
    if _is_said(argv, "--debug"):
        runtime.environ["AMX_DEBUG"] = "1"
    code = _guarded(runtime, lambda: _invoke(argv, runtime))
    if code < Interrupted.exit_code:
        ended = _guarded(runtime, lambda: _finished(runtime, has_failed=code != 0))
        code = code or ended
    return _guarded(runtime, runtime.output.flush) or code


def _is_said(argv: Sequence[str], option: str) -> bool:
    """Tell before the words are understood, so that an error of the words is told so, too."""
    return option in takewhile(lambda word: word != "--", argv)


def run() -> NoReturn:
    """Be the ``amx`` program."""
    open_standard_streams()
    sys.exit(main(sys.argv[1:]))


def _invoke(argv: Sequence[str], runtime: Runtime) -> int:
    signal.signal(signal.SIGTERM, _terminate)
    ended = _command().main(args=list(argv), prog_name="amx", obj=runtime, standalone_mode=False)
    if ended == Interrupted.exit_code:
        raise KeyboardInterrupt  # which Typer has caught, and says nothing of
    return ended if isinstance(ended, int) else 0


def _finished(runtime: Runtime, *, has_failed: bool) -> None:
    if runtime.has_written_shared or runtime.requires_delivery:
        from amx.closing import finish

        finish(runtime, has_failed=has_failed)


def _terminate(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise Terminated("Stopped by SIGTERM. What was finished before stays.")


def _guarded(runtime: Runtime, act: Callable[[], int | None]) -> int:
    try:
        return act() or 0
    except AmxError as error:
        return _told(runtime, error)
    except typer.TyperException as error:
        return _told(runtime, _words_error(error))
    except (KeyboardInterrupt, typer.Abort):
        return _told(runtime, Interrupted("Stopped by Ctrl-C. What was finished before stays."))
    except ReaderGone:
        discard_standard_output()
        return BROKEN_PIPE
    except Exception as error:  # noqa: BLE001 - the one at the top of the program
        return _told(runtime, _bug(runtime, error))


def _bug(runtime: Runtime, error: Exception) -> AmxError:
    from amx.bugs import report_bug

    try:
        bug: AmxError = report_bug(runtime.home, error)
    except (AmxError, OSError):
        bug = InternalError(f"This is a bug in amx: {type(error).__name__}.")
    bug.__cause__ = error
    return bug


def _told(runtime: Runtime, error: AmxError) -> int:
    if isinstance(error, OutputFailed):
        discard_standard_output()
    if runtime.is_debugging:
        import traceback

        from amx.core.secrets import redact_url

        sys.stderr.write(visible(redact_url("".join(traceback.format_exception(error)))))
    runtime.output.error(error)
    return error.exit_code


def _words_error(error: typer.TyperException) -> AmxError:
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "amx"
    what = " ".join(error.format_message().split())
    stop = "" if what.endswith((".", "?", "!")) else "."
    return UsageError(f"{what}{stop} Nothing was changed.", hint=f"{path} --help")
