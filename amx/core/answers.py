"""What `amx ask` is made of: a search over the catalog, and an answer that cites what it found.

Nothing is said that the catalog does not say; what was not found is named.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from amx.core.catalog import CatalogDocument, Hit, TableInfo
from amx.core.conversations import Session
from amx.core.digest import sha256
from amx.core.errors import DatabaseUnreachable, UsageError
from amx.core.history import History
from amx.core.phrasing import Draft, Wording, as_it_is
from amx.core.ports import Catalog, CatalogIndex, Describer
from amx.core.profiles import Profile
from amx.core.sessions import SessionService
from amx.core.words import stems
from amx.core.work import Result

HITS = 200
"""How many assets a search may bring; the answer names the best few of them."""

SHOWN = 3
"""How many tables an answer names."""

STOP_WORDS = frozenset(
    stems(
        "a an and any are at be by can column columns contain contains did do does field fields "
        "find for from get has have hold holds how i in is it keep keeps kept list me my of on or "
        "our show shows store stored stores table tables tell that the their there these they "
        "this to view views was we were what when where which who whose why will with you your"
    )
)
"""Words of questions that say nothing about what is asked for."""

LEAST_WORTH = 0.5
"""A column that matches less than this is not named in an answer."""

Descriptions = Mapping[tuple[str, str, str | None], str]
"""Descriptions by schema, table and column (None for the table itself)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer, the session it was appended to, and what it rests on."""

    session: Session
    wording: Wording
    citations: Sequence[dict[str, object]]
    warning: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A table that a question found, with the columns that match beside it."""

    table: CatalogDocument
    columns: Sequence[CatalogDocument]
    found: frozenset[str]


class AnswerService:
    """Answers questions about one profile's catalog, within a session bound to it."""

    def __init__(
        self,
        index: CatalogIndex,
        sessions: SessionService,
        history: History,
        describer: Describer,
        phrase: Callable[[Draft], Wording] = as_it_is,
    ) -> None:
        self._index = index
        self._sessions = sessions
        self._history = history
        self._describer = describer
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

        Where the database cannot be reached, what is known from before answers, with a warning.

        Args:
            profile: The active profile.
            question: In anybody's words.
            session_key: The session; None for the active one.
            open_catalog: Connects; called only once the session is known to be the profile's.
            is_new: Begin a session, whatever is active.

        Raises:
            ProfileMismatch: the session belongs to another profile or database; nothing is
                changed.
            UnknownId: there is no such session.
            UsageError: the question is empty.
            ServerMismatch: another server answers than the one remembered.
            DatabaseUnreachable: and nothing is known from before.
            ConfigError: a model is to word the answer, and is configured wrongly.
        """
        if not question.strip():
            raise UsageError("The question is empty. Nothing was changed.", hint="amx ask --help")
        if not is_new:
            self._sessions.check(profile, session_key)
        warning = self._refreshed(profile, open_catalog)
        asked = words_of(question)
        matches = self._found(profile, list(asked))
        answer = phrased(profile.name, asked, matches)
        citations = cited(matches)
        wording = self._phrase(Draft(question, answer, shown(matches), profile.identity))
        session, _, _ = self._sessions.append(
            profile,
            session_key,
            question=question,
            answer=wording.answer,
            citations=citations,
            provenance=wording.provenance,
            is_new=is_new,
        )
        return Reply(session=session, wording=wording, citations=citations, warning=warning)

    def _refreshed(self, profile: Profile, open_catalog: Callable[[], Catalog]) -> str | None:
        try:
            tables = open_catalog().tables()
        except DatabaseUnreachable as error:
            if self._index.digest(profile.identity) is None:
                raise
            return f"{error.message} This answer is from what was known before."
        run = self._history.latest_run(profile)
        results = self._history.results(run) if run else []
        descriptions = described(tables, self._describer, results)
        digest = digest_of(tables, descriptions)
        if self._index.digest(profile.identity) != digest:
            self._index.refresh(profile.identity, digest, documents_of(tables, descriptions))
        return None

    def _found(self, profile: Profile, asked: Sequence[str]) -> Sequence[Match]:
        hits = self._index.search(profile.identity, asked, HITS)
        owners = {(hit.document.schema, hit.document.table) for hit in hits}
        tables = self._index.tables(profile.identity, sorted(owners))
        return ranked(asked, hits, tables)


def words_of(question: str) -> dict[str, str]:
    """Return the stems to search for, each with the word of the question that it is of."""
    found: dict[str, str] = {}
    for word in re.findall(r"\w+", question):
        for stem in stems(word):
            if stem not in STOP_WORDS:
                found.setdefault(stem, word)
    return found


def described(
    tables: Sequence[TableInfo], describer: Describer, results: Sequence[Result]
) -> Descriptions:
    """Return the best description there is of each asset: a run's, else what its name says."""
    made = [proposal for table in tables for proposal in describer.describe(table, {})]
    found = {(one.schema, one.table, one.column): one.description for one in made}
    for one in results:
        if one.status != "rejected":
            found[one.schema_name, one.table_name, one.column_name] = one.description
    return found


def digest_of(tables: Sequence[TableInfo], descriptions: Descriptions) -> str:
    """Return a digest that changes whenever the catalog or a description does."""
    text = repr((tables, sorted(descriptions.items(), key=repr)))
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def documents_of(
    tables: Sequence[TableInfo], descriptions: Descriptions
) -> Sequence[CatalogDocument]:
    """Return each table and column as the index holds it."""
    found = []
    for table in tables:
        found.append(_document(table, None, table.kind, "", descriptions))
        found += [
            _document(table, column.name, "column", column.type, descriptions)
            for column in table.columns
        ]
    return found


def _document(
    table: TableInfo, column: str | None, kind: str, type_: str, descriptions: Descriptions
) -> CatalogDocument:
    description = descriptions.get((table.schema, table.name, column), "")
    return CatalogDocument(
        schema=table.schema,
        table=table.name,
        column=column,
        kind=kind,
        type=type_,
        description=description,
        words=" ".join([*stems(column or table.name), "|", *stems(description)]),
    )


def ranked(
    asked: Sequence[str], hits: Sequence[Hit], tables: Sequence[CatalogDocument]
) -> Sequence[Match]:
    """Return the tables that the hits belong to, best first.

    A table is as good as the words that its name and one of its columns' names match together;
    words of descriptions count less, and the index's own score decides between equals.
    """
    by_table: dict[tuple[str, str], list[Hit]] = {}
    for hit in hits:
        by_table.setdefault((hit.document.schema, hit.document.table), []).append(hit)
    scored = [
        _scored(frozenset(asked), table, by_table[table.schema, table.table]) for table in tables
    ]
    scored.sort(key=lambda pair: (-pair[0], pair[1].table.schema, pair[1].table.table))
    return [match for _, match in scored]


def _scored(
    asked: frozenset[str], table: CatalogDocument, hits: Sequence[Hit]
) -> tuple[float, Match]:
    named, told = _matched(asked, table)
    columns = [hit.document for hit in hits if hit.document.column is not None]
    columns.sort(key=lambda one: -_worth(asked - named, one))
    pair = _worth(asked - named, columns[0]) if columns else 0.0
    # A name that is all of what was asked beats one that only holds it among other words.
    focus = len(named) / max(1, len(_names(table)))
    score = 3.0 * len(named) + 0.5 * len(told - named) + pair + focus
    found = named.union(told, *(part for one in columns for part in _matched(asked, one)))
    relevant = [one for one in columns if _worth(asked - named, one) >= max(pair, LEAST_WORTH)]
    best = max(hit.score for hit in hits)
    return score + best * 1e-6, Match(table=table, columns=relevant[:SHOWN], found=found)


def _matched(
    asked: frozenset[str], document: CatalogDocument
) -> tuple[frozenset[str], frozenset[str]]:
    _, _, told = document.words.partition("|")
    return asked & _names(document), asked & set(told.split())


def _names(document: CatalogDocument) -> frozenset[str]:
    return frozenset(document.words.partition("|")[0].split())


def _worth(asked: frozenset[str], column: CatalogDocument) -> float:
    named, told = _matched(asked, column)
    return 2.0 * len(named) + 0.5 * len(told - named)


def cited(matches: Sequence[Match]) -> list[dict[str, object]]:
    """Return what an answer rests on: each table named in it, and its columns."""
    return [
        {"schema": one.schema, "table": one.table, "column": one.column} for one in shown(matches)
    ]


def shown(matches: Sequence[Match]) -> Sequence[CatalogDocument]:
    """Return the assets that an answer names."""
    return [document for match in matches[:SHOWN] for document in (match.table, *match.columns)]


def phrased(profile: str, asked: Mapping[str, str], matches: Sequence[Match]) -> str:
    """Return the answer in words; ``asked`` are the words of the question by their stems."""
    if not asked:
        return f"The question names nothing that the catalog of {profile} could be searched for."
    if not matches:
        words = ", ".join(dict.fromkeys(asked.values()))
        return f"I do not know: nothing in the catalog of {profile} matches {words}."
    lines = [_line(matches[0]), *(f"  {_detail(one)}" for one in matches[0].columns)]
    if len(matches) > 1:
        lines.append("See also:")
        lines += [f"  {_line(match)}" for match in matches[1:SHOWN]]
    found = frozenset().union(*(match.found for match in matches[:SHOWN]))
    known = {word for stem, word in asked.items() if stem in found}
    if missing := [word for word in dict.fromkeys(asked.values()) if word not in known]:
        lines.append(f"Nothing that I name here matches: {', '.join(missing)}.")
    return "\n".join(lines)


def _line(match: Match) -> str:
    table = match.table
    name = f"{table.schema}.{table.table}" if table.schema else table.table
    columns = ", ".join(str(one.column) for one in match.columns)
    text = f"{name}: {table.description}" if table.description else name
    return f"{text} (columns: {columns})" if columns else text


def _detail(column: CatalogDocument) -> str:
    text = f"{column.column} {column.type}".strip()
    return f"{text}: {column.description}" if column.description else text
