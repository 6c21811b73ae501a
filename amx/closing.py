"""The end of a command: what it wrote is delivered, within its budget."""

from typing import TYPE_CHECKING

from amx.core.errors import AmxError, RowsLeft
from amx.runtime import Runtime

if TYPE_CHECKING:
    from amx.core.reports import ReplayReport
    from amx.core.sending import Deadline


def finish(runtime: Runtime, *, has_failed: bool) -> None:
    """Deliver what a command wrote; a store that is down is a warning, never a failure.

    Args:
        runtime: The command's.
        has_failed: Whether the command ended with an error, which then is the one that counts.

    Raises:
        RowsLeft: rows are queued, and the user asked to fail then.
    """
    warning = _delivered(runtime) if runtime.has_written_shared else None
    if runtime.requires_delivery and not has_failed:
        _require_delivery(runtime, warning)
    elif warning:
        runtime.output.warn(warning)


class _Later:
    """The replayer, made when it is needed: a store that is known to be down costs next to nothing.

    Args:
        runtime: What makes it.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def replay(self, deadline: "Deadline") -> "ReplayReport":
        """Deliver what can be delivered now."""
        return self._runtime.sharing.replayer.replay(deadline)


def _delivered(runtime: Runtime) -> str | None:
    from amx.core.delivery import deliver

    try:
        if runtime.local.has_open_run():
            runtime.history.mark_interrupted()
        return deliver(
            runtime.outbox,
            _Later(runtime),
            lock_path=runtime.flush_lock_path,
            budget_s=runtime.config.delivery_budget_s,
        )
    except AmxError as error:  # what the command did is done, and is queued
        return f"Delivery was not tried: {error.message} Later: amx history-store flush-pending"


def _require_delivery(runtime: Runtime, warning: str | None) -> None:
    counts = runtime.outbox_reader.counts()  # which needs no configuration
    left = counts.pending + counts.quarantined
    if left:
        message = f"Delivery is required, and {left} rows are left: "
        reason = warning or "they were queued before."
        raise RowsLeft(f"{message}{reason}", hint="amx history-store flush-pending")
