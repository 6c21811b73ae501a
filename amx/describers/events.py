"""Server-sent events, and what chat completions say in them. Knows no network.

Sources: WHATWG HTML, 9.2.6 "Interpreting an event stream"; the OpenAI API reference, "Chat
completions" and "Streaming events".
"""

import codecs
import json
import re
from collections.abc import Iterator, Mapping

from amx.core.phrasing import NoAnswer

DONE = "[DONE]"

_CUT_OFF = ("length", "max_tokens", "content_filter")


class EventStream:
    """Takes bytes as they come and gives the data of the events that they complete."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._rest = ""
        self._data: list[str] = []

    def take(self, chunk: bytes, *, is_last: bool = False) -> Iterator[str]:
        """Yield the data of each event; a last one need not be followed by an empty line."""
        text = self._rest + self._decoder.decode(chunk, is_last)
        # What ends in a carriage return may go on with the line feed that belongs to it.
        held = len(text) - 1 if text.endswith("\r") and not is_last else len(text)
        *lines, rest = re.split("\r\n|\n|\r", text[:held])
        self._rest = rest + text[held:]
        for line in [*lines, self._rest, ""] if is_last else lines:
            yield from self._line(line)

    def _line(self, line: str) -> Iterator[str]:
        if not line and self._data:
            yield "\n".join(self._data)
            self._data.clear()
        name, _, value = line.partition(":")
        if name == "data":
            self._data.append(value.removeprefix(" "))


class Completion:
    """The one choice of a chat completion, put together from its documents."""

    def __init__(self) -> None:
        self.is_finished = False

    def text_of(self, text: str) -> str:
        """Return what a document adds to the answer.

        Raises:
            NoAnswer: it is an error, none at all, or says that the answer was cut off.
        """
        if text.strip() == DONE:
            self.is_finished = True
            return ""
        document = _object(text)
        if error := document.get("error"):
            raise NoAnswer(f"answered with an error: {_told(error)}")
        choices = document.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, Mapping):
            return ""
        self._end(choice.get("finish_reason"))
        said = choice.get("delta") or choice.get("message")
        content = said.get("content") if isinstance(said, Mapping) else None
        return content if isinstance(content, str) else ""

    def _end(self, reason: object) -> None:
        if reason in (None, ""):
            return
        if reason in _CUT_OFF:
            raise NoAnswer(f"ended its answer before it was complete ({reason})")
        self.is_finished = True


def error_in(text: str) -> str:
    """Return what the body of a refusal says, in a few words."""
    try:
        document = _object(text)
    except NoAnswer:
        return ""
    return _told(document.get("error") or document.get("message") or document.get("detail"))


def _told(error: object) -> str:
    told = error.get("message") if isinstance(error, Mapping) else error
    return " ".join(told.split()) if isinstance(told, str) else ""


def _object(text: str) -> Mapping[str, object]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, Mapping):
        raise NoAnswer("answered with something that is no chat completion; is api_base right?")
    return document
