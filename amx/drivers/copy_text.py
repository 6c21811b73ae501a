"""Rows as PostgreSQL's COPY reads them: its text format.

Source: PostgreSQL manual, COPY, "Text Format".
"""

from collections.abc import Iterable, Sequence

Field = str | int | None

NULL = r"\N"

_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def lines_of(rows: Iterable[Sequence[Field]]) -> bytes:
    """Return one line for each row.

    Raises:
        ValueError: some text cannot be encoded: it has a NUL or a lone surrogate.
    """
    text = "".join([_line(row) for row in rows])
    if "\0" in text:
        msg = "PostgreSQL has no NUL in text"
        raise ValueError(msg)
    return text.encode()


def _line(row: Sequence[Field]) -> str:
    fields = [
        field if field.__class__ is str else NULL if field is None else str(field) for field in row
    ]
    plain = "\t".join(fields)
    # Few rows hold what must be escaped; so it is looked for in the whole line at once.
    if (
        plain.count("\\") != row.count(None)
        or plain.count("\t") != len(row) - 1
        or "\n" in plain
        or "\r" in plain
    ):
        plain = "\t".join([_escaped(field) for field in row])
    return plain + "\n"


def _escaped(field: Field) -> str:
    return NULL if field is None else str(field).translate(_ESCAPES)
