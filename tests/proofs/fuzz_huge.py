"""Files that would take long, or much memory, or the stack of a careless reader."""

from collections.abc import Iterator
from itertools import chain, islice

from tests.proofs.fuzz_oddities import Case
from tests.proofs.fuzz_trial import MOST_BYTES

_FULL = MOST_BYTES - 30
"""So much, and a word before and behind it, is still read."""

_LEVELS = (
    "[",
    "{",
    "{a: ",
    "[a: ",
    "- ",
    "? ",
    "- - ? ",
    "!!x [",
    "&a [",
    "[{",
    "a: [",
    "- [",
    "{? ",
)

_ALONE = (
    *("a: {}", "a: '{}", 'a: "{}', "a: '{}'", "a: !{} y", "a: !<{}> y", "a: &{} y", "a: *{}"),
    *("a: y # {}", "a: |\n  {}", "a: >\n {}", "{}: 1", "? {}\n: 1", "'{}': 1", "# {}\na: 1"),
    *("%{}\n---\na: 1", "{}", "- {}", "a: 1\n{}"),
)
"""Where a word of half a megabyte stands."""

_PIECES = (
    *(
        "x: ",
        "x:# ",
        "x ",
        " x\n",
        "\n",
        " ",
        "\t",
        ",",
        "x,",
        "- ",
        "! ",
        "#",
        "# c\n",
        ":",
        "*a ",
    ),
    *(
        "'",
        '"',
        "''",
        "\r",
        "\x85",
        "\u2028",
        "é",
        "😀",
        "\\n",
        "\\",
        "? ",
        ": ",
        "&",
        "%",
        "---\n",
    ),
)

_AROUND = ("a: {}", "{}", "a: '{}'", 'a: "{}"', "a: [{}]")

_LINES = ("  x\n", "  \n", "    \n   x\n", " \n  \n", "  \t\n", "  # c\n", "  x: y\n", "  - x\n")

_HEADS = ("a: |\n", "a: >\n", "a: >2+\n", "a:\n", "a: x\n", "a: '\n")

_NUMBERS = (
    *(("", "9"), ("0x", "f"), ("0b", "1"), ("0", "7"), ("1", "_"), ("1.", "0"), ("-", "1")),
    *(("1", ":59"), ("1:", "0"), ("1.", "."), ("1", "e1"), ("0_", "_"), ("+", "-"), ("~", "~")),
    *(
        ("2024-01-31 10:00:00.", "9"),
        ("2024-01-31 10:00:00", " "),
        ("!!int ", "1:"),
        ("!!int 1", ":1"),
    ),
    *(
        ("!!int ", "9"),
        ("!!int 0b", "1"),
        ("!!float 1", ":59"),
        ("!!float ", "9"),
        ("!!bool ", "y"),
    ),
    *(("!!binary ", "AAAA"), ("!!binary ", "@"), ("!!binary ", "A "), ("!", "%41")),
    ("!!timestamp 2024-01-31 10:00:00.", "9"),
)

_TAILS = ("", ".5", " x", "\nb: 1")

_ROWS = (
    *(
        "key{0}: value\n",
        "k{0}: 2024-01-31 10:00:00.5 +05:30\n",
        "k{0}: &a{0} x\n",
        "k{0}: 1:59:59\n",
    ),
    *("k{0}: .nan\n", "? k{0}\n", "k{0}: !!binary aGk=\n", "k{0}: []\n", "k{0}: |\n", "%F{0} x\n"),
    *("'k{0}': \"\\n\"\n", "k{0}: {{a: b}}\n", "k{0}:\n- x\n", "%TAG !a{0}! x\n", "--- {0}\n"),
    *(
        "# {0}\n",
        "- {0}\n",
        "k{0}: {{<<: {{a: 1}}}}\n",
        "{0}: 1\n",
        "k{0}: 1{0}{0}{0}\n",
        "%YAML 1.1\n",
    ),
    *("k{0}: !!set {{a}}\n", "\"k{0}\": 'x'\n", "k{0}: 0x{0}\n", "k{0}: !!str {0}\n"),
)

_BELOW = (
    "  p{0}: x\n",
    "  p{0}: {{port: 1}}\n",
    "  p{0}: {{}}\n",
    "  p{0}:\n",
    "  p{0}: {{backend: x}}\n",
)


def huge(*, is_quick: bool) -> Iterator[Case]:
    """Yield them all, or of the many kinds of long ones every so manieth."""
    step = 9 if is_quick else 1
    for size in (_FULL,) if is_quick else (_FULL, 5_000):
        yield from islice(chain(_long(size), _numbers(size)), 0, None, step)
    yield from islice(_many(), 0, None, step)
    yield from chain(_deep(), _bombs(), _too_large())


def _deep() -> Iterator[Case]:
    for count in (60, 5_000, 100_000):
        for piece in _LEVELS:
            yield Case(f"{count} levels of {piece!r}", piece.encode() * count)
        yield Case(f"{count} levels, closed", b"a: " + b"[" * count + b"]" * count)
        yield Case(f"{count} closing", b"a: " + b"]" * count)
    for count in (49, 50, 51, 900):
        lines = (b" " * level + b"a:\n" for level in range(count))
        yield Case(f"{count} levels in blocks", b"".join(lines))


def _bombs() -> Iterator[Case]:
    for fan, start in ((9, "[x, y]"), (30, "x"), (2, "{k: 1}")):
        yield Case(f"aliases by {fan}", _bomb(f"a0: &a0 {start}", "a{0}: &a{0} [{1}]", fan))
    for fan in (1, 2, 9):
        yield Case(
            f"merges by {fan}", _bomb("a0: &a0 {x: 1}", "a{0}: &a{0} {{<<: [{1}], k{0}: 1}}", fan)
        )
    keys = ", ".join(f"k{number}: 1" for number in range(95))
    many = "".join(f"b{number}: {{<<: *a}}\n" for number in range(100))
    yield Case("merges of 95 keys", f"a: &a {{{keys}}}\n{many}".encode())
    yield Case("one merge of many", f"a: &a {{{keys}}}\nb: {{<<: [{'*a, ' * 100}]}}\n".encode())
    for text in (
        "a: &a [*a]",
        "a: &a {b: *a}",
        "a: &a {<<: *a}",
        "a: &a\n  - &b [*a, *b]",
        "&a a: *a",
    ):
        yield Case(f"loop {text!r}", text.encode())
    for count in (9_990, 150_000):
        yield Case(f"{count} aliases", b"a: &a x\nb: [" + b"*a," * count + b"]")


def _bomb(first: str, line: str, fan: int) -> bytes:
    rows = (line.format(n, ", ".join([f"*a{n - 1}"] * fan)) for n in range(1, 300))
    return "\n".join((first, *rows)).encode()


def _long(size: int) -> Iterator[Case]:
    for around in _ALONE:
        yield Case(f"{size}: {around!r}", around.format("x" * size).encode())
    for piece in _PIECES:
        for around in _AROUND:
            yield _repeated(size, around, piece)
    for line in _LINES:
        for head in _HEADS:
            yield _repeated(size, f"{head}{{}}", line)


def _numbers(size: int) -> Iterator[Case]:
    for head, piece in _NUMBERS:
        for tail in _TAILS:
            yield _repeated(size, f"a: {head}{{}}{tail}", piece)
    for number in (
        "9" * 300,
        "1" + ":59" * 1000,
        "0x" + "f" * 200,
        "2024-01-31 10:00:00.000001 -11:59",
    ):
        yield _repeated(size, "a: [{}]", f"{number}, ")


def _repeated(size: int, around: str, piece: str) -> Case:
    body = piece * (size // len(piece.encode()))
    return Case(f"{size}: {around!r} of {piece[:40]!r}", around.format(body).encode())


def _many() -> Iterator[Case]:
    for row in _ROWS:
        for count in (12_400, 24_900):
            text = _rows(row, count)
            yield Case(f"{count} of {row!r}", text.encode())
            if row.startswith("%"):
                yield Case(f"{count} of {row!r}, a: 1", f"{text}---\na: 1\n".encode())
    for kind in ("!!set {%s}", "!!omap [%s]", "!!pairs [%s]", "[%s]", "{%s}"):
        yield Case(f"16,000 in {kind}", f"a: {kind % _rows('k{0}: 1,', 16_000)}".encode())
    yield Case("49,990 items", b"a:\n" + b"- 1\n" * 49_990)
    for row in _BELOW:
        for count in (12_400, 24_900):
            yield Case(f"{count} profiles {row!r}", f"db_profiles:\n{_rows(row, count)}".encode())


def _rows(row: str, count: int) -> str:
    text = "".join(row.format(number) for number in range(count))
    return text if len(text) <= _FULL else text[: text.rindex("\n", 0, _FULL) + 1]


def _too_large() -> Iterator[Case]:
    for size in (MOST_BYTES - 8, MOST_BYTES - 7, MOST_BYTES - 6, 10_000_000):
        yield Case(f"{size} bytes of a comment", b"a: b # " + b"x" * size)
        yield Case(f"{size} NULs", b"\0" * size)
    yield Case("10 MB of keys", b"key: value\n" * 900_000)
    yield Case("10 MB of brackets", b"[" * 10_000_000)
