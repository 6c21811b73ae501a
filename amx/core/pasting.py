"""Names in commands that are printed to be pasted into a shell."""


def argument(name: str) -> str:
    """Quote a name for a shell, and keep one that begins with a dash from being an option."""
    import shlex

    quoted = shlex.quote(name)
    return f"-- {quoted}" if name.startswith("-") else quoted
