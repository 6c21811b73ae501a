"""What `amx run` is made of: tables are looked at one by one, and what is proposed is kept.

A run ends as completed, failed or interrupted, whatever ends it; what it had proposed by then
stays.
"""

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from amx.core.catalog import TableInfo
from amx.core.catalog_ports import Catalog, Describer
from amx.core.errors import AmxError, Interrupted, UsageError
from amx.core.history import History
from amx.core.profiles import Profile
from amx.core.secrets import redact_url
from amx.core.work import Run

Progress = Callable[[int, int, str], None]
"""Told before each table: its place from 1, how many there are, its name."""

_NAMES_SHOWN = 20


class RunService:
    """Makes runs: proposed descriptions of the tables of one profile."""

    def __init__(self, history: History) -> None:
        self._history = history

    def run(
        self,
        profile: Profile,
        catalog: Catalog,
        describer: Describer,
        names: Sequence[str],
        progress: Progress | None = None,
    ) -> Run:
        """Propose descriptions of the named tables, or of all; return the completed run.

        Each table's proposals are durable before the next table is looked at.

        Args:
            profile: The profile whose database is described.
            catalog: Reads that database.
            describer: Proposes the descriptions.
            names: Tables, as ``table`` or ``schema.table``; none means all.
            progress: Told before each table.

        Raises:
            UsageError: a name is no table; no run was begun.
            DatabaseUnreachable: the database went away; the run, if begun, is failed.
            DatabaseRefused: as above.
        """
        tables = chosen(catalog.tables(), names)
        with _Recorded(self._history, self._history.begin_run(profile, describer.provenance)) as it:
            for place, table in enumerate(tables, 1):
                if progress is not None:
                    progress(place, len(tables), table.name)
                proposals = describer.describe(table, catalog.facts(table))
                it.run = self._history.add_results(it.run, proposals)
        return it.run


class _Recorded:
    """Gives a run its terminal status when the block ends, whatever ends it."""

    def __init__(self, history: History, run: Run) -> None:
        self._history = history
        self.run = run

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.run = self._history.finish_run(self.run, status_after(error), _reason(error))


def status_after(error: BaseException | None) -> str:
    """Return the terminal status of a run that ended with this error, or with none."""
    if error is None:
        return "completed"
    return "interrupted" if isinstance(error, KeyboardInterrupt | Interrupted) else "failed"


def chosen(tables: Sequence[TableInfo], names: Sequence[str]) -> Sequence[TableInfo]:
    """Return the tables with these names, each once; all of them where none is named.

    A name is taken as it is spelled; else whatever its case, if only one table has it then.

    Raises:
        UsageError: a name is none of them, or more than one.
    """
    found = [_named(tables, name) for name in names]
    return list(dict.fromkeys(found)) if names else list(tables)


def _named(tables: Sequence[TableInfo], name: str) -> TableInfo:
    exact = [one for one in tables if name in {one.name, f"{one.schema}.{one.name}"}]
    folded = name.casefold()
    alike = exact or [
        one
        for one in tables
        if folded in {one.name.casefold(), f"{one.schema}.{one.name}".casefold()}
    ]
    if len(alike) != 1:
        raise _not_one(tables, name, alike)
    return alike[0]


def _not_one(tables: Sequence[TableInfo], name: str, alike: Sequence[TableInfo]) -> UsageError:
    names = [one.name for one in tables]
    details = {"name": name, "tables": [f"{one.schema}.{one.name}" for one in tables]}
    if alike:
        told = f"{name!r} may be {' or '.join(one.name for one in alike)}. No run was begun."
        return UsageError(told, hint="Spell it as the database does.", details=details)
    told = f"There is no table or view {name!r}. {_offered(name, names)} No run was begun."
    return UsageError(told, hint="amx db tables", details=details)


def _offered(name: str, names: Sequence[str]) -> str:
    from difflib import get_close_matches

    folded = {known.casefold(): known for known in names}
    close = [folded[match] for match in get_close_matches(name.casefold(), folded)]
    if close:
        return f"Close to it: {', '.join(close)}."
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return f"There are: {', '.join(names[:_NAMES_SHOWN])}{more}." if names else "There are none."


def _reason(error: BaseException | None) -> str | None:
    if error is None:
        return None
    return redact_url(error.message if isinstance(error, AmxError) else type(error).__name__)
