"""Random files that are well meant, for the proof of bad files: nested, commented, in every style.

Most of them can be read; they show whether a save keeps what stands in them.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from random import Random

import yaml

from tests.proofs.fuzz_oddities import Case, part

_COMMENTS = ("", "", "", "", "  # c", " #", "  # it's: [a, 'b\"")

_LINES = ("{pad}# about it\n", "\n", "{pad}  # deeper\n", "# left\n", "{pad}#\n{pad}# two\n")

_FLOWS = (
    *("[{0}, x]", "[]", "{{}}", "{{k: {0}, l: x}}", "[[{0}], {{k: {0}}}]", "{{k: [], l: {{}}}}"),
    *("[\n{1}{0},\n{1}y\n{1}]", "{{k: {0},\n{1}l: y}}", "[ # c\n{1}{0},  # d\n{1}]"),
)

_BLOCKS = (
    *(
        "|\n{1}text: # no comment\n{1}  deeper\n",
        "|-\n{1}text\n",
        ">\n{1}folded\n{1}text\n\n{1}end\n",
    ),
    *(
        "|+\n{1}text\n\n",
        "|\n{1}# no comment\n",
        "| # c\n{1}text\n",
        ">-\n{1}{0}\n",
        "|2-\n{1}text\n",
    ),
)

_QUOTED = (
    *(
        "'it''s'",
        '"\\u00e9 # no"',
        "'two\n\n{1}lines'",
        '"two\n{1}lines"',
        "plain\n{1}and more",
        "'#'",
    ),
    *(
        '"a\\\n{1}b"',
        "'{{x}}'",
        '"\\0\\t"',
        "'  '",
        "! 'x'",
        "!!str 5",
        "!!binary aGk=",
        "!!set {{a}}",
    ),
)


def documents(random: Random, count: int) -> Iterator[Case]:
    """Yield files of all sizes up to some fifty lines."""
    for number in range(count):
        text = random.choice(("", "", "# top\n", "---\n", "# c\n\n---\n", "%YAML 1.1\n---\n"))
        text += "".join(_Document(random).entries(0, 0))
        text += random.choice(("", "", "# end\n", "\n\n", "  # end\n", "...\n"))
        if random.random() < 0.1:
            odd = ("\ufeff" + text, text.replace("\n", "\r\n"), text.rstrip("\n"))
            text = random.choice(odd)
        yield Case(f"document {number}", text.encode())


@cache
def _words() -> Sequence[str]:
    """Return the odd words that PyYAML reads wherever they stand."""
    return [word for word in part("words") if _is_read(f"a: {word}") and _is_read(f"[{word}, x]")]


def _is_read(text: str) -> bool:
    try:
        yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, LookupError, TypeError, AttributeError):
        return False
    return "&" not in text


class _Document:
    """One file while it is written; it knows which anchors stand already."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._anchors: list[str] = []
        self._mappings: list[str] = []

    def entries(self, depth: int, width: int) -> Iterator[str]:
        """Yield the lines of a mapping in blocks."""
        pad, number = " " * width, 0
        for number in range(self._random.randint(1, 5)):
            if self._happens(0.25):
                yield self._random.choice(_LINES).format(pad=pad)
            key = self._random.choice(
                ("k{0}", "'k {0}'", '"k{0}"', "k.{0}", "k{0} k", "? k{0}\n{1}")
            )
            yield f"{pad}{key.format(number, pad)}:"
            yield from self._below(depth, width)
        if self._mappings and self._happens(0.15):
            yield f"{pad}<<: *{self._random.choice(self._mappings)}{self._comment()}\n"

    def _below(self, depth: int, width: int) -> Iterator[str]:
        anchor = f" &n{len(self._anchors)}" if self._happens(0.15) else ""
        is_mapping = depth < 4 and self._happens(0.3)
        if is_mapping:
            yield f"{anchor}{self._comment()}\n"
            yield from self.entries(depth + 1, width + self._random.choice((2, 2, 4)))
        elif self._happens(0.2):
            yield f"{anchor}{self._comment()}\n"
            yield from self._items(width + self._random.choice((0, 2)))
        else:
            value = self._value(width)
            anchor *= not value.startswith("*")
            yield f"{anchor} {value}"
        if anchor:
            self._anchors.append(anchor[2:])
            self._mappings += [anchor[2:]] * is_mapping

    def _items(self, width: int) -> Iterator[str]:
        pad = " " * width
        for _ in range(self._random.randint(1, 3)):
            if self._happens(0.2):
                yield self._random.choice(_LINES).format(pad=pad)
            if self._happens(0.2):
                yield f"{pad}- k: {self._value(width + 2)}{pad}  l: x\n"
            else:
                yield f"{pad}- {self._value(width)}"

    def _value(self, width: int) -> str:
        kind, word = self._random.random(), self._random.choice(_words())
        deeper = " " * (width + self._random.choice((2, 4)))
        if kind < 0.12:
            return self._random.choice(_BLOCKS).format(word, deeper)
        if kind < 0.2:
            text = self._random.choice(_QUOTED).format(word, deeper)
        elif kind < 0.3:
            text = self._random.choice(_FLOWS).format(word, deeper)
        elif kind < 0.35 and self._anchors:
            text = f"*{self._random.choice(self._anchors)}"
        else:
            text = word if kind < 0.6 else "text"
        return f"{text}{self._comment()}\n"

    def _comment(self) -> str:
        return self._random.choice(_COMMENTS)

    def _happens(self, chance: float) -> bool:
        return self._random.random() < chance
