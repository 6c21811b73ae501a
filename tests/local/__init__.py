"""The local store: rows, their outbox entries, and what its file goes through."""
