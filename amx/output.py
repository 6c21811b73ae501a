"""The only module that prints.

Results go to standard output, everything else to standard error. Text of databases, teammates
and models is data: what could steer a terminal in it is made visible before it is printed.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TextIO

from amx.core.errors import AmxError, OutputFailed
from amx.visible import UNSAFE_IN_JSON, cell, copy_field, json_escape, visible

if TYPE_CHECKING:
    from amx.core.pace import Pace


class Grid(NamedTuple):
    """A table of results: drawn on a terminal, tab-separated without headers when piped."""

    headers: Sequence[str]
    rows: Sequence[Sequence[object]]


class ReaderGone(Exception):
    """Who read standard output has gone away: no failure, and nobody to tell."""


_STANDARD_ERROR = 2

Human = str | Grid | Sequence["str | Grid"]
"""What a person reads instead of the JSON document."""


class Output:
    """Prints for a person, or one JSON document for a script (``is_json``)."""

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
    ) -> None:
        self.is_json = False
        self._environ = environ
        self._out = stdout or sys.stdout
        self._err = stderr or sys.stderr
        self._held: list[str] = []
        self._has_failed = False
        self._pace: Pace | None = None
        self._is_line_open = False
        self._is_result_open = False

    @property
    def streamer(self) -> Callable[[str], None] | None:
        """What shows a result in pieces; None where nobody watches it come."""
        return self._stream if self._out.isatty() and not self.is_json else None

    def _stream(self, text: str) -> None:
        """Show a piece of a result at once; whatever is printed next begins a new line."""
        if self._is_line_open:
            self._tell("")
        with _told_apart():
            self._out.write(visible(text))
            self._out.flush()
        self._is_result_open = not text.endswith("\n")

    def result(self, document: object, human: Human) -> None:
        """Print the result of a command: the document as JSON, or its human form."""
        if self.is_json:
            self.verbatim(f"{as_json(document)}\n")
            return
        for part in [human] if isinstance(human, str | Grid) else human:
            if isinstance(part, Grid):
                self._grid(part)
            else:
                self.verbatim(f"{visible(part)}\n")

    def verbatim(self, text: str) -> None:
        """Print a result as it is: SQL, Markdown, a file's text."""
        if self._is_line_open:
            self._tell("")
        self._end_stream()
        with _told_apart():
            self._out.write(text)

    def save(self, text: str, path: Path) -> None:
        """Write a result to a file that the user has named, in place of what is there.

        Raises:
            OutputFailed: it cannot be written.
        """
        try:
            path.write_text(text, encoding="utf-8", newline="\n")
        except OSError as error:
            message = f"{path} could not be written: {error.strerror}."
            raise OutputFailed(message, hint="Name another file with --output.") from error
        self.result({"output": str(path)}, [])
        self.note(f"Wrote {path}.")

    def note(self, text: str) -> None:
        """Tell a person something that is not the result; a script is not told."""
        if not self.is_json:
            self._tell(f"{visible(text)}\n")

    def warn(self, text: str) -> None:
        """Tell of something that wants attention.

        A script reads at most one JSON document on standard error: where the command fails,
        its warnings stand in the error's details.
        """
        if self.is_json:
            if not self._has_failed:
                self._held.append(text)
        else:
            self._write_warning(text)

    def progress(self, done: int, total: int, what: str) -> None:
        """Show how far a command has come, on one line of a terminal that is written again."""
        if not self._err.isatty() or self.is_json:
            return
        if self._pace is None:
            from amx.core.pace import Pace

            self._pace = Pace()
        self._tell(f"\r\x1b[2K{visible(self._pace.words(done, total, what))}", is_line_open=True)

    def error(self, error: AmxError) -> None:
        """Print why a command did not do what was asked."""
        if self.is_json:
            self._tell(f"{as_json({'error': self._facts(error)})}\n")
            return
        self._tell(f"amx: {visible(error.message)}\n")
        if error.hint:
            ways = error.hint.splitlines()
            self._tell("".join(f"  try: {visible(way)}\n" for way in ways))

    def flush(self) -> None:
        """Hand everything to the system."""
        for text in self._held:
            self._write_warning(text)
        self._held.clear()
        with _told_apart():
            self._out.flush()
        self._tell("")

    def _facts(self, error: AmxError) -> dict[str, object]:
        details = {**error.details, "warnings": list(self._held)} if self._held else error.details
        self._held.clear()
        self._has_failed = True
        return {
            "code": error.code,
            "message": error.message,
            "hint": error.hint,
            "details": details,
        }

    def _tell(self, text: str, *, is_line_open: bool = False) -> None:
        """Write to standard error at once; where that fails nobody is left to be told."""
        self._end_stream()
        if self._is_line_open and not is_line_open:
            text = f"\n{text}"  # what is told next stands below the progress
        self._is_line_open = is_line_open
        try:
            self._err.write(text)
            self._err.flush()
        except OSError:
            _discard(self._err)

    def _end_stream(self) -> None:
        if self._is_result_open:
            self._is_result_open = False
            with _told_apart():
                self._out.write("\n")
                self._out.flush()

    def _write_warning(self, text: str) -> None:
        self._tell(f"amx: warning: {visible(text)}\n")

    def _grid(self, grid: Grid) -> None:
        if self._out.isatty():
            self._draw(grid)
            return
        for row in grid.rows:
            self.verbatim("\t".join(copy_field(value) for value in row) + "\n")

    def _draw(self, grid: Grid) -> None:
        from rich.box import SIMPLE_HEAD
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False)
        for header in grid.headers:
            table.add_column(Text(header), overflow="fold")
        for row in grid.rows:
            table.add_row(*(Text(visible(cell(value))) for value in row))
        with _told_apart():
            Console(file=self._out, _environ=dict(self._environ)).print(table)


@contextmanager
def _told_apart() -> Iterator[None]:
    """Tell what goes wrong with standard output from every other error of the system."""
    try:
        yield
    except BrokenPipeError as error:
        raise ReaderGone from error
    except OSError as error:
        message = f"The output could not be written: {error.strerror}."
        raise OutputFailed(message, hint="What the command did stays done.") from error


def as_json(document: object) -> str:
    """Return a document as JSON that no terminal obeys: UTF-8 text, steering marks escaped."""
    import json

    text = json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False)
    is_plain = text.replace("\n", "").isprintable()
    return text if is_plain else re.sub(UNSAFE_IN_JSON, json_escape, text)


def discard_standard_output() -> None:
    """Point standard output at nothing, after its reader has gone away."""
    _discard(sys.stdout)


def _discard(stream: TextIO) -> None:
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, stream.fileno())
    os.close(nothing)


def open_standard_streams() -> None:
    """Give standard streams that the caller has closed a place to be: nothing.

    Else the next file that is opened would take the number of one, and what is written to
    standard error would land in it.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= _STANDARD_ERROR:
        pass
    os.close(descriptor)
    sys.stdout = sys.stdout or _nothing()
    sys.stderr = sys.stderr or _nothing()


def _nothing() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")
