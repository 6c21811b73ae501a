"""Which files the proof of bad files tries: families of them, and how many of each."""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

from tests.proofs.fuzz_documents import documents
from tests.proofs.fuzz_huge import huge
from tests.proofs.fuzz_oddities import Case, oddities
from tests.proofs.fuzz_soup import every_flip, flips, insertions, mutations, noise, soup

_CONFIGS = Path(__file__).parents[1] / "config"

_CODINGS = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "utf-7")
_CODINGS_OF_LETTERS = ("utf-8-sig", "latin-1", "cp1252", "cp037")
_MARKS = (b"\xfe\xff", b"\xff\xfe", b"\0\0\xfe\xff", b"\xff\xfe\0\0", b"\xef\xbb\xbf", b"\xef\xbb")
_ENDS = ("\r", "\r\n", "\x85", "\u2028", "\u2029", " \n", "\t\n", "\n\n", "\n\r", "\0\n", "\x0c\n")


class Family(NamedTuple):
    """Files of one kind; one in ``save_every`` of those that can be read is saved, too."""

    name: str
    files: Iterator[Case]
    save_every: int
    is_alone: bool = False
    """Whether each gets a process of its own."""


def original() -> bytes:
    """Return a file of the original tool."""
    return (_CONFIGS / "original.yml").read_bytes()


def original_of_20() -> bytes:
    """Return a long file of the original tool, with twenty profiles."""
    return (_CONFIGS / "original_20.yml").read_bytes()


def families(seed: int, *, is_quick: bool) -> Iterator[Family]:
    """Yield all families; the same seed gives the same files.

    The last numbers are those of the reduced form and of the full one: a step from one file to
    the next, or a count of files.
    """

    def number(quick: int, full: int) -> int:
        return quick if is_quick else full

    random = Random(seed)  # noqa: S311 - the same files each time
    small, large = original(), original_of_20()
    yield Family("oddities", oddities(), number(3, 1))
    yield Family("codings", codings(small), 1)
    yield Family("huge", huge(is_quick=is_quick), 4, is_alone=True)
    yield Family("cuts", cuts(small, number(2, 1)), number(20, 3))
    yield Family("cuts of 20", cuts(large, number(199, 1)), 50)
    yield Family("flips", every_flip(small, number(41, 1)), number(20, 12))
    yield Family("flips of 20", flips(large, random, number(20, 1200)), 50)
    yield Family("insertions", insertions(small, number(29, 1)), 9)
    yield Family("insertions in 20", insertions(large, number(2999, 97)), 50)
    yield Family("mutations", mutations(small, random, number(150, 4000)), 3)
    yield Family("mutations of 20", mutations(large, random, number(150, 4000)), 3)
    yield Family("documents", documents(random, number(150, 2000)), 2)
    yield Family("soup", soup(random, number(1500, 12_000)), 1)
    yield Family("noise", noise(random, number(400, 4000)), 1)


def cuts(data: bytes, step: int) -> Iterator[Case]:
    """Yield the file as it would be had its writing stopped at each byte, or so manieth byte."""
    for length in range(0, len(data), step):
        yield Case(f"cut at {length}", data[:length])


def codings(data: bytes) -> Iterator[Case]:
    """Yield the file, and a line, in other encodings, with marks, with other ends of lines."""
    for text in (data.decode(), "a: 1 # c\n", ""):
        begin = text[:9]
        for coding in _CODINGS:
            yield Case(f"{coding} {begin!r}", text.encode(coding))
        for coding in _CODINGS_OF_LETTERS:
            yield Case(f"{coding} {begin!r}", f"{text}é: ÿ\n".encode(coding))
        for mark in _MARKS:
            yield Case(f"{mark!r} before {begin!r}", mark + text.encode())
            yield Case(f"{mark!r} twice before {begin!r}", mark * 2 + text.encode())
        for end in _ENDS:
            yield Case(f"{end!r} ends {begin!r}", text.replace("\n", end).encode())
