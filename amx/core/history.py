"""The one door for writes of runs, results and events."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from amx.core.catalog import Proposal
from amx.core.clock import now
from amx.core.errors import Busy
from amx.core.keys import parse_id, unknown_id
from amx.core.locks import NumberLocks
from amx.core.ports import LocalStore, Reader, Writer
from amx.core.profiles import Profile
from amx.core.secrets import redact_url
from amx.core.work import Event, Result, Run

LIST_RUNS = "amx history list"


class History:
    """Writes and reads runs, their results, and events.

    Args:
        local: Where they are written.
        number_locks: The lock of each living run, or what opens them when first needed; one
            object per process, since record locks belong to the process.
        reader: Where they are read for commands that write nothing; ``local`` by default.
    """

    def __init__(
        self,
        local: LocalStore,
        number_locks: NumberLocks | Callable[[], NumberLocks],
        reader: Reader | None = None,
    ) -> None:
        self._local = local
        self._reader = reader or local
        self._number_locks = number_locks

    def begin_run(self, profile: Profile, describer: str) -> Run:
        """Begin a run and hold its lock, which tells it from one that was killed.

        The lock is taken before the row can be seen by another process.

        Args:
            profile: The profile whose database is described.
            describer: What writes the descriptions: ``evidence`` or ``model:<name>``.
        """
        begun: Run | None = None
        is_committed = False
        try:
            with self._local.transaction() as writer:
                begun = writer.put(_new_run(profile, describer))
                self._hold(begun)
            is_committed = True
        finally:
            if begun is not None and not is_committed:
                self._release(begun)
        return begun

    def add_results(self, run: Run, proposals: Sequence[Proposal]) -> Run:
        """Keep proposals of a run, all or none; return the run with its new count."""
        with self._local.transaction() as writer:
            for proposal in proposals:
                writer.put(_result(run, proposal))
            stored = _stored(writer, run)
            if not proposals:
                return stored
            return writer.put(replace(stored, proposed=stored.proposed + len(proposals)))

    def finish_run(self, run: Run, status: str, error: str | None = None) -> Run:
        """Give a run its terminal status, once; a second call changes nothing.

        Args:
            run: The run.
            status: ``completed``, ``failed`` or ``interrupted``.
            error: Why it failed; what looks like a secret in it is hidden.
        """
        with self._local.transaction() as writer:
            finished = _finished(writer, run, status, redact_url(error) if error else None)
        self._release(finished)
        return finished

    def runs(self, limit: int | None = None) -> Sequence[Run]:
        """Return the runs of this installation, newest first."""
        return self._reader.select(Run, is_newest_first=True, limit=limit)

    def latest_run(self, profile: Profile) -> Run | None:
        """Return the last completed run over what this profile points at."""
        where = {"identity": profile.identity, "status": "completed"}
        runs = self._reader.select(Run, where, is_newest_first=True, limit=1)
        return runs[0] if runs else None

    def results(self, run: Run) -> Sequence[Result]:
        """Return the results of a run, in the order in which they were proposed."""
        return self._reader.select(Result, {"run_id": run.id})

    def accepted(self, profile: Profile) -> Sequence[Result]:
        """Return what was accepted or applied of all runs over this database, oldest first."""
        runs = self._reader.select(Run, {"identity": profile.identity})
        found = [
            result
            for run in runs
            if run.accepted or run.applied
            for status in ("accepted", "applied")
            for result in self._reader.select(Result, {"run_id": run.id, "status": status})
        ]
        return sorted(found, key=lambda one: one.updated_at)

    def fingerprint(self, profile: Profile) -> str:
        """Return a text that differs whenever `latest_run`, its results or `accepted` do.

        Whoever changes a result writes its run too, as parents always are.
        """
        run = self.latest_run(profile)
        runs = self._reader.fingerprint(Run, {"identity": profile.identity})
        results = self._reader.fingerprint(Result, {"run_id": run.id}) if run else ""
        return f"{runs} {run.id if run else ''} {results}"

    def find_run(self, key: int | str) -> Run:
        """Return the run with this number or UUID.

        Raises:
            UnknownId: there is none.
        """
        run = self._reader.find(Run, parse_id(str(key), "run", LIST_RUNS))
        if run is None:
            raise unknown_id(key, "run", LIST_RUNS)
        return run

    def record_event(
        self,
        kind: str,
        subject: str,
        details: Mapping[str, object],
        profile: str | None = None,
    ) -> Event:
        """Record that something happened. ``details`` holds no secrets and no floats."""
        event = Event(kind=kind, subject=subject, details=dict(details), profile=profile)
        with self._local.transaction() as writer:
            return writer.put(event)

    def mark_interrupted(self) -> int:
        """Mark runs that were killed as interrupted; return how many.

        A run that still runs holds its lock and is left alone. Where nothing was killed,
        nothing is written.
        """
        running = self._reader.select(Run, {"status": "running"})
        killed = [run for run in running if not self._is_alive(run)]
        if not killed:
            return 0
        with self._local.transaction() as writer:
            # A run may have ended since it was read; what is stored now decides.
            left = [run for run in killed if _stored(writer, run).status == "running"]
            for run in left:
                _finished(writer, run, "interrupted", None)
        return len(left)

    @property
    def _locks(self) -> NumberLocks:
        if not isinstance(self._number_locks, NumberLocks):
            self._number_locks = self._number_locks()
        return self._number_locks

    def _is_alive(self, run: Run) -> bool:
        return self._locks.is_held(_number(run))

    def _hold(self, run: Run) -> None:
        try:
            self._locks.hold(_number(run))
        except OSError as error:
            msg = f"The lock of run {run.local_id} is held by another process. Nothing was changed."
            raise Busy(msg, hint="Try again in a moment.") from error

    def _release(self, run: Run) -> None:
        self._locks.release(_number(run))


def _new_run(profile: Profile, describer: str) -> Run:
    return Run(
        profile=profile.name,
        identity=profile.identity,
        target=profile.target,
        describer=describer,
        started_at=now(),
    )


def _result(run: Run, proposal: Proposal) -> Result:
    return Result(
        run_id=run.id,
        schema_name=proposal.schema,
        table_name=proposal.table,
        column_name=proposal.column,
        asset_kind=proposal.asset_kind,
        description=proposal.description,
        provenance=proposal.provenance,
        evidence=dict(proposal.evidence),
    )


def _finished(writer: Writer, run: Run, status: str, error: str | None) -> Run:
    stored = _stored(writer, run)
    if stored.status != "running":
        return stored
    return writer.put(replace(stored, status=status, ended_at=now(), error=error))


def _stored(reader: Reader, run: Run) -> Run:
    return reader.find(Run, run.id) or run


def _number(run: Run) -> int:
    return run.local_id or 0
