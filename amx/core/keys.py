"""Ids as people give them: the number of a row on this installation, or its UUID."""

import re

from amx.core.errors import UnknownId

LARGEST = 2**63 - 1
"""Of the numbers a row may have."""

_SHOWN = 40

_UUID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"

_NUMBER = "0*([1-9][0-9]{0,18})"


def parse_id(text: str, noun: str, hint: str) -> int | str:
    """Return the number or the UUID that this text is.

    Args:
        text: As given on the command line.
        noun: What the id is of, for the message.
        hint: The command that lists the ids that exist.

    Raises:
        UnknownId: it is neither, or a number that no row can have.
    """
    if re.fullmatch(_UUID, text):
        return text.lower()
    number = re.fullmatch(_NUMBER, text)
    if number is None or int(number[1]) > LARGEST:
        raise unknown_id(text, noun, hint)
    return int(number[1])


def unknown_id(text: object, noun: str, hint: str) -> UnknownId:
    """Return the error that no row of this installation has this id."""
    shown = str(text)
    shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
    named = shown if shown.isdecimal() else repr(shown)
    msg = f"There is no {noun} {named} in this installation's history; nothing was changed."
    return UnknownId(msg, hint=hint, details={"id": shown})
