"""Names in commands that are printed to be pasted into a shell."""


def quote(name: str) -> str:
    """Quote a name for a shell."""
    import shlex

    return shlex.quote(name)


def argument(name: str) -> str:
    """Quote a name, and keep one that begins with a dash from being an option."""
    return f"-- {quote(name)}" if name.startswith("-") else quote(name)
