"""Runs ``python -m amx``."""

from amx.cli import run

if __name__ == "__main__":
    run()
