"""amx: history, sessions and configuration that a data team can trust."""

__version__ = "0.1.0"
