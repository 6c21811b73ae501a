"""What is known of the shared store without asking it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from amx.core import back_off
from amx.core.clock import now
from amx.core.config.model import Config
from amx.core.durations import age_s, words_of
from amx.core.errors import CheckFailed
from amx.core.ports import Outbox
from amx.core.targets import LAST_FLUSH, RESTORED_AT, STORE_VERSION, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStatus:
    """Mode, target and queue of this installation, all from its local store."""

    enabled: bool
    profile: str | None
    schema: str | None
    target: str | None
    schema_version: int | None
    pending: int
    quarantined: int
    oldest_pending_at: str | None
    last_flush_at: str | None
    last_error: str | None
    backing_off_until: str | None
    store_looks_restored_at: str | None = None

    @property
    def document(self) -> Mapping[str, object]:
        """The status as scripts read it."""
        return asdict(self)

    @property
    def words(self) -> Mapping[str, object]:
        """The status as people read it."""
        present = now()
        oldest = self.oldest_pending_at
        restored = self.store_looks_restored_at
        facts = {
            "Shared mode": "on" if self.enabled else "off",
            "Profile": self.profile or "-",
            "Target": self.target or "-",
            "Schema version": self.schema_version or "-",
            "Pending": self.pending,
            "Quarantined": self.quarantined,
            "Oldest pending": f"{words_of(age_s(oldest, present))} ago" if oldest else "-",
            "Last flush": self.last_flush_at or "never",
            "Last error": self.last_error or "-",
            "Not tried until": self.backing_off_until or "-",
        }
        mend = "amx history-store verify --repair"
        return facts | ({"Store restored": f"since {restored}: {mend}"} if restored else {})

    @property
    def queue_words(self) -> str:
        """How much is queued, and since when, for a question."""
        oldest = self.oldest_pending_at
        age = f", the oldest for {words_of(age_s(oldest, now()))}" if oldest else ""
        quarantined = f" and {self.quarantined} quarantined" if self.quarantined else ""
        return f"Queued: {self.pending} pending{quarantined}{age}"


def status_of(outbox: Outbox, target: Target | None, config: Config) -> StoreStatus:
    """Return the status; the shared store is not asked."""
    counts = outbox.counts()
    version = outbox.state(STORE_VERSION)
    configured: tuple[str | None, str | None] = (None, None)
    if config.is_shared:
        configured = (config.history_store_profile, config.history_store_schema)
    return StoreStatus(
        enabled=config.is_shared,
        profile=target.profile if target else configured[0],
        schema=target.schema if target else configured[1],
        target=target.words if target else None,
        schema_version=int(version) if version else None,
        pending=counts.pending,
        quarantined=counts.quarantined,
        oldest_pending_at=counts.oldest_pending_at,
        last_flush_at=outbox.state(LAST_FLUSH),
        last_error=outbox.state(back_off.LAST_ERROR),
        backing_off_until=back_off.runs_until(outbox),
        store_looks_restored_at=outbox.state(RESTORED_AT),
    )


def check_limits(
    status: StoreStatus, *, max_age_s: float | None = None, max_pending: int | None = None
) -> None:
    """Pass where the queue is within the limits: a probe for monitoring.

    Raises:
        CheckFailed: the oldest entry is older, or more are queued.
    """
    queued = status.pending + status.quarantined
    if max_pending is not None and queued > max_pending:
        msg = f"{queued} rows are queued, more than {max_pending}."
        raise CheckFailed(msg, hint="amx history-store flush-pending")
    oldest = status.oldest_pending_at
    if max_age_s is not None and oldest and age_s(oldest, now()) > max_age_s:
        msg = f"The oldest row is queued for {words_of(age_s(oldest, now()))}."
        raise CheckFailed(msg, hint="amx history-store flush-pending")
