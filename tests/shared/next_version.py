"""amx as a later release may be, whose shared schema has a version 2.

That version adds an index, and clients of version 1 may go on writing.

Usage: python -m tests.shared.next_version ARGS
"""

import sys


def main(argv: list[str]) -> int:
    """Declare the step before anything else is imported, then be amx."""
    from amx.core import tables

    tables.SCHEMA_VERSION = 2
    from amx.stores import steps

    index = steps.Index("runs", "started", ("started_at",))
    steps.STEPS = (steps.Step(version=2, oldest_writer=1, indexes=(index,)),)
    from amx.cli import main as amx

    return amx(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
