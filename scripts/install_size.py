"""Measure what `pip install amx` puts on the disk, dependencies included, without the dev extra.

Usage: python scripts/install_size.py
"""

import subprocess
import sys
import tempfile
from pathlib import Path

LIMIT_MB = 80
SHOWN = 8
ROOT = Path(__file__).parents[1]


def main() -> int:
    """Print the size, the largest packages first; return 1 when it is beyond the limit."""
    with tempfile.TemporaryDirectory(prefix="amx-size-") as folder:
        options = ["-q", "--disable-pip-version-check", "--no-compile", "--target", folder]
        done = subprocess.run(
            [sys.executable, "-m", "pip", "install", *options, str(ROOT)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"pip failed ({done.returncode}):\n{done.stderr}")
        sizes = {part.name: _size_mb(part) for part in Path(folder).iterdir()}
    total = sum(sizes.values())
    for name in sorted(sizes, key=lambda name: -sizes[name])[:SHOWN]:
        print(f"{sizes[name]:6.1f} MB  {name}")
    print(f"{total:6.1f} MB  in all; limit {LIMIT_MB} MB")
    return 0 if total < LIMIT_MB else 1


def _size_mb(path: Path) -> float:
    files = [path] if path.is_file() else [part for part in path.rglob("*") if part.is_file()]
    return sum(file.stat().st_size for file in files) / 1e6


if __name__ == "__main__":
    sys.exit(main())
