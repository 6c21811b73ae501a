"""A run as a document: Markdown for people, a JSON value for an existing data catalog.

Pure: nothing is read or written here. Rejected descriptions are left out.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from amx.core.documents import run_document
from amx.core.work import Result, Run

Document = dict[str, object]

_COLUMNS = ("Column", "Type", "Description", "Provenance")

_SPACE = re.compile(r"\s+")

# What Markdown reads as markup in running text (CommonMark 0.31, 2.4) and in a GFM table.
# An underscore inside a word is only that (6.2).
_MARKUP = re.compile(r"[\\`*\[\]#|~!]|(?<!\w)_|_(?!\w)|^[-+>](?=\s)|(?<=^\d)[.)](?=\s)")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}

# C0, DEL, C1, lone surrogates and the marks that reorder text (UAX #9).
_STEERING = re.compile(
    "[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


@dataclass(frozen=True, slots=True)
class _Described:
    """A table's results: its own, where the run has one, and its columns'."""

    schema: str
    name: str
    own: Result | None
    columns: Sequence[Result]


def as_markdown(run: Run, results: Sequence[Result]) -> str:
    """Return a run as one Markdown document, a section for each table.

    Text of the database is data: no markup, HTML or control character in it takes effect.
    """
    title = f"# Catalog of {escaped(run.profile)}\n"
    status = "" if run.status == "completed" else f" The run is {run.status}."
    told = (
        f"Run {run.local_id} by {escaped(run.created_by)} on {escaped(run.hostname)}, "
        f"{escaped(run.started_at)}, amx {escaped(run.client_version)}, "
        f"of {escaped(run.target)}.{status}\n"
    )
    sections = [_section(table) for table in _by_table(results)]
    return "\n".join([title, told, *(sections or ["No descriptions.\n"])])


def as_document(run: Run, results: Sequence[Result]) -> Document:
    """Return a run with its tables and their columns, in the order of the run."""
    return {
        "run": {**run_document(run), "target": run.target, "describer": run.describer},
        "tables": [_table(table) for table in _by_table(results)],
    }


def escaped(text: str) -> str:
    """Return text that Markdown shows as it is, on one line, also within a table."""
    one_line = _SPACE.sub(" ", text).strip()
    marked = _MARKUP.sub(lambda match: f"\\{match[0]}", one_line)
    plain = re.sub("[&<>]", lambda match: _ENTITIES[match[0]], marked)
    return _STEERING.sub(lambda match: f"\\\\u{ord(match[0]):04x}", plain)


def steerless(text: str) -> str:
    """Return text whose control characters are visible; its lines stay lines."""
    return "\n".join(
        _STEERING.sub(lambda match: f"\\u{ord(match[0]):04x}", line)
        for line in text.replace("\t", "    ").split("\n")
    )


def _by_table(results: Sequence[Result]) -> Sequence[_Described]:
    groups: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        if result.status != "rejected":
            groups.setdefault((result.schema_name, result.table_name), []).append(result)
    return [
        _Described(
            schema,
            name,
            next((one for one in group if one.column_name is None), None),
            [one for one in group if one.column_name is not None],
        )
        for (schema, name), group in groups.items()
    ]


def _section(table: _Described) -> str:
    lines = [f"## {escaped(f'{table.schema}.{table.name}')}", ""]
    if table.own is not None:
        kind = "" if table.own.asset_kind == "table" else f"{table.own.asset_kind}; "
        lines += [escaped(table.own.description), "", f"({kind}{_source(table.own)})", ""]
    if table.columns:
        lines += [_row(_COLUMNS), _row(["---"] * len(_COLUMNS))]
        lines += [_row(_cells(column)) for column in table.columns] + [""]
    return "\n".join(lines)


def _cells(column: Result) -> Sequence[str]:
    told = (str(column.column_name), _type(column) or "", column.description)
    return [*(escaped(text) for text in told), _source(column)]


def _source(result: Result) -> str:
    return escaped(f"{result.provenance}, {result.status}")


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _table(table: _Described) -> Document:
    own = table.own
    return {
        "schema": table.schema,
        "table": table.name,
        "kind": own.asset_kind if own else None,
        **_told(own),
        "columns": [
            {"column": one.column_name, "type": _type(one), **_told(one)} for one in table.columns
        ],
    }


def _told(result: Result | None) -> Document:
    return {
        "id": result.local_id if result else None,
        "description": result.description if result else None,
        "provenance": result.provenance if result else None,
        "status": result.status if result else None,
    }


def _type(result: Result) -> str | None:
    evidence = result.evidence
    found = evidence.get("type") if isinstance(evidence, Mapping) else None
    return str(found) if found else None
