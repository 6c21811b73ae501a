"""The picker of `amx history-store`: which action, and for a destructive one a Yes."""

from collections.abc import Sequence
from typing import NamedTuple

from amx import picker
from amx.core import store_menu as menu
from amx.core.errors import NoTerminal
from amx.core.status import StoreStatus
from amx.runtime import Runtime


class Choice(NamedTuple):
    """Which subcommand was chosen, and the words that it is called with."""

    key: str
    words: Sequence[str] = ()


def choose(runtime: Runtime) -> Choice | None:
    """Let an action be chosen from a list, and ask before a destructive one.

    Returns:
        None where nothing was chosen, or a question was not answered Yes.

    Raises:
        NoTerminal: there is nobody to ask.
    """
    if not runtime.has_terminal:
        message = "The picker needs a terminal, and there is none. Nothing was changed."
        words = ", ".join(menu.SUBCOMMANDS)
        raise NoTerminal(message, hint=f"amx history-store with one of: {words}")
    profiles = list(runtime.config.profiles)
    status = runtime.sharing_reader.status()
    entries = menu.entries_of(status, has_profiles=bool(profiles))
    key = picker.choose("History store", [(one.key, one.label) for one in entries])
    if key == menu.ENABLE:
        profile = picker.choose("Which profile's server?", [(one, one) for one in profiles])
        return None if profile is None else Choice(key, [f"--profile={profile}"])
    entry = next((one for one in entries if one.key == key), None)
    if entry is None or not _is_wanted(runtime, status, entry):
        return None
    return Choice(entry.key, _words(entry.key, status))


def _words(key: str, status: StoreStatus) -> Sequence[str]:
    if key == menu.RETRY:
        return ["--all"]
    if key == menu.DUMP_DDL:
        return [f"--profile={status.profile}", f"--schema={status.schema}"]
    return []


def _is_wanted(runtime: Runtime, status: StoreStatus, entry: menu.Entry) -> bool:
    question = entry.question
    if entry.key == menu.DUMP_DDL:
        from amx.core.checking import look_for_schema

        runtime.output.note(f"Asking {status.target} for its schema …")
        question = menu.dump_ddl_question(status, look_for_schema(runtime.sharing_reader.store))
    return question is None or picker.confirm(question)
