"""The composition root: one cached property per collaborator, imported when first asked for."""

from functools import cached_property
from typing import TYPE_CHECKING, cast

from amx.configured import Configured
from amx.core.errors import AmxError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import typer

    from amx.core.answers import AnswerService
    from amx.core.attribution import Attribution
    from amx.core.catalog_ports import Catalog, Describer
    from amx.core.history import History
    from amx.core.locks import NumberLocks
    from amx.core.profiles import Profile
    from amx.core.renaming import Renamer
    from amx.core.runs import RunService
    from amx.core.servers import KnownServers
    from amx.core.sessions import SessionService
    from amx.core.sharing import Patch, SharingService
    from amx.core.team_glossary import TeamGlossary
    from amx.stores.local import SQLiteLocalStore
    from amx.stores.outbox import SQLiteOutbox
    from amx.stores.search import SQLiteCatalogIndex


def runtime_of(context: "typer.Context") -> "Runtime":
    """Return the runtime of the command that is being run."""
    return cast("Runtime", context.obj)


class Runtime(Configured):
    """What one command works with."""

    # --- databases

    def catalog_of(self, profile: "Profile") -> "Catalog":
        """Return a reader of the profile's own database, whose server was recognised.

        Raises:
            ServerMismatch: another server answers than the one remembered.
        """
        catalog = self.unrecognised_catalog_of(profile)
        self.servers.check(profile, catalog)
        return catalog

    def unrecognised_catalog_of(self, profile: "Profile") -> "Catalog":
        """Return a reader of the profile's own database, whichever server answers."""
        from amx.catalogs.registry import open_catalog

        return open_catalog(profile, self.environ)

    @cached_property
    def catalog(self) -> "Catalog":
        """The same for the active profile."""
        return self.catalog_of(self.profile)

    @cached_property
    def servers(self) -> "KnownServers":
        """Which server answered at each target when it was first met."""
        from amx.core.servers import KnownServers

        return KnownServers(self.outbox)

    # --- the local history

    @cached_property
    def local(self) -> "SQLiteLocalStore":
        """The local store, to be written."""
        return self._local_store(is_read_only=False)

    @cached_property
    def reader(self) -> "SQLiteLocalStore":
        """The local store, only to be read: not a byte of it changes."""
        return self._local_store(is_read_only=True)

    def _local_store(self, *, is_read_only: bool) -> "SQLiteLocalStore":
        from amx.stores.local import SQLiteLocalStore

        return SQLiteLocalStore(
            self.local_path,
            attribution=self._attribution,
            is_shared=lambda: self.config.is_shared,
            is_private=lambda: not self.config.has_shared_questions,
            is_read_only=is_read_only,
        )

    def _attribution(self) -> "Attribution":
        from amx.core.attribution import attribution_of

        return attribution_of(self.environ)

    @cached_property
    def outbox(self) -> "SQLiteOutbox":
        """The local record of what the shared store lacks."""
        from amx.stores.outbox import SQLiteOutbox

        return SQLiteOutbox(self.local)

    @cached_property
    def outbox_reader(self) -> "SQLiteOutbox":
        """The same, only to be read."""
        from amx.stores.outbox import SQLiteOutbox

        return SQLiteOutbox(self.reader)

    @cached_property
    def index(self) -> "SQLiteCatalogIndex":
        """Full-text search over the catalogs of the profiles."""
        from amx.stores.search import SQLiteCatalogIndex

        return SQLiteCatalogIndex(self.local)

    @cached_property
    def run_locks(self) -> "NumberLocks":
        """What tells a run that still runs from one that was killed."""
        from amx.core.locks import NumberLocks

        return NumberLocks(self.local_path.with_name(f"{self.local_path.name}.runs.lock"))

    # --- services

    @cached_property
    def sessions(self) -> "SessionService":
        """Guard 1; a renaming that was killed is ended first."""
        self.settle()
        return self.session_reader

    @cached_property
    def session_reader(self) -> "SessionService":
        """The same for commands that write nothing at all."""
        from amx.core.sessions import SessionService

        return SessionService(
            self.local,
            self.reader,
            known_profiles=self.known_profiles,
            confirm=self.confirm,
            exported=self.exported,
        )

    def settle(self) -> None:
        """End a renaming of a profile that was killed, where there is one.

        Raises:
            ConfigError: the configuration cannot be read, and nothing can be told without it.
        """
        _ = self.config
        if self.reader.renaming():
            self.renamer.settle()

    @cached_property
    def renamer(self) -> "Renamer":
        """What gives a profile another name."""
        from amx.core.renaming import Renamer

        return Renamer(self.local, self.reader, lambda: self.config_file.load().profiles)

    @cached_property
    def history(self) -> "History":
        """The one door for writes of runs, results and events."""
        from amx.core.history import History

        history = History(self.local, lambda: self.run_locks, self.reader)
        history.mark_interrupted()
        return history

    def note_event(self, kind: str, subject: str, details: "Mapping[str, object]") -> None:
        """Record what a command has done already; where that fails, say so and no more.

        An installation without a history gets none by this.
        """
        self.__dict__.pop("config", None)
        if not self.local_path.exists():
            return
        try:
            self.history.record_event(kind, subject, details)
        except AmxError as error:
            self.output.warn(f"It is done, but could not be recorded: {error.message}")

    @cached_property
    def describer(self) -> "Describer":
        """What proposes descriptions."""
        from amx.describers.evidence import EvidenceDescriber

        return EvidenceDescriber(self.glossary.glossary)

    @cached_property
    def glossary(self) -> "TeamGlossary":
        """What abbreviations stand for."""
        from amx.core.team_glossary import glossary_for

        return glossary_for(self.config, self.profile.name, self.config_path.parent, self.home)

    @cached_property
    def runs(self) -> "RunService":
        """What `amx run` is made of."""
        from amx.core.runs import RunService

        return RunService(self.history)

    @cached_property
    def answers(self) -> "AnswerService":
        """What `amx ask` is made of."""
        from amx.core.answers import AnswerService, Sources
        from amx.describers.worded import phraser_of

        if self.reader.has_open_run():
            self.history.mark_interrupted()
        sources = lambda: Sources(self.history, self.describer)  # noqa: E731 - only when asked
        active = None if self.is_without_model else self.config.active_llm_profile
        phrase = phraser_of(active, self.environ, self.index.named, self.output.streamer)
        found = (self.index, self.sessions, self.glossary, self.reader, sources)
        return AnswerService(*found, phrase=phrase)

    # --- shared mode

    @property
    def has_written_shared(self) -> bool:
        """Whether this command wrote a row that the shared store is to have."""
        return "local" in self.__dict__ and self.local.has_written_shared

    @cached_property
    def sharing(self) -> "SharingService":
        """Guards 2 and 3: what `amx history-store` is made of."""
        self.settle()
        return self._sharing(self.outbox, self.local)

    @cached_property
    def sharing_reader(self) -> "SharingService":
        """The same for commands that write nothing, not even a local store."""
        return self._sharing(self.outbox_reader, self.reader)

    def _sharing(self, outbox: "SQLiteOutbox", local: "SQLiteLocalStore") -> "SharingService":
        from amx.core.sharing import SharingService, Surroundings
        from amx.stores.registry import open_shared_store

        around = Surroundings(
            config=lambda: self.config,
            profile_named=self.profile_named,
            patch=self._patch_config,
            record=lambda *told: self.history.record_event(*told),  # noqa: PLW0108 - opened only then
            open_store=lambda profile, schema, database: open_shared_store(
                profile, schema, database, self.environ
            ),
            warn=self.output.warn,
        )
        if local.has_open_run():
            self.history.mark_interrupted()
        return SharingService(around, outbox, self.flush_lock_path)

    def _patch_config(self, changes: "Patch") -> None:
        self.config_file.patch(changes)
        self.__dict__.pop("config", None)
