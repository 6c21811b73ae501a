"""Prints the schema of an ERP system and its human labels, from the model classes of Tryton.

Run by `scripts/ranking.py` in an environment of its own, where the `trytond` modules are installed;
nothing of this project is imported here. Needs no database: the classes alone say which tables,
columns and foreign keys a database of theirs would have.

Prints JSON: ``[{"table", "label", "fields": [{"column", "label", "type", "target"}]}]``.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

SYSTEM = frozenset({"id", "create_uid", "create_date", "write_uid", "write_date"})
"""Columns that every table has; their labels say nothing of a table."""


def main() -> int:
    """Print the models that stand in tables of their own."""
    from trytond.model import ModelSQL
    from trytond.modules import create_graph, get_modules
    from trytond.pool import Pool
    from trytond.transaction import Transaction

    Pool.start()
    names = [node.name for node in create_graph(get_modules())]
    with Transaction().start(":memory:", 0):
        pool = Pool(":memory:")
        Pool._pool[":memory:"] = {kind: {} for kind in Pool.classes}
        pool._modules = []
        for name in names:
            pool.fill(name, set(names))
        models = dict(pool.iterobject(type="model"))
        for model in models.values():
            model.__setup__()
        stored = {
            name: model
            for name, model in models.items()
            if issubclass(model, ModelSQL) and not callable(model.table_query)
        }
        found = [_table(name, model, stored) for name, model in sorted(stored.items())]
    json.dump(found, sys.stdout)
    return 0


def _table(name: str, model: Any, stored: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - as above
    return {
        "table": model._table,
        "label": _label(name, model),
        "fields": list(_fields(model, stored)),
    }


def _label(name: str, model: Any) -> str:  # noqa: ANN401 - as above
    """Return the first line of the docstring, which is the model's name for people."""
    for one in model.__mro__:
        text = vars(one).get("__doc__")
        if text and one.__name__ == name:
            return str(text).strip().splitlines()[0].strip()
    return ""


def _fields(model: Any, stored: dict[str, Any]) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - as above
    from trytond.model.fields import Field

    for name in dir(model):
        field = getattr(model, name, None)
        kind = type(field).__name__
        if not isinstance(field, Field):
            continue
        if kind in {"Function", "MultiValue", "One2Many", "Many2Many", "One2One"}:
            continue
        if not hasattr(field, "sql_type") or field.sql_type() is None:
            continue
        target = stored.get(getattr(field, "model_name", None) or "")
        yield {
            "column": name,
            "label": "" if name in SYSTEM else str(field.string or ""),
            "type": field.sql_type().base,
            "target": target._table if target is not None and kind == "Many2One" else None,
        }


if __name__ == "__main__":
    sys.exit(main())
