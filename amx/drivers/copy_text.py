"""Rows as PostgreSQL's COPY reads them: its text format.

Source: PostgreSQL manual, COPY, "Text Format".
"""

from collections.abc import Sequence
from typing import NamedTuple

Field = str | int | None

NULL = r"\N"


class Copying(NamedTuple):
    """The statements of one transaction that copies rows; none has parameters.

    ``copy`` ends in a ``COPY … FROM STDIN``, ``write`` writes what was copied. Where that is
    fewer rows than were copied it is undone and ``instead`` is run, whose rows are told.
    """

    copy: str
    write: str
    instead: str


_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


_PART = 100
"""Rows that are looked at in one piece; one that must be escaped costs as many another look."""


def lines_of(rows: Sequence[Sequence[Field]]) -> bytes:
    """Return one line for each row.

    Raises:
        ValueError: some text cannot be encoded: it has a NUL or a lone surrogate.
    """
    text = "".join([_lines(rows[at : at + _PART]) for at in range(0, len(rows), _PART)])
    if "\0" in text:
        msg = "PostgreSQL has no NUL in text"
        raise ValueError(msg)
    return text.encode()


def _lines(rows: Sequence[Sequence[Field]]) -> str:
    """Return the lines of some rows; few hold what must be escaped, so all are searched at once."""
    text = "\n".join([_plain(row) for row in rows]) + "\n"
    is_plain = (
        text.count("\t") == sum([len(row) - 1 for row in rows])
        and text.count("\n") == len(rows)
        and text.count("\\") == sum([row.count(None) for row in rows])
        and "\r" not in text
    )
    if is_plain:
        return text
    return "".join(["\t".join([_escaped(field) for field in row]) + "\n" for row in rows])


def _plain(row: Sequence[Field]) -> str:
    return "\t".join(
        [
            field if field.__class__ is str else NULL if field is None else str(field)
            for field in row
        ]
    )


def _escaped(field: Field) -> str:
    return NULL if field is None else str(field).translate(_ESCAPES)
