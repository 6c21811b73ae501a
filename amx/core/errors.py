"""The error tree. Each class is one fact; its branch decides the exit code.

Adapters translate what their driver raises. Exit codes and prefixes of ``code`` are the contract:

    AmxError
    ├── Failed             1   failed.*     it failed; the message says what is unchanged
    ├── CheckFailed        1   check.*      a check found something
    ├── UsageError         2   usage.*      wrong words, unknown id or name, no terminal
    ├── Refused            3   refused.*    a guard refused; nothing was changed
    ├── SharedStoreError   4   shared.*     the shared store; the rest is queued
    ├── ConfigError        5   config.*     the configuration cannot be used
    ├── DatabaseError      6   database.*   the profile's own database
    ├── InternalError     70   internal.*   a bug
    ├── Busy              75   busy.*       locked by another process just now
    └── Interrupted  130/143   interrupted.*
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, TypeAlias

Details: TypeAlias = Mapping[str, object] | None
Number: TypeAlias = int | None


class AmxError(Exception):
    """What a command may end with instead of a result.

    ``message``: what was refused or failed, why, what is unchanged; ``hint``: the command that
    helps; ``details``: facts for scripts, shown with ``--json`` only.
    """

    exit_code: ClassVar[int]
    code: ClassVar[str]

    def __init__(self, message: str, *, hint: str | None = None, details: Details = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = dict(details or {})


class Failed(AmxError):
    """It failed; what was there before is still there."""

    exit_code = 1
    code = "failed.other"


class SaveFailed(Failed):
    """The configuration could not be saved; the live file is untouched."""

    code = "failed.save"


class ShadowRejected(SaveFailed):
    """What was read back from the shadow is not what was meant; the live file is untouched."""

    code = "failed.shadow_gate"


class EditorFailed(Failed):
    """The editor could not be started or ended with an error; nothing was saved."""

    code = "failed.editor"


class LocalStoreFailed(Failed):
    """The local store could not be opened, read or written."""

    code = "failed.local_store"


class OutputFailed(Failed):
    """Standard output could not be written; what the command did stays done."""

    code = "failed.output"


class CheckFailed(AmxError):
    """A check found something; nothing was changed."""

    exit_code = 1
    code = "check.found"


class UsageError(AmxError):
    """Wrong words; nothing was changed."""

    exit_code = 2
    code = "usage.words"


class UnknownProfile(UsageError):
    """No profile has this name; there is never a fallback to another."""

    code = "usage.unknown_profile"

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(
            f"There is no profile {name!r}. Profiles: {', '.join(sorted(known)) or 'none yet'}.",
            hint="amx db list" if known else "amx db add NAME --backend postgresql|sqlite …",
            details={"name": name, "profiles": sorted(known)},
        )


class NoProfile(UsageError):
    """The command needs an active profile and none is chosen."""

    code = "usage.no_profile"


class UnknownId(UsageError):
    """No row of this installation has this id."""

    code = "usage.unknown_id"


class UnknownKey(UsageError):
    """The configuration has no such key."""

    code = "usage.unknown_key"


class NoTerminal(UsageError):
    """The command needs a terminal and there is none."""

    code = "usage.no_terminal"


class SharedModeOff(UsageError):
    """The command is about the shared store and shared mode was never turned on here."""

    code = "usage.shared_mode_off"


class Refused(AmxError):
    """A guard refused; nothing was changed."""

    exit_code = 3
    code = "refused.other"


class ProfileMismatch(Refused):
    """The session is bound to another profile or to another database."""

    code = "refused.profile_mismatch"


class ServerMismatch(Refused):
    """Another server answers at the profile's address than the one remembered."""

    code = "refused.server_mismatch"


class SharedStoreMismatch(Refused):
    """Another store answers at the target than the one that was enabled."""

    code = "refused.store_mismatch"


class TargetMismatch(Refused):
    """The queue belongs to another target than the one asked for."""

    code = "refused.target_mismatch"


class EditConflict(Refused):
    """The same key was changed here and on disk; nothing was lost."""

    code = "refused.edit_conflict"


class SharedStoreError(AmxError):
    """The shared store did not take everything; the rest is queued."""

    exit_code = 4
    code = "shared.other"


class Transient(SharedStoreError):
    """The shared store cannot be reached just now; worth trying again later."""

    code = "shared.unreachable"


class Systemic(SharedStoreError):
    """The shared store refuses everything until somebody mends it (rights, schema)."""

    code = "shared.refused"


class SchemaTooNew(Systemic):
    """The shared schema is newer than this client understands; upgrade amx."""

    code = "shared.schema_too_new"


class RowsRejected(SharedStoreError):
    """The store will never accept one of these rows (SQLSTATE, or ``client``: not encodable)."""

    code = "shared.rows_rejected"

    def __init__(self, message: str, *, sqlstate: str) -> None:
        super().__init__(message, details={"sqlstate": sqlstate})
        self.sqlstate = sqlstate


class RowsLeft(SharedStoreError):
    """Rows are still queued at the end."""

    code = "shared.rows_left"


class ConfigError(AmxError):
    """The configuration cannot be used; ``amx config restore`` is the way out."""

    exit_code = 5
    code = "config.other"


class ConfigUnreadable(ConfigError):
    """The file cannot be opened or read."""

    code = "config.unreadable"


class ConfigInvalid(ConfigError):
    """The file can be read but not understood; line and column count from one."""

    code = "config.invalid"

    def __init__(
        self, message: str, *, line: Number = None, column: Number = None, hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint, details={"line": line, "column": column})


class ConfigGone(ConfigError):
    """The file is gone while its backups are there."""

    code = "config.gone"


class SecretUnavailable(ConfigError):
    """A secret that the configuration refers to cannot be had."""

    code = "config.secret"


class DatabaseError(AmxError):
    """The profile's own database."""

    exit_code = 6
    code = "database.other"


class DatabaseUnreachable(DatabaseError):
    """The profile's own database could not be reached."""

    code = "database.unreachable"


class DatabaseRefused(DatabaseError):
    """The profile's own database refused the login or a statement."""

    code = "database.refused"


class InternalError(AmxError):
    """A bug; a report file is named."""

    exit_code = 70
    code = "internal.bug"


class Busy(AmxError):
    """Locked by another process just now; try again."""

    exit_code = 75
    code = "busy.locked"


class SavesSuspended(Busy):
    """Somebody edits the configuration; background workers do not save meanwhile."""

    code = "busy.suspended"


class Interrupted(AmxError):
    """Stopped by Ctrl-C."""

    exit_code = 130
    code = "interrupted.keyboard"


class Terminated(Interrupted):
    """Stopped by SIGTERM."""

    exit_code = 143
    code = "interrupted.terminated"
