"""Where history is kept: the local store and the shared stores, behind the ports of the core."""
