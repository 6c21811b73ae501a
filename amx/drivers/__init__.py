"""Doors to database drivers."""
