"""The live shared schema compared with the bootstrap DDL."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, NamedTuple

from amx.core.errors import AmxError, CheckFailed, Systemic, Transient, UsageError
from amx.core.sending import Deadline
from amx.core.shapes import differences
from amx.core.sharing import Surroundings, bounded
from amx.core.tables import SCHEMA_VERSION
from amx.core.targets import Target, check_name, target_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from amx.core.ports import SharedStore
    from amx.core.shapes import Difference

CHECK_S = 30.0
LOOK_S = 2.0


class Looked(NamedTuple):
    """Whether a store has its schema, or why that could not be asked."""

    version: int | None = None
    problem: str | None = None

    @property
    def is_there(self) -> bool:
        """Whether the store has said so."""
        return self.version is not None


def look_for_schema(open_store: Callable[[], SharedStore]) -> Looked:
    """Ask a store for its schema, and wait no longer than somebody at a terminal would."""
    try:
        store = open_store()
        try:
            meta = store.meta(Deadline(LOOK_S))
        finally:
            store.close()
    except AmxError as error:  # whatever it is: it could not be asked
        return Looked(problem=error.message)
    return Looked(version=meta.schema_version if meta else None)


class SchemaReport(NamedTuple):
    """What tells the schema of a target from the one that the bootstrap DDL makes."""

    target: Target
    differences: Sequence[Difference]

    @property
    def document(self) -> Mapping[str, object]:
        """The report as scripts read it."""
        return {
            "equal": not self.differences,
            "target": self.target.words,
            "schema_version": SCHEMA_VERSION,
            "differences": [one.document for one in self.differences],
        }

    @property
    def words(self) -> str:
        """That there is no difference, in one line."""
        place = self.target.words
        return f"The shared schema at {place} is what version {SCHEMA_VERSION} of the DDL makes."

    def check(self) -> None:
        """Pass where the live schema is what it should be.

        Raises:
            CheckFailed: it is not.
        """
        if not self.differences:
            return
        tables = sorted({one.table for one in self.differences})
        count = len(self.differences)
        found = "1 difference" if count == 1 else f"{count} differences"
        msg = f"The shared schema at {self.target.words} is not what version {SCHEMA_VERSION} of"
        msg += f" the bootstrap DDL makes: {found} in {', '.join(tables)}. Nothing was changed."
        raise CheckFailed(msg, hint=self._hint)

    @property
    def _hint(self) -> str:
        words = ["amx", "history-store", "enable", "--profile", self.target.profile]
        words += ["--schema", self.target.schema]
        words += ["--database", self.target.database] if self.target.database else []
        [version] = [one.found for one in self.differences if one.name == "schema_version"] or [""]
        if version and int(version) > SCHEMA_VERSION:
            return "pip install --upgrade amx"
        if version or all(one.state == "missing" for one in self.differences):
            return shlex.join(words)
        words[2] = "dump-ddl"
        return f"{shlex.join(words[:7])}, for who owns the schema and mends it"


def check_schema(
    around: Surroundings,
    profile_name: str | None,
    schema: str,
    *,
    database: str | None = None,
    role: str | None = None,
) -> SchemaReport:
    """Compare the live schema with the bootstrap DDL; nothing is written.

    Args:
        around: The program around it.
        profile_name: The profile of the store's server.
        schema: Where the shared tables are.
        database: Instead of the profile's own, or of the one that was enabled with it.
        role: Whose rights are compared, too.

    Raises:
        UnknownProfile: there is none of this name.
        UsageError: no profile was named, or no schema or role can have this name.
        SharedStoreError: the store cannot be read.
    """
    if profile_name is None:
        msg = "A check needs the server: say --profile P with --check. Nothing was changed."
        raise UsageError(msg, hint="amx history-store dump-ddl --check --profile P")
    profile = around.profile_named(profile_name)
    config = around.config()
    if database is None and config.history_store_profile == profile_name:
        database = config.history_store_database
    target = target_of(profile, schema, database)
    if role is not None:
        check_name(role, "role")
    store = bounded(around, profile, target)
    try:
        expected, live = store.shapes(role, Deadline(CHECK_S))
    except (Transient, Systemic) as error:
        msg = f"The shared schema could not be checked: {error.message.removesuffix('.')}."
        hint = error.hint or shlex.join(["amx", "db", "test", profile_name])
        raise type(error)(msg, hint=hint, details=error.details) from error
    finally:
        store.close()
    return SchemaReport(target, differences(expected, live))
