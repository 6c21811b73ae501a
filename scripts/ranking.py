"""Measure how often the right table comes first, by schema and by kind of question.

Tryton: an ERP system of several hundred tables (PyPI's ``trytond`` and modules, installed into an
environment of its own that is thrown away; pass ``--schema FILE`` to use what
``scripts/ranking_schema.py`` printed before). Its tables, columns and foreign keys go into a real
SQLite file, and nothing else of it. Questions are its human labels, which stand in the classes and
not in the schema: a table's label, and a table's label with a field's.

Shop and music: the demo's database and Chinook's schema, with questions written by hand before the
ranking was tuned (``tests/asking/questions``). Odd lines were tuned on, even lines are held out.

Usage: python -m scripts.ranking [--schema FILE] [--misses]
"""

import argparse
import json
import re
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from amx.catalogs.sample import build_shop
from amx.core.asking.composing import Composer
from amx.core.asking.documents import CatalogDocument
from amx.core.asking.earlier import Earlier
from amx.core.asking.searching import Shelf
from amx.core.asking.terms import groups_of
from amx.core.glossary import BUILT_IN
from amx.runtime import Runtime

LEAST = 0.9
"""Of the questions of each kind that counts, how many must find the right table first."""

QUESTIONS = Path(__file__).parents[1] / "tests" / "asking" / "questions"
REQUIREMENTS = Path(__file__).with_name("ranking_requirements.txt")
PROGRAM = Path(__file__).with_name("ranking_schema.py")

_NO_LABEL = re.compile(r"^\w+\.msg_\w+$")
"""The id of a message that the running system would translate."""


class Case(NamedTuple):
    """A question, and the tables of which one must come first."""

    kind: str
    question: str
    table: str


class Score(NamedTuple):
    """How a kind of questions went."""

    right: int
    among_three: int
    asked: int
    misses: Sequence[str]


def main(schema: Path | None, *, is_telling: bool) -> int:
    """Print the table; return 1 where a kind is below the limit."""
    verdicts = []
    with tempfile.TemporaryDirectory(prefix="amx-ranking-") as name:
        folder = Path(name)
        models = json.loads(schema.read_text() if schema else _installed(folder))
        _build(folder / "tryton.db", models)
        cases, excluded = tryton_cases(models)
        columns = sum(len(one["fields"]) for one in models)
        print(f"Tryton: {len(models)} tables, {columns} columns; left out: {excluded}")
        verdicts.append(_report(folder / "tryton.db", cases, is_telling=is_telling))
        build_shop(folder / "shop.db")
        with closing(sqlite3.connect(folder / "music.db")) as connection:
            connection.executescript((QUESTIONS / "music.sql").read_text())
        for sample in ("shop", "music"):
            print(f"\n{sample}: questions by hand")
            written = written_cases(sample)
            verdicts.append(_report(folder / f"{sample}.db", written, is_telling=is_telling))
    return 0 if all(verdicts) else 1


def written_cases(sample: str) -> list[Case]:
    """Return the questions that were written by hand for a sample database."""
    lines = (QUESTIONS / f"{sample}.tsv").read_text().splitlines()
    return [
        Case("tuned on" if number % 2 else "held out", *line.split("\t"))
        for number, line in enumerate(lines, 1)
    ]


def tryton_cases(models: Sequence[Mapping[str, Any]]) -> tuple[list[Case], str]:
    """Return the questions that labels are, and what was left out and why."""
    left_out: Counter[str] = Counter()
    labels = Counter(_normal(one["label"]) for one in models)
    cases = []
    for model in models:
        label = str(model["label"])
        if labels[_normal(label)] > 1:
            left_out["labels of several tables"] += 1
            continue
        is_same = _words(label) == _words(model["table"])
        kind = "table label, words of its name" if is_same else "table label, other words"
        cases.append(Case(kind, label, model["table"]))
        for field in model["fields"]:
            if not field["label"] or _NO_LABEL.match(field["label"]):
                left_out["fields without a label of their own"] += 1
            else:
                asked = f"{field['label']} of {label}"
                cases.append(Case("field label of table label", asked, model["table"]))
                asked = f"{label} {field['label']}"
                cases.append(Case("table label and field label", asked, model["table"]))
    told = ", ".join(f"{count} {why}" for why, count in left_out.items())
    return cases, told or "nothing"


def _normal(label: str) -> tuple[str, ...]:
    return tuple(sorted(_words(label)))


def _words(name: str) -> frozenset[str]:
    return frozenset(stem for group in groups_of(name) for stem in group)


def _report(database: Path, cases: Sequence[Case], *, is_telling: bool) -> bool:
    scores = measured(database, cases)
    for kind, score in scores.items():
        share = score.right / score.asked
        word = "ok" if share >= LEAST else "TOO FEW"
        print(
            f"  {kind:<32} {score.right:>5} of {score.asked:>5} first: {share:6.1%} "
            f"(among the first three {score.among_three / score.asked:6.1%}): {word}"
        )
        if is_telling:
            print("".join(f"      {miss}\n" for miss in score.misses), end="")
    return all(score.right >= LEAST * score.asked for score in scores.values())


def measured(database: Path, cases: Sequence[Case]) -> Mapping[str, Score]:
    """Ask every question in a session of its own, of an index made as `ask` makes it."""
    scores: dict[str, Score] = {}
    with tempfile.TemporaryDirectory(prefix="amx-ranking-home-") as home:
        ask = _asking(Path(home), database)
        for case in cases:
            tables = list(dict.fromkeys(one.table for one in ask(case.question)))
            is_right = tables[:1] == [case.table]
            old = scores.get(case.kind, Score(0, 0, 0, ()))
            miss = () if is_right else (f"{case.question} → {tables[:3]}, not {case.table}",)
            scores[case.kind] = Score(
                old.right + is_right,
                old.among_three + (case.table in tables[:3]),
                old.asked + 1,
                (*old.misses, *miss),
            )
    return scores


def _asking(home: Path, database: Path) -> Callable[[str], Sequence[CatalogDocument]]:
    runtime = Runtime({"AMX_HOME": str(home)})
    settings = {"backend": "sqlite", "path": str(database)}
    runtime.config_file.patch({("db_profiles", "it"): settings, ("active_db_profile",): "it"})
    runtime.answers.ask(runtime.profile, "tables", None, lambda: runtime.catalog)
    shelf = Shelf(runtime.index, runtime.profile.identity)

    def ask(question: str) -> Sequence[CatalogDocument]:
        return Composer(shelf, "it", question, Earlier(), BUILT_IN).grounds().cited

    return ask


def _build(path: Path, models: Sequence[Mapping[str, Any]]) -> None:
    """Make the tables, with their columns and keys and nothing else."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for model in models:
            columns = ", ".join(_columns(model))
            connection.execute(f"CREATE TABLE {_quoted(model['table'])} ({columns})")


def _columns(model: Mapping[str, Any]) -> Iterator[str]:
    for field in model["fields"]:
        key = " PRIMARY KEY" if field["column"] == "id" else ""
        target = f" REFERENCES {_quoted(field['target'])} (id)" if field["target"] else ""
        yield f"{_quoted(field['column'])} {field['type']}{key}{target}"


def _quoted(name: str) -> str:
    return '"{}"'.format(name.replace('"', '""'))


def _installed(folder: Path) -> str:
    """Install Tryton into an environment of its own; return what it says of its schema."""
    python = folder / "venv" / "bin" / "python"
    pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", REQUIREMENTS]
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    subprocess.run(pip, check=True, stderr=subprocess.DEVNULL)
    command = [python, "-W", "ignore", PROGRAM]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="How often the right table comes first.")
    parser.add_argument("--schema", type=Path, help="what ranking_schema.py printed before")
    parser.add_argument("--misses", action="store_true", help="name each question that missed")
    given = parser.parse_args()
    sys.exit(main(given.schema, is_telling=given.misses))
