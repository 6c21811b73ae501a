"""Text of databases, teammates and models made safe: what steers a terminal becomes visible."""

import re

_COPY_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\b": "\\b", "\f": "\\f"}
_COPY_ESCAPES["\v"] = "\\v"

# C0, DEL, C1, line and paragraph separators, and the marks that reorder text (UAX #9).
_STEERING = "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069"
# Text, compiled when first needed: most text is printable, and compiling costs.
_UNSAFE = f"[{_STEERING}\ud800-\udfff]"
UNSAFE_IN_JSON = "[\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
_UNSAFE_IN_FIELD = f"[{_STEERING}\\\\\t\n]"


def visible(text: str) -> str:
    """Return text with everything that could steer a terminal written as an escape.

    Line breaks and tabs stay.
    """
    return text if text.isprintable() else re.sub(_UNSAFE, _escape, text)


def copy_field(value: object) -> str:
    """Return a value as one field of tab-separated output.

    Tab, newline and backslash are escaped as PostgreSQL's COPY does (its manual, COPY, "Text
    Format"); an absent value is an empty field.
    """
    text = cell(value)
    is_plain = text.isprintable() and "\\" not in text
    return text if is_plain else re.sub(_UNSAFE_IN_FIELD, _copy_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    is_byte = code <= 0xFF  # noqa: PLR2004 - one byte
    return f"\\x{code:02x}" if is_byte else f"\\u{code:04x}"


def _copy_escape(match: re.Match[str]) -> str:
    return _COPY_ESCAPES.get(match[0]) or _escape(match)


def json_escape(match: re.Match[str]) -> str:
    """Return a character as JSON writes it in ASCII."""
    return f"\\u{ord(match[0]):04x}"


def cell(value: object) -> str:
    """Return a value as the text of one cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
