"""What is left of a bug for those who mend it."""

import os
from pathlib import Path

from amx.core.errors import InternalError


def report_bug(home: Path, error: Exception) -> InternalError:
    """Write a report into the home, without secrets; return the error that names it."""
    import traceback

    from amx.core.secrets import redact_url

    message = f"This is a bug in amx: {type(error).__name__}."
    path = home / f"crash-{os.getpid()}.txt"
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        text = redact_url("".join(traceback.format_exception(error)))
        path.write_text(text, "utf-8", "backslashreplace")
    except OSError:
        return InternalError(message, hint="Run it again with --debug to see where.")
    return InternalError(f"{message} A report is in {path}.", hint="Please send us that file.")
