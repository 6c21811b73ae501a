"""Runs ``python -m amx``."""

import sys

from amx.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
