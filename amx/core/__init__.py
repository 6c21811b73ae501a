"""The rules of amx. Nothing here knows a terminal or a database driver."""
