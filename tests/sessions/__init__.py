"""Guard 1, and the one door of the history."""
