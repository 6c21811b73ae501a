"""What the state machine of guard 4 writes: configurations with comments, garbage, changes."""

from collections.abc import Mapping

import yaml
from hypothesis import strategies as st

from amx.core.config.model import REMOVED
from tests.config.machine_model import Key, Known, changes_of, comments, joined

Raw = Mapping[str, object]
"""A document as it is written: names, and text that is YAML for each value."""

SCALARS = ("1", "no", "010", "12:30:45", "1e3", "'quoted'", '"double"', "~", "[1, two]", "{a: b}")
"""What YAML 1.1 reads otherwise than one thinks, and values of more than one word."""

GARBAGE = (
    *(b"", b"\x00\xff\x00", b"a: [1, 2\n", b"- a list\n", b"a: 1\na: 2\n", b"\xff\xfea\x00"),
    *(b"a: *nowhere\n", b"a: 1\n---\nb: 2\n", b"1: number\n", b"torn: 'in the mid"),
)
"""None of these is a configuration."""

TEXT = st.sampled_from(["shop", "no", "010", "12:30:45", "", "a: b", "# none", "ü\n", " x "])
PORT = st.sampled_from([5432, 1, "5433", "no port"])
ANYTHING = st.sampled_from(
    [0, 1, 1.0, True, False, "1", "no", [], [1, "a"], {}, {"deep": 1}, {"deep": {"er": "x"}}]
)
NAMES = st.sampled_from(["a", "b"])


def _raw_profile() -> st.SearchStrategy[Raw]:
    host = st.sampled_from(["db1", "'db2'", '"db3"'])
    return st.fixed_dictionaries(
        {}, optional={"host": host, "port": st.sampled_from(["5432", "'1'"])}
    )


DOCUMENTS: st.SearchStrategy[Raw] = st.fixed_dictionaries(
    {},
    optional={
        "u": st.sampled_from(SCALARS),
        "active_db_profile": st.sampled_from(["shop", "'a'", "5"]),
        "db_profiles": st.dictionaries(NAMES, _raw_profile(), max_size=2),
        "x_tool": st.sampled_from(SCALARS)
        | st.fixed_dictionaries(
            {"deep": st.sampled_from(SCALARS) | st.just({"er": "x"})}, optional={"z": st.just("1")}
        ),
        "history_store_enabled": st.sampled_from(["true", "no"]),
    },
)


def _value(key: Key) -> st.SearchStrategy[object]:
    fitting: dict[str, st.SearchStrategy[object]] = {
        "active_db_profile": TEXT,
        "history_store_enabled": st.booleans(),
        "host": TEXT,
        "port": PORT,
        "a": st.just({"host": "h"}),
        "db_profiles": st.just({"c": {"host": "h", "port": 1}}),
    }
    return fitting.get(key[-1], ANYTHING)


KEYS: tuple[Key, ...] = (
    *(("u",), ("active_db_profile",), ("history_store_enabled",), ("db_profiles",)),
    *(("x_tool",), ("x_tool", "deep"), ("x_tool", "deep", "er"), ("x_tool", "z")),
    *(("db_profiles", "a"), ("db_profiles", "b", "host"), ("db_profiles", "a", "host")),
    *(("db_profiles", "a", "port"), ("new", "below")),
)

_CHANGE = st.sampled_from(KEYS).flatmap(
    lambda key: st.tuples(st.just(key), _value(key) | st.just(REMOVED))
)
CHANGES = st.lists(_CHANGE, min_size=1, max_size=3).map(dict)
"""Mostly of the right type; now and then below a value, or of another type."""

EFFECTIVE = CHANGES.map(lambda changes: changes_of(joined(Known().wished(changes))))
"""The same without what is taken back by a later change of the same patch."""


class Pen:
    """Writes texts in which every comment is one of a kind."""

    def __init__(self) -> None:
        self._count = 0

    def comment(self) -> str:
        """Return a comment that there was never before."""
        self._count += 1
        return f"#c{self._count};"

    def text(self, document: Raw, *, is_commented: bool) -> bytes:
        """Return a document as text."""
        lines = [*self._lines(document, 0, is_commented=is_commented)]
        if is_commented:
            lines.append(self.comment())
        if not document:
            lines.append("{}")
        return "".join(f"{line}\n" for line in lines).encode()

    def _lines(self, document: Raw, depth: int, *, is_commented: bool) -> list[str]:
        lines, margin = [], "  " * depth
        for name, value in document.items():
            if is_commented:
                lines.append(margin + self.comment())
            if isinstance(value, Mapping) and value:
                lines.append(f"{margin}{name}:")
                lines += self._lines(value, depth + 1, is_commented=is_commented)
                continue
            text = "{}" if isinstance(value, Mapping) else str(value)
            lines.append(f"{margin}{name}: {text}" + f"  {self.comment()}" * is_commented)
        return lines

    def longer(self, text: bytes) -> bytes | None:
        """Return a text with a comment and a key more at its end; None where that is no YAML."""
        self._count += 1
        more = f"{self.comment()}\nedited_{self._count}: {self._count}\n".encode()
        result = (b"" if text.strip() == b"{}" else text) + more
        return result if _is_mapping(result) else None


def _is_mapping(text: bytes) -> bool:
    try:
        return isinstance(yaml.safe_load(text), dict)
    except (yaml.YAMLError, ValueError):
        return False


def may_go(text: bytes, changes: Mapping[Key, object]) -> set[bytes]:
    """Return the comments of a text that may go with what is changed in it.

    One at the end of a line goes when its value is taken away, one inside of a value with it.
    """
    words = text.decode()
    root, gone = yaml.compose(words, yaml.SafeLoader), set()
    for key, value in changes.items():
        pair = _pair(root, key)
        if pair is None or (_is_plain(value) and isinstance(pair[1], yaml.ScalarNode)):
            continue
        end = words.find("\n", max(pair[0].start_mark.index, _end(pair[1]) - 1))
        inside = words[pair[0].start_mark.index : end if end >= 0 else None]
        gone |= {*comments(inside.encode())}
    return gone


def _pair(node: yaml.Node | None, key: Key) -> tuple[yaml.Node, yaml.Node] | None:
    pair = None
    for part in key:
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        pair = next((one for one in pairs if one[0].value == part), None)
        node = pair[1] if pair else None
    return pair


def _end(node: yaml.Node) -> int:
    """Return where the last leaf ends; a mapping in blocks ends where the next thing begins."""
    if isinstance(node, yaml.MappingNode) and node.value:
        return max(_end(value) for _, value in node.value)
    return int(node.end_mark.index)


def _is_plain(value: object) -> bool:
    return value is not REMOVED and not isinstance(value, (Mapping, list))


def is_whole(text: bytes) -> bool:
    """Tell whether no comment stands in a text twice."""
    found = comments(text)
    return len(found) == len(set(found))
