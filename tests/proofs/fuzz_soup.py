"""The random files of the proof of bad files; the same seed gives the same files again."""

from collections.abc import Callable, Iterator
from random import Random

from tests.proofs.fuzz_oddities import Case, part

_TOKENS = (
    *("a", "b", "<<", "=", "1", "no", "~", "x y", "'", '"', "'x'", '"x"', "&a", "*a", "&b ", "*b "),
    *("!", "!!str ", "!!set ", "!!binary ", "!x ", "!<", ">", "%YAML 1.1\n", "%TAG ! x\n"),
    *("---\n", "...\n", "[", "]", "{", "}", ",", ", ", ":", ": ", "? ", "- ", "-", "|", "|2-"),
    *(">+", "# c\n", " # c\n", "#", "\n", "\n", "\n ", "\n  ", "\n    ", "\t", " ", "  ", "\r\n"),
    *("\r", "\\", "\x85", "\u2028", "\ufeff", "a: ", "b: ", "a: 1\n", "  b: 2\n", "- 1\n"),
    *("db_profiles:\n", "port: ", "é", "\0", "\x1b", "@", "`"),
)

_NO_TEXT = (b"\0", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x80\xa8", b"\x1b")

_Change = Callable[[str, int, Random], str]

_CHANGES: tuple[_Change, ...] = (
    lambda _line, _at, _random: "",
    lambda line, _at, _random: line * 2,
    lambda line, _at, random: " " * random.randint(1, 4) + line,
    lambda line, _at, _random: line.removeprefix("  "),
    lambda line, at, _random: line[:at] + line[at + 1 :],
    lambda line, at, random: line[:at] + random.choice(_TOKENS) + line[at:],
    lambda line, at, random: line[:at] + random.choice(_TOKENS) + "\n",
    lambda line, _at, random: line.replace(": ", f": {random.choice(part('words'))} "),
    lambda line, _at, _random: line.rstrip("\n") + " # c\n",
)
"""What a careless hand makes of a line, at a place in it."""


def every_flip(data: bytes, step: int) -> Iterator[Case]:
    """Yield the file once for each bit of it that is turned, or for every so manieth."""
    for place in range(0, len(data) * 8, step):
        yield Case(f"bit {place} flipped", _flipped(data, [place]))


def flips(data: bytes, random: Random, count: int) -> Iterator[Case]:
    """Yield the file with one to four bits of it turned."""
    for _ in range(count):
        places = [random.randrange(len(data) * 8) for _ in range(random.choice((1, 1, 2, 4)))]
        yield Case(f"bits {places} flipped", _flipped(data, places))


def _flipped(data: bytes, places: list[int]) -> bytes:
    changed = bytearray(data)
    for place in places:
        changed[place // 8] ^= 1 << place % 8
    return bytes(changed)


def insertions(data: bytes, step: int) -> Iterator[Case]:
    """Yield the file with what is no text put in at every so manieth place."""
    for place in range(0, len(data) + 1, step):
        for piece in _NO_TEXT:
            yield Case(f"{piece!r} at {place}", data[:place] + piece + data[place:])


def mutations(data: bytes, random: Random, count: int) -> Iterator[Case]:
    """Yield pieces of the file as careless hands leave them."""
    lines = data.decode().splitlines(keepends=True)
    for number in range(count):
        begin = random.choice((0, random.randrange(len(lines))))
        piece = lines[begin : begin + random.randint(3, 40)]
        for _ in range(random.randint(1, 4)):
            place = random.randrange(len(piece))
            at = random.randint(0, len(piece[place]))
            piece[place] = random.choice(_CHANGES)(piece[place], at, random)
        if random.random() < 0.1:
            random.shuffle(piece)
        yield Case(f"mutation {number}", "".join(piece).encode())


def soup(random: Random, count: int) -> Iterator[Case]:
    """Yield files of tokens in no order."""
    for number in range(count):
        tokens = random.choices(_TOKENS, k=random.randint(1, 25))
        yield Case(f"soup {number}", "".join(tokens).encode())


def noise(random: Random, count: int) -> Iterator[Case]:
    """Yield files of random bytes, half of them of plain ones only."""
    for number in range(count):
        data = random.randbytes(random.randint(0, 120))
        is_plain = number % 2 == 0
        yield Case(f"noise {number}", bytes(32 + one % 95 for one in data) if is_plain else data)
