"""Runs real `amx` processes for several engineers, and checks what each does."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from amx.core.errors import CheckFailed
from amx.output import Output

SHOWN_LINES = 8
"""How much of a command's output is shown."""

STEP_TIMEOUT_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Engineer:
    """Somebody with a login and a home of their own."""

    name: str
    home: Path
    environ: Mapping[str, str] = field(repr=False)

    @property
    def config(self) -> Path:
        """Their configuration file."""
        return self.home / "config.yml"


class Stage:
    """Where the demo plays: a folder, the engineers in it, and the steps that were taken."""

    def __init__(self, folder: Path, output: Output) -> None:
        self.folder = folder
        self.steps: list[dict[str, object]] = []
        self._output = output
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long the play has lasted."""
        return round(time.monotonic() - self._started, 1)

    def engineer(self, name: str, extra: Mapping[str, str]) -> Engineer:
        """Give somebody a login name and a home in the folder."""
        home = self.folder / name / ".amx"
        kept = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("AMX_", "PG")) and key not in ("CI", "GITHUB_ACTIONS")
        }
        own = {"HOME": str(home.parent), "AMX_HOME": str(home), "LOGNAME": name, "USER": name}
        home.parent.mkdir()
        return Engineer(name=name, home=home, environ={**kept, **own, **extra})

    def chapter(self, title: str) -> None:
        """Say what comes next."""
        self._output.note(f"\n== {title}")

    def amx(
        self, who: Engineer, *words: str, code: int = 0, says: Sequence[str] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run one command for somebody and show it with its exit code.

        Args:
            who: Whose command it is.
            words: The command's words behind ``amx``.
            code: The exit code that it must have.
            says: Texts that must stand in its output.

        Raises:
            CheckFailed: the exit code or the output is another.
        """
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "amx", *words],
            env=dict(who.environ),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=STEP_TIMEOUT_S,
            check=False,
        )
        shown = " ".join(f"'{word}'" if " " in word else word for word in words)
        self._output.note(f"{who.name}$ amx {shown}")
        self._show(done.stdout + done.stderr)
        missing = [text for text in says if text not in done.stdout + done.stderr]
        self._judge(f"{who.name}: amx {shown}", done.returncode, code, missing)
        return done

    def check(self, claim: str, *, is_true: bool) -> None:
        """Show a claim about the folder, and that it holds.

        Raises:
            CheckFailed: it does not.
        """
        self._output.note(f"  checked: {claim}: {'yes' if is_true else 'NO'}")
        self.steps.append({"step": claim, "exit": 0 if is_true else 1})
        if not is_true:
            raise CheckFailed(f"The demo failed: it is not true that {claim}.")

    def _judge(self, step: str, code: int, expected: int, missing: Sequence[str]) -> None:
        promised = "as promised" if code == expected and not missing else "NOT as promised"
        self._output.note(f"  exit {code} ({promised})")
        self.steps.append({"step": step, "exit": code})
        if code != expected:
            raise CheckFailed(f"The demo failed: {step} ended with {code}, promised {expected}.")
        if missing:
            raise CheckFailed(f"The demo failed: {step} does not say {missing[0]!r}.")

    def _show(self, text: str) -> None:
        lines = [line for line in text.splitlines() if line.strip()]
        for line in lines[:SHOWN_LINES]:
            self._output.note(f"  | {line[:150]}")
        if len(lines) > SHOWN_LINES:
            self._output.note(f"  | … {len(lines) - SHOWN_LINES} more lines")
