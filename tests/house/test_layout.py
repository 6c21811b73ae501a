"""The house keeps its own rules: sizes, reasons, one door per library, the tree of errors."""

import ast
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from amx.core import errors
from amx.core.errors import AmxError

ROOT = Path(__file__).parents[2]
LONGEST_FILE = 300
LONGEST_FUNCTION = 50

TEXTS = {
    path.relative_to(ROOT).as_posix(): path.read_text()
    for part in ("amx", "scripts", "tests")
    for path in sorted((ROOT / part).rglob("*.py"))
}
TREES = {name: ast.parse(text) for name, text in TEXTS.items()}

# SPEC.md, "Output, errors, exit codes".
PREFIXES = {
    1: ("failed.", "check."),
    2: ("usage.",),
    3: ("refused.",),
    4: ("shared.",),
    5: ("config.",),
    6: ("database.",),
    70: ("internal.",),
    75: ("busy.",),
    130: ("interrupted.",),
    143: ("interrupted.",),
}

DOORS = {
    "psycopg2": "amx/drivers/postgres.py",
    "yaml": "amx/core/config/syntax.py",
    "ruamel": "amx/core/config/writer.py",
    "sqlite_utils": "amx/stores/migrations.py",
    "questionary": "amx/picker.py",
    "rich": "amx/output.py",
    "httpx": "amx/describers/openai.py",
}


def _offenders(found: Callable[[str], object], *, under: str = "") -> Mapping[str, object]:
    """Return, by file, what was found where nothing should be."""
    return {name: what for name in TEXTS if name.startswith(under) and (what := found(name))}


def _error_tree(kind: type[AmxError]) -> Iterator[type[AmxError]]:
    for child in kind.__subclasses__():
        if child.__module__.startswith("amx."):
            yield child
            yield from _error_tree(child)


ERRORS = list(_error_tree(AmxError))


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def _calls(tree: ast.AST) -> Iterator[str]:
    return (ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call))


def test_there_are_files_and_errors_to_look_at() -> None:
    assert len(TEXTS) > 30
    assert len(ERRORS) > 25


def test_no_file_is_too_long() -> None:
    def excess(name: str) -> int:
        return max(0, len(TEXTS[name].splitlines()) - LONGEST_FILE)

    assert _offenders(excess) == {}


def test_no_function_is_too_long() -> None:
    def long_ones(name: str) -> list[str]:
        nodes = [node for node in ast.walk(TREES[name]) if isinstance(node, ast.FunctionDef)]
        return [n.name for n in nodes if (n.end_lineno or 0) - n.lineno >= LONGEST_FUNCTION]

    assert _offenders(long_ones) == {}


def test_only_the_top_of_the_program_catches_everything() -> None:
    def broad(name: str) -> list[str]:
        handlers = (n for n in ast.walk(TREES[name]) if isinstance(n, ast.ExceptHandler))
        caught = [ast.unparse(n.type) if n.type else "everything" for n in handlers]
        return [what for what in caught if what in {"everything", "Exception", "BaseException"}]

    # `outcome` hands whatever a thread met to the thread that waits for it.
    expected = {"amx/cli.py": ["Exception"], "amx/core/outcome.py": ["BaseException"]}
    assert _offenders(broad) == expected


def test_no_test_sleeps() -> None:
    def sleeps(name: str) -> list[str]:
        return [call for call in _calls(TREES[name]) if call.rpartition(".")[2] == "sleep"]

    assert _offenders(sleeps, under="tests/") == {}


@pytest.mark.parametrize("library", DOORS)
def test_a_library_has_one_door(library: str) -> None:
    importers = _offenders(lambda name: library in _imports(TREES[name]), under="amx/")

    assert list(importers) == [DOORS[library]]


@pytest.mark.parametrize("library", [*DOORS, "sqlite3", "click", "sqlalchemy", "pydantic"])
def test_the_linter_guards_each_door(library: str) -> None:
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]

    assert library in tools["ruff"]["lint"]["flake8-tidy-imports"]["banned-api"]


def test_every_rule_that_is_off_says_why() -> None:
    settings = (ROOT / "pyproject.toml").read_text()
    rules = re.findall(r'^    "[A-Z]+[0-9]+",.*$', settings, re.MULTILINE)

    assert len(rules) > 10
    assert [rule for rule in rules if not re.search(r",\s+# \w", rule)] == []


def test_every_silenced_check_says_why() -> None:
    def unexplained(name: str) -> list[str]:
        comments = re.findall(r"# (?:noqa|type: ignore|pragma)\b.*", TEXTS[name])
        return [comment for comment in comments if not re.search(r" [-#] \w", comment)]

    assert _offenders(unexplained) == {}


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_an_error_code_begins_as_its_exit_code_demands(kind: type[AmxError]) -> None:
    assert kind.code.startswith(PREFIXES[kind.exit_code])


def test_every_error_has_a_code_of_its_own() -> None:
    codes = sorted(kind.code for kind in ERRORS)

    assert codes == sorted(set(codes))


def test_the_errors_live_in_one_module_and_its_drawing_has_every_branch() -> None:
    drawn = re.findall(r"[├└]── (\w+)", errors.__doc__ or "")

    assert {kind.__module__ for kind in ERRORS} == {errors.__name__}
    assert drawn == [kind.__name__ for kind in AmxError.__subclasses__()]


def test_every_error_says_what_happened() -> None:
    assert [kind for kind in ERRORS if not re.match(r"[A-Z].*[.]", kind.__doc__ or "")] == []
