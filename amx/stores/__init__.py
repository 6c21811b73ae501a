"""Where history is kept: the local store and the shared stores. They implement the ports of the core."""
