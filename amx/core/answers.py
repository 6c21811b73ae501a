"""What `amx ask` is made of: a search over the catalog, and an answer that cites what it found.

Nothing is said that the catalog does not say; what was not found is named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from amx import __version__
from amx.core.asking.composing import Composer
from amx.core.asking.earlier import REMEMBERED_TURNS, Earlier, recalled
from amx.core.asking.searching import Shelf
from amx.core.digest import sha256
from amx.core.errors import DatabaseUnreachable, UsageError
from amx.core.phrasing import Draft, as_it_is

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from amx.core.asking.documents import CatalogDocument
    from amx.core.asking.grounds import Grounds
    from amx.core.catalog_ports import Catalog, CatalogIndex, Describer
    from amx.core.conversations import Session
    from amx.core.history import History
    from amx.core.phrasing import Wording
    from amx.core.ports import Reader
    from amx.core.profiles import Profile
    from amx.core.sessions import SessionService
    from amx.core.team_glossary import TeamGlossary


class Reply(NamedTuple):
    """An answer, the session it was appended to, and what it rests on."""

    session: Session
    wording: Wording
    citations: Sequence[dict[str, object]]
    warnings: Sequence[str]
    grounds: Grounds


class Sources(NamedTuple):
    """Where descriptions come from; only a catalog that has changed is described anew."""

    history: History
    describer: Describer


class AnswerService:
    """Answers questions about one profile's catalog, within a session bound to it.

    Args:
        index: Where catalogs are searched.
        sessions: Guard 1.
        glossary: What abbreviations stand for.
        reader: Reads the local history.
        sources: Asked when an index is made.
    """

    def __init__(  # noqa: PLR0913 - an answer is made of that many parts
        self,
        index: CatalogIndex,
        sessions: SessionService,
        glossary: TeamGlossary,
        reader: Reader,
        sources: Callable[[], Sources],
        *,
        phrase: Callable[[Draft], Wording] = as_it_is,
    ) -> None:
        self._index = index
        self._sessions = sessions
        self._glossary = glossary
        self._reader = reader
        self._sources = sources
        self._phrase = phrase

    def ask(
        self,
        profile: Profile,
        question: str,
        session_key: str | None,
        open_catalog: Callable[[], Catalog],
        *,
        is_new: bool = False,
    ) -> Reply:
        """Answer from the catalog and append question and answer to the session.

        Where the database cannot be reached, what is known from before answers.

        Args:
            profile: The active profile.
            question: In anybody's words.
            session_key: The session; None for the active one.
            open_catalog: Connects; called only once the session is known to be the profile's.
            is_new: Begin a session, whatever is active.

        Raises:
            ProfileMismatch: the session is of another profile or database; nothing is changed.
            UnknownId: there is no such session.
            UsageError: the question is empty.
            ServerMismatch: another server answers than the one remembered.
            DatabaseUnreachable: and nothing is known from before.
            ConfigError: a model is to word the answer, and is configured wrongly.
        """
        if not question.strip():
            raise UsageError("The question is empty. Nothing was changed.", hint="amx ask --help")
        session = None if is_new else self._sessions.check(profile, session_key)
        warnings = [*self._glossary.warnings, *self._refreshed(profile, open_catalog)]
        grounds = self._grounds(profile, question, session)
        told = self._phrase(
            Draft(question, grounds.text, grounds.cited, profile.identity, grounds.remarks)
        )
        citations = citations_of(grounds.cited)
        session, _, _ = self._sessions.append(
            profile,
            session_key,
            question=question,
            answer=told.answer,
            citations=citations,
            provenance=told.provenance,
            is_new=is_new,
        )
        return Reply(session, told, citations, warnings, grounds)

    def _grounds(self, profile: Profile, question: str, session: Session | None) -> Grounds:
        shelf = Shelf(self._index, profile.identity)
        glossary = self._glossary.glossary
        earlier = self._earlier(session)
        return Composer(shelf, profile.name, question, earlier, glossary).grounds()

    def _earlier(self, session: Session | None) -> Earlier:
        if session is None or not session.turn_count:
            return Earlier()
        return recalled(self._sessions.latest_turns(session, REMEMBERED_TURNS))

    def _refreshed(self, profile: Profile, open_catalog: Callable[[], Catalog]) -> Sequence[str]:
        """Make the index what the database, the history and the glossary now say.

        Nothing is read but their fingerprints where nothing has changed. Return warnings.
        """
        state = self._index.state(profile.identity)
        try:
            catalog = open_catalog()
            digest = self._digest(profile, catalog.fingerprint())
            if state is None or state.digest != digest:
                self._refresh(profile, catalog, digest)
        except DatabaseUnreachable as error:
            if state is None:
                raise
            return [f"{error.message} {_aged(state.made_at)}"]
        return []

    def _digest(self, profile: Profile, catalog: str) -> str:
        from amx.core.asking.documents import FORMAT

        # A change of a result is one of its run too, as of every parent.
        runs = self._reader.fingerprint("runs", {"identity": profile.identity})
        parts = (FORMAT, __version__, catalog, runs, self._glossary.digest)
        return sha256(repr(parts).encode()).hexdigest()

    def _refresh(self, profile: Profile, catalog: Catalog, digest: str) -> None:
        from amx.core.asking.knowledge import documents_of, known_of, vocabulary_of

        tables = catalog.tables()
        history, describer = self._sources()
        run = history.latest_run(profile)
        latest = history.results(run) if run else []
        known = known_of(tables, describer, history.accepted(profile), latest)
        documents = documents_of(tables, known, self._glossary.glossary)
        words = vocabulary_of(documents, self._glossary.glossary)
        self._index.refresh(profile.identity, digest, documents, words)


def citations_of(documents: Sequence[CatalogDocument]) -> list[dict[str, object]]:
    """Return assets as a turn keeps them."""
    return [{"schema": one.schema, "table": one.table, "column": one.column} for one in documents]


def _aged(made_at: str) -> str:
    from amx.core.clock import now
    from amx.core.durations import age_s, words_of

    age = words_of(age_s(made_at, now()))
    return f"This answer is from the catalog as it was read {age} ago ({made_at})."
