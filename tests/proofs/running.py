"""How the suite runs a proof in its reduced form, as `make` does."""

import os
import subprocess
import sys
from pathlib import Path

TIMEOUT_S = 900


def reduced(proof: str, temporary: Path) -> "subprocess.CompletedProcess[str]":
    """Run ``tests.proofs.PROOF --quick`` to its end, with a folder for what it makes."""
    return subprocess.run(
        [sys.executable, "-m", f"tests.proofs.{proof}", "--quick"],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "TMPDIR": str(temporary)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
